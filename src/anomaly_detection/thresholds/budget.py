"""The alarm budget: a line that moves, so that alarms are as many as was asked for, whatever the scores do."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.thresholds._budget_kernels import BINS, FINE, follow
from anomaly_detection.thresholds.base import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

HOUR = 3_600_000_000
"""Microseconds."""

PERIODS = {"hour": HOUR, "day": 24 * HOUR, "week": 168 * HOUR, "month": 730 * HOUR}
"""Lengths of time a budget is for, in microseconds; a month is a twelfth of 365 days."""

WAYS = "Write a number of alarms and a time, 5/week, or 5/week/key for each key, or a share of the rows, 0.002"
"""How a budget is written."""

MEMORY = 4.0
"""Rows of so many alarms ago count e times less."""

PRIOR = 1_000.0
"""At the beginning, p-values are taken to be right, as if so many rows had shown it; fewer where alarms are many."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many alarms there may be.

    Parameters
    ----------
    alarms : how many in a period; without one, the share of rows that are flagged.
    period : hour, day, week or month; None for a share of rows.
    per_key : each key has this budget; else all have it together.

    Examples
    --------
    >>> Budget.of("5/week")
    Budget(alarms=5.0, period='week', per_key=False)
    >>> Budget.of("5/week").share(step=HOUR)
    0.02976190476190476
    """

    alarms: float
    period: str | None = None
    per_key: bool = False

    @classmethod
    def of(cls, wish: float | str) -> Self:
        """What is meant by ``"5/week"``, ``"2 per day per key"`` or ``0.002``.

        Raises
        ------
        ParameterError
            for anything else, naming it and what can be written.
        """
        parts = [part.strip().lower() for part in re.split(r"/|\bper\b", str(wish))]
        per_key = len(parts) > 1 and parts[-1] == "key"
        amount, *period = parts[:-1] if per_key else parts
        try:
            alarms = float(amount)
        except ValueError:
            raise ParameterError(f"budget={wish!r}: {amount!r} is no number. {WAYS}.") from None
        if len(period) > 1 or (period and period[0] not in PERIODS):
            raise ParameterError(f"budget={wish!r}: {'/'.join(period)!r} is none of {', '.join(PERIODS)}. {WAYS}.")
        if not (math.isfinite(alarms) and alarms > 0.0):
            raise ParameterError(f"budget={wish!r} would leave no alarm at all, and has to be above 0. {WAYS}.")
        if not period and alarms > MOST:
            raise ParameterError(f"budget={wish!r} is a share of rows, at most {MOST}. {WAYS}.")
        return cls(alarms, period[0] if period else None, per_key)

    @property
    def episodes(self) -> bool:
        """Whether consecutive flagged rows are one alarm; where the budget is a share, each is one."""
        return self.period is not None

    def share(self, step: int, keys: int = 1, *, clock: bool = True) -> float:
        """Alarms per row.

        Parameters
        ----------
        step : the usual distance of two rows of a key, in microseconds.
        keys : how many keys have rows.
        clock : whether there are hours and weeks at all.

        Raises
        ------
        ParameterError
            if there is no clock, or the budget is more than every second row.
        """
        if self.period is None:
            return self.alarms
        if not clock:
            raise ParameterError(
                f"budget={self}: the rows are numbered and have no time, so there is no {self.period}. Give a share "
                "of the rows, such as 0.002, or a column of time."
            )
        share = self.alarms * step / PERIODS[self.period] / (1 if self.per_key else max(keys, 1))
        if share > MOST:
            rows = PERIODS[self.period] / step * (1 if self.per_key else max(keys, 1))
            raise ParameterError(
                f"budget={self}: a {self.period} has {rows:.3g} rows, so more than every second one might be an alarm. "
                "Give fewer alarms, or a longer time."
            )
        return share

    def __str__(self) -> str:
        return "/".join([f"{self.alarms:g}", *filter(None, [self.period, "key" if self.per_key else None])])


class Spending:
    """A line through p-values that keeps alarms to a budget: the state of one budget.

    A row is held against the surprises, -log p, of the rows before it, with a memory of four alarms. The line lies
    where the share of them reached it that the budget allows: a tracked quantile, which follows scores that drift. That
    share is divided by exp(4) for each alarm too many, and multiplied by it for each that is due and was not raised, so
    the number of alarms stays within about one of what is due. Alarms never run ahead of the budget by more than 2,
    or 15 % of it, and 5 at most.

    Parameters
    ----------
    budget : how many alarms there may be.
    share : alarms per row, in (0, 0.5]: the new p-value at and below which a row is an alarm.

    Attributes
    ----------
    histogram_ : (256,) float64, how many rows of late had which surprise.
    totals_ : (3,) float64, the sum of the histogram, alarms raised and alarms due.
    running_ : for each key with an alarm that lasts, the line at which it began.
    until_ : the time of the last row, in microseconds; None at first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> drifting = rng.random(20_000) ** np.linspace(1, 9, 20_000)
    >>> spending = Spending(Budget.of(0.002), 0.002)
    >>> flags = spending.spend(drifting) <= 0.002
    >>> int((drifting <= 0.002).sum()), bool(34 <= flags.sum() <= 46)
    (5252, True)
    """

    def __init__(self, budget: Budget, share: float) -> None:
        self.budget = budget
        self.share = share
        prior = min(PRIOR, MEMORY / share)
        edges = np.append(np.expm1(np.arange(BINS) / FINE), np.inf)
        self.histogram_ = prior * -np.diff(np.exp(-edges))
        self.totals_ = np.array([prior, 0.0, 0.0])
        self.running_: dict[str, float] = {}
        self.until_: int | None = None

    def spend(
        self,
        p_value: NDArray[np.float64],
        time: NDArray[np.int64] | None = None,
        step: int = 1,
        keys: Sequence[str] = ("",),
        code: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """P-values by what the rows before showed; those at most ``share`` are alarms. The state goes on.

        Parameters
        ----------
        p_value : (n,) in order of time; 0 for a row that is an alarm whatever the budget.
        time : (n,) in microseconds; only needed where the budget is for a length of time.
        step : the usual distance of rows of one key; a first row, and one that goes back, bring as much.
        keys, code : the keys, and (n,) the number of each row's key.

        Returns
        -------
        (n,) in (0, 1]: ``p ** (log(share) / log(line))``, the p-value stretched so that the line lies at ``share``.
        """
        n = len(p_value)
        surprise = np.where(p_value > 0.0, -np.log(np.maximum(p_value, 1e-320)), np.inf)
        places = np.zeros(n, np.int64) if code is None else code
        running = np.array([self.running_.get(key, math.nan) for key in keys])
        line, flag = np.empty(n), np.empty(n, np.bool_)
        due = self._due(n, time, step)
        keep = 1.0 - self.share / MEMORY
        state = (self.histogram_, self.totals_, running)
        follow(surprise, due, places, *state, self.share, keep, self.budget.episodes, line, flag)
        for key, at in zip(keys, running.tolist(), strict=True):
            self.running_.pop(key, None)
            if not math.isnan(at):
                self.running_[key] = at
        return self._stretched(surprise, line, flag)

    def twin(self) -> Spending:
        """A copy that goes on by itself."""
        return Spending.from_state(*self.state())

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        spec = {"budget": str(self.budget), "share": self.share, "running": dict(self.running_), "until": self.until_}
        return spec, {"histogram": self.histogram_.copy(), "totals": self.totals_.copy()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Spending:
        """The inverse of :meth:`state`; it goes on alike, bit for bit.

        Raises
        ------
        ArtifactError
            if the arrays are not those of a budget.
        """
        spending = cls(Budget.of(spec["budget"]), float(spec["share"]))
        if [np.shape(arrays.get(name, 0)) for name in ("histogram", "totals")] != [(BINS,), (3,)]:
            raise ArtifactError("The saved alarm budget lacks what was spent of it. Train the model again.")
        spending.histogram_, spending.totals_ = (np.array(arrays[name], float) for name in ("histogram", "totals"))
        spending.running_, spending.until_ = dict(spec["running"]), spec["until"]
        return spending

    def _due(self, n: int, time: NDArray[np.int64] | None, step: int) -> NDArray[np.float64]:
        """(n,) alarms that each row brings; what a gap brings is one alarm at most."""
        if self.budget.period is None or time is None or not n:
            return np.full(n, self.share)
        before = int(time[0]) - step if self.until_ is None or time[0] < self.until_ else self.until_
        self.until_ = int(time[-1])
        due: NDArray[np.float64] = np.diff(time, prepend=before) * (self.budget.alarms / PERIODS[self.budget.period])
        return np.clip(due, 0.0, 1.0)

    def _stretched(
        self, surprise: NDArray[np.float64], line: NDArray[np.float64], flag: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", under="ignore"):
            stretched = np.exp(np.where(np.isinf(line), -surprise, -surprise * (-math.log(self.share) / line)))
        stretched = np.maximum(np.nan_to_num(stretched), float(np.finfo(np.float64).tiny))
        above = float(np.nextafter(self.share, 1.0))
        found: NDArray[np.float64] = np.where(flag, np.minimum(stretched, self.share), np.maximum(stretched, above))
        return found
