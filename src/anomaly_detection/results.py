"""Verdicts: what is said about records.

The published ``anomaly_score`` lies in [0, 1] and puts the alarm line at 0.6, so that ``is_anomaly``, ``severity`` and
``anomaly_score`` cannot contradict one another (ARCHITECTURE.md, "What a verdict means").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

SEVERITIES = ("normal", "low", "medium", "high", "critical")
"""Severity classes, in order."""

SEVERITY_LINES = (0.6, 0.7, 0.8, 0.9)
"""The ``anomaly_score`` at which each class after ``normal`` begins."""

VERDICT_COLUMNS = ("score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence")
"""The columns every written result has, in order, after ``row`` and, when given, ``key`` and ``time``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about one record; the fields are those of :class:`Result`."""

    score: float
    p_value: float
    anomaly_score: float
    is_anomaly: bool
    severity: str
    confidence: float

    def to_dict(self) -> dict[str, float | bool | str]:
        """Plain values, for JSON."""
        return {name: getattr(self, name) for name in VERDICT_COLUMNS}


@dataclass(frozen=True, slots=True)
class SeriesVerdict(Verdict):
    """A verdict on a row of a time series.

    Parameters
    ----------
    expected, lower, upper : what the value was expected to be, and the band in which it is no alarm; None where nothing
        was expected, and with several channels.
    reason : why it is an anomaly, in one sentence; None where it is none.
    """

    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        band = {"expected": self.expected, "lower": self.lower, "upper": self.upper}
        return {**Verdict.to_dict(self), **band, "reason": self.reason}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Result:
    """Verdicts in columns, one row per record, in the order the records came.

    Parameters
    ----------
    score : (n,) float64, the detector's raw score; higher is more anomalous.
    p_value : (n,) float64 in (0, 1], how probable a score at least this high is for a normal record.
    anomaly_score : (n,) float64 in [0, 1], monotone in the p-value; the alarm line lies at 0.6.
    is_anomaly : (n,) bool.
    severity_code : (n,) int8, an index into :data:`SEVERITIES`.
    confidence : (n,) float64 in [0, 1], the probability that a new calibration sample would give the same flag.
    alpha : the p-value at and below which a record is an anomaly.
    row : (n,) int64, the 0-based number of each record in the input; counted from 0 when not given.
    key, time : the records' key and time, where the schema names them.
    level : which columns of the key the model that judged each record is about, where there are models per key.
    expected, lower, upper : (n,) what the value of a series was expected to be, and the band in which it is no alarm;
        NaN where nothing was expected.
    reason : why each anomaly of a series is one; null for the other rows.
    contributions : (n, d) how much each channel of a series has to do with the score.
    """

    score: NDArray[np.float64]
    p_value: NDArray[np.float64]
    anomaly_score: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]
    severity_code: NDArray[np.int8]
    confidence: NDArray[np.float64]
    alpha: float
    row: NDArray[np.int64] | None = None
    key: pl.Series | None = None
    time: pl.Series | None = None
    level: pl.Series | None = None
    expected: NDArray[np.float64] | None = None
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    reason: pl.Series | None = None
    contributions: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.score)

    def __repr__(self) -> str:
        return f"Result({self.anomaly_count:,} anomalies in {len(self):,} rows at alpha={self.alpha:.4g})"

    def __iter__(self) -> Iterator[Verdict]:
        return (self.verdict(i) for i in range(len(self)))

    @property
    def severity(self) -> NDArray[np.str_]:
        """(n,) the severity class of each record, as words."""
        return np.asarray(SEVERITIES)[self.severity_code]

    @property
    def anomaly_count(self) -> int:
        """How many records are anomalies."""
        return int(np.count_nonzero(self.is_anomaly))

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n,) the 0-based number of each record in the input."""
        return np.arange(len(self), dtype=np.int64) if self.row is None else self.row

    def verdict(self, i: int) -> Verdict:
        """The verdict on the i-th record of this result; of a series, with what was expected and the reason."""
        plain = (
            float(self.score[i]),
            float(self.p_value[i]),
            float(self.anomaly_score[i]),
            bool(self.is_anomaly[i]),
            SEVERITIES[self.severity_code[i]],
            float(self.confidence[i]),
        )
        if self.reason is None:
            return Verdict(*plain)
        expected, lower, upper = (_known(part, i) for part in (self.expected, self.lower, self.upper))
        return SeriesVerdict(*plain, expected, lower, upper, self.reason[int(i)])

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def to_polars(self) -> pl.DataFrame:
        """``row``; ``key``, ``time`` and ``level`` when given; the verdict columns; band and reason when given."""
        described = {"key": self.key, "time": self.time, "level": self.level}
        columns: dict[str, Any] = {"row": self.rows, **{name: x for name, x in described.items() if x is not None}}
        columns |= {name: getattr(self, name) for name in VERDICT_COLUMNS if name != "severity"}
        columns["severity"] = _words(self.severity_code)
        frame = pl.DataFrame(columns)
        ordered = [name for name in frame.columns if name not in VERDICT_COLUMNS]
        return frame.select(*ordered, *VERDICT_COLUMNS, *self._of_series())

    def _of_series(self) -> list[pl.Series]:
        """The columns that verdicts on series have besides."""
        bands = {"expected": self.expected, "lower": self.lower, "upper": self.upper}
        found = [pl.Series(name, values, nan_to_null=True) for name, values in bands.items() if values is not None]
        return found if self.reason is None else [*found, self.reason.alias("reason")]

    def to_pandas(self) -> pd.DataFrame:
        """The same as :meth:`to_polars`, for pandas (extra ``pandas``)."""
        return self.to_polars().to_pandas()

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per record."""
        return self.to_polars().to_dicts()

    def top(self, most: int = 10) -> NDArray[np.int64]:
        """The positions of the most anomalous records, most anomalous first; ties in input order."""
        order = np.lexsort((np.arange(len(self)), -self.score, self.p_value))
        return order[:most].astype(np.int64)


def _known(values: NDArray[np.float64] | None, i: int) -> float | None:
    return None if values is None or np.isnan(values[i]) else float(values[i])


def _words(codes: NDArray[np.int8]) -> pl.Series:
    return pl.Series("severity", SEVERITIES, dtype=pl.String).gather(codes.astype(np.uint32))
