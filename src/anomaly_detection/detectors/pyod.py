"""Every detector of PyOD that takes a table, as a detector of this project.

The classes are made from :mod:`anomaly_detection.pyod_table` and PyOD's own constructors when they are first asked
for, so that nothing of PyOD is imported before:

>>> from anomaly_detection.catalog import DETECTORS
>>> DETECTORS.resolve("cof").name, DETECTORS.resolve("cof").labels
('pyod_cof', ('batch only', 'no missing values'))
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.detectors import _pyod_parameters as p
from anomaly_detection.detectors import _pyod_saving as saving
from anomaly_detection.detectors._pyod_quiet import TROUBLES, quiet, seeded
from anomaly_detection.detectors.base import Detector, Tags
from anomaly_detection.detectors.labels import need_saved
from anomaly_detection.errors import InputError, MissingDependencyError
from anomaly_detection.pyod_table import MODULE, PYOD, Wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace

COMPANY = 64
"""A smaller batch is scored in the company of training rows where a score depends on the batch."""

_WRAPPED = {one.class_name: one for one in PYOD}


def __getattr__(name: str) -> type[PyodDetector]:
    """The class of a detector of PyOD, made on first use."""
    if name not in _WRAPPED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _made(_WRAPPED[name])
    return made


class PyodDetector(Detector):
    """The base of the classes that are made for PyOD's detectors.

    A score that is no number counts as the median of the training scores, an infinite one as one spread of the
    training scores beyond them. PyOD sees float64, has one thread, and stays quiet. Where it has no ``random_state``,
    NumPy's own generator is seeded while it works and put back afterwards.

    Attributes
    ----------
    model_ : PyOD's fitted detector.
    stand_ins_ : (3,) what stands in for -inf, NaN and +inf.
    company_ : (m, d) float64, training rows beside which a small batch is scored; none where a row is scored
        for itself.
    """

    wrapped: ClassVar[Wrapped]
    theirs: ClassVar[type[Any]]
    learned: ClassVar[tuple[str, ...]] = ("stand_ins_", "company_")

    model_: Any
    stand_ins_: NDArray[np.float64]
    company_: NDArray[np.float64]

    def __init__(self, **parameters: Any) -> None:
        given = inspect.signature(type(self)).bind(**parameters)
        given.apply_defaults()
        for name, value in given.arguments.items():
            setattr(self, name, value)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned; PyOD's own part as bytes that skops wrote.

        Raises
        ------
        InputError
            for a detector that cannot be written without pickle, with what to use instead.
        """
        need_saved(self, "Saving")
        if not hasattr(self, "_saved"):
            self._saved = saving.written(self.model_, self.wrapped)
        return {**super().state(), "model_": self._saved}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace) -> PyodDetector:
        """Take back what :meth:`state` handed out; scores are equal afterwards.

        Raises
        ------
        ArtifactError
            if something is not there, or holds types that this detector never has.
        """
        super().restore(state, features)
        self._saved = np.asarray(state.get("model_", np.empty(0)))
        self.model_ = saving.read(self._saved, self.theirs, self.wrapped)
        return self

    def _check_fit(self, matrix: NDArray[np.float32], space: FeatureSpace) -> None:
        super()._check_fit(matrix, space)
        if matrix.shape[1] < self.wrapped.fewest_columns:
            raise InputError(
                f"{self.wrapped.name} needs at least {self.wrapped.fewest_columns} columns; got {matrix.shape[1]}. "
                f"Use {self.instead} instead."
            )

    def _fit(self, X: NDArray[np.float32]) -> None:
        rows = X.astype(np.float64)
        vars(self).pop("_saved", None)
        with self._working("fit"):
            self.model_ = self.theirs(**self._arguments(rows.shape[1])).fit(rows)
        self.stand_ins_ = stand_ins(np.ravel(self.model_.decision_scores_))
        size = min(COMPANY, len(rows)) if self.wrapped.batch_only else 0
        self.company_ = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:size])]

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = X.astype(np.float64)
        with self._working("score"):
            self._begin_again()
            scores = self._alone(rows) if self.wrapped.alone else self._together(rows)
        return finite(scores, self.stand_ins_)

    def _alone(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([float(np.ravel(self.model_.decision_function(row[None, :]))[0]) for row in rows])

    def _together(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(rows)
        if n < COMPANY and len(self.company_):
            rows = np.concatenate([rows, self.company_])
        return np.ravel(self.model_.decision_function(rows))[:n].astype(np.float64)

    def _begin_again(self) -> None:
        """Put generators of PyOD's own back to the seed, so that scoring twice gives the same."""
        for part in vars(self.model_).values():
            if isinstance(part, np.random.RandomState):
                part.seed(self._seed)

    @property
    def _seed(self) -> int:
        return int(getattr(self, "random_state", 0))

    def _arguments(self, width: int) -> dict[str, Any]:
        """What PyOD's constructor takes: the user's parameters and ours."""
        return {**self.parameters(), **p.given_to(self.theirs, width), **_members(self.theirs)}

    @contextmanager
    def _working(self, task: str) -> Iterator[None]:
        """PyOD at work: quiet, repeatable, and with errors that say whose they are."""
        try:
            with quiet(), seeded(self._seed):
                yield
        except TROUBLES as error:
            raise InputError(
                f"{self.wrapped.name} could not {task} these rows with {self.parameters()}: {error!r}. "
                f"Change the parameters, or use {self.instead} instead."
            ) from error


def _made(wrapped: Wrapped) -> type[PyodDetector]:
    module, _, name = wrapped.place.partition(":")
    theirs = _theirs(f"pyod.models.{module}", name, wrapped)
    parameters = p.offered(theirs)
    members = {
        "__module__": MODULE,
        "__qualname__": wrapped.class_name,
        "__doc__": f"PyOD's {name}: {wrapped.summary}. Its parameters are described by PyOD.",
        "__signature__": inspect.Signature(parameters),
        "wrapped": wrapped,
        "theirs": theirs,
        "instead": wrapped.instead,
        "constraints": {one.name: p.rule(one) for one in parameters},
        "tags": Tags(batch_invariant=not wrapped.batch_only, saved=not wrapped.not_saved),
        "fewest_rows": wrapped.fewest_rows,
    }
    return type(wrapped.class_name, (PyodDetector,), members)


def _theirs(module: str, name: str, wrapped: Wrapped) -> type[Any]:
    """PyOD's class.

    Raises
    ------
    MissingDependencyError
        naming the package that is not installed, and how to get it.
    """
    try:
        with quiet():
            found: type[Any] = getattr(import_module(module), name)
            import_module(wrapped.needs or "skops")
    except ImportError as error:
        package = (error.name or wrapped.needs or "pyod").partition(".")[0]
        extra = "pyod" if package in ("pyod", "skops") else None
        raise MissingDependencyError(package, extra, wrapped.name) from error
    return found


def _members(theirs: type[Any]) -> dict[str, Any]:
    """The detectors that an ensemble of PyOD has to be given."""
    if "detector_list" not in inspect.signature(theirs).parameters:
        return {}
    lof = import_module("pyod.models.lof").LOF
    return {"detector_list": [lof(n_neighbors=k, algorithm=p.TREES[0]) for k in (10, 20, 30)]}


def stand_ins(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) what stands in for -inf, NaN and +inf among scores like these.

    >>> stand_ins(np.array([1.0, 2.0, 4.0, np.inf])).tolist()
    [-2.0, 2.0, 7.0]
    """
    known = scores[np.isfinite(scores)]
    if not known.size:
        return np.array([-1.0, 0.0, 1.0])
    low, middle, high = float(known.min()), float(np.median(known)), float(known.max())
    spread = high - low or 1.0
    return np.array([low - spread, middle, high + spread])


def finite(scores: NDArray[np.float64], instead: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores, with the stand-ins for -inf, NaN and +inf.

    >>> finite(np.array([3.0, np.nan, np.inf]), np.array([-2.0, 2.0, 7.0])).tolist()
    [3.0, 2.0, 7.0]
    """
    low, middle, high = instead
    return np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=middle, posinf=high, neginf=low)
