"""Rare values one slip away from a frequent one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.quality.rarity import EXPECTED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

MOST_VALUES = 30_000
SHORTEST, LONGEST = 4, 48
RATIO = 4
MOST_NEAR = 8
LETTERS = r"\p{L}"


def typo_odds(column: CodedColumn) -> NDArray[np.float64]:
    """(u,) log odds of rare values that are one slip away from a value at least four times as frequent.

    Names are near one another by nature: how often frequent values are near others says how much of it is chance. The
    more often the other value occurs, the more slips of it are to be expected.
    """
    out = np.full(len(column.missing), NOTHING)
    slips = near_duplicates(column)
    if slips.found:
        share = len(slips.found) / slips.rare
        chance = (slips.frequent_near + 0.2) / (slips.frequent + 1.0)
        odds = np.log(max(share - chance, 1e-9) / chance) if share > chance else NOTHING
        rare, meant = np.array(list(slips.found)), np.array(list(slips.found.values()))
        likely = np.minimum(EXPECTED * column.counts[meant] / column.counts[rare], 1.0)
        out[rare] = np.clip(odds + np.log(likely), NOTHING, 3.0)
    return out


@dataclass(frozen=True, slots=True)
class Slips:
    """Rare values near a frequent one.

    Parameters
    ----------
    found : the code of the frequent value by the code of the rare one.
    rare, frequent, frequent_near : how many rare values there are, how many frequent ones, and how many of these are
        near another frequent one.
    """

    found: dict[int, int]
    rare: int = 0
    frequent: int = 0
    frequent_near: int = 0


def near_duplicates(column: CodedColumn) -> Slips:
    """Find the rare values that are one slip away from a frequent one."""
    lengths = column.values.str.len_chars().to_numpy()
    able = (
        ~column.missing & (lengths >= SHORTEST) & (lengths <= LONGEST) & column.texts.str.contains(LETTERS).to_numpy()
    )
    frequent = np.flatnonzero(able & (column.counts >= RATIO))
    if not len(frequent) or able.sum() > MOST_VALUES:
        return Slips({})
    texts = column.values.str.to_lowercase().to_list()
    near = neighbourhoods(frequent[np.argsort(-column.counts[frequent], kind="stable")].tolist(), texts)
    rare = np.flatnonzero(able & (column.counts <= column.counts[frequent].max() // RATIO)).tolist()
    found = ((code, best(code, texts, near, column.counts)) for code in rare)
    chance = sum(has_neighbour(code, texts, near) for code in frequent.tolist())
    return Slips({code: other for code, other in found if other is not None}, len(rare), len(frequent), chance)


def neighbourhoods(codes: list[int], texts: list[str]) -> dict[str, list[int]]:
    """The values near each shortened text, at most a few of them: the most frequent."""
    near: dict[str, list[int]] = {}
    for code in codes:
        for key in shortened(texts[code]):
            found = near.setdefault(key, [])
            if len(found) < MOST_NEAR:
                found.append(code)
    return near


def has_neighbour(code: int, texts: list[str], near: dict[str, list[int]]) -> bool:
    """Whether a frequent value is one slip away from another one."""
    others = {one for key in shortened(texts[code]) for one in near.get(key, ())} - {code}
    return any(slip(texts[code], texts[one]) for one in others)


def best(code: int, texts: list[str], near: dict[str, list[int]], counts: NDArray[np.int64]) -> int | None:
    """The most frequent value that is one slip away, if there is one."""
    text = texts[code]
    others = {one for key in shortened(text) for one in near.get(key, ())}
    fit = [one for one in others if counts[one] >= RATIO * counts[code] and slip(text, texts[one])]
    return max(fit, key=lambda one: counts[one], default=None)


def shortened(text: str) -> Iterator[str]:
    """The text, and the text less one character."""
    yield text
    yield from (text[:i] + text[i + 1 :] for i in range(len(text)))


def slip(text: str, other: str) -> bool:
    """Whether two different texts are one slip apart that is none of digits alone.

    >>> slip("birminxham", "birmingham"), slip("room 12", "room 13"), slip("abc", "abc"), slip("form", "from")
    (True, False, True, True)
    """
    start = 0
    while start < min(len(text), len(other)) and text[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(text), len(other)) - start and text[-1 - end] == other[-1 - end]:
        end += 1
    a, b = text[start : len(text) - end], other[start : len(other) - end]
    if max(len(a), len(b)) > 2 or ((len(a) == 2 or len(b) == 2) and a != b[::-1]):
        return False
    return not (a + b).isdigit() or not a + b
