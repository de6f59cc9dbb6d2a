"""The space a detector works in: what each column of its matrix means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from anomaly_detection.errors import SchemaError
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

FeatureKind = Literal["number", "category"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix.

    Parameters
    ----------
    name : the feature's name, such as ``"created.hour_sin"``.
    column : the user's column it was made from, such as ``"created"``.
    kind : ``"number"``: a float, NaN when missing; ``"category"``: a code.
    n_categories : for a category: codes 0 … n-1 were seen when fitting, code n stands for every unseen value, NaN for
        a missing one. At most :data:`MOST_CATEGORIES`.
    """

    name: str
    column: str
    kind: FeatureKind = "number"
    n_categories: int = 0


MOST_CATEGORIES = 64
"""The most codes a category feature has; columns with more values are encoded in another way."""


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """The features of a matrix, in order."""

    features: tuple[Feature, ...]

    @classmethod
    def of_numbers(cls, names: int | Iterable[str]) -> Self:
        """A space of plain numbers; a count gives the names ``f0``, ``f1``, …

        >>> FeatureSpace.of_numbers(2).names
        ('f0', 'f1')
        """
        words = [f"f{i}" for i in range(names)] if isinstance(names, int) else list(names)
        return cls(tuple(Feature(word, word) for word in words))

    def __len__(self) -> int:
        return len(self.features)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names."""
        return tuple(feature.name for feature in self.features)

    @property
    def n_categories(self) -> NDArray[np.int64]:
        """(d,) the number of known categories of each feature, 0 for numbers."""
        return np.array([feature.n_categories for feature in self.features], dtype=np.int64)

    @property
    def has_categories(self) -> bool:
        """Whether any feature is a category."""
        return any(feature.kind == "category" for feature in self.features)

    @property
    def shares(self) -> NDArray[np.float64]:
        """(d,) each feature's share in its column: 1 for a column with one feature, 1/7 for each of seven."""
        sizes = {column: len(positions) for column, positions in self.columns().items()}
        return np.array([1.0 / sizes[feature.column] for feature in self.features])

    def columns(self) -> dict[str, list[int]]:
        """The user's columns in order, each with the positions of its features."""
        found: dict[str, list[int]] = {}
        for position, feature in enumerate(self.features):
            found.setdefault(feature.column, []).append(position)
        return found

    def check_width(self, width: int) -> None:
        """Make sure a matrix fits.

        Raises
        ------
        SchemaError
            naming both widths and the features.
        """
        if width != len(self):
            raise SchemaError(
                f"The matrix has {width} columns; the detector was fitted on {len(self)}: {quoted(self.names)}."
            )

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain values, for JSON."""
        return [asdict(feature) for feature in self.features]

    @classmethod
    def from_dict(cls, values: Iterable[Mapping[str, Any]]) -> Self:
        """The inverse of :meth:`to_dict`."""
        return cls(tuple(Feature(**feature) for feature in values))
