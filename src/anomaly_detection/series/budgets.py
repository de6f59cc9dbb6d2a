"""A budget of alarms for rows of one or many keys: what was spent of it, together or by each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.records import counted
from anomaly_detection.thresholds import Budget, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.features.series.clock import Clock


class Budgets:
    """What was spent of a budget.

    Parameters
    ----------
    budget : how many alarms there may be.
    share : alarms per row.
    spent : of each key where each has a budget; else of all, under the empty text.
    """

    def __init__(self, budget: Budget, share: float, spent: dict[str, Spending] | None = None) -> None:
        self.budget = budget
        self.share = share
        self.spent = {} if spent is None else spent

    @classmethod
    def of(cls, wish: float | str, tracks: Sequence[Track], clock: Clock) -> Self:
        """A budget of which nothing was spent.

        Parameters
        ----------
        wish : as :meth:`~anomaly_detection.thresholds.Budget.of` reads it.
        tracks : the series that are learned from; their steps say how many rows a week has.
        clock : says whether there are weeks.

        Raises
        ------
        ParameterError
            for a budget that cannot be read, is too large, or needs a clock where there is none.
        """
        budget = Budget.of(wish)
        timed = [one.series for one in tracks if len(one.series) > 1] or [tracks[0].series]
        step = int(np.median([series.step for series in timed]))
        return cls(budget, budget.share(step, len(tracks), clock=clock.is_clock))

    def spend(self, tracks: Sequence[Track], p_value: NDArray[np.float64]) -> NDArray[np.float64]:
        """P-values of which those at most ``share`` are alarms, row by row in order of time; the state goes on.

        Parameters
        ----------
        tracks : the rows of each key.
        p_value : (n,) where the rows stand in the input.
        """
        found = np.ones(len(p_value))
        if self.budget.per_key:
            for track in tracks:
                spending = self._of(track.key)
                found[track.rows] = spending.spend(p_value[track.rows], track.series.time, track.series.step)
            return found
        code = np.repeat(np.arange(len(tracks)), [len(one.series) for one in tracks])
        time = np.concatenate([one.series.time for one in tracks]) if tracks else np.empty(0, np.int64)
        order = np.lexsort((code, time))
        rows = np.concatenate([one.rows for one in tracks])[order] if tracks else np.empty(0, np.int64)
        step = max((one.series.step for one in tracks), default=1)
        keys = [one.key for one in tracks]
        found[rows] = self._of("").spend(p_value[rows], time[order], step, keys, code[order])
        return found

    def counts(self) -> tuple[float, float]:
        """How many alarms were raised so far, and how many were allowed."""
        totals = [one.totals_ for one in self.spent.values()]
        return sum(float(one[1]) for one in totals), sum(float(one[2]) for one in totals)

    def note(self, before: tuple[float, float]) -> str:
        """What was spent since, in words.

        Parameters
        ----------
        before : what :meth:`counts` said.
        """
        alarms, due = (now - then for now, then in zip(self.counts(), before, strict=True))
        return f"budget {self.budget}: {counted(round(alarms), 'alarm')}, {due:.3g} allowed in the time of these rows"

    def twin(self) -> Budgets:
        """A copy that goes on by itself."""
        return Budgets(self.budget, self.share, {key: one.twin() for key, one in self.spent.items()})

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        states = [one.state() for one in self.spent.values()]
        arrays = {f"budget/{i}/{name}": array for i, (_, found) in enumerate(states) for name, array in found.items()}
        specs = [spec for spec, _ in states]
        return {"budget": str(self.budget), "share": self.share, "keys": list(self.spent), "specs": specs}, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`."""
        spent = {}
        for i, (key, one) in enumerate(zip(spec["keys"], spec["specs"], strict=True)):
            begin = f"budget/{i}/"
            own = {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
            spent[key] = Spending.from_state(one, own)
        return cls(Budget.of(spec["budget"]), float(spec["share"]), spent)

    def _of(self, key: str) -> Spending:
        return self.spent.setdefault(key, Spending(self.budget, self.share))
