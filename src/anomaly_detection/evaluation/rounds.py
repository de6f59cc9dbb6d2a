"""How good a way from records to scores is, on rows it was not fitted on.

The rows are divided into folds. In each round the rows of one fold are held out and scored by what was fitted on the
others. With labels, the scores are held against them. Without, anomalies are injected into the held-out rows
(:mod:`~anomaly_detection.evaluation.inject`), and what was fitted is fitted again on four fifths of its rows with
another seed: a ranking that changes with the sample has found nothing that lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.base import Choice
from anomaly_detection.detectors import create
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.inject import inject, kinds_for
from anomaly_detection.evaluation.metrics import METRICS, Ranked, once
from anomaly_detection.features.tabular import TabularFeatures
from anomaly_detection.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.records import Schema

MEASURES = ("average_precision", "auroc")
"""What a ranking of rows can be judged by."""

USUAL_KINDS = ("extreme", "cluster", "category")
"""The kinds that are injected unless others are asked for; docs/how-to/tune-a-model.md has the evidence."""

FOLDS = 3
STABILITY = 0.5
INJECTED_SHARE = 0.1
AGAIN_SHARE = 0.8
TOP_SHARE = 0.1
FEWEST_TOP = 5


@dataclass(frozen=True, slots=True)
class RoundFound:
    """What one round found.

    Parameters
    ----------
    value : in [0, 1], more is better.
    parts : what the value is made of, by name.
    scores : (n,) the raw scores of the held-out rows.
    """

    value: float
    parts: Mapping[str, float]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Round:
    """The rows to fit on, those to fit on again, those that are held out, and what is anomalous in them."""

    train: NDArray[np.int64]
    again: NDArray[np.int64]
    held_out: NDArray[np.int64]
    injected: pl.DataFrame | None = None
    places: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


class Rounds:
    """A table divided into rounds, to measure many pipelines on the same rows.

    Parameters
    ----------
    frame, schema : the records and which column is what.
    labels : (n,) true for an anomaly; anomalies are injected when not given.
    kinds : the kinds to inject; the usual ones when empty.
    measure : one of :data:`MEASURES`.
    seed : decides folds and injected anomalies.

    Raises
    ------
    InputError
        if the labels have fewer than 2 anomalies or normal rows, or nothing can be injected.
    ParameterError
        for an unknown measure or kind.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        schema: Schema,
        labels: NDArray[np.bool_] | None = None,
        kinds: Sequence[str] = (),
        measure: str = "auroc",
        seed: int = 0,
    ) -> None:
        if problem := Choice(*MEASURES).problem(measure):
            raise ParameterError(f"measure={measure!r} {problem}.")
        self.frame, self.schema, self.labels, self.measure, self.seed = frame, schema, labels, measure, seed
        self.kinds = () if labels is not None else _kinds(frame, schema, kinds)
        self.features = TabularFeatures().fit(frame, schema)
        self.each = [self._round(i, held_out) for i, held_out in enumerate(self._folds())]

    def run(self, pipeline: Pipeline, one: Round) -> RoundFound:
        """Fit an unfitted pipeline's way to the score on a round's rows, and measure it on the others."""
        held_out = self.frame[one.held_out]
        scorer = self._fitted(pipeline, one.train)
        scores = scorer.score(held_out)
        if self.labels is not None:
            value = quality(self.labels[one.held_out], scores, self.measure)
            return RoundFound(value, {self.measure: value}, scores)
        parts = self._injected(scorer, scores, one)
        found = float(np.mean(list(parts.values())))
        again = self._fitted(pipeline, one.again, other_seed=True).score(held_out)
        stability = agreement(scores, again)
        value = (1.0 - STABILITY) * found + STABILITY * stability
        return RoundFound(value, {**parts, "stability": stability}, scores)

    def _injected(self, scorer: Scorer, scores: NDArray[np.float64], one: Round) -> dict[str, float]:
        assert one.injected is not None, "made without labels"  # noqa: S101
        spoilt = scorer.score(one.injected)
        parts, begin = {}, 0
        for kind, places in one.places.items():
            mixed, truth = scores.copy(), np.zeros(len(scores), dtype=np.bool_)
            mixed[places], truth[places] = spoilt[begin : begin + len(places)], True
            parts[kind] = quality(truth, mixed, self.measure)
            begin += len(places)
        return parts

    def _fitted(self, pipeline: Pipeline, rows: NDArray[np.int64], *, other_seed: bool = False) -> Scorer:
        detector: Any = create(pipeline.detector) if isinstance(pipeline.detector, str) else pipeline.detector.clone()
        if other_seed and "random_state" in detector.parameter_names():
            detector = detector.clone(random_state=int(detector.random_state or 0) ^ 1)
        like = Scorer(detector)
        like.tabular = self.features
        return Scorer(detector, pipeline.scaling, pipeline.transforms).fit(self.frame[rows], self.schema, like)

    def _folds(self) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, FOLDS])
        order = rng.permutation(len(self.frame))
        if self.labels is None:
            return [np.sort(order[i::FOLDS]) for i in range(FOLDS)]
        first = order[np.argsort(~self.labels[order], kind="stable")]
        n_folds = min(FOLDS, _check_classes(self.labels))
        return [np.sort(first[i::n_folds]) for i in range(n_folds)]

    def _round(self, number: int, held_out: NDArray[np.int64]) -> Round:
        train = np.setdiff1d(np.arange(len(self.frame)), held_out)
        rng = np.random.default_rng([self.seed, FOLDS, number])
        again = np.sort(rng.permutation(train)[: max(2, round(AGAIN_SHARE * len(train)))])
        if self.labels is not None:
            return Round(train, again, held_out)
        held = self.frame[held_out]
        seed = self.seed * FOLDS + number
        made = [inject(held, self.schema, k, share=INJECTED_SHARE, seed=seed, like=self.frame) for k in self.kinds]
        rows = [one.frame.filter(one.labels) for one in made]
        places = {one.kind: np.flatnonzero(one.labels) for one in made}
        return Round(train, again, held_out, pl.concat(rows, how="vertical_relaxed"), places)


