"""Whatever Python users hold, as a frame (first version)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def as_frame(data: Any, feature_names: Sequence[str] | None = None) -> pl.DataFrame:
    """Turn data into a frame."""
    if isinstance(data, pl.DataFrame):
        frame = data
    elif isinstance(data, pl.LazyFrame):
        frame = data.collect()
    elif isinstance(data, np.ndarray):
        matrix = data.reshape(-1, 1) if data.ndim == 1 else data
        frame = pl.DataFrame({f"f{i}": matrix[:, i] for i in range(matrix.shape[1])})
    elif hasattr(data, "__dataframe__"):
        frame = pl.from_pandas(data)
    elif isinstance(data, list) and data and not isinstance(data[0], dict):
        return as_frame(np.asarray(data), feature_names)
    else:
        frame = pl.DataFrame(data, infer_schema_length=None, strict=False)
    return frame.rename(dict(zip(frame.columns, feature_names, strict=True))) if feature_names is not None else frame
