"""Log lines as arrays: what features and detectors of logs look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from anomaly_detection.features.logs._rows_kernels import hash_names, level_codes
from anomaly_detection.features.logs._terms_kernels import SMALL
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.features.templates.columns import Blocks, as_column, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
ERROR = LEVELS.index("ERROR")
SERVER_ERROR = 500
"""Status codes from here on are errors."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lines:
    """n log lines.

    Parameters
    ----------
    times : (n,) microseconds since 1970 in UTC, or the smallest int64 where there is none.
    levels : (n,) places in :data:`LEVELS`, -1 for others and missing ones.
    services : (n,) hashes of the services' names; a missing one has no name, which is a name, too.
    response_times : (n,) float32 milliseconds, NaN where there is none.
    status_codes : (n,) float32, NaN where there is none.
    text : (n,) the messages, missing ones empty.
    """

    times: NDArray[np.int64]
    levels: NDArray[np.int64]
    services: NDArray[np.uint64]
    response_times: NDArray[np.float32]
    status_codes: NDArray[np.float32]
    text: pl.Series | bytes
    _blocks: Blocks = field(default_factory=Blocks, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """The lines of a frame; a column that is not there is missing in every line."""
        return cls(
            _times(frame),
            _level_codes(_column(frame, "level")),
            _hashes(_column(frame, "service")),
            _numbers(frame, "response_time"),
            _numbers(frame, "status_code"),
            as_column(_column(frame, "message")),
        )

    @classmethod
    def of_one(cls, record: Mapping[str, Any]) -> Self:
        """One line, without building a frame."""
        return cls(
            np.array([microseconds(record.get("time"))]),
            np.array([_known_code(record.get("level"))]),
            np.array([_known_hash(record.get("service") or "")], dtype=np.uint64),
            np.array([_number(record.get("response_time"))], dtype=np.float32),
            np.array([_number(record.get("status_code"))], dtype=np.float32),
            (record.get("message") or "").encode("utf-8", "surrogatepass"),
        )

    @classmethod
    def of_records(cls, records: Sequence[Mapping[str, Any]]) -> Self:
        """Several lines, without building a frame: for the few that come at one moment."""
        texts = [(text or "").encode("utf-8", "surrogatepass") for text in values_of(records, "message")]
        data = b"".join(texts)
        lines = cls(
            np.array([microseconds(time) for time in values_of(records, "time")], np.int64),
            np.array([_known_code(level) for level in values_of(records, "level")], np.int64),
            np.array([_known_hash(name or "") for name in values_of(records, "service")], np.uint64),
            np.array(values_of(records, "response_time"), np.float64).astype(np.float32),
            np.array(values_of(records, "status_code"), np.float64).astype(np.float32),
            data,
        )
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        lines._blocks.append((0, np.frombuffer(data, np.uint8), offsets))
        return lines

    def moments(self) -> pl.Series:
        """(n,) the times as a column, missing where there is none."""
        times = pl.Series("time", self.times)
        missing = self.times == NO_TIME
        return (times.set(pl.Series(missing), None) if missing.any() else times).cast(pl.Datetime("us", "UTC"))

    def are_errors(self) -> NDArray[np.bool_]:
        """(n,) whether the level is ERROR or CRITICAL, or the status code 500 or above."""
        errors: NDArray[np.bool_] = (self.levels >= ERROR) | (self.status_codes >= SERVER_ERROR)
        return errors

    def messages(self) -> Blocks:
        """The messages as bytes, made once, block by block: the first row, the bytes, and where each message begins."""
        if not self._blocks and isinstance(self.text, bytes):
            self._blocks.append((0, np.frombuffer(self.text, np.uint8), np.array([0, len(self.text)])))
        elif not self._blocks:
            self._blocks.extend(blocks(self.text))
        return self._blocks


def values_of(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of a name, None where a record has none.

    >>> values_of([{"level": "INFO"}, {}], "level")
    ['INFO', None]
    """
    try:
        return list(map(itemgetter(name), records))
    except KeyError:
        return [record.get(name) for record in records]


def hash_name(name: str) -> int:
    """The hash of a service's name."""
    data, out = name.encode("utf-8", "surrogatepass"), np.empty(1, np.uint64)
    hash_names(np.frombuffer(data, np.uint8), np.array([0, len(data)]), out)
    return int(out[0])


_known_hash = lru_cache(maxsize=4096)(hash_name)


@lru_cache(maxsize=64)
def _known_code(level: Any) -> int:
    return _LEVEL_CODES.get(str(level).upper(), -1)


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    return frame[name] if name in frame.columns else pl.Series(name, [None] * len(frame), dtype=pl.String)


def _hashes(names: pl.Series) -> NDArray[np.uint64]:
    out = np.empty(len(names), np.uint64)
    for first, data, offsets in blocks(names):
        hash_names(data, offsets, out[first : first + len(offsets) - 1])
    return out


def _level_codes(levels: pl.Series) -> NDArray[np.int64]:
    out = np.empty(len(levels), np.int64)
    for first, data, offsets in blocks(levels):
        level_codes(data, offsets, _LEVEL_HASHES, out[first : first + len(offsets) - 1])
    return out


def _times(frame: pl.DataFrame) -> NDArray[np.int64]:
    if "time" not in frame.columns:
        return np.full(len(frame), NO_TIME, np.int64)
    times = frame["time"].cast(pl.Datetime("us")).cast(pl.Int64)
    return (times.fill_null(NO_TIME) if times.null_count() else times).to_numpy()


def _numbers(frame: pl.DataFrame, name: str) -> NDArray[np.float32]:
    if name not in frame.columns:
        return np.full(len(frame), np.nan, np.float32)
    return frame[name].cast(pl.Float32).to_numpy()  # NaN where there is none


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def microseconds(time: datetime | None) -> int:
    """Microseconds since 1970 in UTC, or what stands for no time; one without a zone counts as UTC."""
    if time is None:
        return NO_TIME
    gap = (time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _level_hash(level: str) -> int:
    value = 0xCBF29CE484222325
    for byte in level.encode():
        value = ((value ^ int(SMALL[byte])) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


_LEVEL_CODES = {level: code for code, level in enumerate(LEVELS)}
_LEVEL_HASHES = np.array([_level_hash(level) for level in LEVELS], dtype=np.uint64)
