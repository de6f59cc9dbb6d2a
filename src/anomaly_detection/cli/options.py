"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import completion
from anomaly_detection.errors import ParameterError
from anomaly_detection.records import named_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.workflows.fitting import Fitting
    from anomaly_detection.workflows.reading import Reading

RECORDS = "Records"
COLUMN_ROLES = "Columns (inferred when not given)"
MODEL = "Model"
VERDICTS = "Verdicts"

DATA = "CSV, TSV, JSON, JSON Lines or Parquet, .gz and .zst too; - is standard input."
LABEL = "The column with known anomalies (1/0, true/false); used for evaluation only."
THRESHOLD = (
    "An estimator of the alarm line instead: max_percentile; or a raw score, static:upper_limit=3. Raw scores are the "
    "column score of --output; each algorithm has its own scale."
)
CONTAMINATION = "Share of normal records that may raise an alarm, in (0, 0.5], or auto."

Data = Annotated[str, typer.Option("--data", "-d", help=DATA, metavar="FILE", rich_help_panel=RECORDS)]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="The format, when the name does not tell.",
        autocompletion=completion.formats,
        metavar="FORMAT",
        rich_help_panel=RECORDS,
    ),
]
Encoding = Annotated[
    str, typer.Option("--encoding", help="Text encoding of the file.", metavar="NAME", rich_help_panel=RECORDS)
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter", help="Field delimiter of CSV; found by itself.", metavar="CHARACTER", rich_help_panel=RECORDS
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", help="Feature columns a,b; all by default.", metavar="NAMES", rich_help_panel=COLUMN_ROLES
    ),
]
Categorical = Annotated[
    list[str] | None,
    typer.Option("--categorical", help="Columns to read as categories.", metavar="NAMES", rich_help_panel=COLUMN_ROLES),
]
Timestamp = Annotated[
    str | None,
    typer.Option(
        "--timestamp", help="The column with the time of a record.", metavar="NAME", rich_help_panel=COLUMN_ROLES
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="What a record is about: a column, or several, coarse to fine: region,host.",
        metavar="NAMES",
        rich_help_panel=COLUMN_ROLES,
    ),
]
Label = Annotated[str | None, typer.Option("--label", help=LABEL, metavar="NAME", rich_help_panel=COLUMN_ROLES)]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", help="Columns to leave out.", metavar="NAMES", rich_help_panel=COLUMN_ROLES),
]
Algorithm = Annotated[
    str,
    typer.Option(
        "--algorithm",
        "-a",
        help="See `models list --algorithms`.",
        autocompletion=completion.algorithms,
        metavar="NAME",
        rich_help_panel=MODEL,
    ),
]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", help="A parameter, name=value; repeatable.", metavar="NAME=VALUE", rich_help_panel=MODEL
    ),
]
Contamination = Annotated[
    str, typer.Option("--contamination", "--alpha", help=CONTAMINATION, metavar="SHARE", rich_help_panel=MODEL)
]
Threshold = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        help=THRESHOLD,
        autocompletion=completion.thresholds,
        metavar="NAME",
        rich_help_panel=MODEL,
    ),
]
Transform = Annotated[
    list[str] | None,
    typer.Option(
        "--transform",
        help="Transforms of the number columns, in order: clip:lower=0,log.",
        autocompletion=completion.transforms,
        metavar="NAME",
        rich_help_panel=MODEL,
    ),
]
PerKey = Annotated[
    bool,
    typer.Option(
        "--per-key", help="A model for each key with enough rows, coarser ones for the others.", rich_help_panel=MODEL
    ),
]
MinRows = Annotated[
    int | None,
    typer.Option(
        "--min-rows",
        min=20,
        help="Rows from which on a key has a model of its own; 300.",
        metavar="NUMBER",
        rich_help_panel=MODEL,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", help="The seed of everything random.", metavar="NUMBER", rich_help_panel=MODEL)
]
RegistryFolder = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        help="The model registry's folder.",
        envvar="ANOMALY_DETECTION_REGISTRY",
        metavar="FOLDER",
        rich_help_panel=MODEL,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Score with a registered model: name@production.",
        autocompletion=completion.models,
        metavar="NAME",
        rich_help_panel=MODEL,
    ),
]
FailOnAnomaly = Annotated[
    bool, typer.Option("--fail-on-anomaly", help="Exit with 1 when there are anomalies.", rich_help_panel=VERDICTS)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]

