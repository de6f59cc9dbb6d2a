"""The template miner: lines in, ids out, learning as it goes, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates import _scan_kernels as kernels
from anomaly_detection.features.templates._store import EPOCH, IDS, LIVE, TEXT, Store, empty_store
from anomaly_detection.features.templates._token_kernels import TOKENS
from anomaly_detection.features.templates.columns import as_series, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

CACHE = 1 << 14
IDS_PER_TEMPLATE = 16


class TemplateMiner:
    """x"""

    def __init__(self, max_templates: int = 2000, max_line_bytes: int = 4096) -> None:
        self.max_templates = max_templates
        self.max_line_bytes = max_line_bytes
        self._store = _with_catch_all(empty_store(ids=64, text=1 << 16, links=4096))
        self._out = np.zeros(max_line_bytes * 2 + 64, np.uint8)
        self._cache = (np.zeros(CACHE, np.uint64), np.zeros(CACHE, np.int64), np.full(CACHE, -1, np.int64))

    def update(self, messages: Any) -> NDArray[np.int64]:
        return self._ids(messages, learns=True)

    def assign(self, messages: Any) -> NDArray[np.int64]:
        return self._ids(messages, learns=False)

    def _ids(self, messages: Any, *, learns: bool) -> NDArray[np.int64]:
        series = as_series(messages)
        ids = np.empty(len(series), np.int64)
        words = self._out.view(np.uint64)
        for first, data, offsets in blocks(series):
            part, at, why = ids[first : first + len(offsets) - 1], 0, kernels.NEEDS_ROOM
            while why != kernels.DONE:
                at, why = kernels.scan(
                    data,
                    offsets,
                    at,
                    part,
                    self._store,
                    self._out,
                    words,
                    self.max_line_bytes,
                    self._most(),
                    learns,
                    *self._cache,
                )
                if why == kernels.FULL:
                    self._fold()
                elif why == kernels.NEEDS_ROOM:
                    self._grow()
        return ids

    def _most(self) -> int:
        spent = self._store.sizes[IDS] >= IDS_PER_TEMPLATE * self.max_templates
        return 0 if spent else self.max_templates

    def canonical(self, ids):
        into = self._store.into[: self._store.sizes[IDS]]
        while True:
            further = into[into]
            if (further == into).all():
                break
            into = further
        return into[ids]

    def templates(self):
        s = self._store
        c = self.canonical(np.arange(s.sizes[IDS]))
        return [
            bytes(s.text[s.starts[i] : s.starts[i] + s.lengths[i]]).replace(b"\x01", b"<*>").decode("utf8", "replace")
            for i in c
        ]

    def _fold(self) -> None:
        store = self._store
        live = _live(store)[1:]
        order = np.lexsort((store.seen[live], store.counts[live]))
        away = live[order[: max(1, len(live) // 4)]]
        store.counts[0] += store.counts[away].sum()
        store.into[away] = 0
        store.sizes[EPOCH] += 1
        self._store = _rebuilt(store, 1)

    def _grow(self) -> None:
        self._store = _rebuilt(self._store, 2)


def _with_catch_all(store: Store) -> Store:
    store.sizes[IDS] = store.sizes[LIVE] = 1
    store.text[0] = 1
    store.lengths[0] = store.sizes[TEXT] = 1
    return _rebuilt(store, 1)


def _live(store: Store):
    into = store.into[: store.sizes[IDS]]
    return np.flatnonzero(into == np.arange(len(into)))


def _rebuilt(store: Store, factor: int) -> Store:
    """Same templates in fresh tables, with room."""
    ids, live = store.sizes[IDS], _live(store)
    used = int(store.lengths[live].sum())
    new = empty_store(
        ids=max(64, int(ids) * 2),
        text=max(1 << 16, used * 2 + 40 * 8300),
        links=max(4096, 2 * len(live) * 24 + (kernels.ROUNDS + 1) * TOKENS * 2),
        patterns=max(64, 2 * int((store.pattern_uses > 0).sum()) + 40),
    )
    at = 0
    for name in ("starts", "lengths", "widths", "keys", "opened", "into", "versions", "counts", "seen"):
        getattr(new, name)[:ids] = getattr(store, name)[:ids]
    for t in live:
        n = store.lengths[t]
        new.text[at : at + n] = store.text[store.starts[t] : store.starts[t] + n]
        new.starts[t] = at
        at += n
    new.sizes[:] = store.sizes
    new.sizes[TEXT], new.sizes[LIVE] = at, len(live)
    new.sizes[2:5] = 0
    kernels.file_again(
        new, live, np.empty((TOKENS, 4), np.int64), np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    )
    return new
