"""Results into files (first version: the signatures are final, the inside is not)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileSink:
    """Results into a file, whole or not at all."""

    def __init__(self, path: str | Path, format: str | None = None, *, source: str | Path | None = None) -> None:  # noqa: A002
        self.path = Path(path)
        self.format = format or self.path.suffix.lstrip(".")
        self.source = source
        self._frames: list[pl.DataFrame] = []
        self._made: dict[str, Any] = {}

    def made(self, how: Mapping[str, Any]) -> None:
        """Say how the results were made; kept in JSON results."""
        self._made = dict(how)

    def write(self, frame: pl.DataFrame) -> None:
        """Write rows; every frame has the same columns."""
        self._frames.append(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._finish(pl.concat(self._frames))

    def _finish(self, frame: pl.DataFrame) -> None:
        if self.format == "parquet":
            frame.write_parquet(self.path)
        elif self.format == "json":
            body = {"made": self._made, "results": json.loads(frame.write_json())}
            self.path.write_text(json.dumps(body), "utf-8")
        elif self.format == "jsonl":
            frame.write_ndjson(self.path)
        else:
            frame.write_csv(self.path, separator="\t" if self.format == "tsv" else ",")
