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


def require_shapes(detector: Detector, shapes: Mapping[str, tuple[int | None, ...]], *, finite: bool = True) -> None:
    """Make sure that learned arrays hold numbers and have these shapes (None: any length); () is one number.

    Parameters
    ----------
    detector : has the arrays as attributes.
    shapes : by the name of the attribute.
    finite : the numbers have to be finite, too.

    Raises
    ------
    ArtifactError
        if one does not.
    """
    for name, shape in shapes.items():
        value = np.asarray(getattr(detector, name))
        require(detector, _has_shape(value, shape) and (not finite or np.isfinite(value).all()))


def require_rows(detector: Detector, name: str, fewest: int = 1) -> None:
    """Make sure that a learned array holds training rows: float32, finite, as wide as the features.

    Raises
    ------
    ArtifactError
        if it does not, or holds fewer than ``fewest``.
    """
    require_shapes(detector, {name: (None, len(detector.features_))})
    rows = getattr(detector, name)
    require(detector, rows.dtype == np.float32 and len(rows) >= fewest)


def require_stretches(detector: Detector, bounds: str, length: int, count: int, least: int = 1) -> None:
    """Make sure that a learned array says where each of ``count`` stretches of another begins, and the last ends.

    Parameters
    ----------
    detector : has the bounds, (count + 1,), as an attribute.
    bounds : its name.
    length : of the array that is divided.
    count : how many stretches.
    least : the length that each has at least.

    Raises
    ------
    ArtifactError
        if it does not.
    """
    require_shapes(detector, {bounds: (count + 1,)})
    starts = np.asarray(getattr(detector, bounds))
    require(detector, starts[0] == 0 and starts[-1] == length and np.all(np.diff(starts) >= least))


def _has_shape(value: np.ndarray[Any, Any], shape: tuple[int | None, ...]) -> bool:
    if value.ndim != len(shape) or value.dtype.kind not in "biuf":
        return False
    return all(want in {None, length} for want, length in zip(shape, value.shape, strict=True))
