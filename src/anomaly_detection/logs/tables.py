"""Places by hash: what a kernel looks things up in, and what of it is saved."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from anomaly_detection.errors import ArtifactError
from anomaly_detection.logs._table_kernels import find_all, place_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


class Table(NamedTuple):
    """Hashes in ascending order, and a table to find them by, at most half full.

    >>> table = table_of(np.uint64([3, 7, 9]))
    >>> places(table, np.uint64([9, 4])).tolist()
    [2, -1]
    """

    keys: NDArray[np.uint64]
    slots: NDArray[np.int32]


def table_of(keys: NDArray[np.uint64]) -> Table:
    """The table of hashes that are in ascending order and differ.

    Raises
    ------
    ArtifactError
        if they are not.
    """
    if keys.ndim != 1 or keys.dtype != np.uint64 or (keys[1:] <= keys[:-1]).any():
        raise damaged("a table of hashes")
    table = Table(keys, np.empty(1 << (2 * len(keys) + 1).bit_length(), np.int32))
    place_all(*table)
    return table


def places(table: Table, wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(n,) the place of each hash among the keys, -1 where it is none."""
    out = np.empty(len(wanted), np.int64)
    find_all(*table, wanted, out)
    return out


def taken(state: Mapping[str, NDArray[Any]], name: str, dtype: Any, *shape: int | None) -> NDArray[Any]:
    """An array of a saved state, of the type and shape that is expected (None: any length), finite.

    Raises
    ------
    ArtifactError
        if it is not there or not like that: kernels trust it.
    """
    shaped(state, {name: shape})
    array = state[name]
    if array.dtype != np.dtype(dtype):
        raise damaged(name)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise damaged(name)
    return np.ascontiguousarray(array).reshape(array.shape)


def shaped(state: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int | None, ...]]) -> None:
    """Refuse arrays that are not there or not of the shapes that are expected (None: any length).

    Raises
    ------
    ArtifactError
        naming the first.
    """
    for name, shape in shapes.items():
        array = state.get(name)
        if array is None or array.ndim != len(shape):
            raise damaged(name)
        if any(want is not None and have != want for have, want in zip(array.shape, shape, strict=True)):
            raise damaged(name)


@contextmanager
def described() -> Iterator[None]:
    """Turn what a description that lacks something raises into an ArtifactError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(f"its description ({type(error).__name__}: {error})") from error


def damaged(what: str) -> ArtifactError:
    """The error for a saved part that is not what it should be."""
    return ArtifactError(f"The saved model of logs is damaged: {what}. Load the model from an unchanged copy.")
