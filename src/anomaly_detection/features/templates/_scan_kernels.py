"""The loop over lines: shape, hash, and the id from a cache; what is not in it is looked up and learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._shape_kernels import hash_of, shape_of
from anomaly_detection.features.templates._store import EPOCH, IDS, LINES, LINKS, LIVE, PATTERNS, TEXT, Store
from anomaly_detection.features.templates._token_kernels import KIND, MARK, POLE, TOKENS, tokens_of
from anomaly_detection.features.templates._tree_kernels import (
    ROUNDS,
    ZERO,
    add_link,
    add_template,
    chain_of,
    find,
    frame_key,
    hole_key,
    key_of,
    put_key,
    settle,
    use_pattern,
)
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]

DONE, NEEDS_ROOM, FULL = -1, -2, -3
CATCH_ALL, UNSEEN = 0, -1


@kernel
def has_room(store: Store, n: int) -> bool:
    """Whether the arrays can take one more shape, whatever is merged because of it."""
    return (
        store.sizes[IDS] + 2 < store.starts.shape[0]
        and store.sizes[TEXT] + (ROUNDS + 2) * (n + 8) < store.text.shape[0]
        and store.sizes[LINKS] + (ROUNDS + 1) * TOKENS < store.link_ids.shape[0]
        and store.sizes[PATTERNS] + ROUNDS + 2 < store.pattern_widths.shape[0]
    )


@kernel
def final(store: Store, template: int) -> int:
    """The template that an id was merged into in the end."""
    while store.into[template] != template:
        template = store.into[template]
    return template


@kernel
def scan(
    data: Bytes,
    offsets: Bytes,
    first: int,
    ids: Bytes,
    store: Store,
    out: Bytes,
    words: Bytes,
    longest: int,
    most: int,
    learns: bool,
    cache_keys: Bytes,
    cache_ids: Bytes,
    cache_epochs: Bytes,
) -> tuple[int, int]:
    """Ids of lines from ``first`` on; where it stopped, and why: DONE, NEEDS_ROOM in the arrays, or FULL of templates.

    Parameters
    ----------
    data, offsets : the bytes of all lines, and where each begins.
    ids : (n,), filled.
    out, words : scratch for a shape: the same memory as bytes and as numbers of eight.
    longest : bytes of a line that are looked at; the rest counts as one parameter.
    most : templates that may be live; with 0, new shapes get the catch-all.
    learns : whether new shapes become templates and lines are counted; else they get UNSEEN.
    cache_keys, cache_ids, cache_epochs : hash of a shape to its id, good as long as nothing was merged since.
    """
    last = np.uint64(cache_keys.shape[0] - 1)
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    kinds = np.zeros(9, np.int64)
    for r in range(first, ids.shape[0]):
        start, stop = offsets[r], offsets[r + 1]
        cut = stop - start > longest
        n = shape_of(data, start, start + longest if cut else stop, out)
        if cut and (n == 0 or out[n - 1] != MASK):
            out[n] = MASK
            n += 1
        key = hash_of(out, words, n)
        place = key & last
        if cache_keys[place] == key and cache_epochs[place] == store.sizes[EPOCH]:
            template = cache_ids[place]
        else:
            width = tokens_of(out, 0, n, table, hashes, holes)
            template = find(store, table, hashes, holes, width)
            if template < 0 and not learns:
                ids[r] = UNSEEN
                continue
            if template < 0 and store.sizes[LIVE] >= most:
                if most > 0:
                    return r, FULL
                template = CATCH_ALL
            elif template < 0:
                if not has_room(store, n):
                    return r, NEEDS_ROOM
                shape_key = key_of(hashes, holes, width, ZERO)
                template = add_template(store, out, 0, n, shape_key, width)
                template = settle(store, template, table, hashes, holes, kinds)
            cache_keys[place], cache_ids[place], cache_epochs[place] = key, template, store.sizes[EPOCH]
        ids[r] = template
        if learns:
            store.counts[template] += 1
            store.seen[template] = store.sizes[LINES]
            store.sizes[LINES] += 1
    return ids.shape[0], DONE


@kernel
def file_again(store: Store, order: Bytes, table: Bytes, hashes: Bytes, holes: Bytes) -> None:
    """Make the tables anew from the live templates in ``order``."""
    for template in order:
        start = store.starts[template]
        width = tokens_of(store.text, start, start + store.lengths[template], table, hashes, holes)
        store.widths[template] = width
        store.keys[template] = key_of(hashes, holes, width, store.opened[template])
        put_key(store, template)
        use_pattern(store, width, store.opened[template], 1)
        for i in range(width):
            if table[i, KIND] != POLE and table[i, KIND] != MARK and width > 1:
                add_link(store, chain_of(store, hole_key(table, hashes, holes, width, i)), template)
        key = frame_key(table, hashes, holes, width)
        if key != ZERO:
            add_link(store, chain_of(store, key), template)
