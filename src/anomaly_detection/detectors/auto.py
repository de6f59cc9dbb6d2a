"""Several views of the same rows, combined: the default algorithm."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import SEED, Choice
from anomaly_detection.detectors import create
from anomaly_detection.detectors._combination_kernels import mean_magnitude, mean_surprise
from anomaly_detection.detectors._ensemble_base import part_of
from anomaly_detection.detectors._marginals import joined, tails_of
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors._robust import center_and_scale
from anomaly_detection.detectors._sketch import Sketch
from anomaly_detection.detectors.base import Detector, Tags
from anomaly_detection.detectors.ensemble import TAIL_POINTS, mean_excess
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.dense import DenseFeatures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.space import FeatureSpace


@dataclass(frozen=True, slots=True)
class View:
    """One member.

    Parameters
    ----------
    name, parameters : the algorithm.
    fine : whether it looks at detail, and so counts only as far as the others agree with it.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fine: bool = False


OWN: tuple[View, ...] = (
    View("ecod"),
    View("hbos"),
    View("mahalanobis"),
    View("elliptic_envelope"),
    View("lesinn"),
)
"""Views for judging the rows that were learned from: none of them can be taken in by a crowd of anomalies."""

NEW: tuple[View, ...] = (
    View("ecod"),
    View("mahalanobis"),
    View("lesinn", {"n_estimators": 10, "max_samples": 1024}, fine=True),
    View("gmm", {"n_components": 20, "trimmed": 0.0, "prior_rows": 0.3, "max_rows": 5_000}, fine=True),
    View("knn", {"n_neighbors": 2, "method": "mean", "max_reference": 5_000}, fine=True),
)
"""Views for judging new rows: those that look at detail count, too."""

MEASURED = 20_000
"""At most so many training rows say how the members' scores are spread."""

WIDEST = 256
"""Rows with more columns of plain numbers than this reach the views that measure distances as so many sums of them."""

TOP = 0.05
"""The share of the rows, those most anomalous to the other members, that agreement is measured on."""


TRUSTED = 0.5
"""A view that sees detail weighs as much as the others from this agreement on."""


