"""What tuning found, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.cli.evaluations import show_evaluation
from anomaly_detection.cli.terminal import say, show_table, side
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.workflows.study import Trial
    from anomaly_detection.workflows.tune import TuneOutcome

SHOWN = 5


def show_tuned(outcome: TuneOutcome, *, quiet: bool) -> None:
    """Print the best trials, how the best compare with the defaults, and what was registered."""
    for note in () if quiet else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    if not quiet:
        _show_trials(outcome)
    _show_gain(outcome)
    _show_default(outcome)
    version = outcome.version
    pointing = f", {', '.join(version.aliases)}" if version.aliases else ""
    say(f"Registered {version.reference} ({version.size / 1024:.0f} KiB){pointing}", "bold")
    say(f"α = {outcome.pipeline.alpha_:.4g}, learned from {outcome.pipeline.rows_:,} rows")
    if outcome.evaluation is not None:
        show_evaluation(outcome.evaluation)


def _show_trials(outcome: TuneOutcome) -> None:
    trials, top = outcome.trials, list(outcome.top[:SHOWN])
    top += [trials[0]] if trials[0] not in top else []
    pruned, failed = (sum(trial.state == state for trial in trials) for state in ("pruned", "failed"))
    more = [f"{count} {words}" for count, words in ((pruned, "given up early"), (failed, "failed")) if count]
    title = f"Best of {', '.join([counted(trials, 'trial'), *more])} ({_objective(outcome.objective)})"
    cells = [(trial.number, *_numbers(trial), point_words(trial.point)) for trial in top]
    show_table(title, ("trial", "value", "alarms", "what"), cells, right=("trial", "value", "alarms"))
    say()


def _numbers(trial: Trial) -> tuple[str, str]:
    value = "" if trial.value is None else f"{trial.value:.3f}"
    return value, "" if trial.alarms is None else f"{trial.alarms:.4f}"


def _show_gain(outcome: TuneOutcome) -> None:
    baseline, winner = outcome.baseline, outcome.winner
    if not outcome.improved:
        say(f"Nothing was clearly better than the defaults ({baseline.value:.3f} on new folds): those are registered.")
        return
    say(
        f"On new folds trial {winner.trial} has {winner.value:.3f}, the defaults {baseline.value:.3f} "
        f"({winner.gain:+.3f} ± {winner.gain_error:.3f})"
    )


def _show_default(outcome: TuneOutcome) -> None:
    """Whether the algorithm that other commands use by default would have been better."""
    if outcome.default_value is None:
        return
    better = outcome.default_value > outcome.winner.value
    verdict = "better than what is registered; train it with models train" if better else "what is registered is better"
    say(f"The default algorithm auto, which has nothing to tune, has {outcome.default_value:.3f} there: {verdict}")


def point_words(point: Mapping[str, Any]) -> str:
    """A point of the search space in words.

    >>> point_words({"algorithm": "knn", "knn.n_neighbors": 9, "knn.scaling": "robust", "knn.transform": "none"})
    'knn(n_neighbors=9, scaling=robust)'
    """
    named = {name.partition(".")[2]: value for name, value in point.items() if "." in name}
    shown = {name: value for name, value in named.items() if (name, value) != ("transform", "none")}
    inside = ", ".join(f"{name}={_short(value)}" for name, value in shown.items())
    return f"{point['algorithm']}({inside})"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _objective(objective: Mapping[str, Any]) -> str:
    if objective["against"] == "labels":
        return f"{objective['measure']} against the label, held-out rows"
    return f"half {objective['measure']} on injected anomalies ({', '.join(objective['kinds'])}), half stability"