SET_BY_A_MODEL = (
    "algorithm",
    "param",
    "contamination",
    "threshold",
    "transform",
    "seed",
    "train_column",
    "train_rows",
    "columns",
    "categorical",
    "ignore",
    "per_key",
    "min_rows",
)
"""Options that say what to fit, and so have no meaning beside a model that is fitted."""


def one_standard_output(*, as_json: bool, **outputs: str | None) -> None:
    """Refuse two things that would both be written to standard output.

    Raises
    ------
    ParameterError
        naming them.
    """
    both = ["--json"] * as_json + [f"--{name.replace('_', '-')} -" for name, place in outputs.items() if place == "-"]
    if len(both) > 1:
        raise ParameterError(f"{both[0]} and {both[1]} both write to standard output. Give one of them.")


def refuse_with(ctx: typer.Context, option: str, others: Iterable[str]) -> None:
    """Make sure that none of the other options was typed beside this one.

    Raises
    ------
    ParameterError
        naming those that were.
    """
    typed = [f"--{name.replace('_', '-')}" for name in others if _was_typed(ctx, name)]
    if typed:
        raise ParameterError(
            f"{option} brings all that was decided when it was trained, and {' and '.join(typed)} would decide it "
            f"again. Leave out {'these' if len(typed) > 1 else 'that'}, or leave out {option} to fit anew."
        )


def _was_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def reading(
    data: str,
    format_: str | None,
    encoding: str,
    delimiter: str | None,
    columns: Iterable[str] | None,
    categorical: Iterable[str] | None,
    timestamp: str | None,
    key: str | None,
    label: str | None,
    ignore: Iterable[str] | None,
) -> Reading:
    """How to read the records, from the options as they were typed."""
    from anomaly_detection.workflows.reading import Reading

    return Reading(
        data=data,
        format=format_,
        encoding=encoding,
        delimiter=delimiter,
        columns=names(columns),
        categorical=names(categorical),
        timestamp=timestamp,
        key=key_columns(key),
        label=label,
        ignore=names(ignore),
    )


def fitting(
    algorithm: str,
    param: Iterable[str] | None,
    share: str,
    threshold: str | None,
    transform: Iterable[str] | None,
    seed: int,
    *,
    per_key: bool = False,
    key: str | None = None,
    min_rows: int | None = None,
) -> Fitting:
    """How to fit, from the options as they were typed.

    Raises
    ------
    ParameterError
        for a model per key without a key, or a number of rows without a model per key.
    """
    from anomaly_detection.keyed.pipeline import MIN_ROWS
    from anomaly_detection.workflows.fitting import Fitting, per_key_columns

    columns = per_key_columns(algorithm, named_columns(key_columns(key)), min_rows, per_key=per_key)
    least = MIN_ROWS if min_rows is None else min_rows
    return Fitting(
        algorithm, parameters(param), contamination(share), threshold, names(transform), seed, columns, least
    )


def names(values: Iterable[str] | None) -> tuple[str, ...]:
    """Column names given once with commas, or several times.

    >>> names(["a,b", "c"])
    ('a', 'b', 'c')
    """
    return tuple(name.strip() for value in values or () for name in value.split(",") if name.strip())


def key_columns(text: str | None) -> str | tuple[str, ...] | None:
    """One column, or several given with commas.

    >>> key_columns("host"), key_columns("region, host")
    ('host', ('region', 'host'))
    """
    columns = names([text] if text else None)
    return columns if len(columns) > 1 else columns[0] if columns else None


def contamination(text: str) -> float | str:
    """A number or ``auto``.

    Raises
    ------
    ParameterError
        for anything else.
    """
    if text.lower() == "auto":
        return "auto"
    return _number(text, "--contamination", "a number above 0 and at most 0.5, or auto")


def parameters(pairs: Iterable[str] | None) -> dict[str, Any]:
    """Parameters given as ``name=value``; values are read as JSON where they are JSON, else as text.

    >>> parameters(["n_estimators=200", "method=mean"])
    {'n_estimators': 200, 'method': 'mean'}
    """
    found: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"--param {pair!r}: write name=value, such as --param n_estimators=200.")
        found[name.strip()] = _json_or_text(value.strip())
    return found


def _json_or_text(text: str) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _number(text: str, option: str, rule: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"{option} {text!r}: must be {rule}.") from None
