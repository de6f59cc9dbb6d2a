"""The parameters of PyOD's detectors as this project offers them: plain values, a rule for each, ours taken out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from anomaly_detection.base import Choice, Range

if TYPE_CHECKING:
    from anomaly_detection.base import Constraint

FIXED: Mapping[str, Any] = {
    "n_jobs": 1,
    "verbose": False,
    "silent": True,
    "novelty": True,
    "parallel_execution": False,
    "check_detector": False,
    "check_estimator": False,
    "warm_start": False,
}
"""Parameters that are not the user's: one thread, no talk, and scores of rows that were not fitted on."""

HIDDEN = frozenset(
    {
        *FIXED,
        *("contamination", "n_features", "detector_list", "base_estimator", "base_estimators", "estimator_params"),
        *("clustering_estimator", "model", "approx_clf", "scaler", "loss_fn", "loss_func", "criterion", "behaviour"),
    }
)
"""Parameters that a user does not see: those above, the alarm line, and those that take objects."""

TREES = ("kd_tree", "ball_tree")
METRICS = ("minkowski", "euclidean", "manhattan", "chebyshev")
FRACTIONS = frozenset({"tol", "coef0", "p", "beta"})
"""Parameters that take any number though PyOD's default is a whole one."""


class Text:
    """A rule for parameters that take a word."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        return None if isinstance(value, str) else "must be text"


class Plain:
    """A rule for parameters of which only PyOD knows what they take: anything that JSON can hold."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        return None if _is_plain(value) else "must be a number, text, true, false, null, or a list or object of these"


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | Real)


def offered(cls: type) -> list[inspect.Parameter]:
    """The parameters of PyOD's class that a user may set, by keyword, with our defaults."""
    found = inspect.signature(cls).parameters.values()
    return [_ours(one) for one in found if one.name not in HIDDEN and one.kind is one.POSITIONAL_OR_KEYWORD]


def _ours(parameter: inspect.Parameter) -> inspect.Parameter:
    """Seeded; and neighbours by trees, whose distances do not depend on the batch as brute force's do."""
    default = parameter.default
    if parameter.name == "random_state":
        default = 0
    if parameter.name == "algorithm" and default == "auto":
        default = TREES[0]
    return inspect.Parameter(parameter.name, parameter.KEYWORD_ONLY, default=default)


def rule(parameter: inspect.Parameter) -> Constraint:
    """What a value has to be, by the name and the default of its parameter."""
    name, default = parameter.name, parameter.default
    if name == "random_state":
        return Range(0, 2**32 - 1, integer=True)
    if name == "algorithm" and default in TREES:
        return Choice(*TREES)
    if name == "metric" and default in METRICS:
        return Choice(*METRICS)
    if isinstance(default, bool):
        return Choice(True, False)
    if isinstance(default, int | float):
        return Range(integer=isinstance(default, int) and name not in FRACTIONS)
    return Text() if isinstance(default, str) and default != "auto" else Plain()


def given_to(cls: type, width: int) -> dict[str, Any]:
    """The arguments of PyOD's class that are not the user's, for a matrix of so many columns."""
    ours = {**FIXED, "n_features": width}
    return {name: ours[name] for name in inspect.signature(cls).parameters if name in ours}
