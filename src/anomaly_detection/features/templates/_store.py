"""Making stores of templates, giving them room, and folding away what is rare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._layout import EPOCH, IDS, LINES, TEXT, Store
from anomaly_detection.features.templates._merge_kernels import ROUNDS
from anomaly_detection.features.templates._scan_kernels import file_again
from anomaly_detection.features.templates._token_kernels import TOKENS

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("starts", "lengths", "widths", "keys", "opened", "into", "versions", "counts", "seen")
"""The arrays with one entry for each id."""


def empty_store(ids: int, text: int, links: int, patterns: int) -> Store:
    """Room for so many ids, bytes of text, links and patterns."""
    numbers = {name: np.zeros(ids, np.int64) for name in COLUMNS}
    numbers["keys"], numbers["opened"] = np.zeros(ids, np.uint64), np.zeros(ids, np.uint64)
    holes = _power(2 * links)
    return Store(
        text=np.zeros(text, np.uint8),
        **numbers,
        slots=np.full(_power(4 * ids), -1, np.int64),
        pattern_widths=np.zeros(patterns, np.int64),
        pattern_opens=np.zeros(patterns, np.uint64),
        pattern_uses=np.zeros(patterns, np.int64),
        holes=np.zeros(holes, np.uint64),
        heads=np.full(holes, -1, np.int64),
        link_ids=np.zeros(links, np.int64),
        link_versions=np.zeros(links, np.int64),
        link_next=np.zeros(links, np.int64),
        sizes=np.zeros(8, np.int64),
    )


def new_store(longest: int) -> Store:
    """A store with the catch-all alone, which is template 0."""
    store = empty_store(1, 1, 1, 1)
    store.text[0] = MASK
    store.lengths[0] = store.sizes[IDS] = 1
    return with_room(store, longest)


def with_room(store: Store, longest: int) -> Store:
    """The same templates in fresh tables with room for as many more, and for shapes of ``longest`` bytes."""
    ids, live = int(store.sizes[IDS]), live_ids(store)
    most_text = 2 * int(store.lengths[live].sum()) + (ROUNDS + 4) * (longest + 4 * TOKENS)
    links = 2 * int((store.widths[live] + 1).clip(2, TOKENS + 1).sum()) + (ROUNDS + 2) * (TOKENS + 2)
    fresh = empty_store(2 * ids + 64, most_text, links, 2 * int((store.pattern_uses > 0).sum()) + 2 * ROUNDS + 8)
    for name in COLUMNS:
        getattr(fresh, name)[:ids] = getattr(store, name)[:ids]
    fresh.sizes[[IDS, LINES, EPOCH]] = store.sizes[[IDS, LINES, EPOCH]]
    fresh.starts[live] = np.cumsum(store.lengths[live]) - store.lengths[live]
    for template in live:
        fresh.text[fresh.starts[template] :][: fresh.lengths[template]] = text_of(store, template)
    fresh.sizes[TEXT] = fresh.lengths[live].sum()
    file_again(fresh, live)
    return fresh


def live_ids(store: Store) -> NDArray[np.int64]:
    """The ids of templates that were not merged into others, in order."""
    into = store.into[: store.sizes[IDS]]
    return np.flatnonzero(into == np.arange(len(into)))


def final_ids(store: Store) -> NDArray[np.int64]:
    """For each id, the template it was merged into in the end."""
    into: NDArray[np.int64] = store.into[: store.sizes[IDS]]
    while not np.array_equal(further := into[into], into):
        into = further
    return into


def text_of(store: Store, template: int) -> NDArray[np.uint8]:
    """The bytes of a template's text."""
    start = store.starts[template]
    text: NDArray[np.uint8] = store.text[start : start + store.lengths[template]]
    return text


def fold(store: Store, share: float) -> None:
    """Merge the rarest templates, among equals those not seen for longest, into the catch-all."""
    live = live_ids(store)[1:]
    order = np.lexsort((store.seen[live], store.counts[live]))
    away = live[order[: max(1, int(share * len(live)))]]
    store.counts[0] += store.counts[away].sum()
    store.into[away] = 0
    store.sizes[EPOCH] += 1


def _power(at_least: int) -> int:
    return 1 << max(4, (at_least - 1).bit_length())
