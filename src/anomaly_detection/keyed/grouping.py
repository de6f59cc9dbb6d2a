"""Which rows belong to which key, found in whole columns: sparse keys cost nothing but their count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.keys import coarser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def dense_keys(texts: Sequence[pl.Series], min_rows: int, most: int) -> list[tuple[int, str]]:
    """The keys with enough rows for a model, as level and text, the one with the most rows first.

    Parameters
    ----------
    texts : for each level, coarse to fine, the text of each row's key.
    min_rows : how many rows are enough.
    most : at most so many keys, those with the most rows.

    Notes
    -----
    A key that has all rows of the next coarser one is left to that one, which says the same and answers for more.
    """
    counts = [_counts(text) for text in texts]
    found = [
        (rows, level, key)
        for level, known in enumerate(counts, start=1)
        for key, rows in known.items()
        if rows >= min_rows and rows < _rows_above(counts, level, key, len(texts[0]))
    ]
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    return [(level, key) for _, level, key in found[:most]]


def rows_of(texts: Sequence[pl.Series], keys: Sequence[tuple[int, str]]) -> dict[str, NDArray[np.int64]]:
    """The rows of each of some keys, ascending."""
    found: dict[str, NDArray[np.int64]] = {}
    for level, text in enumerate(texts, start=1):
        wanted = [key for at, key in keys if at == level]
        if wanted:
            rows = pl.DataFrame({"key": text}).with_row_index("row")
            parts = rows.filter(pl.col("key").is_in(wanted)).partition_by("key", as_dict=True, include_key=False)
            found |= {str(key): part["row"].to_numpy().astype(np.int64) for (key,), part in parts.items()}
    return found


def codes_of(text: pl.Series) -> NDArray[np.int64]:
    """(n,) the same whole number for the same text, 0 and on; missing is one more."""
    codes = text.rank("dense").cast(pl.Int64) - 1
    return codes.fill_null(codes.max() + 1 if codes.len() > codes.null_count() else 0).to_numpy()  # type: ignore[operator]


def without_gaps(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered 0 and on."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def evenly(codes: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Rows, ascending, of which at most ``most`` have the same code: those that come first in a random order."""
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    counts = np.bincount(codes)
    place = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[place < most])


def even_share(codes: NDArray[np.int64], rows: int) -> int:
    """The most rows a key may have so that all keys together still have ``rows``, if they do at all.

    >>> even_share(np.repeat([0, 1, 2], [2, 50, 900]), rows=60)
    29
    """
    counts = np.sort(np.bincount(codes))
    after = np.arange(len(counts) - 1, -1, -1)
    reached = np.cumsum(counts) + after * counts
    at = int(np.searchsorted(reached, rows))
    if at == len(counts):
        return int(counts[-1]) if len(counts) else 0
    below = int(counts[:at].sum())
    return int(np.ceil((rows - below) / (len(counts) - at)))


def _counts(text: pl.Series) -> dict[str, int]:
    counted = text.drop_nulls().alias("key").value_counts(name="rows")
    return dict(zip(counted["key"].to_list(), counted["rows"].to_list(), strict=True))


def _rows_above(counts: Sequence[dict[str, int]], level: int, key: str, n_rows: int) -> int:
    above = coarser(key)
    return n_rows if above is None else counts[level - 2][above]
