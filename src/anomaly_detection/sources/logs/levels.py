"""Levels of every dialect as five: DEBUG, INFO, WARN, ERROR, CRITICAL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.sources.logs._values_kernels import read_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Spans

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")

WORDS: dict[str, tuple[str, ...]] = {
    "DEBUG": ("DEBUG", "DBG", "TRACE", "TRC", "FINE", "FINER", "FINEST", "VERBOSE", "SILLY", "D", "T", "V"),
    "INFO": ("INFO", "INF", "INFORMATION", "INFORMATIONAL", "NOTICE", "NOTE", "LOG", "CONFIG", "SUCCESS", "I", "N"),
    "WARN": ("WARN", "WARNING", "WRN", "W"),
    "ERROR": ("ERROR", "ERR", "SEVERE", "FAILURE", "E"),
    "CRITICAL": ("CRITICAL", "CRIT", "FATAL", "FTL", "ALERT", "EMERG", "EMERGENCY", "PANIC", "DPANIC", "F", "C"),
}  # fmt: skip
"""What counts as which level, in letters of any case."""

SCALES = ("usual", "python", "otel")
"""Whose numbers a field has: syslog's 0 to 7 and bunyan's 10 to 60; Python's logging; OpenTelemetry's 1 to 24."""

_PYTHON_FIELDS = ("levelno",)
_OTEL_FIELDS = ("severitynumber",)


def scale_of(field: str) -> int:
    """The scale, as a place in SCALES, of the numbers in a field of this name.

    >>> scale_of("level"), scale_of("levelno"), scale_of("attributes.severity_number")
    (0, 1, 2)
    """
    last = field.rpartition(".")[2].replace("_", "").lower()
    return 1 if last in _PYTHON_FIELDS else 2 if last in _OTEL_FIELDS else 0


def level_codes(texts: Spans, scales: NDArray[np.int64] | None = None) -> NDArray[np.int8]:
    """Read levels.

    Parameters
    ----------
    texts : words of any dialect, or whole numbers.
    scales : (rows,) places in SCALES; None for the usual one.

    Returns
    -------
    Places in LEVELS, -1 where there is none, -2 where it is unknown.
    """
    rows = texts.starts.size
    found = np.empty(rows, np.int8)
    scale = np.zeros(rows, np.int64) if scales is None else scales
    read_levels(texts.text, texts.starts, texts.ends, _PACKED, _CODES, _NUMBERS, scale, found)
    return found


def level_column(codes: NDArray[np.int8]) -> pl.Series:
    """Places in LEVELS as a column, null where there is none or it is unknown."""
    places = np.where(codes < 0, len(LEVELS), codes).astype(np.uint32)
    return _NAMES.gather(pl.Series(places))


def _packed() -> NDArray[np.uint64]:
    words = [word.encode().ljust(16, b"\0") for group in WORDS.values() for word in group]
    halves = [(word[:8].rstrip(b"\0"), word[8:].rstrip(b"\0")) for word in words]
    return np.array([[int.from_bytes(half, "big") for half in each] for each in halves], np.uint64)


def _numbers() -> NDArray[np.int8]:
    table = np.full((len(SCALES), 64), -2, np.int8)
    table[0, :8] = [4, 4, 4, 3, 2, 1, 1, 0]
    table[0, [10, 20, 30, 40, 50, 60]] = [0, 0, 1, 2, 3, 4]
    table[1, [10, 20, 30, 40, 50]] = [0, 1, 2, 3, 4]
    table[2, 1:25] = np.repeat([0, 0, 1, 2, 3, 4], 4)
    return table


_NAMES = pl.Series("level", [*LEVELS, None])
_PACKED = _packed()
_CODES = np.array([i for i, group in enumerate(WORDS.values()) for _ in group], np.int8)
_NUMBERS = _numbers()
