"""Rows that the checks of detectors use, and how a check says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from anomaly_detection.detectors.base import Detector
from anomaly_detection.features.space import Feature, FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Make: TypeAlias = Callable[[], Detector]

WIDTH = 4


def require(condition: object, message: str) -> None:
    """Fail the check unless the condition holds."""
    if not condition:
        raise AssertionError(message)


@contextmanager
def refused(error: type[Exception], *words: str, what: str) -> Iterator[None]:
    """Fail the check unless the block raises the error with all the words in its message."""
    try:
        yield
    except error as raised:
        absent = [word for word in words if word.lower() not in str(raised).lower()]
        require(not absent, f"The error for {what} does not name {absent}: {raised}")
        return
    except Exception as raised:
        raise AssertionError(f"{what} raises {type(raised).__name__} instead of {error.__name__}.") from raised
    raise AssertionError(f"{what} raises no {error.__name__}.")


def crowd(n: int = 300, seed: int = 0) -> NDArray[np.float32]:
    """(n, 4) rows of one crowd, two of the features correlated and one skewed."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, WIDTH))
    X[:, 1] = 0.8 * X[:, 0] + 0.6 * X[:, 1]
    X[:, 3] = rng.exponential(size=n)
    return X.astype(np.float32)


def with_missing(X: NDArray[np.float32], share: float = 0.1, seed: int = 1) -> NDArray[np.float32]:
    """The rows with some values missing at random."""
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.float32(np.nan), X)


CATEGORIES = 4


def with_category(n: int = 300, seed: int = 0) -> tuple[NDArray[np.float32], FeatureSpace]:
    """Rows of three numbers and, last, a category with four codes of which 0 is the most common and 3 rare."""
    X = crowd(n, seed)
    X[:, -1] = np.random.default_rng(seed).choice(CATEGORIES, n, p=[0.6, 0.25, 0.12, 0.03])
    X[:CATEGORIES, -1] = range(CATEGORIES)
    numbers = [Feature(f"f{i}", f"f{i}") for i in range(WIDTH - 1)]
    return X, FeatureSpace((*numbers, Feature("kind", "kind", "category", CATEGORIES)))


def native(make: Make, n: int = 300, seed: int = 0) -> tuple[NDArray[np.float32], FeatureSpace]:
    """Rows with all that a detector's tags allow: categories, missing values."""
    tags = make().tags
    X, space = with_category(n, seed) if tags.categories else (crowd(n, seed), FeatureSpace.of_numbers(WIDTH))
    return (with_missing(X) if tags.missing else X), space


def require_finite(scores: NDArray[np.float64], n: int, what: str) -> None:
    """Fail unless there are n float64 scores, all finite."""
    require(isinstance(scores, np.ndarray), f"{what}: score returns {type(scores).__name__}, not an array.")
    require(scores.dtype == np.float64, f"{what}: scores are {scores.dtype}, not float64.")
    require(scores.shape == (n,), f"{what}: the shape of the scores is {scores.shape}, not ({n},).")
    require(np.isfinite(scores).all(), f"{what}: {np.sum(~np.isfinite(scores))} of {n} scores are not finite.")


def require_equal(found: NDArray[np.float64], expected: NDArray[np.float64], what: str) -> None:
    """Fail unless two sets of scores are equal bit for bit."""
    different = np.flatnonzero(found != expected) if found.shape == expected.shape else np.arange(1)
    require(
        found.shape == expected.shape and not different.size,
        f"{what}: {different.size} scores differ, first at row {different[:1]}: {found[:1]} and {expected[:1]}.",
    )
