"""Array loops of values.py: the words and numbers of messages, each at its place in the line's template."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._terms_kernels import DIGIT, KINDS, LETTER, SEPARATOR
from anomaly_detection.kernels import inlined, lean
from anomaly_detection.logs._table_kernels import mixed, place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs.tables import Table

TOKENS = 24
"""Words and numbers of a line that are looked at: the first so many."""

MARGIN = 1.0
"""So much more than the usual surprise is still usual: shares of values are estimates, too."""

_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)

COUNT, NOVELTY, USUAL, LOW, HIGH, BEYOND = range(6)
"""Columns of what is known of a place: tokens, ``-ln`` of the chance of a new one, mean surprise, least and largest
number, ``-ln`` of the chance of a number outside."""


@inlined
def _next_token(data: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int, np.uint64, float]:
    """Begin and end of the next token from ``at`` on, its hash, and its value, NaN for a word; begins at stop if none.

    Digits are a number, also with a dot between them; letters with digits are a word.
    """
    while at < stop and KINDS[data[at]] == SEPARATOR:
        at += 1
    begin, code, value, scale, number = at, _BASIS, 0.0, 1.0, True
    while at < stop:
        kind = KINDS[data[at]]
        if kind == SEPARATOR and not (
            data[at] == 46 and number and scale == 1.0 and at + 1 < stop and KINDS[data[at + 1]] == DIGIT
        ):
            break
        if kind == LETTER:
            number = False
        elif kind == SEPARATOR:
            scale = 0.1
        elif scale == 1.0:
            value = value * 10.0 + (data[at] - 48)
        else:
            value += (data[at] - 48) * scale
            scale *= 0.1
        code = (code ^ np.uint64(data[at])) * _PRIME
        at += 1
    return begin, at, code, value if number else math.nan


@lean
def fill_tokens(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    templates: NDArray[np.int32],
    places: NDArray[np.uint64],
    values: NDArray[np.uint64],
    numbers: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> int:
    """Write the tokens of n messages one behind the other, and return how many there are.

    Parameters
    ----------
    places : (m,) hashes of template and position; ``values``: of these with the token; ``numbers``: NaN for words;
        ``rows``: the message. All with room for n * TOKENS.
    """
    n = 0
    for i in range(len(templates)):
        if templates[i] < 0:
            continue
        at, stop = offsets[i], offsets[i + 1]
        for position in range(TOKENS):
            begin, at, code, number = _next_token(data, at, stop)
            if begin >= stop:
                break
            places[n] = mixed(np.uint64(templates[i]), np.uint64(position))
            values[n] = mixed(places[n], code)
            numbers[n] = number
            rows[n] = i
            n += 1
    return n


@lean
def score_values(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    templates: NDArray[np.int32],
    known: Table,
    places: NDArray[np.float32],
    seen: Table,
    counts: NDArray[np.float32],
    out: NDArray[np.float64],
    at_token: NDArray[np.int64],
) -> None:
    """Fill ``out`` (n,) with the largest surprise of a token beyond the usual one of its place, at least 0.

    Parameters
    ----------
    known, places : the places, and (p, 6) what is known of each.
    seen, counts : the values at places that have few, and how often each came.
    at_token : (n, 2) where the token with the largest surprise begins and ends; -1 where there is none.
    """
    for i in range(len(templates)):
        out[i] = 0.0
        at_token[i, :] = -1
        at, stop = offsets[i], offsets[i + 1]
        for position in range(TOKENS if templates[i] >= 0 else 0):
            begin, at, code, number = _next_token(data, at, stop)
            if begin >= stop:
                break
            key = mixed(np.uint64(templates[i]), np.uint64(position))
            k = place_of(known.keys, known.slots, key)
            if k < 0:
                continue
            place = places[k]
            surprise = 0.0
            if place[USUAL] >= 0.0:
                found = place_of(seen.keys, seen.slots, mixed(key, code))
                rare = math.log(place[COUNT] / counts[found]) if found >= 0 else place[NOVELTY]
                surprise = rare - place[USUAL] - MARGIN
            if not math.isnan(number) and place[LOW] <= place[HIGH]:
                reach = max(place[HIGH] - place[LOW], 1.0)
                excess = max(place[LOW] - number, number - place[HIGH])
                if excess > 0.0:
                    surprise = max(surprise, place[BEYOND] + math.log1p(excess / reach))
            if surprise > out[i]:
                out[i] = surprise
                at_token[i, 0], at_token[i, 1] = begin - offsets[i], at - offsets[i]