def quality(truth: NDArray[np.bool_], scores: NDArray[np.float64], measure: str) -> float:
    """One of :data:`MEASURES` of scores against the truth."""
    ranked = Ranked.of(truth, scores, np.zeros(len(truth), dtype=np.bool_), None)
    return float(ranked.measure(once(len(truth)))[METRICS.index(measure)])


def agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """How far two scorings agree on the top tenth of the rows, in [0, 1].

    The average overlap (Fagin, Kumar & Sivakumar 2003): the share of the highest k rows that both have, averaged over
    k from 1 to a tenth of the rows, and at least 5.

    >>> agreement(np.array([3.0, 2.0, 1.0, 0.0]), np.array([5.0, 4.0, 2.0, 1.0]))
    1.0
    """
    depth = min(len(first), max(FEWEST_TOP, round(TOP_SHARE * len(first))))
    tops = [np.argsort(-scores, kind="stable")[:depth] for scores in (first, second)]
    both = (tops[0][:, None] == tops[1][None, :]).cumsum(axis=0).cumsum(axis=1).diagonal()
    return float((both / np.arange(1, depth + 1)).mean())


def _kinds(frame: pl.DataFrame, schema: Schema, wanted: Sequence[str]) -> tuple[str, ...]:
    possible = kinds_for(frame, schema)
    for kind in wanted:
        if kind not in possible:
            raise InputError(
                f"Anomalies of the kind {kind!r} cannot be injected into this table. Possible here: "
                f"{', '.join(possible) or 'none'}."
            )
    usual = tuple(kind for kind in possible if kind in USUAL_KINDS)
    found = tuple(wanted) or usual or possible
    if not found:
        raise InputError("No anomalies can be injected into this table. Name a column of labels with --label.")
    return found


def _check_classes(labels: NDArray[np.bool_]) -> int:
    """The size of the smaller class, which has to be at least 2."""
    anomalies = int(labels.sum())
    fewest = min(anomalies, len(labels) - anomalies)
    if fewest < 2:
        raise InputError(
            f"Tuning against labels takes at least 2 anomalies and 2 normal rows; the label has {anomalies} and "
            f"{len(labels) - anomalies}. Leave out --label to tune with injected anomalies."
        )
    return fewest
