"""The arrays that hold learned templates: what is state, and the tables that are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIVE, BYTES, TEXT, PATTERNS, LINKS, IDS, LINES, EPOCH = range(8)
"""Places in ``sizes``: live templates, the bytes of their texts, how much of each array is in use, lines learned, and
how often templates were merged."""


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