class Auto(Detector):
    """Several views of the same rows, combined; better on average than any one algorithm.

    Which views, and how they are combined, depends on which rows are going to be judged:

    *The rows that were learned from* (``detection run`` on one table). Anomalies are among the training rows, so all
    views are robust: tails and densities of each column (ECOD, HBOS), two robust distances that know the correlations
    (Mahalanobis, elliptic envelope), and the distance to small samples (LeSiNN). Each score is measured from its median
    in robust deviations z; the members' ``sign(z) log(1 + |z|)`` are averaged. The logarithm lets a member that is sure
    be heard and keeps it from drowning the others.

    *New rows*, when the training rows are mostly normal. Views that see detail take part: larger samples, a Gaussian
    mixture of twenty, and the nearest neighbours. Each score becomes a surprise, -log of the share of training rows at
    least as high, with an exponential tail beyond, and the surprises are averaged. A view that sees detail gets a
    weight by evidence: how highly it ranks the training rows that the coarse views find most anomalous. Where crowds of
    anomalies are among the training rows, it ranks them as normal, and counts for little; it weighs as much as the
    coarse views when it agrees with them at least halfway.

    Views that measure distances cost time by the square of the columns. Where rows have more than 256 columns of plain
    numbers, those views see 256 random signed sums of them instead; the tails of each column are seen all the same.

    No labels are needed or used. Its choice and the evidence are in :meth:`evidence`.

    Fitting takes seconds for 20,000 rows of 100 columns; members draw a sample of more rows than they need.

    Parameters
    ----------
    judged : ``"own"`` or ``"new"``; ``"auto"`` leaves it to the pipeline, which knows.
    random_state : the seed of all members.

    Attributes
    ----------
    members_ : the fitted members.
    weights_ : (m,) float64, of mean 1.
    agreement_ : (m,) float64, 1 where a member ranks highest what the others find most anomalous, 0 where it ranks it
        like any other rows.

    References
    ----------
    Aggarwal, Sathe: Theoretical Foundations and Algorithms for Outlier Ensembles. SIGKDD Explorations, 2015.
    Rayana, Akoglu: Less is More: Building Selective Anomaly Ensembles. ACM TKDD, 2016.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 3))
    >>> crowd, far = Auto().fit(rows).score([[0.0, 0.0, 0.0], [6.0, -6.0, 6.0]])
    >>> bool(far > crowd + 2)
    True
    """

    tags: ClassVar[Tags] = Tags(missing=True, categories=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "judged": Choice("auto", "own", "new"),
        "random_state": SEED,
    }
    learned: ClassVar[tuple[str, ...]] = (
        "centers_",
        "scales_",
        "weights_",
        "agreement_",
        "knots_",
        "surprises_",
        "bounds_",
        "falls_",
    )

    members_: tuple[Detector, ...]
    centers_: NDArray[np.float64]
    scales_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    agreement_: NDArray[np.float64]
    knots_: NDArray[np.float64]
    surprises_: NDArray[np.float64]
    bounds_: NDArray[np.int64]
    falls_: NDArray[np.float64]

    def __init__(self, judged: str = "auto", random_state: int = 0) -> None:
        self.judged = judged
        self.random_state = random_state

    def for_own_rows(self) -> Self:
        """An unfitted copy that judges the rows it is fitted on, unless told otherwise."""
        return self.clone(judged="own") if self.judged == "auto" else self.clone()

    def evidence(self) -> dict[str, Any]:
        """Which rows it judges, and of each member its parameters, weight and agreement with the others."""
        rows = zip(self._views, self.weights_.tolist(), self.agreement_.tolist(), strict=True)
        return {
            "judged": "own" if self._judges_own else "new",
            "members": [
                {
                    "name": view.name,
                    "parameters": dict(view.parameters),
                    "weight": round(weight, 4),
                    "agreement": round(agreement, 4),
                }
                for view, weight, agreement in rows
            ],
        }

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row through the members' own ways in for one row."""
        dense = self._sketch.transform(self._dense.transform_row(row)[None])[0]
        found = [member.score_row(row if native else dense) for member, native in self._parts()]
        return float(self._combined(np.array(found)[:, None])[0])

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned; that of member i under ``"i/…"``, the way to plain numbers under ``"dense"``."""
        nested = {
            f"{place}/{name}": array
            for place, member in enumerate(self.members_)
            for name, array in member.state().items()
        }
        drawn = {f"sketch/{name}": array for name, array in self._sketch.state().items()}
        return {**super().state(), **nested, **drawn, "dense": _as_bytes(self._dense.state())}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace) -> Self:
        """Take back what :meth:`state` handed out; scores are equal afterwards."""
        self._dense = _from_bytes(state)
        self._sketch = Sketch().restore(part_of(state, "sketch/"), self._dense.features_, WIDEST)
        self.members_ = tuple(
            member.restore(part_of(state, f"{place}/"), features if is_native(member) else self._sketch.features_)
            for place, member in enumerate(self._blank())
        )
        return super().restore(state, features)

    @property
    def _judges_own(self) -> bool:
        return self.judged == "own"

    @property
    def _views(self) -> tuple[View, ...]:
        return OWN if self._judges_own else NEW

    def _blank(self) -> tuple[Detector, ...]:
        made = (create(view.name, **view.parameters) for view in self._views)
        return tuple(
            one.clone(random_state=int(self.random_state)) if "random_state" in one.parameter_names() else one
            for one in made
        )

    def _parts(self) -> list[tuple[Detector, bool]]:
        return [(member, is_native(member)) for member in self.members_]

    def _fit(self, X: NDArray[np.float32]) -> None:
        rows = sampled(X, MEASURED, int(self.random_state))
        self._dense = DenseFeatures().fit(X, self.features_)
        dense = self._dense.transform(rows)
        self._sketch = Sketch().fit(dense, self._dense.features_, WIDEST, int(self.random_state))
        dense = self._sketch.transform(dense)
        self.members_ = tuple(
            member.fit(X, self.features_) if is_native(member) else member.fit(dense, self._sketch.features_)
            for member in self._blank()
        )
        self._measure(self._member_scores(rows, dense))
        self._restored()

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._combined(self._member_scores(X, self._sketch.transform(self._dense.transform(X))))

    def _member_scores(self, X: NDArray[np.float32], dense: NDArray[np.float32]) -> NDArray[np.float64]:
        """(m, n)"""
        return np.array([member.score(X if native else dense) for member, native in self._parts()])

    def _measure(self, scores: NDArray[np.float64]) -> None:
        """Learn from (m, n) scores of training rows what makes the members comparable."""
        measured = np.array([center_and_scale(one) for one in scores])
        self.centers_ = measured[:, 0].copy()
        self.scales_ = np.where(np.isinf(measured[:, 1]), 1.0, measured[:, 1])
        found = [tails_of(one, TAIL_POINTS) for one in scores]
        self.knots_, self.bounds_ = joined([one.knots for one in found])
        self.surprises_, _ = joined([one.right for one in found])
        self.falls_ = np.array([mean_excess(one) for one in scores])
        self.agreement_ = self._agreements(scores)
        fine = np.array([view.fine for view in self._views])
        weights = np.where(fine, np.minimum(1.0, self.agreement_ / TRUSTED), 1.0)
        self.weights_ = weights / weights.mean()

    def _agreements(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m,) how highly each member ranks the rows that the coarse members besides it find most anomalous."""
        z = (scores - self.centers_[:, None]) / self.scales_[:, None]
        loud = np.sign(z) * np.log1p(np.abs(z))
        coarse = [k for k, view in enumerate(self._views) if not view.fine]
        return np.array([_agreement(loud[k], loud[[c for c in coarse if c != k]].mean(axis=0)) for k in range(len(z))])

    def _restored(self) -> None:
        m, k = len(self._views), np.size(self.knots_)
        shapes = {"centers_": (m,), "scales_": (m,), "weights_": (m,), "falls_": (m,), "knots_": (k,)}
        require_shapes(self, {**shapes, "surprises_": (k + m,), "bounds_": (m + 1,)})
        bounds = np.asarray(self.bounds_)
        require(self, bounds[0] == 0 and bounds[-1] == k and bool((np.diff(bounds) > 0).all()))

    def _combined(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) one score of (m, n) scores; column by column alike."""
        out = np.empty(scores.shape[1])
        if self._judges_own:
            mean_magnitude(scores, self.centers_, self.scales_, out)
            return out
        mean_surprise(scores, self.knots_, self.surprises_, self.bounds_, self.falls_, self.weights_, out)
        return out


def is_native(member: Detector) -> bool:
    """Whether a member takes missing values and categories by itself."""
    return member.tags.missing and member.tags.categories


def _agreement(own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """0 where the rows that the others find most anomalous are ranked like any, 1 where they are ranked highest."""
    n = len(own)
    top = np.argsort(-others, kind="stable")[: max(5, int(TOP * n))]
    ordered = np.sort(own)
    shares = (np.searchsorted(ordered, own[top], "left") + np.searchsorted(ordered, own[top], "right")) / (2 * n)
    return max(0.0, 2.0 * float(shares.mean()) - 1.0)


def _as_bytes(values: Mapping[str, Any]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(values).encode(), dtype=np.uint8).copy()


def _from_bytes(state: Mapping[str, NDArray[Any]]) -> DenseFeatures:
    try:
        return DenseFeatures().restore(json.loads(np.asarray(state["dense"], dtype=np.uint8).tobytes()))
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            "The saved Auto detector lacks its way to plain numbers, or it is damaged. Load the model from an "
            "unchanged copy, or fit it again."
        ) from error
