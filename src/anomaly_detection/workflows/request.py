"""What to detect on, with what, and where the verdicts go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.base import Range
from anomaly_detection.calibration import FEWEST_ROWS
from anomaly_detection.errors import ParameterError
from anomaly_detection.workflows.fitting import Fitting

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.workflows.reading import Reading


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """What to do.

    Parameters
    ----------
    reading : the records.
    fitting : how to fit, when no model is given.
    model : a registered model to score with instead, such as ``orders@production``.
    registry : the registry's folder; the default one when not given.
    train_column : rows where this column is true are fitted on, the others scored.
    train_rows : the first so many rows are fitted on, the others scored.
    fdr : control the share of false alarms among the alarms instead of the rate among normal records; takes a model
        or rows to fit on, since rows that rank among themselves cannot be told apart so.
    output, output_format : a file for the verdicts; ``-`` is standard output.
    explain : write the reasons for each anomaly.
    top : how many anomalies to keep for showing.
    """

    reading: Reading
    fitting: Fitting = field(default_factory=Fitting)
    model: str | None = None
    registry: Path | None = None
    train_column: str | None = None
    train_rows: int | None = None
    fdr: float | None = None
    output: str | Path | None = None
    output_format: str | None = None
    explain: bool = False
    top: int = 10


def check(request: DetectRequest) -> None:
    """Refuse wishes that contradict one another, before anything is read.

    Raises
    ------
    ParameterError
        naming both, or the one that is out of range.
    """
    trains = [
        f"--{name.replace('_', '-')}" for name in ("train_column", "train_rows") if getattr(request, name) is not None
    ]
    if request.model is not None and trains:
        raise ParameterError(f"{trains[0]} says what to fit on, and --model {request.model} is fitted. Give one.")
    if len(trains) > 1:
        raise ParameterError("--train-column and --train-rows both say what to fit on. Give one of them.")
    if request.train_rows is not None and request.train_rows < FEWEST_ROWS:
        raise ParameterError(f"--train-rows {request.train_rows}: learning what is normal takes {FEWEST_ROWS} or more.")
    if request.output_format is not None and request.output is None:
        raise ParameterError(
            f"--output-format {request.output_format} says how --output is written. Give --output, too; - is standard "
            "output."
        )
    if request.fdr is not None:
        _check_discovery(request, request.fdr, trains)


def _check_discovery(request: DetectRequest, fdr: float, trains: list[str]) -> None:
    if problem := Range(0, 1, open_low=True, open_high=True).problem(fdr):
        raise ParameterError(f"--fdr {fdr} {problem}; 0.1 lets one alarm in ten be false, on average.")
    if request.model is None and not trains:
        raise ParameterError(
            "--fdr needs to know what is normal: records that rank among themselves cannot show a discovery. Give "
            "--model, or say with --train-column or --train-rows what to fit on."
        )
    if request.fitting.contamination != "auto" or request.fitting.threshold is not None:
        raise ParameterError("--fdr sets the alarm line from the alarms; leave out --contamination and --threshold.")
