"""``backtest``: a history replayed, before going live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli import series_options as so

if TYPE_CHECKING:
    from collections.abc import Mapping

HELD = "What it is held against"

Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        help="A second configuration beside it: algorithm=ewma,budget=5/week; the rest stays.",
        metavar="NAME=VALUE,…",
        rich_help_panel=HELD,
    ),
]
Incidents = Annotated[
    str | None,
    typer.Option(
        "--incidents",
        help="Known incidents: a file with start and end, and perhaps key and name.",
        metavar="FILE",
        rich_help_panel=HELD,
    ),
]
TrainShare = Annotated[
    float,
    typer.Option("--train-share", help="The part of the time that is learned from first.", metavar="SHARE"),
]
Refits = Annotated[
    int, typer.Option("--refits", help="How many times it is trained again on the way.", metavar="NUMBER")
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", help="A page to write: .html, .md or .json.", metavar="FILE")
]


def backtest(
    data: o.Data,
    timestamp: o.Timestamp = None,
    columns: o.Columns = None,
    key: o.Key = None,
    algorithm: o.Algorithm = "auto",
    param: o.Parameter = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    budget: so.Budget = None,
    against: Against = None,
    label: o.Label = None,
    incidents: Incidents = None,
    train_share: TrainShare = 0.3,
    refits: Refits = 0,
    output: Output = None,
    ignore: o.Ignore = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    direction: so.Direction = "both",
    minimum_change: so.MinimumChange = 0.0,
    minimum_share: so.MinimumShare = 0.0,
    lower_bound: so.LowerBound = None,
    upper_bound: so.UpperBound = None,
    zone: so.Zone = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Replay a history of time series before going live: alarms a week, incidents caught, two configurations.

    The first part is learned from; each row after it is judged by rows before it. Without --label and --incidents,
    anomalies are injected to see which kinds would be caught.
    """
    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.evaluation.backtest import Plan
    from anomaly_detection.workflows.backtest import BacktestRequest
    from anomaly_detection.workflows.backtest import backtest as replayed
    from anomaly_detection.workflows.configurations import configured

    reading = o.reading(data, format_, encoding, delimiter, columns, None, timestamp, key, label, ignore)
    series = so.wishes(direction, minimum_change, minimum_share, lower_bound, upper_bound, zone, budget, offline=False)
    fitting = replace(o.fitting(algorithm, param, contamination, threshold, None, seed), series=series)
    request = BacktestRequest(
        reading=reading,
        fitting=fitting,
        against=None if against is None else configured(against, fitting),
        incidents=incidents,
        plan=Plan(train_share, refits),
        output=output,
    )
    with progress(quiet=quiet or as_json) as show:
        found = replayed(request, show)
    if as_json:
        print_json(found)
    else:
        _tell(found, output, quiet=quiet)
    return 0


def _tell(found: Mapping[str, Any], output: str | None, *, quiet: bool) -> None:
    from anomaly_detection.cli.terminal import say, show_table, side
    from anomaly_detection.reports.backtest_pages import lead_of, tables_of

    for note in [] if quiet else found["notes"]:
        say(f"note: {note}", "dim", screen=side())
    say(lead_of(found))
    for title, header, rows in tables_of(found):
        say()
        show_table(title, header, rows)
    parts = found["difference"]
    if parts is not None:
        both, first, second = (len(parts[name]) for name in ("both", "only_first", "only_second"))
        say()
        say(
            f"Of the alarms of the first, {both:,} are alarms of the second, too; {first:,} are not. "
            f"{second:,} only the second has."
        )
    if output is not None:
        say(f"Backtest written to {output}")
