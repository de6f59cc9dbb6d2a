"""The search itself: Optuna's sampler and pruner around trials that a study keeps.

Optuna works in memory only, and is told of the trials of a study when it begins; nothing is pickled, and the file has
no format but ours. Each trial has a sampler with a seed of its own, so that a search that was interrupted goes on as
if it had not been.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import InputError, MissingDependencyError
from anomaly_detection.workflows.search_space import defaults_of, space_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.workflows.search_space import Draw
    from anomaly_detection.workflows.study import Trial

ALGORITHM = "algorithm"
ALARMS = "alarms"

STARTUP = 5
"""So many trials beyond the defaults are drawn at random, and none of the first so many is given up."""

_STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


class Search:
    """Draws points, learns from what they were worth, and says when to give one up.

    Parameters
    ----------
    algorithms : the names of those that compete; the first trials are their defaults, in this order.
    most_alarms : the largest allowed share of alarms, if there is one.
    seed : decides the points.

    Raises
    ------
    MissingDependencyError
        if Optuna is not installed.
    """

    def __init__(self, algorithms: Sequence[str], most_alarms: float | None, seed: int) -> None:
        self._optuna = _optuna()
        self.algorithms = tuple(algorithms)
        self.most_alarms = most_alarms
        self.seed = seed
        self._early = len(self.algorithms) + STARTUP
        pruner = self._optuna.pruners.MedianPruner(n_startup_trials=self._early, n_warmup_steps=0)
        self._study = self._optuna.create_study(direction="maximize", pruner=pruner)

    def replay(self, trials: Sequence[Trial]) -> None:
        """Take note of trials that are done.

        Raises
        ------
        InputError
            if a trial does not lie in the space.
        """
        for trial in trials:
            try:
                self._study.add_trial(self._as_it_was(trial))
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"Trial {trial.number} of the study does not lie in the space that is searched ({error}): the file "
                    "was changed. Delete it, or name another with --study."
                ) from error

    def _as_it_was(self, trial: Trial) -> Any:
        return self._optuna.trial.create_trial(
            state=self._state(trial),
            value=trial.value,
            params=trial.point,
            distributions=self._distributions(trial.point),
            intermediate_values=dict(enumerate(so_far(trial.rounds))),
            constraints=self._constraint(trial),
        )

    def ask(self) -> Asked:
        """The next point to try."""
        number = len(self._study.trials)
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        self._study.sampler = self._optuna.samplers.TPESampler(n_startup_trials=self._early, seed=seed)
        if number < len(self.algorithms):
            algorithm = self.algorithms[number]
            self._study.enqueue_trial({ALGORITHM: algorithm, **defaults_of(algorithm)})
        return Asked(self._study.ask(), self.algorithms)

    def tell(self, asked: Asked, trial: Trial) -> None:
        """What became of a point."""
        for name, value in (self._constraint(trial) or {}).items():
            asked.trial.set_constraint(name, value)
        self._study.tell(asked.trial, trial.value if trial.complete else None, self._state(trial))

    def _state(self, trial: Trial) -> Any:
        return self._optuna.trial.TrialState[_STATES[trial.state]]

    def _constraint(self, trial: Trial) -> dict[str, float] | None:
        """More than 0 where there are too many alarms; unknown where a trial did not come to its end."""
        if self.most_alarms is None or trial.alarms is None:
            return None
        return {ALARMS: trial.alarms - self.most_alarms}

    def _distributions(self, point: dict[str, Any]) -> dict[str, Any]:
        """The distributions that a point was drawn from."""
        recorder = _Recorder(point, self._optuna.distributions)
        _draw(recorder, self.algorithms)
        return recorder.found


class Asked:
    """One point: where it lies, and whether it is worth going on with it."""

    def __init__(self, trial: Any, algorithms: Sequence[str]) -> None:
        self.trial = trial
        self.number = int(trial.number)
        self.point = _draw(trial, algorithms)

    def worth_going_on(self, values: Sequence[float]) -> bool:
        """Whether a trial with these values in its rounds so far may still be among the better half."""
        self.trial.report(so_far(values)[-1], len(values) - 1)
        return not self.trial.should_prune()


class _Recorder:
    """A trial whose point is known: tells the distributions it was drawn from."""

    def __init__(self, point: dict[str, Any], distributions: Any) -> None:
        self.point = point
        self.found: dict[str, Any] = {}
        self._distributions = distributions

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        self.found[name] = self._distributions.IntDistribution(low, high, log=log)
        return int(self.point[name])

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.found[name] = self._distributions.FloatDistribution(low, high, log=log)
        return float(self.point[name])

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.found[name] = self._distributions.CategoricalDistribution(choices)
        return self.point[name]


def so_far(values: Sequence[float]) -> list[float]:
    """The mean of the first one, two, three … values.

    >>> so_far([1.0, 3.0])
    [1.0, 2.0]
    """
    means: list[float] = (np.cumsum(values) / np.arange(1, len(values) + 1)).tolist()
    return means


def _draw(trial: Draw, algorithms: Sequence[str]) -> dict[str, Any]:
    """Draw an algorithm and a value for each of its dimensions."""
    algorithm = trial.suggest_categorical(ALGORITHM, tuple(algorithms))
    return {ALGORITHM: algorithm} | {name: one.draw(trial, name) for name, one in space_of(algorithm).items()}


def _optuna() -> Any:
    try:
        optuna = import_module("optuna")
    except ImportError as error:
        raise MissingDependencyError("optuna", "tune", "Tuning a model") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
