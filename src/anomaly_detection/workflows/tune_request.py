"""What to tune, how far to go, and where the result goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.base import Choice, Range
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.errors import ParameterError
from anomaly_detection.evaluation.rounds import MEASURES
from anomaly_detection.workflows.fitting import Fitting

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.workflows.reading import Reading

WITH_LABELS = ("isolation_forest", "knn", "hbos", "pca", "lof")
"""The algorithms that compete unless others are named, when labels tell which is better."""

WITHOUT_LABELS = ("isolation_forest",)
"""Without labels one algorithm is tuned: injected anomalies are no guide from one algorithm to another."""


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What to tune, how far to go, and the name to register the result under.

    Parameters
    ----------
    reading : the records; with a label, trials are held against it.
    name, aliases, registry : where the result goes.
    algorithms : the names of those that compete; the first is the baseline. The usual ones when empty.
    fitting : the seed, and the line if it is not to be searched.
    measure : ``"average_precision"`` or ``"auroc"``; the former with labels and the latter without, when not given.
    kinds : the kinds of anomalies to inject; the usual ones when empty.
    max_alarms : the largest share of normal records that may raise an alarm, in (0, 0.5].
    trials : how many trials the study shall have in the end.
    timeout_seconds : no trial begins later than this.
    study : the file the trials are kept in; one in the home folder when not given.
    job : the job of the service that does it, if one does.
    """

    reading: Reading
    name: str
    aliases: tuple[str, ...] = ()
    registry: Path | None = None
    algorithms: tuple[str, ...] = ()
    fitting: Fitting = field(default_factory=Fitting)
    measure: str | None = None
    kinds: tuple[str, ...] = ()
    max_alarms: float | None = None
    trials: int = 50
    timeout_seconds: float | None = None
    study: Path | None = None
    job: str | None = None

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises
        ------
        ParameterError
            naming the value and what has to hold.
        """
        for option, value, rule in (
            ("--trials", self.trials, Range(1, 100_000, integer=True)),
            ("--timeout", self.timeout_seconds, Range(0, open_low=True, or_none=True)),
            ("--max-alarms", self.max_alarms, Range(0, 0.5, open_low=True, or_none=True)),
            ("--measure", self.measure or MEASURES[0], Choice(*MEASURES)),
        ):
            if problem := rule.problem(value):
                raise ParameterError(f"{option} {value} {problem}.")
        if self.kinds and self.reading.label is not None:
            raise ParameterError(
                "--kinds says which anomalies to inject, and with --label none are. Leave out one of the two."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The catalog names of the algorithms that compete, each once."""
        usual = WITHOUT_LABELS if self.reading.label is None else WITH_LABELS
        return tuple(dict.fromkeys(DETECTORS.resolve(name).name for name in self.algorithms or usual))
