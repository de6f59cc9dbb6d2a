"""The program and its commands; what happens when something goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import (
    backtest,
    demo,
    detection,
    forecasts,
    health,
    jobs,
    keys,
    log_demo,  # noqa: F401 - adds a command to logs
    log_training,  # noqa: F401 - adds commands to logs
    logs,
    models,
    quality,
    reports,
    serve,
    tuning,  # noqa: F401 - adds a command to models
    worker,
)
from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_INPUT = 2
INTERNAL = 3
INTERRUPTED = 130
PIPE_CLOSED = 141

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
app.add_typer(reports.app, name="reports")
app.add_typer(health.app, name="health")
app.add_typer(logs.app, name="logs")
app.add_typer(quality.app, name="quality")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.command("backtest")(backtest.backtest)
app.command("forecast")(forecasts.forecast)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)


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
    130: interrupted; 141: whoever read the output closed it.
    """
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _end_by_signal)
    sys.exit(run(arguments))


def main_api() -> None:
    """Run the REST API alone: the program ``anomaly-detection-server``."""
    main(["serve", "--only", "api", *sys.argv[1:]])


def main_web() -> None:
    """Run the dashboard alone: the program ``anomaly-detection-web``."""
    main(["serve", "--only", "web", *sys.argv[1:]])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    try:
        typed = None if arguments is None else list(arguments)
        code = app(args=typed, prog_name="anomaly-detection", standalone_mode=False)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # Typer's way to leave
            return _pipe_closed()
        raise
    except Exception as error:  # noqa: BLE001
        return _failed(error)
    except BaseException as error:  # noqa: BLE001  a panic of a compiled library is not an Exception
        return _unexpected(error)
    if code == INTERRUPTED:
        return _say("Interrupted. Nothing was half-written.", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    if isinstance(error, AnomalyDetectionError):
        return _say(f"Error: {error}", BAD_INPUT)
    if callable(getattr(error, "format_message", None)):
        return _usage(error)
    if isinstance(error, MemoryError):
        return _say("Error: the machine's memory is not enough for this. Give fewer columns or rows.", BAD_INPUT)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return _say(f"Error: {place}{error.strerror}. Nothing was half-written.", BAD_INPUT)
    return _unexpected(error)


def _usage(error: Any) -> int:
    """Say what is wrong with the command line; a group without a command shows its help instead."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return BAD_INPUT
    message = _usage_words(error)
    ctx = getattr(error, "ctx", None)
    where = f" See `{ctx.command_path} --help`." if ctx is not None else ""
    return _say(f"Error: {message}{where}", BAD_INPUT)


def _usage_words(error: Any) -> str:
    option, known = getattr(error, "option_name", None), _known_options(getattr(error, "ctx", None))
    if type(error).__name__ == "NoSuchOption" and option is not None:
        nearest = get_close_matches(option, known, n=2, cutoff=0.6)
        way_out = f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
        return f"There is no option {option!r}.{way_out}"
    message: str = error.format_message()
    return message if message.endswith(("?", ".")) else f"{message}."


def _known_options(ctx: Any) -> list[str]:
    return [] if ctx is None else [name for option in ctx.command.get_params(ctx) for name in option.opts]


def _unexpected(error: BaseException) -> int:
    if os.environ.get("ANOMALY_DETECTION_DEBUG"):
        raise error
    return _say(
        f"Internal error ({type(error).__name__}): {error}. Please report it; "
        "ANOMALY_DETECTION_DEBUG=1 shows where it happened.",
        INTERNAL,
    )


def _say(message: str, code: int) -> int:
    words = " ".join(message.split())
    sys.stderr.write("".join(each if each.isprintable() else repr(each)[1:-1] for each in words) + "\n")
    return code


def _pipe_closed() -> int:
    """Whoever read the output has enough; keep the interpreter from complaining about it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _end_by_signal(number: int, _: object) -> None:
    """Leave through every ``with`` block, so that nothing stays half-written."""
    raise SystemExit(128 + number)
