"""The trials of a search: each measured in the same rounds, the best of them measured again on new ones."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.evaluation.held_lines import SHARES, Line, best_line
from anomaly_detection.workflows.fitting import Fitting, blank_pipeline
from anomaly_detection.workflows.search import ALGORITHM, so_far
from anomaly_detection.workflows.study import Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.evaluation.rounds import RoundFound, Rounds
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.search import Asked, Search
    from anomaly_detection.workflows.study import StudyFile

DEFAULT = "auto"
"""The algorithm that the result is compared with: the one that other commands use by default."""

CHECKED = 3
"""So many of the best trials are measured again beside the defaults."""

CLEAR = 2.0
"""A gain of more than so many standard errors is no chance."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every trial has in common.

    Parameters
    ----------
    fitting : the seed, and the line if one was given.
    most_alarms : the largest allowed share of alarms among normal held-out rows, if there is one.
    """

    fitting: Fitting
    most_alarms: float | None = None

    def at(self, point: Mapping[str, Any]) -> Fitting:
        """How to fit at a point of the space."""
        algorithm = point[ALGORITHM]
        own = {name.partition(".")[2]: value for name, value in point.items() if name.startswith(f"{algorithm}.")}
        transform, scaling = own.pop("transform", "none"), own.pop("scaling", "standard")
        transforms = () if transform == "none" else (transform,)
        return replace(self.fitting, algorithm=algorithm, parameters=own, transforms=transforms, scaling=scaling)

    def with_line(self, point: Mapping[str, Any], wish: float | str) -> Fitting:
        """How to fit at a point of the space, with an alarm line."""
        fitting = self.at(point)
        return fitting if fitting.threshold is not None else replace(fitting, contamination=wish)

    @property
    def wishes(self) -> tuple[float | str, ...]:
        """The alarm lines to choose from."""
        if self.fitting.threshold is not None:
            return (self.fitting.threshold,)
        return SHARES if self.fitting.contamination == "auto" else (self.fitting.contamination,)

    def below(self, alpha: float) -> list[float | str]:
        """The alarm lines to choose from that lie below one, the highest first; none where the line was given."""
        shares = [wish for wish in self.wishes if isinstance(wish, float) and wish < alpha]
        return sorted(shares, reverse=True) if len(self.wishes) > 1 else []

    def allows(self, alarms: float | None) -> bool:
        """Whether that share of alarms is within the limit."""
        return self.most_alarms is None or (alarms is not None and alarms <= self.most_alarms)

    def line(self, rounds: Rounds, scores: Sequence[NDArray[np.float64]]) -> Line:
        """The best line for the scores of the held-out rows of all rounds."""
        folds = [one.held_out for one in rounds.each]
        return best_line(scores, folds, rounds.labels, self.wishes, self.most_alarms)


def run_trials(
    wanted: Wanted, rounds: Rounds, search: Search, study: StudyFile, most: int, until: float, progress: Progress
) -> None:
    """Add trials to a study until it has ``most``, or until a moment of ``time.monotonic``.

    The first trial, the defaults that all others are held against, is always finished.
    """
    known = {_key(trial.point): trial for trial in study.trials if trial.state != "failed"}
    while len(study.trials) < most and (not study.trials or time.monotonic() < until):
        progress(_doing(study.trials, wanted), len(study.trials), most)
        asked = search.ask()
        again = known.get(_key(asked.point))
        if again is not None:
            trial = replace(again, number=asked.number, seconds=0.0)
        else:
            measured = _measured(wanted, rounds, asked, until if asked.number else float("inf"))
            if measured is None:
                return
            trial = measured
        search.tell(asked, trial)
        study.append(trial)
        known.setdefault(_key(trial.point), trial)


def _measured(wanted: Wanted, rounds: Rounds, asked: Asked, until: float) -> Trial | None:
    """One trial, or None if the time was up before it was done."""
    began = time.monotonic()
    found: list[RoundFound] = []
    try:
        pipeline = blank_pipeline(wanted.at(asked.point))
        for one in rounds.each:
            found.append(rounds.run(pipeline, one))
            if len(found) == len(rounds.each):
                break
            if time.monotonic() >= until:
                return None
            if not asked.worth_going_on([each.value for each in found]):
                return _trial(asked, "pruned", found, None, began)
        return _trial(asked, "complete", found, wanted.line(rounds, [each.scores for each in found]), began)
    except AnomalyDetectionError as error:
        if asked.number == 0:
            raise
        return replace(_trial(asked, "failed", [], None, began), problem=str(error))


def _trial(asked: Asked, state: Any, found: Sequence[RoundFound], line: Line | None, began: float) -> Trial:
    values = [each.value for each in found]
    parts = {name: float(np.mean([each.parts[name] for each in found])) for name in (found[0].parts if found else ())}
    return Trial(
        number=asked.number,
        state=state,
        point=asked.point,
        rounds=values,
        value=so_far(values)[-1] if values else None,
        parts=parts,
        wish=line.wish if line else None,
        alarms=line.alarms if line else None,
        f1=line.f1 if line else None,
        seconds=round(time.monotonic() - began, 3),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """A trial measured again, on new folds and with new injected anomalies.

    Parameters
    ----------
    trial : its number.
    value : the mean over all new rounds.
    gain, gain_error : the mean difference to the defaults, and its standard error over the rounds.
    wish, alarms, f1 : the line that suits it, and what that does on held-out rows.
    """

    trial: int
    value: float
    gain: float
    gain_error: float
    wish: float | str
    alarms: float
    f1: float | None

    @property
    def clear(self) -> bool:
        """Whether it is better than the defaults by more than twice the standard error of that."""
        return self.gain > CLEAR * self.gain_error

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def best_trials(trials: Sequence[Trial], wanted: Wanted) -> list[Trial]:
    """The complete trials that keep within the alarms allowed, best first, each point once."""
    good = [trial for trial in trials if trial.complete and wanted.allows(trial.alarms)]
    found: dict[str, Trial] = {}
    for trial in sorted(good, key=lambda trial: (-(trial.value or 0.0), trial.number)):
        found.setdefault(_key(trial.point), trial)
    return list(found.values())


def check_best(
    wanted: Wanted, anew: Sequence[Rounds], trials: Sequence[Trial], progress: Progress
) -> tuple[Checked, list[Checked]]:
    """Measure the defaults and the best trials again; the defaults, and the others, best first.

    What is best among many has been lucky, too. New folds know nothing of that.
    """
    others = [trial for trial in best_trials(trials, wanted) if _key(trial.point) != _key(trials[0].point)][:CHECKED]
    progress("checking the best on new folds", 0, len(others) + 1)
    defaults, line = _again(wanted, anew, trials[0])
    baseline = _checked(trials[0], defaults, defaults, line)
    found = []
    for step, trial in enumerate(others):
        progress("checking the best on new folds", step + 1, len(others) + 1)
        with suppress(AnomalyDetectionError):  # what fails on new folds is not the best
            values, line = _again(wanted, anew, trial)
            found.append(_checked(trial, values, defaults, line))
    return baseline, sorted(found, key=lambda one: -one.value)


def check_default(wanted: Wanted, anew: Sequence[Rounds], progress: Progress) -> float | None:
    """What the algorithm is worth on new folds that one gets without tuning; None where it fails."""
    progress(f"comparing with {DEFAULT}", 0, None)
    pipeline = blank_pipeline(wanted.at({ALGORITHM: DEFAULT}))
    with suppress(AnomalyDetectionError):
        return float(np.mean([rounds.run(pipeline, one).value for rounds in anew for one in rounds.each]))
    return None


def _checked(trial: Trial, values: NDArray[np.float64], defaults: NDArray[np.float64], line: Line) -> Checked:
    gains = values - defaults
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return Checked(trial.number, float(values.mean()), float(gains.mean()), error, line.wish, line.alarms, line.f1)


def _again(wanted: Wanted, anew: Sequence[Rounds], trial: Trial) -> tuple[NDArray[np.float64], Line]:
    pipeline = blank_pipeline(wanted.at(trial.point))
    found = [[rounds.run(pipeline, one) for one in rounds.each] for rounds in anew]
    values = np.array([one.value for each in found for one in each])
    return values, wanted.line(anew[0], [one.scores for one in found[0]])


def _key(point: Mapping[str, Any]) -> str:
    return repr(sorted(point.items()))


def _doing(trials: Sequence[Trial], wanted: Wanted) -> str:
    best = best_trials(trials, wanted)
    return f"trial {len(trials) + 1}" + (f", best {best[0].value:.3f}" if best else "")
