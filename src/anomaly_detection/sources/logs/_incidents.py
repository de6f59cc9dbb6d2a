"""Incidents in generated logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from anomaly_detection.sources.logs.levels import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._generated_words import Step, Words

INCIDENTS = (
    "error_burst", "latency_spike", "new_template", "volume_surge", "service_silence", "rare_flood", "parameter",
    "broken_sequence", "level_escalation", "slow_drift",
)  # fmt: skip
"""The kinds of incidents."""

RUN = 120
"""Lines of a service that an incident has to itself."""

_MINUTE = 60_000_000


class Rows(NamedTuple):
    """Lines as arrays.

    Attributes
    ----------
    time : microseconds since the start.
    service, template : places in the lists of services and of steps.
    session : its number, -1 for a line outside of one.
    level : a place in LEVELS.
    took : milliseconds, NaN for a line that takes none.
    status : of the answer, -1 for a line without one.
    scale : of the numbers in the message.
    kind : of the incident, -1 for none.
    """

    time: NDArray[np.int64]
    service: NDArray[np.int64]
    template: NDArray[np.int64]
    session: NDArray[np.int64]
    level: NDArray[np.int64]
    took: NDArray[np.float64]
    status: NDArray[np.int64]
    scale: NDArray[np.float64]
    kind: NDArray[np.int64]

    @classmethod
    def new(
        cls,
        time: NDArray[np.int64],
        service: NDArray[np.int64],
        template: NDArray[np.int64],
        session: NDArray[np.int64],
        steps: Sequence[Step],
        random: np.random.Generator,
    ) -> Self:
        """Usual lines of these steps."""
        usual = np.array([step.milliseconds for step in steps])[template]
        took = np.where(usual > 0, usual * random.lognormal(0, 0.3, time.size), np.nan)
        fails = np.array([step.level == "ERROR" for step in steps])[template]
        status = random.choice(np.array([200, 201, 304, 404]), time.size, p=[0.9, 0.05, 0.04, 0.01])
        status = np.where(fails, random.choice(np.array([500, 502, 503]), time.size), status)
        level = np.array([LEVELS.index(step.level) for step in steps])[template]
        none = np.full(time.size, -1)
        return cls(
            time, service, template, session, level, took, np.where(usual > 0, status, -1), np.ones(time.size), none
        )

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Self:
        """The lines of several parts in the order of time."""
        made = cls._make(np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(made.time, kind="stable")
        return cls._make(column[order] for column in made)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Rows:
        """Some of the lines."""
        return Rows._make(column[rows] for column in self)


class _Place(NamedTuple):
    """Where an incident strikes: a run of lines of one service."""

    rows: Rows
    at: NDArray[np.int64]
    service: int
    words: Words
    most: int
    random: np.random.Generator

    @property
    def first(self) -> NDArray[np.int64]:
        """The first lines of the run, at most as many as may be anomalous."""
        return self.at[: self.most]

    def say(self, at: NDArray[np.int64], template: NDArray[np.int64]) -> None:
        """Make lines say something else."""
        new = Rows.new(
            self.rows.time[at], self.rows.service[at], template, self.rows.session[at], self.words.steps, self.random
        )
        for column, values in zip(self.rows, new, strict=True):
            column[at] = values


class _Effect(NamedTuple):
    """What an incident did: the lines that are anomalous, those that are gone, and those that are new."""

    marked: NDArray[np.int64]
    gone: NDArray[np.int64] | None = None
    added: Rows | None = None


def strike(
    rows: Rows,
    words: Words,
    count: int,
    share: float,
    quiet: float,
    kinds: tuple[str, ...],
    random: np.random.Generator,
) -> Rows:
    """Let incidents take turns until enough lines are anomalous; then cut the log to ``count`` lines."""
    target = round(count * share) if kinds else 0
    end = np.partition(rows.time, count - 1)[count - 1]
    begin = np.partition(rows.time, round(quiet * (count - 1)))[round(quiet * (count - 1))]
    runs = _runs(rows, begin, end, random)
    gone = np.zeros(rows.time.size, np.bool_)
    added: list[Rows] = []
    marked = 0
    for turn, at in enumerate(runs):
        if marked >= target:
            break
        kind = INCIDENTS.index(kinds[turn % len(kinds)])
        place = _Place(rows, at, int(rows.service[at[0]]), words, target - marked, random)
        effect = _EFFECTS[INCIDENTS[kind]](place)
        rows.kind[effect.marked] = kind
        if effect.gone is not None:
            gone[effect.gone] = True
        if effect.added is not None:
            effect.added.kind[:] = kind
            added.append(effect.added)
        marked += effect.marked.size + (effect.added.time.size if effect.added is not None else 0)
    return _cut(Rows.joined([rows.take(~gone), *added]), count)


def _runs(rows: Rows, begin: float, end: float, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Runs of lines of each service, in random order."""
    runs = []
    for service in range(int(rows.service.max()) + 1):
        at = np.flatnonzero((rows.service == service) & (rows.time >= begin) & (rows.time <= end))
        runs.extend(np.array_split(at, max(1, at.size // RUN)))
    order = random.permutation(len(runs)).tolist()
    return [runs[i] for i in order if runs[i].size]


def _cut(rows: Rows, count: int) -> Rows:
    """The first lines, and all that are anomalous."""
    usual = np.flatnonzero(rows.kind < 0)
    anomalous = rows.time.size - usual.size
    kept = np.ones(rows.time.size, np.bool_)
    kept[usual[count - anomalous :]] = False
    return rows.take(kept)


def _error_burst(place: _Place) -> _Effect:
    at = place.first
    place.say(at, place.random.choice(place.words.failing[place.service], at.size))
    return _Effect(at)


def _latency_spike(place: _Place) -> _Effect:
    at = place.at[~np.isnan(place.rows.took[place.at])][: place.most]
    place.rows.took[at] *= place.random.uniform(6, 20, at.size)
    return _Effect(at)


def _new_template(place: _Place) -> _Effect:
    at = place.at[::2][: place.most]
    said = place.random.choice(place.words.new, 2)
    place.say(at, place.random.choice(said, at.size))
    return _Effect(at)


def _volume_surge(place: _Place) -> _Effect:
    begin = place.rows.time[place.at[place.at.size // 2]]
    inside = place.at[(place.rows.time[place.at] >= begin) & (place.rows.time[place.at] < begin + _MINUTE)]
    count = max(0, min(RUN, place.most - inside.size))
    time = begin + place.random.integers(0, _MINUTE, count)
    said = place.random.choice(place.words.between[place.service], count)
    service, none = np.full(count, place.service), np.full(count, -1)
    added = Rows.new(time, service, said, none, place.words.steps, place.random)
    return _Effect(inside[: place.most], added=added)


def _service_silence(place: _Place) -> _Effect:
    gone, after = place.at[: place.at.size * 3 // 4], place.at[place.at.size * 3 // 4 :]
    return _Effect(after[: min(3, place.most)], gone=gone)


def _rare_flood(place: _Place) -> _Effect:
    at = place.first
    place.say(at, np.full(at.size, place.random.choice(place.words.rare[place.service])))
    return _Effect(at)


def _parameter(place: _Place) -> _Effect:
    at = place.at[::3][: place.most]
    place.say(at, np.full(at.size, place.words.between[place.service][0]))
    place.rows.scale[at] = place.random.uniform(50, 500, at.size)
    return _Effect(at)


def _broken_sequence(place: _Place) -> _Effect:
    """Turn the order of the steps of sessions round."""
    session = place.rows.session[place.at]
    chosen: list[NDArray[np.int64]] = []
    for number in np.unique(session[session >= 0]).tolist():
        at = place.at[session == number]
        if at.size >= 3 and sum(each.size for each in chosen) + at.size <= place.most:
            template = place.rows.template[at][::-1].copy()
            place.say(at, template)
            chosen.append(at)
    return _Effect(np.concatenate(chosen) if chosen else place.at[:0])


def _level_escalation(place: _Place) -> _Effect:
    at = place.first
    place.rows.level[at] = 2 + np.arange(at.size) * 3 // max(1, at.size)
    return _Effect(at)


def _slow_drift(place: _Place) -> _Effect:
    at = place.at[~np.isnan(place.rows.took[place.at])]
    factor = np.linspace(1, 8, at.size)
    slow = at[factor >= 2][: place.most]
    kept = np.isin(at, slow) | (factor < 2)
    place.rows.took[at[kept]] *= factor[kept]
    return _Effect(slow)


_EFFECTS: dict[str, Callable[[_Place], _Effect]] = {
    "error_burst": _error_burst,
    "latency_spike": _latency_spike,
    "new_template": _new_template,
    "volume_surge": _volume_surge,
    "service_silence": _service_silence,
    "rare_flood": _rare_flood,
    "parameter": _parameter,
    "broken_sequence": _broken_sequence,
    "level_escalation": _level_escalation,
    "slow_drift": _slow_drift,
}
