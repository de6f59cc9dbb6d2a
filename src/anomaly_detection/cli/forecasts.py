"""``forecast``: how series go on, and when a limit will be crossed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import completion
from anomaly_detection.cli import options as o
from anomaly_detection.cli import series_options as so

if TYPE_CHECKING:
    from anomaly_detection.series.forecasting import Outlooks

FORECAST = "Forecast"

Horizon = Annotated[
    str,
    typer.Option("--horizon", help="How far: rows, or 90min, 12h, 7d, 2w.", metavar="LENGTH", rich_help_panel=FORECAST),
]
Algorithm = Annotated[
    str,
    typer.Option(
        "--algorithm",
        "--model-name",
        "-a",
        help="auto, fourier, ets, stl, seasonal_naive; with extra forecast: arima, mstl, prophet.",
        autocompletion=completion.forecasters,
        metavar="NAME",
        rich_help_panel=FORECAST,
    ),
]
Level = Annotated[
    float,
    typer.Option(
        "--level", help="Share of values between the bounds, in (0, 1).", metavar="SHARE", rich_help_panel=FORECAST
    ),
]
Limit = Annotated[
    float | None,
    typer.Option("--limit", help="Say when this will be crossed.", metavar="NUMBER", rich_help_panel=FORECAST),
]
Direction = Annotated[
    str | None,
    typer.Option(
        "--direction",
        help="How the limit is crossed: rise or drop; away from the last value by default.",
        metavar="SIDE",
        rich_help_panel=FORECAST,
    ),
]
Nonnegative = Annotated[
    bool | None,
    typer.Option(
        "--nonnegative/--any-sign",
        help="Forecast nothing below 0; by default where nothing was.",
        rich_help_panel=FORECAST,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="Write all rows of the forecast: .csv .json .jsonl .parquet; - is standard output.",
        metavar="FILE",
        rich_help_panel=FORECAST,
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--output-format",
        help="When the name of --output does not tell.",
        autocompletion=completion.formats,
        metavar="FORMAT",
        rich_help_panel=FORECAST,
    ),
]


def forecast(
    data: o.Data,
    timestamp: Annotated[
        str,
        typer.Option("--timestamp", help="The column of time.", metavar="NAME", rich_help_panel=o.COLUMN_ROLES),
    ],
    horizon: Horizon,
    algorithm: Algorithm = "auto",
    param: o.Parameter = None,
    level: Level = 0.95,
    limit: Limit = None,
    direction: Direction = None,
    nonnegative: Nonnegative = None,
    output: Output = None,
    output_format: OutputFormat = None,
    columns: o.Columns = None,
    key: o.Key = None,
    ignore: o.Ignore = None,
    zone: so.Zone = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Say how series go on: what is expected, between which bounds, and when a limit will be crossed.

    The bounds are measured on the end of the history, which is forecast from its beginning.
    """
    from anomaly_detection.cli.terminal import progress
    from anomaly_detection.series.forecasting import Wish
    from anomaly_detection.workflows.forecast import ForecastRequest, forecast_file

    o.one_standard_output(as_json=as_json, output=output)
    request = ForecastRequest(
        reading=o.reading(data, format_, encoding, delimiter, columns, None, timestamp, key, None, ignore),
        wish=Wish(horizon, level, limit, direction, nonnegative),
        algorithm=algorithm,
        parameters=o.parameters(param),
        zone=zone,
        output=output,
        output_format=output_format,
    )
    with progress(quiet=quiet or as_json) as show:
        found = forecast_file(request, show)
    _tell(found, output, as_json=as_json, quiet=quiet)
    return 0


def _tell(found: Outlooks, output: str | None, *, as_json: bool, quiet: bool) -> None:
    from anomaly_detection.cli.forecast_tables import show_forecasts
    from anomaly_detection.cli.terminal import console, print_json, say, side

    if as_json:
        print_json(found.to_dict())
        return
    if not quiet:
        for note in found.notes:
            say(f"note: {note}", "dim", screen=side())
    show_forecasts(found, side() if output == "-" else console())
    if output not in (None, "-"):
        say(f"Forecast written to {output}")
