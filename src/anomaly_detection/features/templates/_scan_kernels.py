"""The loop over lines: shape, hash, and the id from a cache; what is not in it is looked up and learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._find_kernels import ZERO, add_link, chain_of, find, hole_key
from anomaly_detection.features.templates._layout import BYTES, EPOCH, IDS, LINES, LINKS, LIVE, PATTERNS, TEXT, Store
from anomaly_detection.features.templates._merge_kernels import ROUNDS, add_template, enter, frame_key, may_vary, settle
from anomaly_detection.features.templates._shape_kernels import hash_of, shape_of
from anomaly_detection.features.templates._token_kernels import FIRST, TOKENS, tokens_of
from anomaly_detection.kernels import inlined, kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]

DONE, NEEDS_ROOM, FULL = -1, -2, -3
CATCH_ALL, UNSEEN = 0, -1


@lean
def has_room(store: Store, n: int) -> bool:
    """Whether the arrays can take one more shape, whatever is merged because of it."""
    return bool(
        store.sizes[IDS] + 2 < store.starts.shape[0]
        and store.sizes[TEXT] + (ROUNDS + 2) * (n + 2 * TOKENS) < store.text.shape[0]
        and store.sizes[LINKS] + (ROUNDS + 1) * (TOKENS + 1) < store.link_ids.shape[0]
        and store.sizes[PATTERNS] + ROUNDS + 2 < store.pattern_widths.shape[0]
    )


@inlined
def cut_shape(data: Bytes, start: int, stop: int, out: Bytes, where: Bytes, longest: int) -> int:
    """The shape of a line; what is behind the longest part that is looked at becomes one parameter."""
    if stop - start <= longest:
        return shape_of(data, start, stop, out, where)
    n = shape_of(data, start, start + longest, out, where)
    if n == 0 or out[n - 1] != MASK:
        out[n], where[n] = MASK, start + longest
        n += 1
    where[n] = stop
    return n


@kernel
def scan(
    data: Bytes,
    offsets: Bytes,
    first: int,
    ids: Bytes,
    store: Store,
    out: Bytes,
    words: Bytes,
    where: Bytes,
    longest: int,
    most: int,
    most_text: int,
    most_ids: int,
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
    out, words, where : scratch for a shape: the same memory as bytes and as numbers of eight; places in ``data``.
    longest : bytes of a line that are looked at; the rest counts as one parameter.
    most, most_text, most_ids : templates that may be live, bytes of their texts, and ids that may be given in all.
    learns : whether new shapes become templates and lines are counted; else they get UNSEEN.
    cache_keys, cache_ids, cache_epochs : hash of a shape to its id, good as long as nothing was merged since.
    """
    last = np.uint64(cache_keys.shape[0] - 1)
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    kinds = np.zeros(9, np.int64)
    for r in range(first, ids.shape[0]):
        start, stop = offsets[r], offsets[r + 1]
        n = cut_shape(data, start, stop, out, where, longest)
        key = hash_of(out, words, n)
        place = key & last
        if cache_keys[place] == key and cache_epochs[place] == store.sizes[EPOCH]:
            template = cache_ids[place]
        else:
            width = tokens_of(out, FIRST, n, table, hashes, holes)
            template = find(store, table, hashes, holes, width)
            if template < 0 and not learns:
                ids[r] = UNSEEN
                continue
            if template < 0 and store.sizes[IDS] >= most_ids:
                template = CATCH_ALL
            elif template < 0 and (store.sizes[LIVE] >= most or store.sizes[BYTES] + n > most_text):
                return r, FULL
            elif template < 0:
                if not has_room(store, n):
                    return r, NEEDS_ROOM
                template = add_template(store, out, n, width)
                template = settle(store, template, table, hashes, holes, kinds)
            cache_keys[place], cache_ids[place], cache_epochs[place] = key, template, store.sizes[EPOCH]
        ids[r] = template
        if learns:
            store.counts[template] += 1
            store.seen[template] = store.sizes[LINES]
            store.sizes[LINES] += 1
    return ids.shape[0], DONE


@kernel
def file_again(store: Store, order: Bytes) -> None:
    """Make the tables anew from the live templates in ``order``."""
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    for template in order:
        width = store.widths[template] = enter(store, template, table, hashes, holes)
        for i in range(width):
            if may_vary(table, width, i):
                add_link(store, chain_of(store, hole_key(hashes, holes, width, i)), template)
        key = frame_key(table, hashes, holes, width)
        if key != ZERO:
            add_link(store, chain_of(store, key), template)


@kernel
def count_tokens(text: Bytes) -> int:
    """How many tokens a text has."""
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    return tokens_of(text, FIRST, text.shape[0], table, hashes, holes)
