"""``quality volume``, ``distribution``, ``timeliness`` and ``run``: checks of tables against their history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli import table_options as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.quality.answer import Answer
    from anomaly_detection.workflows.table_reading import TablePlace


def volume(
    data: t.Data = None,
    url: t.Url = None,
    table: t.Table = None,
    timestamp: t.Timestamp = None,
    every: t.Every = "day",
    zone: t.Zone = None,
    history: t.History = None,
    remember: t.Remember = False,
    now: t.Now = None,
    segment: t.Segment = None,
    alpha: t.Alpha = 0.01,
    direction: t.Direction = "both",
    minimum_relative: t.MinimumRelative = 0.0,
    holiday: t.Holidays = None,
    country: t.Country = None,
    fail_on_anomaly: o.FailOnAnomaly = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Hold the number of rows against what weekdays, month ends and trend of its past let expect."""
    from anomaly_detection.quality.volume import VolumeRules
    from anomaly_detection.workflows.table_checks import volume_of

    place = _place(data, url, table, timestamp, every, zone, history, segment, now)
    rules = VolumeRules(alpha, direction, minimum_relative, frozenset(map(t.day, holiday or ())), zone, country)
    answer = volume_of(place, rules, remember=remember)
    return _show(answer, answer.notes, fail=fail_on_anomaly, as_json=as_json, quiet=quiet)


def distribution(
    data: t.Data = None,
    url: t.Url = None,
    table: t.Table = None,
    timestamp: t.Timestamp = None,
    every: t.Every = "day",
    zone: t.Zone = None,
    history: t.History = None,
    remember: t.Remember = False,
    now: t.Now = None,
    segment: t.Segment = None,
    alpha: t.Alpha = 0.01,
    fail_on_anomaly: o.FailOnAnomaly = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Hold the values of each column against earlier runs: missing, mean, distribution, new and lost values."""
    from anomaly_detection.workflows.table_checks import distribution_of

    place = _place(data, url, table, timestamp, every, zone, history, segment, now)
    answer = distribution_of(place, alpha, remember=remember)
    shown = [(one.severity, one.test, one.message) for one in answer.changes if one.is_anomaly]
    return _show(answer, answer.notes, shown, fail=fail_on_anomaly, as_json=as_json, quiet=quiet)


def timeliness(
    data: t.Data = None,
    url: t.Url = None,
    table: t.Table = None,
    timestamp: t.Timestamp = None,
    zone: t.Zone = None,
    history: t.History = None,
    now: t.Now = None,
    alpha: t.Alpha = 0.01,
    fail_on_anomaly: o.FailOnAnomaly = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Say whether the table is there when it usually is: late, missing, early or repeated."""
    from anomaly_detection.workflows.table_checks import timeliness_of

    place = _place(data, url, table, timestamp, "day", zone, history, None, now)
    answer = timeliness_of(place, alpha, datetime.now(UTC))
    return _show(answer, answer.notes, fail=fail_on_anomaly, as_json=as_json, quiet=quiet)


def run(
    suite: Annotated[Path, typer.Argument(help="Checks of tables, in YAML, TOML or JSON.", metavar="SUITE")],
    report: Annotated[
        Path | None, typer.Option("--report", help="A file for a page on the results (.html or .json).", metavar="FILE")
    ] = None,
    remember: Annotated[bool, typer.Option("--remember", help="Add the runs to the histories.")] = False,
    now: t.Now = None,
    fail_on_anomaly: o.FailOnAnomaly = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Make the checks of a suite: many tables, one report, one exit code (2 if a check could not be made)."""
    from anomaly_detection.cli.terminal import print_json, progress, say, severity, show_table
    from anomaly_detection.workflows.suite import run_suite, write_suite_report

    moment = None if now is None else t.moment(now)
    with progress(quiet=quiet) as show:
        result = run_suite(suite, datetime.now(UTC), show, moment, remember=remember)
    if report is not None:
        write_suite_report(result, report)
    if as_json:
        print_json(result.to_dict())
    else:
        cells = [(severity(one.severity, one.status), one.table, one.check, one.message) for one in result.results]
        show_table(None, ("status", "table", "check", "what was found"), cells)
        counts = [f"{result.count(each)} {each}" for each in ("passed", "warned", "failed", "error")]
        say(f"{result.name}: {', '.join(counts)}", "bold")
    if result.count("error"):
        return 2
    return 1 if fail_on_anomaly and result.count("failed") else 0


def _place(
    data: str | None,
    url: str | None,
    table: str | None,
    timestamp: str | None,
    every: str,
    zone: str | None,
    history: str | None,
    segment: list[str] | None,
    now: str | None,
) -> TablePlace:
    from anomaly_detection.workflows.table_reading import TablePlace

    present = None if now is None else t.moment(now)
    return TablePlace(data, url, table, timestamp, every, zone, history, o.names(segment), present)


def _show(
    answer: Answer,
    notes: Sequence[str],
    rows: Sequence[tuple[str, str, str]] = (),
    *,
    fail: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    from anomaly_detection.cli.terminal import SEVERITY_STYLES, print_json, say, severity, show_table, side

    if as_json:
        print_json(answer.to_dict())
    else:
        for note in () if quiet else notes:
            say(f"note: {note}", "dim", screen=side())
        if rows:
            cells: list[tuple[Any, ...]] = [(severity(how), test, message) for how, test, message in rows]
            show_table(None, ("severity", "test", "finding"), cells)
        say(answer.message, "bold")
        say(f"{answer.severity}, confidence {answer.confidence:.2f}", SEVERITY_STYLES[answer.severity])
    return 1 if fail and answer.is_anomaly else 0


COMMANDS = (volume, distribution, timeliness, run)
