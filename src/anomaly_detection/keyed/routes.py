"""From the text of a key to the level that answers for it, and to what is known of its past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.keys import coarser
from anomaly_detection.keyed.grouping import codes_of
from anomaly_detection.keyed.judge import NO_PAST

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

ALL_ROWS = 0
"""The number of the level that answers for every key nobody else answers for."""


class Routes:
    """Where each key is answered; keys that were never seen take no room.

    >>> routes = Routes()
    >>> routes.add_judge("eu", 1)
    >>> routes.add_past(1, ["eu/a", "eu/b"])
    >>> routes.find("eu/b"), routes.find("eu/new"), routes.find("us/a"), routes.find(None)
    ((1, 1), (1, -1), (0, -1), (0, -1))
    """

    def __init__(self) -> None:
        self._judges: dict[str, int] = {}
        self._past: dict[str, tuple[int, int]] = {}

    def add_judge(self, key: str, judge: int) -> None:
        """Let a level answer for a key and all finer ones that have no level of their own."""
        self._judges[key] = judge

    def add_past(self, judge: int, keys: Iterable[str]) -> None:
        """Say whose past a level knows, in the order it knows them in."""
        self._past |= {key: (judge, which) for which, key in enumerate(keys)}

    def past_keys(self) -> dict[int, list[str]]:
        """For each level that knows the past of keys, these keys, in order."""
        found: dict[int, list[str]] = {}
        for key, (judge, _) in self._past.items():
            found.setdefault(judge, []).append(key)
        return found

    @property
    def known(self) -> int:
        """How many keys are known: those with a level and those with a past."""
        return len(self._judges.keys() | self._past.keys())

    def judge_of(self, key: str | None) -> int:
        """The level that answers for a key: its own, or the nearest coarser one."""
        while key is not None:
            if key in self._judges:
                return self._judges[key]
            key = coarser(key)
        return ALL_ROWS

    def find(self, key: str | None) -> tuple[int, int]:
        """The level that answers for a key, and the key's place in what that level knows of the past."""
        if key is None:
            return ALL_ROWS, NO_PAST
        return self._past.get(key) or (self.judge_of(key), NO_PAST)

    def of(self, keys: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) and (n,) what :meth:`find` says of each key; every different key is looked up once."""
        codes = codes_of(keys)
        texts: list[str | None] = [*keys.drop_nulls().unique().sort().to_list(), None]
        found = np.array([self.find(text) for text in texts], dtype=np.int64)
        return found[codes, 0], found[codes, 1]
