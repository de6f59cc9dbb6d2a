"""A configuration in a few words, such as ``algorithm=ewma,budget=5/week``: what is other than in the one beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.workflows.fitting import Fitting

LINES = ("contamination", "threshold", "budget")
"""Each sets the alarm line; naming one takes the place of the others."""

NUMBERS = {"minimum_change": "minimum_change", "minimum_share": "minimum_share", "lower_bound": "low"}
NUMBERS |= {"upper_bound": "high"}
WORDS = ("direction", "budget", "zone")


def configured(text: str, fitting: Fitting) -> Fitting:
    """The configuration that is meant.

    Parameters
    ----------
    text : ``name=value`` with commas between: algorithm, contamination, threshold, budget, direction, minimum_change,
        minimum_share, lower_bound, upper_bound, zone; other names are parameters of the algorithm.
    fitting : what is not named is as it is here; parameters of another algorithm are not.

    Raises
    ------
    ParameterError
        for a part that is not ``name=value``, or a number that is none.
    """
    wishes = _parts(text)
    named_line = bool(wishes.keys() & set(LINES))
    series: dict[str, Any] = {"budget": None} if named_line else {}
    algorithm = wishes.pop("algorithm", fitting.algorithm)
    found = replace(fitting, algorithm=algorithm)
    if algorithm != fitting.algorithm:
        found = replace(found, parameters={})
    if named_line:
        share = wishes.pop("contamination", "auto")
        number = "auto" if share == "auto" else _number("contamination", share)
        found = replace(found, contamination=number, threshold=wishes.pop("threshold", None))
    series |= {name: wishes.pop(name) for name in WORDS if name in wishes}
    series |= {own: _number(name, wishes.pop(name)) for name, own in NUMBERS.items() if name in wishes}
    return replace(found, series=replace(fitting.series, **series), parameters={**found.parameters, **_read(wishes)})


def _parts(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not (name and equals and value):
            raise ParameterError(
                f"--against {text!r}: {part.strip()!r} is not name=value. Write, say, algorithm=ewma,budget=5/week."
            )
        found[name.replace("-", "_")] = value
    return found


def _read(wishes: Mapping[str, str]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in wishes.items()}


def _plain(value: str) -> float | int | bool | str:
    kinds: tuple[Callable[[str], float | int], ...] = (int, float)
    for kind in kinds:
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ParameterError(f"--against: {name}={value!r} has to be a number.") from None
