"""Log lines made up: the same templates over and over, of many services."""

from __future__ import annotations

import numpy as np
import polars as pl


def traffic(n: int) -> pl.DataFrame:
    """n lines of 50 services with 12 templates."""
    rng = np.random.default_rng(0)
    words = ("accepted", "queued", "stored", "sent", "read", "closed")
    texts = [f"{verb} {what} {{}} in {{}} ms" for verb in words for what in ("order", "message")]
    chosen, numbers = rng.integers(0, len(texts), n), rng.integers(1, 5_000, (n, 2))
    return pl.DataFrame(
        {
            "time": np.cumsum(rng.exponential(20_000, n)).astype(np.int64),
            "level": rng.choice(["INFO", "WARN", "ERROR"], n, p=[0.94, 0.05, 0.01]),
            "service": [f"service-{i}" for i in rng.integers(0, 50, n)],
            "message": [texts[k].format(a, b) for k, (a, b) in zip(chosen, numbers.tolist(), strict=True)],
            "response_time": rng.gamma(2, 40, n),
            "status_code": rng.choice([200, 404, 500], n, p=[0.97, 0.02, 0.01]),
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))
