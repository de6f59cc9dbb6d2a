"""Search for the parameters and the alarm line that suit a table, and register the model that has them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.detectors.labels import need_saved, need_streaming
from anomaly_detection.errors import InputError
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.pipeline import silent
from anomaly_detection.registry.lineage import Lineage
from anomaly_detection.workflows.fitting import blank_pipeline, command_line, read_for_fitting
from anomaly_detection.workflows.models import check_registrable, evaluated, metrics_of, registry_at
from anomaly_detection.workflows.search import Search
from anomaly_detection.workflows.study import StudyFile, Trial, open_study
from anomaly_detection.workflows.trials import (
    DEFAULT,
    Checked,
    Wanted,
    best_trials,
    check_best,
    check_default,
    run_trials,
)
from anomaly_detection.workflows.tune_data import ANEW, Tuning
from anomaly_detection.workflows.tune_request import TuneRequest

__all__ = ["TuneOutcome", "TuneRequest", "TuningInterrupted", "tune"]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.records import Schema
    from anomaly_detection.registry.base import ModelVersion


@dataclass(frozen=True, slots=True)
class TuneOutcome:
    """What came of it.

    Parameters
    ----------
    version, pipeline : what was registered.
    evaluation : how good its verdicts are on held-out rows, where labels tell.
    baseline : the defaults of the first algorithm, measured on new folds.
    winner : what was registered, measured on the same; the baseline itself if nothing was clearly better.
    trials : all of them, in order.
    top : the best of them, best first.
    default_value : what the default algorithm is worth on the same new folds; None where it competed or failed.
    objective : what a value is, as plain values.
    study : the file they are in.
    notes : about the data.
    """

    version: ModelVersion
    pipeline: Pipeline
    evaluation: Evaluation | None
    baseline: Checked
    winner: Checked
    trials: tuple[Trial, ...]
    top: tuple[Trial, ...]
    default_value: float | None
    objective: dict[str, Any]
    study: Path
    notes: tuple[str, ...]

    @property
    def improved(self) -> bool:
        """Whether something clearly better than the defaults was found."""
        return self.winner is not self.baseline

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: those of the version, and how it came about."""
        return {
            **asdict(self.version),
            "alpha": self.pipeline.alpha_,
            "schema": self.pipeline.schema_.to_dict(),
            "evaluation": self.evaluation.to_dict() if self.evaluation else None,
            "tuning": evidence(self.objective, self.trials, self.top, self.baseline, self.winner, self.default_value),
            "study": str(self.study),
            "notes": list(self.notes),
        }


class TuningInterrupted(KeyboardInterrupt):
    """Ctrl-C while tuning; the message says what is kept and how to go on."""


def tune(request: TuneRequest, progress: Progress = silent) -> TuneOutcome:
    """Search, check the best on new folds, fit it on all rows, and register it as a new version.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off, an algorithm is labelled batch only or not saved, or nothing keeps
        within the allowed alarms; then nothing was registered.
    MissingDependencyError
        if Optuna is not installed.
    RegistryError
        if the registry cannot be written.
    TuningInterrupted
        after Ctrl-C; the trials that were done are kept.
    """
    began = time.monotonic()
    request.check()
    registry = registry_at(request.registry)
    check_registrable(request.name, request.aliases, registry)
    blank_pipeline(request.fitting)  # refuses a line that cannot be meant
    for name in request.names:
        need_streaming(name, "Tuning a model for the registry")
        need_saved(name, "Tuning a model for the registry")
    wanted = Wanted(request.fitting, request.max_alarms)
    search = Search(request.names, request.max_alarms, request.fitting.random_state)
    with request.reading.open() as source:
        frame = read_for_fitting(source, request.fitting.random_state, progress)
        schema, data, notes = request.reading.schema(frame), source.fingerprint(), tuple(source.notes)
    labels = None if request.reading.label is None else parse_labels(frame[request.reading.label])
    tuning = Tuning(request, frame, schema, labels)
    with open_study(*tuning.study(data)) as study, _kept(study, request.trials):
        until = began + (request.timeout_seconds or float("inf"))
        baseline, winner, default_value = _searched(tuning, wanted, search, study, until, progress)
        trials, top = tuple(study.trials), tuple(best_trials(study.trials, wanted))
        pipeline = _fitted(wanted, trials[winner.trial], winner.wish, frame, schema, labels, progress)
    notes += tuple(_notes(request, len(trials), _alarms(pipeline, labels)))
    found = evidence(tuning.objective, trials, top, baseline, winner, default_value)
    evaluation = evaluated(pipeline, labels)
    metrics = metrics_of(pipeline, evaluation) | {"tuned_value": winner.value, "defaults_value": baseline.value}
    version = registry.register(
        request.name,
        pipeline,
        metrics=metrics,
        lineage=_lineage(pipeline, data, request, found),
        aliases=request.aliases,
    )
    return TuneOutcome(
        version,
        pipeline,
        evaluation,
        baseline,
        winner,
        trials,
        top,
        default_value,
        tuning.objective,
        study.path,
        notes,
    )


