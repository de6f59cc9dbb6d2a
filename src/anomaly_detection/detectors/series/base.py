"""The contract of a detector on series.

``fit(series)`` learns; ``advance(series)`` scores the rows that follow, one after the other, and learns each once it is
scored; ``score(series)`` says the same and leaves the state as it was. *Higher = more anomalous, always.* The score of
a row is made from rows up to it and from nothing else, so later rows never change it, and any chunking gives the same
bits. Detectors that look at the whole file say so (``tags.causal``) and have ``score_whole(series)`` instead.

What was learned is in arrays of a bounded size that :meth:`SeriesDetector.state` hands out and
:meth:`SeriesDetector.from_state` takes back; nothing is ever pickled.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anomaly_detection.base import Configurable, build
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, SchemaError
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series


@dataclass(frozen=True, slots=True)
class SeriesTags:
    """What a detector on series can do.

    Parameters
    ----------
    causal : a row's score uses rows up to it only; else there is ``score_whole`` and no ``advance``.
    multivariate : takes several channels; else the pipeline gives it one at a time.
    expects : gives expected values and a scale, from which a band is made.
    scale_free : all values times a positive number have the same scores, up to rounding.
    shift_free : all values plus a number have the same scores, up to rounding.
    decides : its score is how sure an alarm is, from 0.5 to 1, and 0 for no alarm: there is nothing to calibrate. One
        that is not causal looks at whole files by its nature, and at counters as they are.
    """

    causal: bool = True
    multivariate: bool = True
    expects: bool = False
    scale_free: bool = True
    shift_free: bool = True
    decides: bool = False


def series_labels(tags: SeriesTags) -> tuple[str, ...]:
    """Tags in the words that lists use.

    >>> series_labels(SeriesTags(expects=True))
    ('time series', 'online', 'several channels', 'expected values')
    """
    labels = ["time series", "online" if tags.causal else "whole files only"]
    labels += ["several channels"] if tags.multivariate else []
    return (*labels, "expected values") if tags.expects else tuple(labels)


ABOUT = np.dtype([("back", "i8"), ("channel", "i8"), ("value", "f8"), ("expected", "f8"), ("scale", "f8")])
"""The row, of those that a score tells of, which lies farthest from what was expected there: so many rows back, in
which channel, its value, what was expected, and the scale."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesScores:
    """What a detector says about rows.

    Parameters
    ----------
    score : (n,) float64, higher is more anomalous; NaN where nothing can be said: not enough seen, or value missing.
    expected : (n, d) what each value was expected to be, NaN where nothing was; None from detectors without.
    scale : (n, d) so far from the expected value a value scores 1: the band of a score s is ``expected -/+ s * scale``.
    contributions : (n, d) how much each channel has to do with the score, at least 0.
    side : (n,) int8, +1 above and -1 below what was expected, 0 neither.
    why : (n,) str, what was found at a row in words, empty for nothing to say; None from detectors without.
    length : (n,) int64, of how many of the latest rows the score tells, 1 for the row alone; None is 1 everywhere.
    about : (n,) of :data:`ABOUT`, the oddest of these rows; None from detectors without.
    """

    score: NDArray[np.float64]
    expected: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    contributions: NDArray[np.float64] | None = None
    side: NDArray[np.int8] | None = None
    why: NDArray[np.str_] | None = None
    length: NDArray[np.int64] | None = None
    about: NDArray[np.void] | None = None

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, rows: slice | NDArray[Any]) -> SeriesScores:
        """The scores of some of the rows."""
        return SeriesScores(*(None if one is None else one[rows] for one in self._fields()))  # type: ignore[arg-type]

    def after(self, earlier: SeriesScores) -> SeriesScores:
        """These scores behind those of earlier rows by the same detector."""
        return SeriesScores.joined([earlier, self])

    @classmethod
    def joined(cls, parts: Sequence[SeriesScores]) -> SeriesScores:
        """One after the other, all by the same detector; at least one."""
        fields = zip(*(part._fields() for part in parts), strict=True)
        return cls(*(None if any(one is None for one in field) else np.concatenate(field) for field in fields))  # type: ignore[arg-type]

    def _fields(self) -> tuple[NDArray[Any] | None, ...]:
        return (
            self.score,
            self.expected,
            self.scale,
            self.contributions,
            self.side,
            self.why,
            self.length,
            self.about,
        )


