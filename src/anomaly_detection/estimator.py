"""The Python door: a detector in three lines, scikit-learn's estimator contract, one call for a table.

>>> import numpy as np
>>> X = np.random.default_rng(0).normal(size=(500, 3))
>>> X[7] = 9
>>> detector = AnomalyDetector(algorithm="isolation_forest", contamination=0.05).fit(X)
>>> bool(detector.detect(X).is_anomaly[7])
True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from anomaly_detection.calibration import check_rows
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create
from anomaly_detection.detectors.spec import to_spec
from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.features.inference import check_finite, infer_schema
from anomaly_detection.frames import as_frame
from anomaly_detection.keyed import KeyedPipeline, algorithm_of_each
from anomaly_detection.keyed.pipeline import MIN_ROWS, KeyNames
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.records import named_columns
from anomaly_detection.results import SEVERITY_LINES
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.schema import series_schema
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.models import load_any, load_model, save_model
from anomaly_detection.workflows.series_door import OF_PIPELINE, parameters_of_series, series_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sklearn.utils import Tags

    from anomaly_detection.explain.explanation import Explanation
    from anomaly_detection.records import Schema
    from anomaly_detection.results import Result, Verdict

WATCHED = 100
"""P-values of a stream that the monitor takes in together."""


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Fit on a table, give calibrated verdicts on records.

    Parameters
    ----------
    algorithm : a name from the catalog of algorithms.
    contamination : α, the share of normal records that may raise an alarm, in (0, 0.5], or ``"auto"``.
    threshold : an estimator of the alarm line, instead of ``contamination``, such as ``"max_percentile"``, or
        ``"static:upper_limit=3"`` for a raw score (``result.score``); each algorithm has its own scale.
    transforms : names of transforms of the number columns, such as ``("log",)``.
    key : the column, or columns from the coarsest to the finest, that say what a record is about: each key with enough
        rows gets a model of its own (:class:`~anomaly_detection.keyed.KeyedPipeline`).
    timestamp : the column that says when each record was. With it, and numbers in all other columns, ``"auto"`` takes
        the rows for time series, as ``detection run`` does: each is judged by those before it. So does an algorithm
        for series, such as ``"ewma"``.
    min_rows : from how many rows on a key has one.
    random_state : the seed of everything random; None is 0, so that results repeat.
    **parameters : the algorithm's own parameters, such as ``n_estimators=200``; for time series also those of
        :class:`~anomaly_detection.series.SeriesPipeline`, such as ``direction="rise"``.

    Attributes
    ----------
    pipeline_ : the fitted :class:`~anomaly_detection.pipeline.Pipeline`, or of time series the
        :class:`~anomaly_detection.series.SeriesPipeline`.
    offset_ : the ``score_samples`` below which ``predict`` says -1.
    n_features_in_, feature_names_in_ : as in scikit-learn.

    Notes
    -----
    ``score_samples`` and ``decision_function`` follow scikit-learn: *lower* is more anomalous, and ``predict`` gives -1
    to the share α of the training rows, as scikit-learn's detectors do. :meth:`detect` holds α as the share of alarms
    among *new* normal records. The scores behind both are the same. Scores of several time series have no common
    scale, so for these ``score_samples`` is the negative ``anomaly_score``; ``predict`` says what :meth:`detect` does.
    """

    def __init__(
        self,
        algorithm: str = "auto",
        *,
        contamination: float | str = "auto",
        threshold: str | None = None,
        transforms: Sequence[str] = (),
        key: str | Sequence[str] | None = None,
        timestamp: str | None = None,
        min_rows: int = MIN_ROWS,
        random_state: int | None = 0,
        **parameters: Any,
    ) -> None:
        self.algorithm = algorithm
        self.contamination = contamination
        self.threshold = threshold
        self.transforms = transforms
        self.key = key
        self.timestamp = timestamp
        self.min_rows = min_rows
        self.random_state = random_state
        for name, value in parameters.items():
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, the algorithm's own included."""
        own: dict[str, Any] = super().get_params(deep=deep)
        return {**own, **self._algorithm_parameters()}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name, the algorithm's own included.

        Raises
        ------
        ParameterError
            for a parameter that neither this class nor the algorithm has.
        """
        own = set(super().get_params(deep=False))
        if not own.issuperset(parameters):
            self._check_names(parameters, own)
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any = None, *, schema: Schema | None = None) -> Self:  # noqa: ARG002
        """Learn what is normal.

        Parameters
        ----------
        X : a table: NumPy, pandas, Arrow, Polars, or a list of dicts.
        y : ignored; there for scikit-learn.
        schema : which column is what; inferred when not given.
        """
        frame = self._checked(X, reset=True)
        check_rows(len(frame))
        pipeline = self._blank(frame, schema)
        self.pipeline_ = pipeline.fit(frame, schema or self._schema(frame, pipeline))
        self.offset_ = self._offset(frame)
        return self

    def detect(self, X: Any, *, fdr: float | None = None) -> Result:
        """Calibrated verdicts on the rows of a table; see :class:`~anomaly_detection.results.Result`."""
        frame = self._named(X)
        return self.pipeline_.detect(frame, fdr=fdr)

    def detect_one(self, record: Mapping[str, Any]) -> Verdict:
        """The verdict on one record, in microseconds; the same bits as in a table."""
        check_is_fitted(self, "pipeline_")
        return self.pipeline_.detect_one(record)

    def update_one(self, record: Mapping[str, Any]) -> Verdict:
        """The verdict on one record, which is then learned; see :meth:`update`."""
        return self.update([dict(record)]).verdict(0)

    def detect_stream(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
        """The verdict on each record as it comes; no record is taken before its verdict is asked for.

        A row of a time series is learned once it is judged, so that the next ones follow it; a model of a table stays
        as it is. ``pipeline_.drift_notes_`` says where p-values are no longer those of training.
        """
        check_is_fitted(self, "pipeline_")
        pipeline = self.pipeline_
        return map(pipeline.update_one, records) if isinstance(pipeline, SeriesPipeline) else watched(pipeline, records)

    def update(self, X: Any, *, learn_anomalies: bool = False) -> Result:
        """Verdicts on the rows of a table, which are then learned; see :meth:`Pipeline.update`.

        Raises
        ------
        ParameterError
            if the algorithm cannot go on learning; names those that can.
        """
        frame = self._named(X)
        result = self.pipeline_.update(frame, learn_anomalies=learn_anomalies)
        self.offset_ = _new_offset(self.pipeline_)
        return result

    def explain(
        self,
        X: Any,
        rows: Sequence[int] | NDArray[np.bool_] | None = None,
        most: int = 3,
        actionable: Sequence[str] | None = None,
    ) -> list[Explanation]:
        """Why rows scored as they did, and what would make them normal.

        Parameters
        ----------
        X : a table, as for :meth:`detect`.
        rows : 0-based rows of it, or a mask of them; all when not given.
        most : the most columns named per row.
        actionable : the columns that a counterfactual may change; all when not given.

        Raises
        ------
        NotFittedError
            before :meth:`fit`.
        InputError
            for a row that is not there, a mask of another length, or a column that is not used.
        """
        frame = self._named(X)
        return self.pipeline_.explain(frame, rows, most, actionable)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """(n,) the negative raw score: lower is more anomalous, as in scikit-learn."""
        check_is_fitted(self, "pipeline_")
        return _low_scores(self.pipeline_, self._checked(X, reset=False))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """(n,) below 0 for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """(n,) -1 for outliers, 1 for the others."""
        return np.where(self.decision_function(X) < 0, -1, 1).astype(np.int64)

    def save(self, folder: str | Path) -> Path:
        """Write the fitted model into a folder of its own: JSON and arrays with checksums, no pickle."""
        check_is_fitted(self, "pipeline_")
        return save_model(self.pipeline_, Path(folder), {"estimator": self._estimator_state()})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that :meth:`save` wrote; scores are equal, bit for bit.

        Raises
        ------
        ArtifactError
            if the model was changed, cut short, or is not one.
        """
        pipeline, extra = load_model(Path(folder))
        return cls._around(pipeline, extra.get("estimator"))

    @classmethod
    def from_registry(cls, reference: str, registry: str | Path | None = None) -> Self:
        """Load a registered model, such as ``"orders@production"`` or ``"orders@3"``."""
        return cls._around(load_any(reference, Path(registry) if registry else None))

    @classmethod
    def _around(cls, pipeline: Pipeline | SeriesPipeline, state: Mapping[str, Any] | None = None) -> Self:
        parameters = state["parameters"] if state else _parameters_of(pipeline)
        found = cls(**{**parameters, "transforms": tuple(parameters.get("transforms", ()))})
        found.pipeline_ = pipeline
        found.offset_ = state["offset"] if state else _new_offset(pipeline)
        if state:
            found.n_features_in_ = state["width"]
            if state["names"] is not None:
                found.feature_names_in_ = np.asarray(state["names"], dtype=object)
        return found

    def _estimator_state(self) -> dict[str, Any]:
        names = getattr(self, "feature_names_in_", None)
        return {
            "parameters": self.get_params(deep=False),
            "offset": self.offset_,
            "width": self.n_features_in_,
            "names": None if names is None else list(names),
        }

    def _algorithm_parameters(self) -> dict[str, Any]:
        own = super().get_params(deep=False)
        return {
            name: value
            for name, value in vars(self).items()
            if name not in own and not name.endswith("_") and not name.startswith("_")
        }

    def _check_names(self, parameters: Mapping[str, Any], own: set[str]) -> None:
        algorithm = parameters.get("algorithm", self.algorithm)
        if not isinstance(algorithm, str) or algorithm not in DETECTORS.names():
            return  # fit says so: scikit-learn wants values checked there
        of_series = OF_PIPELINE if parameters.get("timestamp", self.timestamp) else ()
        allowed = {*own, *of_series, *DETECTORS.load(algorithm).parameter_names()}
        for name in parameters:
            if name not in allowed:
                raise ParameterError(f"AnomalyDetector: {UnknownNameError('parameter', name, allowed)}")

    def _blank(self, frame: pl.DataFrame, schema: Schema | None = None) -> Pipeline | SeriesPipeline:
        if problem := KeyNames().problem(self.key):
            raise ParameterError(f"AnomalyDetector: parameter key={self.key!r} {problem}.")
        return series_for(frame, self.timestamp, self._fitting(), schema) or self._blank_table()

    def _fitting(self) -> Fitting:
        parameters, transforms = self._algorithm_parameters(), tuple(self.transforms)
        key = named_columns(self.key)
        return Fitting(self.algorithm, parameters, self.contamination, self.threshold, transforms, self._seed(), key)

    def _blank_table(self) -> Pipeline:
        parameters = self._algorithm_parameters()
        seed = self._seed()
        detector = create(algorithm_of_each(self.algorithm, keyed=self.key is not None), **parameters)
        if "random_state" in detector.parameter_names():
            detector = detector.clone(random_state=seed)
        pipeline = Pipeline(detector, self.contamination, self.threshold, transforms=self.transforms, random_state=seed)
        return pipeline if self.key is None else KeyedPipeline.of(pipeline, self.key, self.min_rows)

    def _seed(self) -> int:
        seed = 0 if self.random_state is None else self.random_state
        if problem := Pipeline.constraints["random_state"].problem(seed):
            raise ParameterError(f"AnomalyDetector: parameter random_state={seed!r} {problem}.")
        return int(seed)

    def _offset(self, frame: pl.DataFrame) -> float:
        if isinstance(self.pipeline_, SeriesPipeline):
            return _new_offset(self.pipeline_)
        return float(np.percentile(_low_scores(self.pipeline_, frame), 100.0 * self.pipeline_.alpha_))

    def _checked(self, X: Any, *, reset: bool) -> pl.DataFrame:
        """As scikit-learn wants it: the very columns that were fitted, in their order."""
        if _is_frame(X):
            frame = as_frame(X)
            if reset or hasattr(self, "n_features_in_"):  # a registered model knows only the columns it looks at
                validate_data(self, X if hasattr(X, "shape") else frame, reset=reset, skip_check_array=True)
            return frame
        values = validate_data(self, X, reset=reset, dtype=_dtype(X), ensure_all_finite="allow-nan")
        return as_frame(values, None if reset else self._names_for(values.shape[1]))

    def _named(self, X: Any) -> pl.DataFrame:
        """As a pipeline wants it: the columns that were fitted, among others, in any order."""
        check_is_fitted(self, "pipeline_")
        return as_frame(X) if _is_frame(X) else self._checked(X, reset=False)

    def _detect_own_rows(self, X: Any) -> Result:
        frame = self._checked(X, reset=True)
        check_rows(len(frame))
        pipeline = self._blank(frame)
        return pipeline.fit_detect(frame, self._schema(frame, pipeline))

    def _names_for(self, width: int) -> list[str] | None:
        """The names an array's columns stand for: all that were fitted, or those that are looked at."""
        names = list(getattr(self, "feature_names_in_", self.pipeline_.schema_.feature_names))
        return names if len(names) == width else None

    def _schema(self, frame: pl.DataFrame, pipeline: Pipeline | SeriesPipeline) -> Schema:
        if isinstance(pipeline, SeriesPipeline):
            return series_schema(frame, str(self.timestamp), key=self.key)
        nameless = not hasattr(self, "feature_names_in_")
        columns = frame.columns if nameless else None
        schema = infer_schema(frame, columns=columns, timestamp=self.timestamp, key=self.key)
        check_finite(frame, schema)
        return schema

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def detect(data: Any, algorithm: str = "auto", *, contamination: float | str = "auto", **parameters: Any) -> Result:
    """Fit on a table and give verdicts on its own rows; at a given contamination that share of them is flagged.

    >>> rows = [{"amount": 10.0 + i % 7, "country": "NL"} for i in range(200)] + [{"amount": 900.0, "country": "XX"}]
    >>> detect(rows).top(1).tolist()
    [200]
    """
    detector = AnomalyDetector(algorithm, contamination=contamination, **parameters)
    return detector._detect_own_rows(data)  # noqa: SLF001


