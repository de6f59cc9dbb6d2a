"""What every configurable thing shares: its parameters are its signature.

``__init__`` only stores; what is learned ends in ``_``; ``parameters()``, ``clone()``, ``spec()`` and ``repr`` follow
from the signature, and ``constraints`` say which values are valid.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar

from anomaly_detection.errors import ParameterError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.entries import Catalog


class Constraint(Protocol):
    """A rule for one parameter."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""


LARGEST = 1e15
"""Fractional numbers from here on are no longer written digit by digit."""

SMALLEST_POWER = 2**20
"""From here on powers of two are written as such."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds, both included unless ``open_low``/``open_high``.

    >>> Range(0, 0.5, open_low=True).problem(0)
    'must be above 0 and at most 0.5'
    >>> Range(1, integer=True).problem(math.nan)
    'must be a whole number at least 1'
    >>> Range(0, 2**63 - 1, integer=True).problem(-1), Range(1, 1_000_000).problem(0)
    ('must be a whole number at least 0 and at most 2**63 - 1', 'must be at least 1 and at most 1,000,000')
    """

    low: float = -math.inf
    high: float = math.inf
    integer: bool = False
    open_low: bool = False
    open_high: bool = False
    or_none: bool = False

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        if value is None and self.or_none:
            return None
        return None if self._holds(value) else self._text()

    def _holds(self, value: Any) -> bool:
        if not _is_number(value) or (self.integer and not _is_whole(value)):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return bool(above and below)

    def _text(self) -> str:
        low = f"{'above' if self.open_low else 'at least'} {_written(self.low)}" if self.low > -math.inf else ""
        high = f"{'below' if self.open_high else 'at most'} {_written(self.high)}" if self.high < math.inf else ""
        bounds = " and ".join(part for part in (low, high) if part)
        return f"must be {'a whole number ' if self.integer else ''}{bounds or 'a number'}"


SEED = Range(0, 2**63 - 1, integer=True)
"""The rule for seeds of our own: what fits a column of whole numbers."""


def _written(bound: float) -> str:
    """A bound as people write it: ``2**63 - 1`` and ``100,000``, not ``9.22e+18`` and ``1e+05``."""
    if not float(bound).is_integer() or (abs(bound) >= LARGEST and not isinstance(bound, int)):
        return f"{bound:g}"
    whole = int(bound)
    for power, rest in ((whole, ""), (whole + 1, " - 1")):
        if power >= SMALLEST_POWER and power.bit_count() == 1:
            return f"2**{power.bit_length() - 1}{rest}"
    return f"{whole:,}"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) or float(value).is_integer()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values.

    >>> Choice("mean", "max").problem("mode")
    "must be one of 'mean', 'max'"
    """

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        if value in self.values:
            return None
        shown = ", ".join(map(repr, self.values))
        return f"must be one of {shown}" if len(self.values) > 1 else f"must be {shown}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A value that satisfies at least one of several rules, such as a number or ``"auto"``."""

    rules: tuple[Constraint, ...]

    def __init__(self, *rules: Constraint) -> None:
        object.__setattr__(self, "rules", rules)

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        problems = [rule.problem(value) for rule in self.rules]
        return None if None in problems else " or ".join(map(str, problems)).replace(" or must be ", ", or ")


class Configurable:
    """Something whose parameters are its signature.

    >>> class Line(Configurable):
    ...     constraints = {"slope": Range(0, 10)}
    ...     def __init__(self, slope: float = 1.0) -> None:
    ...         self.slope = slope
    >>> Line(2.0), Line(2.0).clone(slope=3.0).parameters()
    (Line(slope=2.0), {'slope': 3.0})
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {}

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """The names in the constructor's signature, in order."""
        return tuple(inspect.signature(cls).parameters)

    def parameters(self) -> dict[str, Any]:
        """The parameters as they were given."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    def clone(self, **changes: Any) -> Self:
        """Make an unfitted copy, with some parameters changed.

        Raises
        ------
        ParameterError
            for a parameter that does not exist.
        """
        return build(type(self), {**self.parameters(), **changes})

    def validate(self) -> None:
        """Check every parameter against ``constraints``.

        Raises
        ------
        ParameterError
            naming the first parameter that is out of range, its value and what has to hold.
        """
        for name, rule in self.constraints.items():
            value = getattr(self, name)
            if problem := rule.problem(value):
                raise ParameterError(f"{type(self).__name__}: parameter {name}={value!r} {problem}.")

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.parameters().items())
        return f"{type(self).__name__}({inside})"


T = TypeVar("T", bound="Configurable")


def build(cls: type[T], parameters: Mapping[str, Any]) -> T:
    """Construct ``cls`` from parameters by name.

    Raises
    ------
    ParameterError
        for a name the class does not have, with the nearest one it has.
    """
    names = cls.parameter_names()
    for name in parameters:
        if name not in names:
            raise ParameterError(f"{cls.__name__}: {UnknownNameError('parameter', name, names)}")
    return cls(**parameters)


def make(catalog: Catalog, text: str) -> Any:
    """Construct what a catalog has under a name, with parameters that follow it: ``"clip:lower=0:upper=9"``.

    Raises
    ------
    UnknownNameError
        for a name that is not in the catalog, with the nearest ones.
    ParameterError
        for a parameter it does not have, out of range, or without a value.
    """
    name, *pairs = text.split(":")
    made = build(catalog.load(name), dict(_pair(text, pair) for pair in pairs))
    made.validate()
    return made


def _pair(text: str, pair: str) -> tuple[str, float | str]:
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not (name and equals and value):
        raise ParameterError(f"{text!r}: parameters follow the name as name:parameter=value:parameter=value.")
    try:
        return name, float(value)
    except ValueError:
        return name, value
