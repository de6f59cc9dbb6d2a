"""Log lines with a known normal, and anomalies put into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
SCHEMA = {
    "time": pl.Datetime("us", "UTC"),
    "level": pl.String,
    "service": pl.String,
    "session": pl.String,
    "message": pl.String,
    "response_time": pl.Float64,
    "status_code": pl.Int64,
}
STEPS = (
    "request received from client 10.0.0.{host}",
    "user {user} authenticated by ldap",
    "query took {number} ms on shard blue",
    "reply sent with {number} bytes",
)


def record(rng: np.random.Generator, i: int, **changes: Any) -> dict[str, Any]:
    """The i-th line of normal traffic: sessions of four steps, three services, a line every half second."""
    text = STEPS[i % 4].format(host=rng.integers(1, 9), user=f"u{rng.integers(5)}", number=rng.integers(10, 99))
    line = {
        "time": BEGIN + timedelta(seconds=0.5 * i),
        "level": "INFO",
        "service": ("web", "db", "auth")[i // 4 % 3],
        "session": f"r{i // 4}",
        "message": text,
        "response_time": float(rng.gamma(20.0, 2.0)),
        "status_code": 200,
    }
    return {**line, **changes}


def records(n: int, seed: int = 0, first: int = 0) -> list[dict[str, Any]]:
    """n normal lines."""
    rng = np.random.default_rng(seed)
    return [record(rng, i) for i in range(first, first + n)]


def frame_of(lines: list[dict[str, Any]]) -> pl.DataFrame:
    """Lines as the sources make them."""
    return pl.DataFrame(lines, schema=SCHEMA)


def untidy(n: int, seed: int = 1) -> list[dict[str, Any]]:
    """Lines with everything that may be missing, late or wrong."""
    rng = np.random.default_rng(seed)
    found = []
    for i, line in enumerate(records(n, seed)):
        late = timedelta(seconds=float(rng.integers(0, 60))) if i % 7 == 0 else timedelta(0)
        odd = {
            "time": None if i % 11 == 0 else line["time"] - late,
            "level": ("INFO", "ERROR", "odd", None, "WARN")[int(rng.integers(5))],
            "service": None if i % 13 == 0 else f"s{rng.integers(6)}",
            "session": None if i % 5 == 0 else line["session"],
            "message": None if i % 17 == 0 else line["message"],
            "response_time": (None, -1.0, float("nan"), float("inf"), 12.5)[int(rng.integers(5))],
            "status_code": (None, 200, 500)[int(rng.integers(3))],
        }
        found.append({**line, **odd})
    return found
