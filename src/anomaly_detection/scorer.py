"""Records in, raw scores out: the feature step and a detector, fitted together.

A pipeline has one; calibration fits a fresh one on each part of the training rows, so that the whole way from a
record to its score is repeated on rows it has not seen.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.detectors.base import replace_infinite
from anomaly_detection.detectors.labels import need_streaming
from anomaly_detection.detectors.online import as_online
from anomaly_detection.detectors.spec import from_spec, to_spec
from anomaly_detection.errors import ArtifactError, UnknownNameError
from anomaly_detection.features.dense import DenseFeatures
from anomaly_detection.features.tabular import TabularFeatures
from anomaly_detection.features.transformed import TransformedFeatures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.detectors.base import Detector
    from anomaly_detection.features.space import FeatureSpace
    from anomaly_detection.records import Schema


class Scorer:
    """A feature step and a detector, fitted together.

    Parameters
    ----------
    detector : an unfitted detector.
    scaling : how numbers are scaled for detectors that want plain numbers (:class:`DenseFeatures`).
    transforms : names of transforms of the numbers, applied in order before anything else.
    """

    def __init__(self, detector: Detector, scaling: str = "standard", transforms: Sequence[str] = ()) -> None:
        self.detector = detector
        self.scaling = scaling
        self.transformed = TransformedFeatures(transforms) if transforms else None
        self.tabular: TabularFeatures | None = None
        self.dense: DenseFeatures | None = None

    def fresh(self) -> Scorer:
        """An unfitted copy."""
        return Scorer(self.detector.clone(), self.scaling, self.transformed.names if self.transformed else ())

    def fit(self, frame: pl.DataFrame, schema: Schema, like: Scorer | None = None) -> Self:
        """Learn the features and the detector from the rows of a frame; the same features as ``like`` makes, if given.

        The rows outside a fold may hold one value in a column that varies in all rows.
        """
        self.tabular = TabularFeatures().fit(frame, schema, like.tabular if like else None)
        X = self.tabular.transform(frame)
        if self.transformed is not None:
            X = self.transformed.fit(X, self.space, self.tabular.offsets).transform(X)
        if not (self.detector.tags.missing and self.detector.tags.categories):
            self.dense = DenseFeatures(scaling=self.scaling).fit(X, self.space)
        if self.dense is not None:
            self.detector.fit(self.dense.transform(X), self.dense.features_)
        else:
            self.detector.fit(X, self.space)
        return self

    @property
    def space(self) -> FeatureSpace:
        """What the columns of the native matrix mean."""
        return self._fitted.features_

    @property
    def _fitted(self) -> TabularFeatures:
        assert self.tabular is not None, "fit comes first"  # noqa: S101
        return self.tabular

    def native(self, frame: pl.DataFrame) -> NDArray[np.float32]:
        """The (n, d) native matrix of the rows of a frame."""
        return self._fitted.transform(frame)

    def native_record(self, record: Mapping[str, Any]) -> NDArray[np.float32]:
        """(d,) the native row of one record; the same bits as in a frame."""
        return self._fitted.transform_row(record)

    def score(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n,) the raw score of each row; higher is more anomalous."""
        return self.score_native(self.native(frame))

    def score_native(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n,) the raw score of each row of a native matrix."""
        return self.detector.score(self._for_detector(X))

    def update(self, frame: pl.DataFrame) -> None:
        """Let the detector learn the rows of a frame as well; what the features mean stays as it was fitted.

        Raises
        ------
        ParameterError
            if the detector cannot go on learning; names those that can.
        """
        as_online(self.detector).update(self._for_detector(self.native(frame)))

    def score_record(self, record: Mapping[str, Any]) -> float:
        """The raw score of one record; the same bits as in a batch."""
        if not self._is_streaming:
            need_streaming(self.detector, "Judging one record")
        row = self.native_record(record)
        if self.transformed is not None:
            row = self.transformed.transform(row[None, :])[0]
        if self.dense is not None:
            row = self.dense.transform_row(row)
        if np.isinf(row).any():
            row = replace_infinite(row[None, :], self.detector.limits_)[0]
        return self.detector.score_row(row)

    @cached_property
    def _is_streaming(self) -> bool:
        """Looked up once: an ensemble asks its members."""
        return self.detector.tags.batch_invariant and self.detector.tags.one_row

    def _for_detector(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.transformed is not None:
            X = self.transformed.transform(X)
        return X if self.dense is None else self.dense.transform(X)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name."""
        spec = {
            "detector": to_spec(self.detector),
            "scaling": self.scaling,
            "transforms": list(self.transformed.names) if self.transformed else [],
            "tabular": self._fitted.state(),
            "dense": self.dense.state() if self.dense else None,
            "features": self.detector.features_.to_dict(),
        }
        arrays = {f"detector/{name}": array for name, array in self.detector.state().items()}
        if self.transformed is not None:
            arrays |= {f"transforms/{name}": array for name, array in self.transformed.state().items()}
        return spec, arrays

    @classmethod
    def restore(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Scorer:
        """The inverse of :meth:`state`; scores are equal, bit for bit."""
        scorer = cls(_known(spec["detector"]), spec["scaling"], spec["transforms"])
        scorer.tabular = TabularFeatures().restore(spec["tabular"])
        if spec["dense"] is not None:
            scorer.dense = DenseFeatures().restore(spec["dense"])
        space = type(scorer.space).from_dict(spec["features"])
        if scorer.transformed is not None:
            scorer.transformed.restore(under("transforms/", arrays))
        scorer.detector.restore(under("detector/", arrays), space)
        return scorer


def _known(spec: Mapping[str, Any]) -> Detector:
    try:
        return from_spec(spec)
    except UnknownNameError as error:
        raise ArtifactError(
            f"The model was trained with the algorithm {error.name!r}, which is not known here. Install the package it "
            "comes from, or register it under this name first."
        ) from error


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
