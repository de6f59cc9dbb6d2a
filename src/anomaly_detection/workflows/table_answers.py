"""A check of a table that was sent, held against earlier runs that the service remembers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import InputError, UnknownNameError
from anomaly_detection.quality.distribution import check_distribution
from anomaly_detection.quality.pattern import check_pattern
from anomaly_detection.quality.table_profile import TableProfile, profile_table
from anomaly_detection.quality.timeliness import check_timeliness
from anomaly_detection.quality.volume import check_volume
from anomaly_detection.sources.files import open_source
from anomaly_detection.workflows.runs import ending_of, without_place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

CHECKS = {
    "volume": "about as many rows as usual",
    "distribution": "values as in earlier runs",
    "pattern": "cells that are written as they should be",
    "timeliness": "there when it usually is",
}
"""The checks, and what each looks at."""

FIRST = "This is the first run, so there is nothing yet to hold it against."


def answer_on(
    check: str, table: str, frame: pl.DataFrame, earlier: Sequence[Mapping[str, Any]], now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check a table.

    Parameters
    ----------
    check : one of :data:`CHECKS`.
    table : its name, for the message.
    frame : the rows.
    earlier : what is remembered of earlier runs, the oldest first: ``at`` and ``profile``.
    now : when this run is.

    Returns
    -------
    What is to be remembered of this run, and the answer; plain values.

    Raises
    ------
    UnknownNameError
        for another check.
    InputError
        where the check cannot be made.
    """
    if check not in CHECKS:
        raise UnknownNameError("check", check, CHECKS)
    profile = profile_table(frame, int(now.timestamp() * 1e6), table)
    past = [one for one in earlier if "rows" in one["profile"]]
    if not past and check != "pattern":
        return profile.to_dict(), _first(check, profile)
    return profile.to_dict(), _answer(check, table, frame, past, now)


def _answer(
    check: str, table: str, frame: pl.DataFrame, past: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    if check == "volume":
        history = [(one["at"], int(one["profile"]["rows"])) for one in past]
        return check_volume(len(frame), history, now, table=table).to_dict()
    if check == "distribution":
        return check_distribution(
            frame, [TableProfile.from_dict(one["profile"]) for one in past], table=table
        ).to_dict()
    if check == "pattern":
        return check_pattern(frame).to_dict()
    arrivals = [*(one["at"] for one in past), now]
    if len(arrivals) < 4:
        return {**_first(check, None), "message": f"{len(arrivals)} arrivals are known; it takes 4 to tell how often."}
    return check_timeliness(arrivals, now, table=table).to_dict()


def _first(check: str, profile: TableProfile | None) -> dict[str, Any]:
    words = f"{FIRST[:-1]}; it has {profile.rows:,} rows." if profile is not None and check == "volume" else FIRST
    return {"is_anomaly": False, "severity": "normal", "confidence": 0.0, "expected_range": [], "message": words}


def read_table(file: IO[bytes], name: str, most_rows: int, *, as_text: bool) -> pl.DataFrame:
    """The rows of a table that was sent.

    Parameters
    ----------
    file, name : the table, and what the sender calls it.
    most_rows : larger ones are refused.
    as_text : whether what is written in a text stays text, so that 007 and 7 are two values.

    Raises
    ------
    InputError
        where it cannot be read, or has too many rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{ending_of(name)}"
        path.write_bytes(file.read())
        try:
            frame = _read(path, as_text=as_text)
        except InputError as error:
            raise InputError(without_place(str(error), path.parent, name)) from None
    if len(frame) > most_rows:
        raise InputError(f"{name} has {len(frame):,} rows; this service takes {most_rows:,} at once.")
    return frame


def _read(path: Path, *, as_text: bool) -> pl.DataFrame:
    with open_source(str(path)) as source:
        if as_text and source.format.split(".")[0] in ("csv", "tsv"):
            source.with_dtypes(dict.fromkeys(source.columns, pl.String))
        return source.read()
