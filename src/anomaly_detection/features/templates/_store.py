"""The arrays that hold learned templates: what is state, and the tables that are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIVE, TEXT, PATTERNS, HOLES, LINKS, IDS, LINES, EPOCH = range(8)
"""Places in ``sizes``: how much of each array is in use, lines learned, and how often templates were merged."""


class Store(NamedTuple):
    """Templates by id, and tables to find them by.

    ``starts``, ``lengths``: where the text of a template lies in ``text``, in bytes; ``widths``: its number of tokens;
    ``opened``: one bit for each token that matches any word; ``into``: the id itself, or the template it was merged
    into; ``versions``: how often its text changed; ``counts``, ``seen``: lines it got, and the last of them.
    ``slots``: from key to id (-1 empty, -2 deleted). ``patterns_*``: which tokens are open in some template, by width.
    ``holes``, ``heads``, ``link_*``: templates that are equal but for one token, as chains.
    """

    text: NDArray[Any]
    starts: NDArray[Any]
    lengths: NDArray[Any]
    widths: NDArray[Any]
    keys: NDArray[Any]
    opened: NDArray[Any]
    into: NDArray[Any]
    versions: NDArray[Any]
    counts: NDArray[Any]
    seen: NDArray[Any]
    slots: NDArray[Any]
    pattern_widths: NDArray[Any]
    pattern_opens: NDArray[Any]
    pattern_uses: NDArray[Any]
    holes: NDArray[Any]
    heads: NDArray[Any]
    link_ids: NDArray[Any]
    link_versions: NDArray[Any]
    link_next: NDArray[Any]
    sizes: NDArray[Any]


def empty_store(ids: int, text: int, links: int, patterns: int = 64) -> Store:
    """Room for so many ids, bytes of text, links and patterns."""
    slots = _power(4 * ids)
    holes = _power(2 * links)
    return Store(
        text=np.zeros(text, np.uint8),
        starts=np.zeros(ids, np.int64),
        lengths=np.zeros(ids, np.int64),
        widths=np.zeros(ids, np.int64),
        keys=np.zeros(ids, np.uint64),
        opened=np.zeros(ids, np.uint64),
        into=np.zeros(ids, np.int64),
        versions=np.zeros(ids, np.int64),
        counts=np.zeros(ids, np.int64),
        seen=np.zeros(ids, np.int64),
        slots=np.full(slots, -1, np.int64),
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


def _power(at_least: int) -> int:
    return 1 << max(4, (at_least - 1).bit_length())
