"""Run a suite of checks: read it, make every check, and say what came of each."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import (
    AnomalyDetectionError,
    MissingDependencyError,
    ParameterError,
    SinkError,
    SourceError,
)
from anomaly_detection.pipeline import silent
from anomaly_detection.quality.pattern import TOLERANCE
from anomaly_detection.quality.rules import KINDS, Rule, RuleAnswer, check_rule, rule_answer
from anomaly_detection.quality.suite import Check, CheckResult, SuiteResult, SuiteTable, parse_suite
from anomaly_detection.quality.volume import VolumeRules
from anomaly_detection.reports.suite_report import suite_page
from anomaly_detection.workflows.cell_reading import TableReading
from anomaly_detection.workflows.quality import PatternRequest, check_pattern_of
from anomaly_detection.workflows.quality_history import data_files, folder_name, read_patterns
from anomaly_detection.workflows.table_checks import distribution_of, timeliness_of, volume_of
from anomaly_detection.workflows.table_reading import TablePlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import polars as pl

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.quality.answer import Answer


def read_suite(path: Path) -> tuple[str, list[SuiteTable]]:
    """Read a suite from YAML, TOML or JSON.

    Raises
    ------
    SourceError
        if it cannot be read.
    ParameterError
        if it is not understood.
    MissingDependencyError
        for YAML where no reader of it is installed.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"The suite {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        document = _decoded(text, path.suffix.lower())
    except (ValueError, msgspec.DecodeError) as error:
        raise ParameterError(f"The suite {path} cannot be read: {' '.join(str(error).split())}.") from error
    return parse_suite(document, path.stem)


def _decoded(text: str, suffix: str) -> Any:
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix == ".json":
        return msgspec.json.decode(text)
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        raise MissingDependencyError("pyyaml", "yaml", "A suite in YAML (.toml and .json need nothing)") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def run_suite(
    path: Path, present: datetime, progress: Progress, now: datetime | None = None, *, remember: bool = False
) -> SuiteResult:
    """Make all checks of a suite; one that cannot be made is an error in the result and stops no other.

    Parameters
    ----------
    path : the suite; files in it are looked for beside it.
    present : the time at which arrivals are judged.
    progress : told how far it is.
    now : what is later is left out.
    remember : whether to add the runs to the histories.

    Raises
    ------
    InputError
        if the suite itself cannot be read.
    """
    name, tables = read_suite(path)
    results: list[CheckResult] = []
    total = sum(len(table.checks) for table in tables)
    for table in tables:
        for place, check in enumerate(table.checks):
            progress("checking", len(results), total)
            keep = remember and place == _remembering(table)
            at = _place(table, path.parent, now)
            results += _results(table.name, check, at, present, remember=keep, starting=remember)
    return SuiteResult(name, tuple(results))


def _remembering(table: SuiteTable) -> int:
    """The check that adds the run to the history: the last one that looks at it."""
    looking = [place for place, check in enumerate(table.checks) if check.kind in ("volume", "distribution")]
    return looking[-1] if looking and table.place.get("history") else -1


def _results(
    table: str, check: Check, at: dict[str, Any], present: datetime, *, remember: bool, starting: bool
) -> Iterator[CheckResult]:
    try:
        for name, answer in _answers(TablePlace(**at), check, present, remember=remember, starting=starting):
            status = "passed" if not answer.is_anomaly else "warned" if check.warns else "failed"
            yield CheckResult(table, name, status, answer.message, answer)
    except (AnomalyDetectionError, OSError) as error:
        yield CheckResult(table, check.kind, "error", str(error))


def _place(table: SuiteTable, beside: Path, now: datetime | None) -> dict[str, Any]:
    """What a table's place is made of, files beside the suite."""
    said = dict(table.place)
    if said.get("data") is not None:
        said["data"] = str(beside / str(said["data"]))
    if said.get("history") is not None:
        said["history"] = str(beside / str(said["history"]) / folder_name(table.name))
    segments = said.pop("segments", None) or ()
    said["segments"] = (segments,) if isinstance(segments, str) else tuple(map(str, segments))
    if said.get("url") is not None:
        said.setdefault("table", table.name)
    return {**said, "now": now, "title": table.name}


def _answers(
    place: TablePlace, check: Check, present: datetime, *, remember: bool, starting: bool
) -> Iterator[tuple[str, Answer]]:
    said = check.settings
    if check.kind == "volume":
        rules = VolumeRules(
            float(said.get("alpha", 0.01)),
            str(said.get("direction", "both")),
            float(said.get("minimum_relative", 0.0)),
            frozenset(said.get("holidays", ())),
            country=said.get("country"),
        )
        yield "volume", volume_of(place, rules, remember=remember, starting=starting)
    elif check.kind == "distribution":
        alpha = float(said.get("alpha", 0.01))
        yield "distribution", distribution_of(place, alpha, remember=remember, starting=starting)
    elif check.kind == "timeliness":
        yield "timeliness", timeliness_of(place, float(said.get("alpha", 0.01)), present)
    elif check.kind == "pattern":
        yield "pattern", check_pattern_of(_pattern(place, said, present, remember=starting), silent)
    elif check.kind in KINDS:
        yield from ((f"{rule.kind} {rule.column}", _rule(place, rule)) for rule in check.rules())


def _pattern(place: TablePlace, said: dict[str, Any], present: datetime, *, remember: bool) -> PatternRequest:
    """What is to be checked; by itself where nothing is remembered yet."""
    folder = Path(place.history) if place.history is not None else None
    known = folder is not None and (remember or bool(read_patterns(folder)))
    return PatternRequest(
        TableReading(place.data, url=place.url, table=place.table, until=place.present),
        history=(str(folder),) if known else (),
        tolerance=float(said.get("tolerance", TOLERANCE)),
        remember=known and remember,
        method=str(said.get("method", "auto")),
        segments=place.segments,
        now=place.now or present,
    )


def _rule(place: TablePlace, rule: Rule) -> RuleAnswer:
    if place.url is None:
        return check_rule(_frame(place), rule)
    with place.sql() as table:
        return rule_answer(rule, *table.breaking(rule.kind, rule.column, rule.values))


def _frame(place: TablePlace) -> pl.DataFrame:
    """The table, or the latest of its daily files.

    Raises
    ------
    SourceError
        where there is no file.
    """
    if place.folder is None:
        return place.read()
    files = data_files(place.folder)
    if not files:
        raise SourceError(f"The directory {place.folder} has no data files.")
    return TablePlace(data=str(files[-1].path)).read()


def write_suite_report(result: SuiteResult, path: Path) -> None:
    """Write the results as a page, or as JSON where the name ends with that.

    Raises
    ------
    SinkError
        where it cannot be written.
    """
    if path.suffix.lower() == ".json":
        text = msgspec.json.format(msgspec.json.encode(result.to_dict(), enc_hook=str), indent=2).decode() + "\n"
    else:
        text = suite_page(result.to_dict())
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise SinkError(f"The report could not be written to {path}: {error.strerror}.") from error
