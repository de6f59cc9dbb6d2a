"""The one object: features, detector, calibrator and threshold, trained, saved and scored together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Configurable, Range
from anomaly_detection.calibration import Calibrator, Ranks, calibration_scores
from anomaly_detection.detectors import Detector, create
from anomaly_detection.errors import InputError, NotFittedError
from anomaly_detection.explain import contributions, normal_ranges, reasons, reference_row
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.nesting import flatten
from anomaly_detection.records import Schema
from anomaly_detection.scorer import Scorer, under
from anomaly_detection.thresholds import benjamini_hochberg, choose_alpha, named
from anomaly_detection.verdicts import judge, judge_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.explain import Reason
    from anomaly_detection.results import Result, Verdict

Progress = Callable[[str, int, int | None], None]
"""Is told what is going on, how much of it is done, and how much there is, if that is known."""


def silent(what: str, done: int, total: int | None) -> None:
    """Take no notice of progress."""


MOST_CALIBRATION = 10_000
"""The most rows whose scores are kept for calibration."""

SPLIT_FROM = 50_000
"""From this many rows on, calibration rows are split off; below, each is scored by a model fitted on the others."""

FEWEST_ROWS = 8
"""Fewer rows than this cannot be both learned from and calibrated on."""


class Pipeline(Configurable):
    """Features + detector + calibrator + threshold: the only thing that is trained, saved, versioned and scored.

    Parameters
    ----------
    detector : an algorithm's name, or a detector.
    contamination : α, the share of normal records that may raise an alarm, in (0, 0.5]; ``"auto"`` takes it from the
        calibration scores, so that no number is needed.
    threshold : an estimator of the alarm line instead, by name and parameters (``anomaly_detection.thresholds.named``).
    calibration : ``"cross"``: each row is scored by a model fitted on others; ``"split"``: some rows are kept from
        fitting; ``"auto"``: split from 50,000 rows on. Detectors that leave a row out by themselves need neither.
    tail : whether a generalised-Pareto tail takes over beyond the calibration scores.
    scaling : how numbers are scaled for detectors that want plain numbers.
    transforms : names of transforms of the number columns, such as ``("log",)``, applied in order
        (``anomaly_detection.features.scaling``).
    random_state : the seed of the calibration's folds; detectors carry their own.

    Attributes
    ----------
    schema_ : which column is what.
    alpha_ : the p-value at and below which a record is an anomaly.
    rows_ : how many rows were learned from.
    held_out_ : (n,) the score of each row by a model fitted without it, NaN for rows that were not needed to
        calibrate; not saved.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"x": rng.normal(size=500), "y": rng.normal(size=500)})
    >>> pipeline = Pipeline("ecod", contamination=0.01).fit(frame)
    >>> pipeline.detect_one({"x": 0.1, "y": -0.2}).is_anomaly, pipeline.detect_one({"x": 9, "y": 9}).is_anomaly
    (False, True)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "contamination": AnyOf(Range(0, 0.5, open_low=True), Choice("auto")),
        "calibration": Choice("auto", "cross", "split"),
        "tail": Choice(True, False),
        "scaling": Choice("standard", "robust", "minmax", "maxabs", "none"),
        "random_state": Range(0, 2**31 - 1, integer=True),
    }

    schema_: Schema
    alpha_: float
    rows_: int
    held_out_: NDArray[np.float64]

    def __init__(
        self,
        detector: str | Detector = "isolation_forest",
        contamination: float | str = "auto",
        threshold: str | None = None,
        calibration: str = "auto",
        tail: bool = True,
        scaling: str = "standard",
        transforms: Sequence[str] = (),
        random_state: int = 0,
    ) -> None:
        self.detector = detector
        self.contamination = contamination
        self.threshold = threshold
        self.calibration = calibration
        self.tail = tail
        self.scaling = scaling
        self.transforms = transforms
        self.random_state = random_state

    def fit(self, frame: pl.DataFrame, schema: Schema | None = None, progress: Progress = silent) -> Self:
        """Learn what is normal, calibrate on rows the detector was not fitted on, and set the alarm line.

        Raises
        ------
        ParameterError
            if a parameter is out of range, or α is finer than the calibration rows resolve and the tail is off.
        SchemaError
            if the frame has no usable columns.
        InputError
            if there are fewer than 8 rows.
        """
        return self._learn(flatten(frame), schema, progress, may_split=True)

    def fit_detect(self, frame: pl.DataFrame, schema: Schema | None = None, progress: Progress = silent) -> Result:
        """Fit on a frame and give verdicts on its own rows.

        The rows were all learned from alike, so a row's p-value is its rank among them (a transductive conformal
        p-value, Vovk, Gammerman & Shafer 2005): at a given α that share of the rows is flagged, however strongly the
        detector clings to what it has seen. Where α is less than one row, the tail decides
        (:class:`~anomaly_detection.calibration.Ranks`). Raises as :meth:`fit` does.
        """
        scores = self._learn(flatten(frame), schema, progress, may_split=False).score(frame)
        ranks = Ranks(scores, tail=self.tail)
        alpha = choose_alpha(self._wish(), ranks, scores)
        return self._described(judge(scores, ranks.p_value(scores, alpha), alpha, len(scores)), frame)

    def score(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n,) the raw score of each row; higher is more anomalous."""
        return self._scorer.score(self._flat(frame))

    def detect(self, frame: pl.DataFrame, *, fdr: float | None = None, first_row: int = 0) -> Result:
        """Give verdicts on the rows of a frame.

        Parameters
        ----------
        frame : records with at least the columns the pipeline was trained on.
        fdr : control the expected share of false alarms among the alarms of this batch instead of the rate of alarms
            among normal records (Benjamini & Hochberg 1995); then a verdict depends on the batch it came in.
        first_row : the number of the frame's first row in the input.
        """
        scores = self.score(frame)
        p_values = self.calibrator_.p_value(scores)
        alpha = self.alpha_ if fdr is None else benjamini_hochberg(p_values, fdr)[1]
        result = judge(scores, p_values, alpha, self.calibrator_.n_)
        return self._described(result, frame, first_row)

    def detect_one(self, record: Mapping[str, Any]) -> Verdict:
        """Give the verdict on one record; the same bits as in a batch, without building a frame."""
        score = self._scorer.score_record(record)
        return judge_one(score, self.calibrator_.p_value_one(score), self.alpha_, self.calibrator_.n_)

    def contributions(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n, columns) how much each of the user's columns adds to the score of each row."""
        scorer = self._scorer
        return contributions(scorer.score_native, scorer.native(self._flat(frame)), self.reference_, scorer.space)

    @property
    def contribution_names(self) -> tuple[str, ...]:
        """The user's columns, in the order of :meth:`contributions`."""
        return tuple(self._scorer.space.columns())

    def explain(self, frame: pl.DataFrame, rows: Sequence[int] | None = None, most: int = 3) -> list[list[Reason]]:
        """The columns that make each row anomalous, strongest first.

        Parameters
        ----------
        frame : the records.
        rows : 0-based rows of the frame; all when not given.
        most : the most columns named per row.
        """
        chosen = self._flat(frame if rows is None else frame[list(rows)])
        if not len(chosen):
            return []
        parts, names = self.contributions(chosen), self.contribution_names
        records = chosen.iter_rows(named=True)
        return [reasons(record, part, names, self.normal_, most) for record, part in zip(records, parts, strict=True)]

    def explain_record(self, record: Mapping[str, Any], most: int = 3) -> list[Reason]:
        """The columns that make one record anomalous, strongest first."""
        scorer = self._scorer
        X = scorer.native_record(record)[None, :]
        parts = contributions(scorer.score_native, X, self.reference_, scorer.space)[0]
        return reasons(record, parts, self.contribution_names, self.normal_, most)

    @property
    def is_fitted(self) -> bool:
        """Whether the pipeline can score."""
        return hasattr(self, "scorer_")

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        scorer, arrays = self._scorer.state()
        spec = {
            "parameters": self._own_parameters(),
            "scorer": scorer,
            "schema": self.schema_.to_dict(),
            "calibrator": self.calibrator_.parameters(),
            "alpha": self.alpha_,
            "rows": self.rows_,
            "normal": self.normal_,
        }
        calibrator = {f"calibrator/{name}": array for name, array in self.calibrator_.state().items()}
        return spec, {**arrays, **calibrator, "reference": self.reference_}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; scores are equal, bit for bit."""
        scorer = Scorer.restore(spec["scorer"], arrays)
        parameters = {**spec["parameters"], "transforms": tuple(spec["parameters"]["transforms"])}
        pipeline = cls(detector=scorer.detector, **parameters)
        pipeline.scorer_ = scorer
        pipeline.schema_ = Schema.from_dict(spec["schema"])
        pipeline.calibrator_ = Calibrator(**spec["calibrator"]).restore(under("calibrator/", arrays))
        pipeline.alpha_, pipeline.rows_, pipeline.normal_ = spec["alpha"], spec["rows"], spec["normal"]
        pipeline.reference_ = arrays["reference"]
        return pipeline

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy through :meth:`state`, so that compiled parts are rebuilt, never serialised."""
        return (type(self).from_state, self.state()) if self.is_fitted else (_unfitted, (type(self), self.parameters()))

    @property
    def _scorer(self) -> Scorer:
        if not self.is_fitted:
            raise NotFittedError("The pipeline is not fitted. Call fit first, or load a trained model.")
        return self.scorer_

    def _begin(self, frame: pl.DataFrame, schema: Schema | None) -> Scorer:
        self.validate()
        check_rows(len(frame))
        self.schema_ = schema or infer_schema(frame)
        if self.threshold is not None:
            named(self.threshold)
        detector = self.detector.clone() if isinstance(self.detector, Detector) else create(self.detector)
        return Scorer(detector, self.scaling, self.transforms)

    def _learn(self, frame: pl.DataFrame, schema: Schema | None, progress: Progress, *, may_split: bool) -> Self:
        blank = self._begin(frame, schema)
        if self.calibration == "split" or (may_split and self._splits_by_itself(len(frame), blank.detector)):
            self.scorer_, scores = self._held_out(blank, frame, "split", progress)
        else:
            self.scorer_ = blank.fresh().fit(frame, self.schema_)
            scores = self._cross_scores(blank, frame, progress)
        self._finish(frame, scores)
        return self

    def _splits_by_itself(self, n_rows: int, detector: Detector) -> bool:
        return self.calibration == "auto" and n_rows >= SPLIT_FROM and not detector.tags.leave_one_out

    def _cross_scores(self, blank: Scorer, frame: pl.DataFrame, progress: Progress) -> NDArray[np.float64]:
        if not self.scorer_.detector.tags.leave_one_out:
            return self._held_out(blank, frame, "cross", progress)[1]
        chosen = np.sort(np.random.default_rng(self.random_state).permutation(len(frame))[:MOST_CALIBRATION])
        scores = np.full(len(frame), np.nan)
        scores[chosen] = self.scorer_.score(frame[chosen])
        return scores

    def _held_out(
        self, blank: Scorer, frame: pl.DataFrame, method: Literal["cross", "split"], progress: Progress
    ) -> tuple[Scorer, NDArray[np.float64]]:
        """The last scorer that was fitted, and the scores of the rows that it and others were not fitted on."""
        scores = np.full(len(frame), np.nan)
        scorer, like = blank, self.scorer_ if method == "cross" else None

        def fit_and_score(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
            nonlocal scorer
            scorer = blank.fresh().fit(frame[train], self.schema_, like)
            scores[test] = scorer.score(frame[test])
            progress("calibrating", int(np.count_nonzero(~np.isnan(scores))), min(MOST_CALIBRATION, len(frame)))
            return scores[test]

        calibration_scores(fit_and_score, len(frame), method=method, most=MOST_CALIBRATION, seed=self.random_state)
        return scorer, scores

    def _finish(self, frame: pl.DataFrame, scores: NDArray[np.float64]) -> None:
        self.held_out_ = scores
        sample = scores[~np.isnan(scores)]
        self.calibrator_ = Calibrator(tail=self.tail).fit(sample)
        self.alpha_ = choose_alpha(self._wish(), self.calibrator_, sample)
        self.calibrator_.check_alpha(self.alpha_)
        self.rows_ = len(frame)
        self.normal_ = normal_ranges(frame, self.schema_)
        self.reference_ = self._reference(self._scorer.native(frame), scores)

    def _reference(self, X: NDArray[np.float32], scores: NDArray[np.float64]) -> NDArray[np.float32]:
        """(d,) the middle of every column, unless that lies between the crowds: then the most normal row."""
        middle = reference_row(X, self._scorer.space)
        usual = self._scorer.score_native(middle[None, :])[0] <= np.nanmedian(scores)
        return middle if usual else X[int(np.nanargmin(scores))].copy()

    def _own_parameters(self) -> dict[str, Any]:
        own = {name: value for name, value in self.parameters().items() if name != "detector"}
        return {**own, "transforms": list(self.transforms)}

    def _wish(self) -> float | str:
        return self.threshold or self.contamination

    def _described(self, result: Result, frame: pl.DataFrame, first_row: int = 0) -> Result:
        frame, key, time = flatten(frame), self.schema_.key, self.schema_.timestamp
        return result.with_(
            row=np.arange(first_row, first_row + len(frame), dtype=np.int64),
            key=frame[key] if key in frame.columns else None,
            time=frame[time] if time in frame.columns else None,
        )

    def _flat(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame without records in records, once it has the columns that are needed."""
        self._scorer  # noqa: B018  an unfitted pipeline says so first
        frame = flatten(frame)
        self.schema_.check_names(frame.columns)
        return frame


def _unfitted(cls: type[Pipeline], parameters: Mapping[str, Any]) -> Pipeline:
    return cls(**parameters)


def check_rows(n_rows: int) -> None:
    """Refuse to learn from too few rows.

    Raises
    ------
    InputError
        naming how many there are and how many it takes.
    """
    if n_rows < FEWEST_ROWS:
        got = "1 sample (row)" if n_rows == 1 else f"{n_rows} rows"
        raise InputError(
            f"Learning what is normal takes at least {FEWEST_ROWS} rows; got {got}. "
            "Give more rows, or score with a trained model."
        )
