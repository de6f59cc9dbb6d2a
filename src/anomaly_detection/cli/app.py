"""The program and its commands; what happens when something goes wrong."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import demo, detection, health, models
from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

ANOMALIES_FOUND = 1
BAD_INPUT = 2
INTERNAL = 3
INTERRUPTED = 130

app = typer.Typer(
    name="anomaly-detection",
    help="From any stream of records to calibrated, explained anomaly verdicts.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(detection.app, name="detection")
app.add_typer(models.app, name="models")
app.add_typer(health.app, name="health")
app.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"anomaly-detection {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """From any stream of records to calibrated, explained anomaly verdicts."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code.

    0: done; 1: anomalies found and ``--fail-on-anomaly`` given; 2: bad input or usage; 3: an error of our own;
    130: interrupted.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except typer.Abort:
        return _say("Interrupted. Nothing was half-written.", INTERRUPTED)
    except KeyboardInterrupt:
        return _say("Interrupted. Nothing was half-written.", INTERRUPTED)
    except AnomalyDetectionError as error:
        return _say(f"Error: {error}", BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> int:
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):
        show()
        return code
    if isinstance(error, MemoryError):
        return _say("Error: the machine's memory is not enough for this. Give fewer columns or rows.", BAD_INPUT)
    if os.environ.get("ANOMALY_DETECTION_DEBUG"):
        raise error
    return _say(
        f"Internal error ({type(error).__name__}): {error}. Please report it; "
        "ANOMALY_DETECTION_DEBUG=1 shows where it happened.",
        INTERNAL,
    )


def _say(message: str, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code
