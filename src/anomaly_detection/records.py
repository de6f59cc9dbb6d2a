"""The words for records: kinds of columns, and the schema that says which column is what.

A batch of records is a ``polars.DataFrame``. Its :class:`Schema` names the columns with a role (time, key, label) and
the features with their kinds; the rest is set aside with a reason.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from anomaly_detection.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Kind = Literal["number", "category", "text", "boolean", "time"]
"""How a column is read: a quantity, one of a set of values, free text, yes or no, a point in time."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_LONG = 80


@dataclass(frozen=True, slots=True)
class Column:
    """A feature column of the user's table and how it is read."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class SetAside:
    """A column that is not used, and why, in words for the user."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Schema:
    """Which column is what.

    Parameters
    ----------
    features : the columns that are looked at, in order.
    timestamp, key, label : the columns with these roles, if any; never features. A key of several columns, from the
        coarsest to the finest, is a tuple of their names.
    set_aside : columns that are not used, with the reason.
    """

    features: tuple[Column, ...]
    timestamp: str | None = None
    key: str | tuple[str, ...] | None = None
    label: str | None = None
    set_aside: tuple[SetAside, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the feature columns, in order."""
        return tuple(column.name for column in self.features)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key, from the coarsest to the finest."""
        return named_columns(self.key)

    def kind_of(self, name: str) -> Kind:
        """The kind of a feature column.

        Raises
        ------
        SchemaError
            if there is no such feature column.
        """
        for column in self.features:
            if column.name == name:
                return column.kind
        raise SchemaError(f"There is no feature column {name!r}; the columns are {quoted(self.feature_names)}.")

    def check_names(self, names: Iterable[str]) -> None:
        """Make sure that records with these columns can be scored; further columns do not matter.

        Raises
        ------
        SchemaError
            naming the columns that are missing and those that were given.
        """
        given = tuple(names)
        known = frozenset(given)
        missing = [name for name in self.feature_names if name not in known]
        if missing:
            raise SchemaError(
                f"The model needs {counted(missing, 'column')} that the data does not have: {quoted(missing)}. "
                f"The model was trained on {quoted(self.feature_names)}; the data has {quoted(given)}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        return cls(
            features=tuple(Column(**column) for column in values["features"]),
            timestamp=values.get("timestamp"),
            key=_one_or_several(values.get("key")),
            label=values.get("label"),
            set_aside=tuple(SetAside(**column) for column in values.get("set_aside", ())),
        )


def named_columns(key: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns of a key, whether it is none, one name, or several.

    >>> named_columns(None), named_columns("host"), named_columns(["region", "host"])
    ((), ('host',), ('region', 'host'))
    """
    return () if key is None else (key,) if isinstance(key, str) else tuple(key)


def _one_or_several(key: str | Sequence[str] | None) -> str | tuple[str, ...] | None:
    return key if key is None or isinstance(key, str) else tuple(key)


def quoted(names: Iterable[str], most: int = 12) -> str:
    """Names in quotes for a message, the first ``most`` of them, a very long one shortened.

    >>> quoted(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    every = list(names)
    shown = ", ".join(repr(name if len(name) <= _LONG else f"{name[:_LONG]}…") for name in map(str, every[:most]))
    return f"{shown} and {len(every) - most} more" if len(every) > most else shown or "none"


def counted(things: Iterable[Any] | int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "row"), counted(["a", "b"], "column"), counted(12000, "row")
    ('1 row', '2 columns', '12,000 rows')
    """
    number = things if isinstance(things, int) else len(list(things))
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
