"""Finding the template of a shape by its key, and the templates that differ from it in one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._layout import (
    LINKS,
    PATTERNS,
    Store,
)
from anomaly_detection.features.templates._token_kernels import (
    KIND,
    MARK,
    POLE,
    TOKENS,
    mixed,
)
from anomaly_detection.kernels import lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]
    Number = Any  # a NumPy number
    Word = Any  # a number of 64 bits without sign

ONE, ZERO = np.uint64(1), np.uint64(0)


@lean
def key_of(hashes: Bytes, holes: Bytes, width: int, opened: Word) -> Word:
    """The key of a shape with some tokens open."""
    total: Word = np.uint64(width)
    for i in range(width):
        open_here = (opened >> np.uint64(i)) & ONE
        total = mixed(total, holes[i] if open_here else hashes[i])
    return total


@lean
def slot_of(store: Store, key: Word) -> Number:
    """Where a key is in the table, or -1."""
    last = store.slots.shape[0] - 1
    at = np.int64(key & np.uint64(last))
    while store.slots[at] != -1:
        held = store.slots[at]
        if held >= 0 and store.keys[held] == key:
            return at
        at = (at + 1) & last
    return -1


@lean
def put_key(store: Store, template: int) -> None:
    """Enter a template into the table by its key."""
    last = store.slots.shape[0] - 1
    at = np.int64(store.keys[template] & np.uint64(last))
    while store.slots[at] >= 0:
        at = (at + 1) & last
    store.slots[at] = template


@lean
def drop_key(store: Store, template: int) -> None:
    """Take a template out of the table."""
    last = store.slots.shape[0] - 1
    at = np.int64(store.keys[template] & np.uint64(last))
    while store.slots[at] != -1:
        if store.slots[at] == template:
            store.slots[at] = -2
            return
        at = (at + 1) & last


@lean
def use_pattern(store: Store, width: int, opened: Word, change: int) -> None:
    """Count a template with these tokens open in or out."""
    if opened == ZERO:
        return
    for i in range(store.sizes[PATTERNS]):
        if store.pattern_widths[i] == width and store.pattern_opens[i] == opened:
            store.pattern_uses[i] += change
            return
    i = store.sizes[PATTERNS]
    store.pattern_widths[i], store.pattern_opens[i], store.pattern_uses[i] = width, opened, change
    store.sizes[PATTERNS] = i + 1


@lean
def find(store: Store, table: Bytes, hashes: Bytes, holes: Bytes, width: int) -> Number:
    """The template of a shape: its own, else the one with the fewest open tokens, the oldest among equals; -1 none."""
    at = slot_of(store, key_of(hashes, holes, width, ZERO))
    if at >= 0:
        return store.slots[at]
    best: Number = -1
    fewest = 99
    for i in range(store.sizes[PATTERNS]):
        if store.pattern_widths[i] != width or store.pattern_uses[i] == 0:
            continue
        opened, n, polar = store.pattern_opens[i], 0, False
        for j in range(width):
            if (opened >> np.uint64(j)) & ONE:
                n += 1
                polar |= table[j, KIND] == POLE or table[j, KIND] == MARK
        if polar or n > fewest:
            continue
        at = slot_of(store, key_of(hashes, holes, width, opened))
        if at < 0:
            continue
        held = store.slots[at]
        if store.opened[held] & opened == opened and (n < fewest or held < best):
            best, fewest = held, n
    return best


@lean
def span_of(store: Store, template: int, position: int) -> tuple[int, int]:
    """The bytes of one token of a template."""
    at, stop = store.starts[template], store.starts[template] + store.lengths[template]
    for i in range(position + 1):
        last = at
        while last < stop and (store.text[last] != 32 or i == TOKENS - 1):
            last += 1
        if i == position:
            return at, last
        at = last + 1
    return at, at


@lean
def hole_key(hashes: Bytes, holes: Bytes, width: int, position: int) -> Word:
    """The key of a shape with one token left out."""
    total = key_of(hashes, holes, width, ONE << np.uint64(position))
    return mixed(total, np.uint64(position + 1)) | ONE


@lean
def chain_of(store: Store, key: Word) -> Number:
    """Where the chain of a hole is, made if it is not there."""
    last = store.holes.shape[0] - 1
    at = np.int64((key >> np.uint64(7)) & np.uint64(last))
    while store.holes[at] != ZERO and store.holes[at] != key:
        at = (at + 1) & last
    if store.holes[at] == ZERO:
        store.holes[at] = key
    return at


@lean
def add_link(store: Store, chain: int, template: int) -> None:
    """File a template in a chain."""
    link = store.sizes[LINKS]
    store.link_ids[link], store.link_versions[link] = template, store.versions[template]
    store.link_next[link], store.heads[chain] = store.heads[chain], link
    store.sizes[LINKS] = link + 1


@lean
def is_linked(store: Store, link: int) -> Number:
    """Whether what a link points to is still what it was."""
    template = store.link_ids[link]
    return store.into[template] == template and store.versions[template] == store.link_versions[link]


@lean
def linked(store: Store, chain: int) -> int:
    """How many templates a chain holds."""
    n, link = 0, store.heads[chain]
    while link >= 0:
        n += is_linked(store, link)
        link = store.link_next[link]
    return n
