"""What detectors promise about their parameters."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from anomaly_detection.base import Range
from anomaly_detection.errors import ParameterError
from anomaly_detection.testing._detector_data import crowd, refused, require

if TYPE_CHECKING:
    from anomaly_detection.base import Constraint
    from anomaly_detection.testing._detector_data import Make


def parameters_are_the_signature(make: Make) -> None:
    """``parameters()`` has the names of ``__init__``, in order; ``repr`` shows them and fitting leaves them alone."""
    detector = make()
    names = tuple(inspect.signature(type(detector)).parameters)
    require(tuple(detector.parameters()) == names, f"parameters() has {tuple(detector.parameters())}, not {names}.")
    shown = repr(detector)
    require(all(f"{name}=" in shown for name in names), f"repr does not show every parameter: {shown}")
    detector.fit(crowd())
    require(repr(detector) == shown, "Fitting changes parameters.")


def a_clone_is_equal_and_not_fitted(make: Make) -> None:
    """A clone has equal parameters and nothing of what was learned."""
    detector = make().fit(crowd())
    clone = detector.clone()
    require(type(clone) is type(detector), "A clone has another class.")
    require(repr(clone) == repr(detector), f"A clone differs: {clone!r} and {detector!r}.")
    require(not clone.is_fitted, "A clone is fitted.")


def parameters_out_of_range_are_refused(make: Make) -> None:
    """Every parameter has a rule; a value outside it is refused by ``fit``, naming parameter and value."""
    detector = make()
    for name in detector.parameter_names():
        for value in (_Nonsense(), *_outside(detector.constraints.get(name))):
            with refused(ParameterError, name, repr(value), what=f"fitting with {name}={value!r}"):
                detector.clone(**{name: value}).fit(crowd())


def unknown_parameters_are_refused(make: Make) -> None:
    """A parameter that does not exist is refused by name."""
    with refused(ParameterError, "no_such_parameter", what="a parameter that does not exist"):
        make().clone(no_such_parameter=1)


class _Nonsense:
    """A value that no parameter takes."""

    def __repr__(self) -> str:
        return "<nonsense>"


def _outside(rule: Constraint | None) -> list[Any]:
    if not isinstance(rule, Range):
        return []
    below = [rule.low - 1] if math.isfinite(rule.low) else []
    above = [rule.high + 1] if math.isfinite(rule.high) and rule.high < 2**53 else []
    return [*below, *above, math.nan]
