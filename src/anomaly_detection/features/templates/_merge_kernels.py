"""Learning new templates: those that agree but for one token become one.

Every template is filed under each of its positions with that token left out, so the templates that differ from a new
one in a single token are found without comparing it to any other (the pairs that Drain finds by its similarity, and
the counts of values that IPLoM splits by, from one table).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._find_kernels import (
    ONE,
    ZERO,
    add_link,
    chain_of,
    drop_key,
    hole_key,
    is_linked,
    key_of,
    linked,
    put_key,
    span_of,
    use_pattern,
)
from anomaly_detection.features.templates._layout import (
    BYTES,
    EPOCH,
    IDS,
    LINES,
    LIVE,
    TEXT,
    Store,
)
from anomaly_detection.features.templates._token_kernels import (
    KEY,
    KEYED,
    KIND,
    MARK,
    NAME,
    POLE,
    PURE,
    QUOTED,
    START,
    STOP,
    key_length,
    kind_of,
    letters_of,
    mixed,
    needed,
    tokens_of,
)
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]
    Number = Any  # a NumPy number
    Word = Any  # a number of 64 bits without sign

ROUNDS = 16
ALIKE = 4
"""How many shapes that differ in names alone become one."""


@kernel
def add_template(store: Store, source: Bytes, stop: int, width: int) -> Number:
    """Keep a shape as a template with the next id."""
    template, at = store.sizes[IDS], store.sizes[TEXT]
    for i in range(stop):
        store.text[at + i] = source[i]
    store.starts[template], store.lengths[template], store.widths[template] = at, stop, width
    store.opened[template], store.into[template] = ZERO, template
    store.versions[template], store.counts[template], store.seen[template] = 0, 0, store.sizes[LINES]
    store.sizes[IDS] += 1
    store.sizes[TEXT] += stop
    return template


@kernel
def retire(store: Store, template: int, into: int) -> None:
    """Take a template out of the tables; what it counted goes to another."""
    drop_key(store, template)
    use_pattern(store, store.widths[template], store.opened[template], -1)
    store.sizes[LIVE] -= 1
    store.sizes[BYTES] -= store.lengths[template]
    if into != template:
        store.into[template] = into
        store.counts[into] += store.counts[template]
        store.seen[into] = max(store.seen[into], store.seen[template])


@kernel
def merge(store: Store, chain: int, template: int, opening: Word) -> int:
    """Make one template of all in a chain and one more, some tokens opened; the oldest id stays."""
    oldest, opened, link = template, store.opened[template] | opening, store.heads[chain]
    while link >= 0:
        if is_linked(store, link):
            oldest = min(oldest, store.link_ids[link])
            opened |= store.opened[store.link_ids[link]]
        link = store.link_next[link]
    link = store.heads[chain]
    while link >= 0:
        each = store.link_ids[link]
        if each != oldest and is_linked(store, link):
            retire(store, each, oldest)
        link = store.link_next[link]
    if template != oldest:
        retire(store, template, oldest)
    retire(store, oldest, oldest)
    rewrite(store, oldest, opened)
    store.sizes[EPOCH] += 1
    return oldest


@kernel
def rewrite(store: Store, template: int, opened: Word) -> None:
    """Write the text of a template anew, with only the keys of its open tokens."""
    at = begin = store.sizes[TEXT]
    for i in range(store.widths[template]):
        first, last = span_of(store, template, i)
        is_open = (opened >> np.uint64(i)) & ONE
        stop = first + key_length(store.text, first, last) if is_open else last
        if i > 0:
            store.text[at] = 32
            at += 1
        for k in range(first, stop):
            store.text[at] = store.text[k]
            at += 1
        if is_open:
            store.text[at] = MASK
            at += 1
    store.starts[template], store.lengths[template], store.opened[template] = begin, at - begin, opened
    store.versions[template] += 1
    store.sizes[TEXT] = at


@kernel
def count_kinds(store: Store, chain: int, position: int, kinds: Bytes) -> int:
    """Count the kinds of the values that the templates of a chain have at a position; how many templates."""
    n, link = 0, store.heads[chain]
    while link >= 0:
        if is_linked(store, link):
            first, last = span_of(store, store.link_ids[link], position)
            assigned = first >= store.starts[store.link_ids[link]] + 2 and store.text[first - 2] == 61
            kinds[kind_of(store.text, first, last, key_length(store.text, first, last), assigned)] += 1
            n += 1
        link = store.link_next[link]
    return n


@kernel
def is_parameter(store: Store, chain: int, table: Bytes, width: int, position: int, kinds: Bytes) -> bool:
    """Whether the values seen at a position, the new one with them, are enough to make it a parameter."""
    kinds[:] = 0
    kinds[table[position, KIND]] += 1
    n = 1 + count_kinds(store, chain, position, kinds)
    if n < 2:
        return False
    context, leading = 0, True
    for i in range(width):
        if i != position and letters_of(store.text, table[i, START], table[i, STOP]) >= 2:
            context += 1
            leading &= i > position
    least = needed(context, leading, kinds)
    return least > 0 and n >= least


@kernel
def is_name(kind: int) -> bool:
    """Whether a token looks like the name of something rather than a word of a sentence."""
    return kind == KEYED or kind == QUOTED or kind == NAME or kind == PURE


@kernel
def frame_key(table: Bytes, hashes: Bytes, holes: Bytes, width: int) -> Word:
    """The key of a shape with all names left out; 0 with fewer than two names or three words and keys."""
    opened, names, words = ZERO, 0, 0
    for i in range(width):
        if is_name(table[i, KIND]):
            opened |= ONE << np.uint64(i)
            names += table[i, KIND] != PURE
            words += table[i, KEY] > 0
        else:
            words += table[i, KIND] != MARK
    if names < 2 or words < 3:
        return ZERO
    return mixed(key_of(hashes, holes, width, opened), np.uint64(99)) | ONE


@kernel
def differing(store: Store, chain: int, template: int, width: int) -> Word:
    """Which tokens differ between a template and those of a chain, as bits."""
    bits, link = ZERO, store.heads[chain]
    while link >= 0:
        for i in range(width if is_linked(store, link) else 0):
            first, last = span_of(store, template, i)
            begin, stop = span_of(store, store.link_ids[link], i)
            same = last - first == stop - begin
            for k in range(last - first if same else 0):
                same &= store.text[first + k] == store.text[begin + k]
            if not same:
                bits |= ONE << np.uint64(i)
        link = store.link_next[link]
    return bits


@inlined
def may_vary(table: Bytes, width: int, position: int) -> bool:
    """Whether a token can turn out to be a parameter: not a mark, not a word with an opposite, not all there is."""
    return table[position, KIND] != POLE and table[position, KIND] != MARK and width > 1


@kernel
def enter(store: Store, template: int, table: Bytes, hashes: Bytes, holes: Bytes) -> int:
    """Put a new or rewritten template into the tables; its number of tokens."""
    start = store.starts[template]
    width = tokens_of(store.text, start, start + store.lengths[template], table, hashes, holes)
    store.keys[template] = key_of(hashes, holes, width, store.opened[template])
    put_key(store, template)
    use_pattern(store, width, store.opened[template], 1)
    store.sizes[LIVE] += 1
    store.sizes[BYTES] += store.lengths[template]
    return width


@kernel
def settle(store: Store, template: int, table: Bytes, hashes: Bytes, holes: Bytes, kinds: Bytes) -> int:
    """File a new template by each of its positions, merging where a position turns out to be a parameter."""
    for turn in range(ROUNDS):
        width = enter(store, template, table, hashes, holes)
        last, again = turn == ROUNDS - 1, False
        for i in range(width):
            if not may_vary(table, width, i):
                continue
            chain = chain_of(store, hole_key(hashes, holes, width, i))
            if not last and is_parameter(store, chain, table, width, i, kinds):
                template, again = merge(store, chain, template, ONE << np.uint64(i)), True
                break
            add_link(store, chain, template)
        key = ZERO if again else frame_key(table, hashes, holes, width)
        if key != ZERO:
            chain = chain_of(store, key)
            if not last and linked(store, chain) + 1 >= ALIKE:
                template = merge(store, chain, template, differing(store, chain, template, width))
                again = True
            else:
                add_link(store, chain, template)
        if not again:
            break
    return template
