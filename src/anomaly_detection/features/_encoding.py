"""How one column of a table becomes one or more features: the contract, and the plain cases."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.features._reading import NUMBER, one, read_booleans, read_numbers
from anomaly_detection.features.space import Feature

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Read = Callable[[Any], Any]
"""Turns one value of a record into its number, or into several for an encoding that is ``wide``."""


@dataclass(frozen=True)
class Encoding(ABC):
    """How one column becomes features.

    Parameters
    ----------
    column : the user's column.
    parts : the features made of it, ``""`` for the column itself; those without variation are left out.
    """

    kind: ClassVar[str]
    wide: ClassVar[bool] = False

    column: str
    parts: tuple[str, ...]

    @abstractmethod
    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """One (n,) array per part; NaN where missing."""

    @abstractmethod
    def reader(self) -> Read:
        """A function that does the same to one value, with the same bits."""

    def features(self) -> tuple[Feature, ...]:
        """What the parts are called."""
        return tuple(Feature(f"{self.column}.{part}" if part else self.column, self.column) for part in self.parts)

    def offset(self) -> float:
        """What has to be added to the features to be in the user's units."""
        return 0.0

    def keeping(self, parts: Sequence[str]) -> Self:
        """The same with some of the parts."""
        return replace(self, parts=tuple(parts))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"kind": self.kind, **asdict(self), "parts": list(self.parts)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        plain = {name: value for name, value in values.items() if name != "kind"}
        return cls(**plain | {"parts": tuple(values["parts"])})

    def _one_by_frame(self, value: Any) -> float | Sequence[float]:
        """One value the way a column is read: always right, in tens of microseconds."""
        found = [float(part[0]) for part in self.columns(one(self.column, value))]
        return found if self.wide else found[0]


@dataclass(frozen=True)
class NumberEncoding(Encoding):
    """A quantity, less its median in training: large offsets keep their resolution in float32."""

    kind = "number"

    centre: float = 0.0

    @classmethod
    def learn(cls, series: pl.Series) -> Self:
        """Find the median of the finite values."""
        values = read_numbers(series)
        middle = values.filter(values.is_finite()).median()
        return cls(series.name, ("",), float(middle) if isinstance(middle, int | float) else 0.0)

    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """(n,) numbers less the centre."""
        return [as_floats(read_numbers(series)) - self.centre]

    def offset(self) -> float:
        """The centre."""
        return self.centre

    def reader(self) -> Read:
        """Subtract the centre."""
        centre, otherwise, column = self.centre, self._one_by_frame, self.column

        def read(value: Any) -> Any:
            if type(value) is float:
                return value - centre
            if value is None:
                return math.nan
            if type(value) is int:
                try:
                    return value - centre
                except OverflowError as error:
                    raise SchemaError(f"Column {column!r}: a whole number of this size cannot be read.") from error
            if type(value) is str and NUMBER.fullmatch(value):
                return float(value) - centre
            return otherwise(value)

        return read


@dataclass(frozen=True)
class BooleanEncoding(Encoding):
    """Yes or no, as 1 and 0."""

    kind = "boolean"

    @classmethod
    def learn(cls, series: pl.Series) -> Self:
        """Nothing has to be learned."""
        return cls(series.name, ("",))

    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """(n,) zeros and ones."""
        return [as_floats(read_booleans(series).cast(pl.Float64))]

    def reader(self) -> Read:
        """One or zero."""
        otherwise = self._one_by_frame

        def read(value: Any) -> Any:
            if value is True:
                return 1.0
            if value is False:
                return 0.0
            return math.nan if value is None else otherwise(value)

        return read


def as_floats(series: pl.Series) -> NDArray[np.float64]:
    """(n,) float64, NaN for null."""
    return series.fill_null(math.nan).to_numpy() if series.null_count() else series.to_numpy()
