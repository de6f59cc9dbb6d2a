"""``models tune``: search for the parameters and the alarm line that suit a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import completion
from anomaly_detection.cli import options as o
from anomaly_detection.cli.models import Aliases, Name, app
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from anomaly_detection.workflows.tune import TuneOutcome, TuneRequest

SEARCH = "Search"

ALGORITHMS = (
    "The algorithms that compete, a,b; the first with its defaults is the baseline. Usually isolation_forest, with "
    "--label also knn,hbos,pca,lof; auto has nothing to tune, and the result is compared with it."
)

Algorithms = Annotated[
    list[str] | None,
    typer.Option(
        "--algorithm",
        "-a",
        help=ALGORITHMS,
        autocompletion=completion.algorithms,
        metavar="NAMES",
        rich_help_panel=o.MODEL,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        "--label",
        help="The column with known anomalies to tune against; without it anomalies are injected.",
        metavar="NAME",
        rich_help_panel=o.COLUMN_ROLES,
    ),
]
Trials = Annotated[
    int, typer.Option("--trials", help="How many trials in all.", metavar="NUMBER", rich_help_panel=SEARCH)
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", help="Begin no trial after this.", metavar="SECONDS", rich_help_panel=SEARCH),
]
Measure = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="average_precision, usual with labels, or auroc, usual without.",
        metavar="NAME",
        rich_help_panel=SEARCH,
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kinds",
        help="Anomalies to inject: extreme,local,cluster,dependency,category,missing.",
        metavar="NAMES",
        rich_help_panel=SEARCH,
    ),
]
MaxAlarms = Annotated[
    str | None,
    typer.Option(
        "--max-alarms",
        help="Most alarms among normal records: a share, or a number per rows such as 5/1000.",
        metavar="SHARE",
        rich_help_panel=SEARCH,
    ),
]
Study = Annotated[
    Path | None,
    typer.Option(
        "--study", help="The file the trials are kept in, to go on with later.", metavar="FILE", rich_help_panel=SEARCH
    ),
]


@app.command()
def tune(
    data: o.Data,
    name: Name,
    algorithm: Algorithms = None,
    trials: Trials = 50,
    timeout: Timeout = None,
    measure: Measure = None,
    kinds: Kinds = None,
    max_alarms: MaxAlarms = None,
    study: Study = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    alias: Aliases = None,
    columns: o.Columns = None,
    categorical: o.Categorical = None,
    timestamp: o.Timestamp = None,
    key: o.Key = None,
    label: Label = None,
    ignore: o.Ignore = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    registry: o.RegistryFolder = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Search for parameters and an alarm line, and register the best as a new version.

    Trials are kept: after an interruption the same command goes on. What is not clearly better than the defaults on
    new folds is not registered; the defaults are.
    """
    from anomaly_detection.workflows.tune import TuneRequest

    request = TuneRequest(
        reading=o.reading(data, format_, encoding, delimiter, columns, categorical, timestamp, key, label, ignore),
        name=name,
        aliases=o.names(alias),
        registry=registry,
        algorithms=o.names(algorithm),
        fitting=o.fitting("isolation_forest", None, contamination, threshold, None, seed),
        measure=measure,
        kinds=o.names(kinds),
        max_alarms=share(max_alarms),
        trials=trials,
        timeout_seconds=timeout,
        study=study,
    )
    outcome = _tuned(request, quiet=quiet or as_json)
    _tell(outcome, as_json=as_json, quiet=quiet)


def share(text: str | None) -> float | None:
    """A share, or a number per so many rows.

    Raises
    ------
    ParameterError
        for anything else.

    >>> share("0.01"), share("5/1000")
    (0.01, 0.005)
    """
    if text is None:
        return None
    number, slash, rows = text.partition("/")
    try:
        return float(number) / float(rows if slash else 1)
    except (ValueError, ZeroDivisionError):
        raise ParameterError(
            f"--max-alarms {text!r}: give a share such as 0.01, or a number per rows such as 5/1000."
        ) from None


def _tuned(request: TuneRequest, *, quiet: bool) -> TuneOutcome:
    from anomaly_detection.cli.terminal import progress, say, side
    from anomaly_detection.workflows.tune import TuningInterrupted, tune

    try:
        with progress(quiet=quiet) as show:
            return tune(request, show)
    except TuningInterrupted as interrupted:
        say(str(interrupted), screen=side())
        raise


def _tell(outcome: TuneOutcome, *, as_json: bool, quiet: bool) -> None:
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.cli.tuning_tables import show_tuned

    if as_json:
        print_json(outcome.to_dict())
    else:
        show_tuned(outcome, quiet=quiet)