class SeriesDetector(Configurable, ABC):
    """The base of every detector on series.

    Subclasses set :attr:`tags`, :attr:`learned` (the names of the arrays that are its state, each ending in ``_``) and
    :attr:`moving` (those of them that ``advance`` changes in place or replaces), and write ``_fit(series)`` and
    ``_advance(series, line)``, or ``score_whole(series)`` where the tags say that it is not causal.

    Attributes
    ----------
    names_ : the channels it was fitted on.
    step_ : the usual distance of their rows, in microseconds.
    zone_ : their time zone.
    until_ : the time of the last row that is part of the state, in microseconds since 1970.
    instead : the causal algorithm to use in place of one that is not.
    fewest_rows : it is fitted on so many rows at least.
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ()
    moving: ClassVar[tuple[str, ...]] = ()
    fewest_rows: ClassVar[int] = 2
    instead: ClassVar[str] = "ewma"

    names_: tuple[str, ...]
    step_: int
    zone_: str | None
    until_: int

    @final
    def fit(self, series: Series) -> Self:
        """Learn what is normal; the state afterwards is as of the last row.

        Raises
        ------
        ParameterError
            if a parameter is outside its range.
        InputError
            if there are too few rows, or several channels for a detector that takes one.
        """
        self.validate()
        if len(series) < self.fewest_rows:
            raise InputError(f"{type(self).__name__} needs at least {self.fewest_rows} rows to fit; got {len(series)}.")
        if series.width > 1 and not self.tags.multivariate:
            raise InputError(
                f"{type(self).__name__} takes one channel at a time; got {series.width}: {quoted(series.names)}. "
                "Use it through a SeriesPipeline, which gives it one after the other."
            )
        self.names_, self.step_, self.zone_ = series.names, series.step, series.zone
        self.until_ = int(series.time[-1])
        self._fit(series)
        return self

    @final
    def advance(self, series: Series, line: float = math.inf) -> SeriesScores:
        """Score the rows that follow, and learn each of them once it is scored.

        Parameters
        ----------
        series : rows after those that it was fitted on and advanced over.
        line : a row scoring above it is not learned from.

        Raises
        ------
        NotFittedError
            before ``fit``.
        SchemaError
            if the channels are others.
        InputError
            if rows lie before the state's last row, or the detector is not causal.
        """
        self._check(series)
        scores = self._advance(series, float(line))
        if len(series):
            self.until_ = int(series.time[-1])
        return scores

    @final
    def score(self, series: Series, line: float = math.inf) -> SeriesScores:
        """What :meth:`advance` would say; the state stays as it is."""
        if not self.is_fitted:
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        return self.twin().advance(series, line)

    @final
    def twin(self) -> Self:
        """A copy that goes on by itself: what ``advance`` changes is copied, the rest is shared."""
        twin = copy.copy(self)
        for name in self.moving:
            setattr(twin, name, np.array(getattr(self, name)))
        twin._restored()  # noqa: SLF001  its own class
        return twin

    def interrupted(self) -> None:
        """Be told that the rows that come do not follow the last one, such as training rows that are judged again."""

    def score_whole(self, series: Series) -> SeriesScores:
        """Score the rows of a whole file, each in the light of all others.

        Raises
        ------
        InputError
            for a causal detector, which says more by ``fit`` and ``advance``.
        """
        raise InputError(
            f"{type(self).__name__} judges rows as they come: call fit, then score, on {len(series)} rows."
        )

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` or ``from_state`` was called."""
        return hasattr(self, "names_")

    def evidence(self) -> dict[str, Any]:
        """What was chosen while fitting, and why, in plain values; empty for algorithms that choose nothing."""
        return {}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        spec = {
            "parameters": self.parameters(),
            "names": list(self.names_),
            "step": self.step_,
            "zone": self.zone_,
            "until": self.until_,
        }
        return spec, {name: np.array(getattr(self, name)) for name in self.learned}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; it goes on alike, bit for bit.

        Raises
        ------
        ArtifactError
            if an array is not there or is not one of this detector.
        """
        detector = build(cls, spec["parameters"])
        detector.validate()
        lacking = [name for name in cls.learned if name not in arrays]
        if lacking:
            raise ArtifactError(f"The saved {cls.__name__} lacks {', '.join(lacking)}. Fit it again.")
        detector.names_, detector.step_ = tuple(spec["names"]), int(spec["step"])
        detector.zone_, detector.until_ = spec["zone"], int(spec["until"])
        for name in cls.learned:
            setattr(detector, name, np.array(arrays[name]))
        detector._restored()  # noqa: SLF001  its own class
        return detector

    @abstractmethod
    def _fit(self, series: Series) -> None:
        """Learn from rows; there are enough of them, and as many channels as the tags allow."""

    def _advance(self, series: Series, line: float) -> SeriesScores:
        """Score rows and learn each once it is scored; ``series`` has the fitted channels and may be empty."""
        raise InputError(
            f"{type(self).__name__} looks at a whole file and cannot judge {len(series)} rows as they come, nor keep "
            f"out those above {line:g}. Use --offline (offline=True) with it, or {self.instead}, which is causal."
        )

    def _restored(self) -> None:
        """Hold restored arrays against what kernels trust them to be, and rebuild what is derived from them."""

    def _require(self, *conditions: object) -> None:
        """Refuse restored arrays unless all of these hold.

        Raises
        ------
        ArtifactError
            if one does not.
        """
        if not all(conditions):
            raise ArtifactError(
                f"These arrays are not those of {type(self).__name__} on {len(self.names_)} channels with the "
                f"parameters {self.parameters()}. Load the model from an unchanged copy, or fit it again."
            )

    def _require_shapes(self, dtype: type[np.generic], shape: tuple[int | None, ...], *names: str) -> None:
        """Make sure that learned arrays have this type and shape (None: any length) and no infinite values."""
        for name in names:
            found = np.asarray(getattr(self, name))
            same = found.ndim == len(shape) and all(
                want in {None, length} for want, length in zip(shape, found.shape, strict=True)
            )
            self._require(found.dtype == dtype, same, not np.isinf(found).any())

    def _check(self, series: Series) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        if series.names != self.names_:
            raise SchemaError(
                f"{type(self).__name__} was fitted on the channels {quoted(self.names_)}; got {quoted(series.names)}."
            )
        if len(series) and series.time[0] < self.until_:
            raise InputError(
                f"{type(self).__name__} has gone on to time {self.until_}; rows from {series.time[0]} on lie before. "
                "Give it rows in order."
            )
