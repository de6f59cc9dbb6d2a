"""A table of web-shop orders with planted anomalies of five kinds, the same for the same seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTRIES = ("NL", "DE", "FR", "BE", "ES")
CHANNELS = ("web", "app", "phone")
PRODUCTS = {"lamp": 49.0, "chair": 120.0, "desk": 310.0, "shelf": 85.0, "rug": 140.0}
START = datetime(2026, 1, 5)  # noqa: DTZ001  local time of the shop
FRAUD_NOTE = "URGENT!!! ship to 99812-A, no signature, call +000 111 222"


def orders(rows: int = 2_000, share: float = 0.015, seed: int = 7) -> pl.DataFrame:
    """Make orders; the column ``fraud`` says which were planted.

    Parameters
    ----------
    rows : how many.
    share : the share of planted anomalies.
    seed : the seed of everything random.

    >>> orders(100, seed=1).shape
    (100, 11)
    """
    rng = np.random.default_rng(seed)
    made = [_order(rng, i) for i in range(rows)]
    planted = rng.choice(rows, size=max(1, round(rows * share)), replace=False)
    for nth, i in enumerate(planted):
        _SPOILERS[nth % len(_SPOILERS)](made[i], rng)
        made[i]["fraud"] = True
    return pl.DataFrame(made, infer_schema_length=None)


def _order(rng: np.random.Generator, i: int) -> dict[str, Any]:
    product = str(rng.choice(list(PRODUCTS)))
    quantity = int(1 + rng.poisson(0.7))
    price = round(PRODUCTS[product] * float(rng.normal(1, 0.03)), 2)
    day, hour = int(rng.integers(0, 60)), int(np.clip(rng.normal(14.5, 3), 7, 22))
    minutes = timedelta(days=day, hours=hour, minutes=int(rng.integers(0, 60)))
    return {
        "order_id": f"A{100000 + i}",
        "created": START + minutes,
        "country": str(rng.choice(COUNTRIES, p=[0.5, 0.2, 0.15, 0.1, 0.05])),
        "channel": str(rng.choice(CHANNELS, p=[0.6, 0.35, 0.05])),
        "product": product,
        "quantity": quantity,
        "unit_price": price,
        "total": round(quantity * price, 2),
        "new_customer": bool(rng.random() < 0.3),
        "note": str(rng.choice(["please ring twice", "leave at the door", "gift, no invoice"]))
        if rng.random() < 0.4
        else None,
        "fraud": False,
    }


def _huge(order: dict[str, Any], rng: np.random.Generator) -> None:
    order["quantity"] = int(rng.integers(25, 60))
    order["total"] = round(order["quantity"] * order["unit_price"], 2)


def _mispriced(order: dict[str, Any], rng: np.random.Generator) -> None:
    order["unit_price"] = round(float(rng.uniform(0.5, 3)), 2)
    order["total"] = round(order["quantity"] * order["unit_price"], 2)


def _overcharged(order: dict[str, Any], rng: np.random.Generator) -> None:
    order["total"] = round(order["total"] * float(rng.uniform(9, 15)), 2)


def _at_night(order: dict[str, Any], rng: np.random.Generator) -> None:
    order["created"] = order["created"].replace(hour=int(rng.integers(2, 5)))
    order["country"], order["channel"] = "KP", "phone"


def _odd_note(order: dict[str, Any], rng: np.random.Generator) -> None:
    order["note"] = FRAUD_NOTE
    order["quantity"] = int(rng.integers(8, 12))
    order["total"] = round(order["quantity"] * order["unit_price"], 2)


_SPOILERS: tuple[Callable[[dict[str, Any], np.random.Generator], None], ...] = (
    _huge,
    _mispriced,
    _overcharged,
    _at_night,
    _odd_note,
)
