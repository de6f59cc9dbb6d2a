"""The names of wanted fields as a tree that the kernels walk along, and the choice among what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.sources.logs._fields import Found
from anomaly_detection.sources.logs._scan_kernels import ABSENT, ESCAPED, HOLDER, NULL
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs.columns import FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs.columns import LogColumns


class FieldTree:
    """The wanted names.

    Parameters
    ----------
    columns : the names for each column. ``a.b`` means a field of this name, else the field ``b`` in the object ``a``.
    nested : whether to look into objects at all.

    Attributes
    ----------
    slots : for each column its slots, first choice first, and which name each is of.
    nodes, keys, names : as the kernels take them.
    """

    def __init__(self, columns: LogColumns, *, nested: bool = True) -> None:
        self.slots: dict[str, list[tuple[int, int]]] = {}
        self._children: list[dict[str, list[int]]] = [{}]
        self._size = 0
        for field in FIELDS:
            for place, path in enumerate(columns.of_field(field)):
                ways = [[path], path.split(".")] if nested and "." in path else [[path]]
                for way in ways:
                    self.slots.setdefault(field, []).append((self._slot(way), place))
        self._freeze()

    def _slot(self, way: list[str]) -> int:
        node = 0
        for name in way[:-1]:
            child = self._children[node].setdefault(name, [-1, -1])
            if child[0] < 0:
                child[0] = len(self._children)
                self._children.append({})
            node = child[0]
        child = self._children[node].setdefault(way[-1], [-1, -1])
        if child[1] < 0:
            child[1] = self._size
            self._size += 1
        return child[1]

    def _freeze(self) -> None:
        flat = [(name.encode(), child) for children in self._children for name, child in children.items()]
        ends = np.cumsum([len(name) for name, _ in flat], dtype=np.int64)
        self.keys = np.array(
            [[end - len(name), end, *child] for (name, child), end in zip(flat, ends.tolist(), strict=True)], np.int64
        ).reshape(-1, 4)
        counts = np.cumsum([len(children) for children in self._children], dtype=np.int64)
        self.nodes = np.stack([np.concatenate([[0], counts[:-1]]), counts], axis=1)
        self.names = np.frombuffer(b"".join(name for name, _ in flat), np.uint8)

    def room(self, lines: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Arrays for where the values of lines stand and what they are."""
        return np.empty((lines, self._size, 2), np.int64), np.empty((lines, self._size), np.uint8)

    def chosen(self, field: str, text: NDArray[np.uint8], places: NDArray[np.int64], kinds: NDArray[np.uint8]) -> Found:
        """The first usable value of a column in each line, without escapes."""
        slots = self.slots[field]
        if len(slots) == 1:
            return self._only(field, slots[0][0], text, places, kinds)
        lines = kinds.shape[0]
        starts, ends = np.full(lines, -1, np.int64), np.full(lines, -1, np.int64)
        escaped, names = np.zeros(lines, np.bool_), np.zeros(lines, np.int64)
        free = np.ones(lines, np.bool_)
        for slot, place in slots:
            kind = kinds[:, slot]
            here = free & (kind != ABSENT) & (kind != NULL) & (kind != HOLDER)
            if field != "message":
                here &= places[:, slot, 1] > places[:, slot, 0]
            np.copyto(starts, places[:, slot, 0], where=here)
            np.copyto(ends, places[:, slot, 1], where=here)
            escaped |= here & (kind == ESCAPED)
            names[here] = place
            free &= ~here
        return Found(Spans(text, starts, ends).unescaped(escaped), names)

    def _only(
        self, field: str, slot: int, text: NDArray[np.uint8], places: NDArray[np.int64], kinds: NDArray[np.uint8]
    ) -> Found:
        """The same for a column that only one name is looked for."""
        kind = kinds[:, slot]
        starts, ends = places[:, slot, 0].copy(), places[:, slot, 1].copy()
        gone = (kind <= NULL) | (kind == HOLDER)
        if field != "message":
            gone |= ends <= starts
        if gone.any():
            starts[gone] = ends[gone] = -1
        return Found(Spans(text, starts, ends).unescaped((kind == ESCAPED) & ~gone))
