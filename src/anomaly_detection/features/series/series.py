"""A time series: values of one or several channels, and when each row was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Rows in order of time; they are the user's rows, none added or removed.

    Parameters
    ----------
    values : (n, d) float64 in C order; NaN is a missing value, infinite values there are none.
    time : (n,) int64, microseconds since 1970 UTC, not decreasing; row numbers times ``step`` without a clock.
    step : the usual distance of two rows, in microseconds, at least 1.
    names : the d channels: the user's columns.
    zone : the time zone for calendars, such as ``"Europe/Berlin"``; None is UTC, or no clock at all.

    Raises
    ------
    InputError
        if the arrays do not belong together, time goes back, or a value is infinite.

    Examples
    --------
    >>> series = Series.of([1.0, 2.0, 4.0], step=60_000_000)
    >>> len(series), series[1:].values.ravel().tolist(), series.time.tolist()
    (3, [2.0, 4.0], [0, 60000000, 120000000])
    """

    values: NDArray[np.float64]
    time: NDArray[np.int64]
    step: int
    names: tuple[str, ...]
    zone: str | None = None

    def __post_init__(self) -> None:
        n, d = self.values.shape if self.values.ndim == 2 else (-1, -1)
        if (len(self.time), len(self.names)) != (n, d):
            raise InputError(
                f"A series has (n, d) values, n times and d names; got {self.values.shape} values, "
                f"{len(self.time)} times and {len(self.names)} names."
            )
        if self.step < 1:
            raise InputError(f"The step of a series is at least 1 microsecond; got {self.step}.")
        if n > 1 and (np.diff(self.time) < 0).any():
            raise InputError("The rows of a series are in order of time; sort them first.")
        if np.isinf(self.values).any():
            raise InputError("A series has finite values, or missing ones (NaN); some are infinite.")

    @classmethod
    def of(cls, values: ArrayLike, step: int = 1, names: tuple[str, ...] | None = None, start: int = 0) -> Self:
        """A regular series from (n,) or (n, d) numbers, ``step`` microseconds apart from ``start`` on."""
        matrix = np.asarray(values, dtype=np.float64)
        matrix = np.ascontiguousarray(matrix[:, None] if matrix.ndim == 1 else matrix)
        time = start + np.arange(len(matrix), dtype=np.int64) * step
        return cls(matrix, time, step, names or tuple(f"v{i}" for i in range(matrix.shape[1])))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> Self:
        """Rows that follow one another, as views."""
        return replace(self, values=self.values[rows], time=self.time[rows])

    @property
    def width(self) -> int:
        """How many channels there are."""
        return len(self.names)

    def with_values(self, values: NDArray[np.float64]) -> Self:
        """The same rows with other values, (n, d)."""
        return replace(self, values=values)

    def backwards(self) -> Self:
        """The rows in reverse order, the first at the time of the last.

        >>> Series.of([1.0, 2.0, 4.0]).backwards().values.ravel().tolist()
        [4.0, 2.0, 1.0]
        """
        ends = self.time[:1] + self.time[-1:]
        return replace(self, values=np.ascontiguousarray(self.values[::-1]), time=ends - self.time[::-1])

    def after(self, earlier: Series) -> Self:
        """These rows behind those of an earlier series of the same channels."""
        return replace(
            self,
            values=np.concatenate([earlier.values, self.values]),
            time=np.concatenate([earlier.time, self.time]),
        )