def _low_scores(pipeline: Pipeline | SeriesPipeline, frame: pl.DataFrame) -> NDArray[np.float64]:
    """(n,) lower is more anomalous."""
    return -(pipeline.detect(frame).anomaly_score if isinstance(pipeline, SeriesPipeline) else pipeline.score(frame))


def watched(pipeline: Pipeline, records: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
    """The verdict on each record as it comes, whose p-values the pipeline takes in a few at a time."""
    recent: list[float] = []
    try:
        for record in records:
            verdict = pipeline.detect_one(record)
            recent.append(verdict.p_value)
            yield verdict
            if len(recent) >= WATCHED:
                pipeline.watch(recent)
                recent.clear()
    finally:
        pipeline.watch(recent)


def _new_offset(pipeline: Pipeline | SeriesPipeline) -> float:
    """The low score below which a new record is an anomaly."""
    if isinstance(pipeline, SeriesPipeline):
        return float(np.nextafter(-SEVERITY_LINES[0], 0.0))
    return -pipeline.calibrator_.line(pipeline.alpha_)


def _parameters_of(pipeline: Pipeline | SeriesPipeline) -> dict[str, Any]:
    if isinstance(pipeline, SeriesPipeline):
        return parameters_of_series(pipeline)
    spec = to_spec(pipeline.scorer_.detector)
    own = ("key", "min_rows") if isinstance(pipeline, KeyedPipeline) else ()
    kept = {name: pipeline.parameters()[name] for name in ("contamination", "threshold", "transforms", *own)}
    return {"algorithm": spec["name"], **kept, **spec["parameters"]}


def _is_frame(X: Any) -> bool:
    """Whether a table has columns with names and types of their own."""
    if isinstance(X, list):
        return bool(X) and isinstance(X[0], dict)
    return type(X) in (dict, pl.LazyFrame) or hasattr(X, "__dataframe__") or hasattr(X, "__arrow_c_stream__")


def _dtype(X: Any) -> str | None:
    """What an array is read as: anything with words keeps them, the rest has to be numbers."""
    if isinstance(X, list) or getattr(getattr(X, "dtype", None), "kind", "") == "O":
        words = any(isinstance(value, str) for row in X for value in (row if np.ndim(row) else [row]))
        return None if words else "numeric"
    return None


__all__ = ["AnomalyDetector", "detect"]
