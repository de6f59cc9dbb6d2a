"""A miner's state: what is saved, and what is held against it when it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._layout import IDS, LINES, TEXT, Store
from anomaly_detection.features.templates._scan_kernels import count_tokens
from anomaly_detection.features.templates._store import empty_store, live_ids, text_of, with_room
from anomaly_detection.features.templates._token_kernels import TOKENS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT = 1
ARRAYS = {"text": "u1", "lengths": "i8", "opened": "u8", "counts": "i8", "seen": "i8", "into": "i8"}
"""Bytes of the texts of live templates; their lengths, open tokens, lines, and the last of them; and for each id, the
template that it was merged into."""


def saved(store: Store) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What a store is made from again."""
    live = live_ids(store)
    arrays = {name: getattr(store, name)[live] for name in ("lengths", "opened", "counts", "seen")}
    arrays["text"] = np.concatenate([text_of(store, template) for template in live])
    arrays["into"] = store.into[: store.sizes[IDS]].copy()
    return {"format": FORMAT, "lines": int(store.sizes[LINES])}, arrays


def restored_store(spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], longest: int, most: int) -> Store:
    """The store that was saved.

    Raises
    ------
    ArtifactError
        if the arrays are not those of one.
    """
    _require(spec.get("format") == FORMAT and isinstance(spec.get("lines"), int) and spec["lines"] >= 0)
    _require(set(arrays) == set(ARRAYS))
    given = {name: np.asarray(arrays[name]) for name in ARRAYS}
    _require(all(array.ndim == 1 and array.dtype.str[1:] == ARRAYS[name] for name, array in given.items()))
    into = given["into"]
    ids = np.arange(len(into))
    _require(len(into) and (into >= 0).all() and (into <= ids).all() and into[0] == 0)
    live = np.flatnonzero(into == ids)
    _require(
        all(len(given[name]) == len(live) for name in ("lengths", "opened", "counts", "seen")) and len(live) <= most
    )
    _require((given["lengths"] >= 0).all() and (given["lengths"] <= longest).all())
    _require(int(given["lengths"].sum()) == len(given["text"]))
    _require((given["counts"] >= 0).all() and (given["seen"] >= 0).all() and (given["seen"] <= spec["lines"]).all())
    store = empty_store(len(into), max(1, len(given["text"])), 1, 1)
    store.into[:], store.text[: len(given["text"])] = into, given["text"]
    for name in ("lengths", "opened", "counts", "seen"):
        getattr(store, name)[live] = given[name]
    store.starts[live] = np.cumsum(given["lengths"]) - given["lengths"]
    store.sizes[[IDS, TEXT, LINES]] = len(into), len(given["text"]), spec["lines"]
    _require(store.lengths[0] == 1 and store.text[0] == MASK and store.opened[0] == 0)
    _require_open_tokens(store, live)
    return with_room(store, longest)


def _require_open_tokens(store: Store, live: NDArray[np.int64]) -> None:
    for template in live.tolist():
        store.widths[template] = width = count_tokens(text_of(store, template))
        _require(width == TOKENS or int(store.opened[template]) >> width == 0)


def _require(holds: object) -> None:
    if not holds:
        raise ArtifactError(
            "These arrays are not those of a template miner. Load the miner from an unchanged copy, or learn again."
        )


def require_parameters(spec: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The parameters of the miner that was saved.

    Raises
    ------
    ArtifactError
        if they are not there.
    """
    parameters = spec.get("parameters")
    if not isinstance(parameters, dict) or set(parameters) != names:
        _require(holds=False)
    return dict(parameters)  # type: ignore[arg-type]


def refused(error: Exception) -> ArtifactError:
    """The error for saved parameters that are out of range."""
    return ArtifactError(f"{error} It comes from a saved miner. Load the miner from an unchanged copy, or learn again.")
