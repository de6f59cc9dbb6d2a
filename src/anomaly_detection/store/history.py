"""All verdicts, in Parquet files by model and day."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from anomaly_detection.store.journal import VerdictRecord, judged_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from anomaly_detection.store.journal import Judged

COLUMNS = tuple(VerdictRecord.__struct_fields__[:9])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = 200_000


class History:
    """Verdicts of the past; safe to write and read from several processes.

    Parameters
    ----------
    folder : where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, journal: Path) -> None:
        """Keep what a journal holds; doing it again changes nothing."""
        for number, block in enumerate(_blocks(judged_in(journal))):
            for (model, day), rows in _by_day(block).items():
                self._write(self.folder / f"model={model}" / f"day={day}" / f"{journal.stem}-{number}.parquet", rows)

    def read(self, model: str, begin: datetime, end: datetime, most: int = 1_000) -> list[dict[str, Any]]:
        """The verdicts of a model on what happened in a span of time, the latest first.

        Parameters
        ----------
        model : its name, which is the name of a registered model.
        begin, end : the span, without its end.
        most : the most verdicts.
        """
        files = [str(path) for path in self._files(model)]
        if not files:
            return []
        happened = pl.col("at").is_between(_micros(begin), _micros(end), closed="left")
        latest = pl.scan_parquet(files).filter(happened).top_k(most, by=["at", "id"]).collect()
        rows = latest.sort("at", "id", descending=True).to_dicts()
        return [{**row, "at": _EPOCH + timedelta(microseconds=row["at"])} for row in rows]

    def forget(self, before: datetime) -> int:
        """Delete days that ended before a moment; says how many files that were."""
        old = [path for path in self.folder.glob("model=*/day=*") if _day_of(path) < before.astimezone(UTC).date()]
        count = sum(len(list(path.glob("*.parquet"))) for path in old)
        for path in old:
            shutil.rmtree(path, ignore_errors=True)
        return count

    def _files(self, model: str) -> Iterable[Path]:
        return sorted(self.folder.glob(f"model={model}/day=*/*.parquet"))

    def _write(self, path: Path, rows: pl.DataFrame) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{uuid4().hex}")
        try:
            with aside.open("xb") as file:
                rows.write_parquet(file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _blocks(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    block: list[Judged] = []
    rows = 0
    for each in judged:
        block.append(each)
        rows += len(each.records)
        if rows >= _BLOCK:
            yield block
            block, rows = [], 0
    if block:
        yield block


def _by_day(block: list[Judged]) -> dict[tuple[str, date], pl.DataFrame]:
    parts: dict[tuple[str, date], list[tuple[Any, ...]]] = {}
    for each in block:
        rows = parts.setdefault((each.model, (_EPOCH + timedelta(microseconds=each.received)).date()), [])
        rows.extend(
            (each.version, each.received, *(getattr(record, name) for name in COLUMNS)) for record in each.records
        )
    types = [pl.Int64, pl.Int64, pl.String, pl.String, pl.Int64, *[pl.Float64] * 3, pl.Boolean, pl.String, pl.Float64]
    schema = dict(zip(("version", "received", *COLUMNS), types, strict=True))
    return {where: pl.DataFrame(rows, schema=schema, orient="row") for where, rows in parts.items()}


def _micros(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _day_of(path: Path) -> date:
    return date.fromisoformat(path.name.partition("=")[2])
