"""PyOD's detectors as their users run them, for ``tables.py``: numbers throughout, standardised, default parameters."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SEED = 42
PACKAGES = ", ".join(f"{name} {version(name)}" for name in ("pyod", "scikit-learn", "numpy"))


@dataclass(frozen=True, slots=True)
class Peer:
    """One detector of PyOD.

    Parameters
    ----------
    place : ``"module:Class"`` below ``pyod.models``.
    seeded : whether it takes ``random_state``; NumPy's global seed is set for all.
    most_rows : fitted on so many random rows where there are more, because its time grows with their square.
    """

    place: str
    seeded: bool = False
    most_rows: int | None = None

    @property
    def version(self) -> str:
        """What its measurements depend on, besides the table."""
        return f"{self}, seed {SEED}, {PACKAGES}"

    @property
    def shown(self) -> str:
        """Its name in tables and pictures."""
        return f"PyOD {self.place.partition(':')[2]}"

    def made(self) -> Any:
        """A new one with its defaults."""
        module, _, name = self.place.partition(":")
        kind = getattr(import_module(f"pyod.models.{module}"), name)
        return kind(random_state=SEED) if self.seeded else kind()


_ALL = (
    Peer("abod:ABOD", most_rows=5_000),
    Peer("cblof:CBLOF", seeded=True),
    Peer("copod:COPOD"),
    Peer("ecod:ECOD"),
    Peer("gmm:GMM", seeded=True),
    Peer("hbos:HBOS"),
    Peer("iforest:IForest", seeded=True),
    Peer("inne:INNE", seeded=True),
    Peer("kde:KDE", most_rows=5_000),
    Peer("knn:KNN"),
    Peer("loda:LODA"),
    Peer("lof:LOF"),
    Peer("mcd:MCD", seeded=True),
    Peer("ocsvm:OCSVM", most_rows=5_000),
    Peer("pca:PCA", seeded=True),
    Peer("sampling:Sampling", seeded=True),
)
PEERS = {f"pyod_{peer.place.partition(':')[0]}": peer for peer in _ALL}
"""By the names that our catalog has for them."""


def plain(train: pl.DataFrame, rows: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two frames as matrices: categories as codes, the median where a number is missing, mean 0 and deviation 1.

    All of it is learned from ``train``; a category that is not in it gets the code -1.
    """
    columns = [_codes(train[name], rows[name]) for name in train.columns]
    X, Y = (np.column_stack(matrices) for matrices in zip(*columns, strict=True))
    medians = np.nan_to_num(np.nanmedian(X, axis=0))
    X, Y = (np.where(np.isnan(matrix), medians, matrix) for matrix in (X, Y))
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(Y)


def _codes(known: pl.Series, column: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if known.dtype.is_numeric():
        return tuple(one.cast(float).fill_null(np.nan).to_numpy() for one in (known, column))
    words = [one.cast(str).fill_null("None").to_numpy().astype(object)[:, None] for one in (known, column)]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(words[0])
    return tuple(encoder.transform(one)[:, 0] for one in words)


def peer_scores(
    peer: Peer, X: NDArray[np.float64], rows: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], float]:
    """Fit on X and score ``rows``, or X itself where there are none; the scores and the CPU seconds of both."""
    np.random.seed(SEED)  # noqa: NPY002  what PyOD draws from where it takes no seed
    chosen = np.arange(len(X))
    if peer.most_rows is not None:
        chosen = np.random.default_rng(SEED).permutation(len(X))[: peer.most_rows]
    detector = peer.made()
    began = time.process_time()
    detector.fit(X[np.sort(chosen)])
    if rows is not None:
        scores = detector.decision_function(rows)
    else:
        scores = np.empty(len(X))
        scores[np.sort(chosen)] = detector.decision_scores_
        others = np.setdiff1d(np.arange(len(X)), chosen)
        if len(others):
            scores[others] = detector.decision_function(X[others])
    return np.asarray(scores, dtype=np.float64).ravel(), time.process_time() - began
