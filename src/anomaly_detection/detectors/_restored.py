"""What restored arrays are held against before kernels, which trust them, see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.detectors.base import Detector


def require(detector: Detector, holds: object) -> None:
    """Refuse restored arrays that are not what the detector saves.

    Raises
    ------
    ArtifactError
        unless it holds.
    """
    if not holds:
        raise ArtifactError(
            f"These arrays are not those of {type(detector).__name__} on {len(detector.features_)} features with the "
            f"parameters {detector.parameters()}. Load the model from an unchanged copy, or fit it again."
        )


def require_shapes(detector: Detector, shapes: Mapping[str, tuple[int | None, ...]]) -> None:
    """Make sure that learned arrays have these shapes (None: any length) and hold finite numbers; () is one number.

    Raises
    ------
    ArtifactError
        if one does not.
    """
    for name, shape in shapes.items():
        require(detector, _has_shape(np.asarray(getattr(detector, name)), shape))


def _has_shape(value: np.ndarray[Any, Any], shape: tuple[int | None, ...]) -> bool:
    if value.ndim != len(shape) or value.dtype.kind not in "biuf":
        return False
    return all(want in {None, length} for want, length in zip(shape, value.shape, strict=True)) and bool(
        np.isfinite(value).all()
    )
