"""What is said about log lines: a verdict, and what each method says."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from anomaly_detection.results import Result, Verdict
from anomaly_detection.verdicts import judge
from anomaly_detection.verdicts._verdict_kernels import many_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MethodVerdict:
    """What one method says of a line.

    Parameters
    ----------
    method : its name.
    p_value, anomaly_score, is_anomaly : as of a whole verdict, by this method alone.
    metrics : what the method measured, for those that measure something.
    """

    method: str
    p_value: float
    anomaly_score: float
    is_anomaly: bool
    metrics: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = {"anomaly_score": self.anomaly_score, "is_anomaly": self.is_anomaly, "method": self.method}
        return {**told, "metrics": dict(self.metrics)} if self.metrics else told


def method_verdicts(names: Iterable[str], p_values: NDArray[np.float64], alpha: float) -> dict[str, MethodVerdict]:
    """The verdicts of the methods on one line, by name."""
    scores = many_verdicts(p_values, alpha)[0].tolist()
    told = zip(names, p_values.tolist(), scores, strict=True)
    return {name: MethodVerdict(name, p_value, score, p_value <= alpha) for name, p_value, score in told}


@dataclass(frozen=True, slots=True)
class LogVerdict(Verdict):
    """A verdict on a log line, with what each method says and the line's template.

    Parameters
    ----------
    methods : by name.
    template : the line's template, None for one that training did not have.
    """

    methods: dict[str, MethodVerdict] = field(default_factory=dict)
    template: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told: dict[str, Any] = dict(Verdict.to_dict(self))
        return {**told, "methods": {name: one.to_dict() for name, one in self.methods.items()}}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LogResult(Result):
    """Verdicts on log lines or sessions, with what each method says.

    Parameters
    ----------
    parts : (n,) p-values by the name of the method.
    templates : (n,) template ids, -1 for a template that training did not have; not for sessions.
    worst : (n,) for sessions, the row of the line that is the oddest of each.
    line_scores : (lines,) for sessions, how odd each line of the frame is.
    line_templates : (lines,) for sessions, the template id of each line of the frame, -1 for one that training did not
        have and for lines without a session.
    """

    parts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    templates: NDArray[np.int32] | None = None
    worst: NDArray[np.int64] | None = None
    line_scores: NDArray[np.float64] | None = None
    line_templates: NDArray[np.int32] | None = None

    @classmethod
    def of(cls, result: Result, **more: Any) -> Self:
        """A result with what is said about logs beside it."""
        return cls(**{one.name: getattr(result, one.name) for one in fields(result)} | more)

    def of_method(self, name: str) -> Result:
        """The verdicts of one method alone, at the same alpha."""
        return judge(self.parts[name], self.parts[name], self.alpha, 1_000)
