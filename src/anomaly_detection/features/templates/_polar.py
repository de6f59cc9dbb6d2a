"""Words with an opposite. They say what happened, so they are never taken for a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

STEMS = (
    "start stop begin end open close connect disconnect attach detach mount unmount load unload lock unlock enable "
    "disable activate deactivate register unregister deregister add remove create delete destroy join leave enter exit "
    "accept reject allow deny grant revoke acquire release pause resume suspend succeed fail send receive increase "
    "decrease bind unbind subscribe unsubscribe install uninstall plug unplug encrypt decrypt freeze unfreeze block "
    "unblock abort commit"
)
"""Verbs, whose forms count as well."""
WORDS = (
    "up down on off yes no online offline active inactive available unavailable valid invalid known unknown success "
    "successful successfully failure unsuccessful healthy unhealthy reachable unreachable visible invisible high low "
    "full empty alive dead master slave primary secondary normal abnormal present absent found missing safe unsafe "
    "supported unsupported authorized unauthorized complete incomplete login logout startup shutdown begun began sent"
)


def _forms(stem: str) -> Iterable[str]:
    yield stem
    yield stem + "s"
    base = stem.removesuffix("e")
    double = stem + stem[-1]
    for ending in ("ed", "ing"):
        yield base + ending
        yield stem + ending
        yield double + ending
    if stem.endswith("y"):
        yield stem[:-1] + "ied"
        yield stem[:-1] + "ies"
    yield stem + "es"


def word_hash(word: str) -> int:
    """The hash of a word in small letters, as the kernels make it."""
    total = 0x9E3779B97F4A7C15
    for byte in word.encode():
        total = ((total ^ (byte | 32)) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return total ^ (total >> 32)


def _hashes() -> NDArray[Any]:
    words = {form for stem in STEMS.split() for form in _forms(stem)} | {
        word for word in WORDS.split() if word.isalpha()
    }
    return np.array(sorted(word_hash(word) for word in words), dtype=np.uint64)


POLAR = _hashes()