@contextmanager
def _kept(study: StudyFile, trials: int) -> Iterator[None]:
    """Ctrl-C says what is kept of the trials that were asked for."""
    try:
        yield
    except KeyboardInterrupt:
        raise TuningInterrupted(
            f"{len(study.trials)} of {trials} trials are kept in {study.path}. The same command goes on from there."
        ) from None


def _searched(
    tuning: Tuning, wanted: Wanted, search: Search, study: StudyFile, until: float, progress: Progress
) -> tuple[Checked, Checked, float | None]:
    """The defaults, the winner, and what the default algorithm is worth, once all trials are done."""
    search.replay(study.trials)
    run_trials(wanted, tuning.rounds, search, study, tuning.request.trials, until, progress)
    anew = [tuning.rounds_of(number) for number in range(1, ANEW + 1)]
    baseline, others = check_best(wanted, anew, study.trials, progress)
    winner = _winner(baseline, others, study, wanted)
    competed = DEFAULT in tuning.request.names
    return baseline, winner, None if competed else check_default(wanted, anew, progress)


def _winner(baseline: Checked, others: Sequence[Checked], study: StudyFile, wanted: Wanted) -> Checked:
    """The best that keeps within the alarms and is clearly better than the defaults, if those keep within them."""
    allowed = [one for one in others if wanted.allows(one.alarms)]
    if wanted.allows(baseline.alarms):
        return next((one for one in allowed if one.clear), baseline)
    if not allowed:
        fewest = min(trial.alarms for trial in study.trials if trial.alarms is not None)
        raise InputError(
            f"--max-alarms {wanted.most_alarms}: none of {len(study.trials)} trials keeps within it on held-out rows; "
            f"the fewest alarms were {fewest:.4g}. Allow more, or more --trials; the trials are kept in {study.path}."
        )
    return allowed[0]


def _fitted(
    wanted: Wanted,
    trial: Trial,
    wish: float | str,
    frame: pl.DataFrame,
    schema: Schema,
    labels: NDArray[np.bool_] | None,
    progress: Progress,
) -> Pipeline:
    """Fit on all rows; with a lower line where more of the rows held out while fitting raise alarms than allowed."""
    pipeline = blank_pipeline(wanted.with_line(trial.point, wish)).fit(frame, schema, progress)
    for lower in wanted.below(pipeline.alpha_):
        if wanted.allows(_alarms(pipeline, labels)):
            break
        pipeline = blank_pipeline(wanted.with_line(trial.point, lower)).fit(frame, schema, progress)
    return pipeline


def _notes(request: TuneRequest, trials: int, alarms: float) -> Iterator[str]:
    """What did not come out as it was asked for."""
    if trials < request.trials:
        yield f"the time was up after {trials} of {request.trials} trials; the same command goes on"
    if request.max_alarms is not None and alarms > request.max_alarms:
        yield f"fitted on all rows, {alarms:.4g} of the normal ones raise an alarm, more than --max-alarms allows"


def _alarms(pipeline: Pipeline, labels: NDArray[np.bool_] | None) -> float:
    """The share of normal rows held out while fitting that raise an alarm."""
    counted = ~np.isnan(pipeline.held_out_) & (True if labels is None else ~labels)
    return float((pipeline.calibrator_.p_value(pipeline.held_out_[counted]) <= pipeline.alpha_).mean())


def evidence(
    objective: dict[str, Any],
    trials: Sequence[Trial],
    top: Sequence[Trial],
    baseline: Checked,
    winner: Checked,
    default_value: float | None = None,
) -> dict[str, Any]:
    """Why this model was registered, as plain values."""
    states = [trial.state for trial in trials]
    return {
        "objective": objective,
        "trials": {state: states.count(state) for state in ("complete", "pruned", "failed")},
        "improved": winner is not baseline,
        "baseline": baseline.to_dict() | {"point": trials[baseline.trial].point},
        "winner": winner.to_dict() | {"point": trials[winner.trial].point},
        "default": None if default_value is None else {"algorithm": DEFAULT, "value": default_value},
        "top": [trial.to_dict() for trial in top[:5]],
    }


def _lineage(pipeline: Pipeline, data: str, request: TuneRequest, found: dict[str, Any]) -> Lineage:
    return Lineage.gather(
        data_fingerprint=data,
        rows=pipeline.rows_,
        columns=pipeline.schema_.feature_names,
        parameters={
            "algorithm": found["winner"]["point"]["algorithm"],
            "transforms": list(pipeline.transforms),
            "scaling": pipeline.scaling,
            **pipeline.scorer_.detector.parameters(),
            "tuning": found,
        },
        seed=request.fitting.random_state,
        command=command_line(),
        job=request.job,
    )
