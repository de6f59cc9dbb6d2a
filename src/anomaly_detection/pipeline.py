"""The one object: features, detector, calibrator and threshold, trained, saved and scored together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Configurable, Range
from anomaly_detection.calibration import Calibrator, Following, Ranks, calibration_scores, check_rows
from anomaly_detection.detectors import Detector, create
from anomaly_detection.detectors.online import as_online
from anomaly_detection.drift import CalibrationMonitor
from anomaly_detection.errors import NotFittedError, ParameterError
from anomaly_detection.explain.background import Background
from anomaly_detection.explain.explainer import Explainer, Yardstick
from anomaly_detection.explain.tables import checked_rows, explain_rows, positions
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.keys import shown_key
from anomaly_detection.features.nesting import flatten
from anomaly_detection.frames import row_numbers
from anomaly_detection.records import Schema
from anomaly_detection.scorer import Scorer, under
from anomaly_detection.thresholds import benjamini_hochberg, choose_alpha, named
from anomaly_detection.verdicts import judge, judge_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.explain.explanation import Explanation
    from anomaly_detection.results import Result, Verdict

Progress = Callable[[str, int, int | None], None]
"""Is told what is going on, how much of it is done, and how much there is, if that is known."""


def silent(what: str, done: int, total: int | None) -> None:
    """Take no notice of progress."""


MOST_CALIBRATION = 10_000
"""The most rows whose scores are kept for calibration."""

SPLIT_FROM = 50_000
"""From this many rows on, calibration rows are split off; below, each is scored by a model fitted on the others."""

SPLIT_UNSTEADY_FROM = 1_000
"""The same for detectors of which two fits may differ much."""


class Pipeline(Configurable):
    """Features + detector + calibrator + threshold: the only thing that is trained, saved, versioned and scored.

    Parameters
    ----------
    detector : an algorithm's name, or a detector.
    contamination : α, the share of normal records that may raise an alarm, in (0, 0.5]; ``"auto"`` takes it from the
        calibration scores, so that no number is needed.
    threshold : an estimator of the alarm line instead, by name and parameters (``anomaly_detection.thresholds.named``).
    calibration : ``"cross"``: each row is scored by a model fitted on others; ``"split"``: some rows are kept from
        fitting; ``"auto"``: split from 50,000 rows on, from 1,000 on for detectors whose fits differ (``gmm``,
        ``elliptic_envelope``, ``ocsvm``). Detectors that leave a row out by themselves need neither.
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
    following_ : the calibrator as it was fitted and the latest scores, once :meth:`update` was called.
    ranks_ : after :meth:`fit_detect`, the ranks and the alpha its verdicts are by, which explanations go by, too; not
        saved.
    background_ : the normal rows that explanations need.
    monitor_ : what :meth:`update` and :meth:`watch` follow p-values with; None where there is no such promise.

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
        "random_state": SEED,
    }

    schema_: Schema
    alpha_: float
    rows_: int
    held_out_: NDArray[np.float64]
    calibrator_: Calibrator
    following_: Following | None
    ranks_: tuple[Ranks, float] | None = None
    background_: Background | None = None
    monitor_: CalibrationMonitor | None = None

    def __init__(
        self,
        detector: str | Detector = "auto",
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

    def fit(
        self,
        frame: pl.DataFrame,
        schema: Schema | None = None,
        progress: Progress = silent,
        *,
        like: Pipeline | None = None,
    ) -> Self:
        """Learn what is normal, calibrate on rows the detector was not fitted on, and set the alarm line.

        Parameters
        ----------
        frame : the records.
        schema : which column is what; inferred when not given.
        progress : is told how far it is.
        like : make the features that this one, fitted on more records, makes, whether they vary here or not.

        Raises
        ------
        ParameterError
            if a parameter is out of range, or α is finer than the calibration rows resolve and the tail is off.
        SchemaError
            if the frame has no usable columns.
        InputError
            if there are fewer than 8 rows.
        """
        return self._learn(flatten(frame), schema, progress, own_rows=False, like=like.scorer_ if like else None)

    def fit_detect(self, frame: pl.DataFrame, schema: Schema | None = None, progress: Progress = silent) -> Result:
        """Fit on a frame and give verdicts on its own rows.

        The rows were all learned from alike, so a row's p-value is its rank among them (a transductive conformal
        p-value, Vovk, Gammerman & Shafer 2005): at a given α that share of the rows is flagged, however strongly the
        detector clings to what it has seen. Where α is less than one row, the tail decides
        (:class:`~anomaly_detection.calibration.Ranks`). Raises as :meth:`fit` does.
        """
        scores = self._learn(flatten(frame), schema, progress, own_rows=True).score(frame)
        ranks = Ranks(scores, tail=self.tail)
        alpha = choose_alpha(self._wish(), ranks, scores)
        self.ranks_ = ranks, alpha
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

    def update(self, frame: pl.DataFrame, *, learn_anomalies: bool = False) -> Result:
        """Give verdicts on the rows of a frame, then learn from them.

        The verdicts are those of :meth:`detect`: every row is judged before any of the frame is learned. The calibrator
        then follows the scores of all rows (:class:`~anomaly_detection.calibration.Following`), so that alarms
        on normal records stay near α. The features, α, and what :meth:`explain` compares with stay as they were fitted.

        Parameters
        ----------
        frame : records with at least the columns the pipeline was trained on.
        learn_anomalies : let the detector learn rows that are anomalies, too; otherwise it learns the others. Turn it
            on after a change that is here to stay.

        Raises
        ------
        ParameterError
            if the detector cannot go on learning; names those that can.
        """
        as_online(self._scorer.detector)
        frame = self._flat(frame)
        result = self.detect(frame)
        self.watch(result.p_value)
        kept = frame if learn_anomalies else frame.filter(~result.is_anomaly)
        self._scorer.update(kept)
        begun = self.following_ or Following.begin(self.calibrator_, self.random_state)
        self.following_ = begun.after(result.score)
        self.calibrator_, self.rows_ = self.following_.calibrator(), self.rows_ + len(kept)
        return result

    def watch(self, p_value: ArrayLike) -> None:
        """Take in p-values of verdicts on new rows, in order, so that :attr:`drift_notes_` can be about them."""
        if self.monitor_ is not None:
            self.monitor_.follow(p_value)

    @property
    def drift_notes_(self) -> list[str]:
        """In a sentence, where the p-values of the rows that were learned or watched last are not those of training."""
        return [] if self.monitor_ is None or (note := self.monitor_.note()) is None else [note]

    def evidence(self) -> dict[str, Any]:
        """What the detector found out about the training rows, and what there is to say of those since."""
        return {**self._scorer.detector.evidence(), "drift": self.drift_notes_}

    def detect_one(self, record: Mapping[str, Any]) -> Verdict:
        """Give the verdict on one record; the same bits as in a batch, without building a frame.

        Raises
        ------
        InputError
            if a score depends on the batch (label ``batch only``), with the algorithm to use instead.
        """
        score = self._scorer.score_record(record)
        return judge_one(score, self.calibrator_.p_value_one(score), self.alpha_, self.calibrator_.n_)

    def contributions(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n, columns) how much each of the user's columns adds to the score of each row."""
        return self._explainer().contributions(self._scorer.native(self._flat(frame)))

    @property
    def contribution_names(self) -> tuple[str, ...]:
        """The user's columns, in the order of :meth:`contributions`."""
        return tuple(self._scorer.space.columns())

    def explain(
        self,
        frame: pl.DataFrame,
        rows: Sequence[int] | NDArray[np.bool_] | None = None,
        most: int = 3,
        actionable: Sequence[str] | None = None,
        *,
        alpha: float | None = None,
        among: Sequence[int] | None = None,
        brief: bool = False,
    ) -> list[Explanation]:
        """Why rows scored as they did, and what would make them normal.

        Parameters
        ----------
        frame : the records.
        rows : 0-based rows of the frame, or a mask of them; all when not given.
        most : the most columns named per row.
        actionable : the columns that a counterfactual may change; all when not given.
        alpha : the line of the verdicts to explain, where it is not that of this pipeline.
        among : rows that similar ones are looked for in; when not given at most 10,000 of the frame.
        brief : contributions only, in a fraction of the time.

        Raises
        ------
        NotFittedError
            if the model was saved by a version that kept no normal rows.
        InputError
            for a row that is not there, or a column that is not used.
        """
        explainer = self._explainer(most, actionable, alpha, brief=brief)
        frame = self._flat(frame)
        return explain_rows(
            explainer, frame, checked_rows(row_numbers(rows, len(frame)), len(frame)), self._scorer.native, among
        )

    def explain_record(
        self, record: Mapping[str, Any], most: int = 3, actionable: Sequence[str] | None = None
    ) -> Explanation:
        """Why one record scored as it did; see :meth:`explain`."""
        return self._explainer(most, actionable).explain(self._scorer.native_record(record), record)

    @property
    def background(self) -> Background:
        """The normal rows that explanations replace values with.

        Raises
        ------
        NotFittedError
            if the model was saved by a version that kept none.
        """
        self._scorer  # noqa: B018  an unfitted pipeline says so first
        if self.background_ is None:
            raise NotFittedError(
                "This model cannot explain: it was saved by a version that kept no normal rows. Its verdicts are as "
                "they were; train it again to have explanations."
            )
        return self.background_

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
        }
        fitted = self.following_.fitted if self.following_ else self.calibrator_
        arrays |= {f"calibrator/{name}": array for name, array in fitted.state().items()}
        if self.following_ is not None:
            arrays["recent"] = self.following_.recent
        for name, part in (("background", self.background_), ("monitor", self.monitor_)):
            if part is not None:
                spec[name], found = part.state()
                arrays |= {f"{name}/{each}": array for each, array in found.items()}
        return spec, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; scores are equal, bit for bit."""
        scorer = Scorer.restore(spec["scorer"], arrays)
        parameters = {**spec["parameters"], "transforms": tuple(spec["parameters"]["transforms"])}
        pipeline = cls(detector=scorer.detector, **parameters)
        pipeline.scorer_ = scorer
        pipeline.schema_ = Schema.from_dict(spec["schema"])
        pipeline.calibrator_ = Calibrator(**spec["calibrator"]).restore(under("calibrator/", arrays))
        pipeline.alpha_, pipeline.rows_ = spec["alpha"], spec["rows"]
        pipeline.following_ = Following(pipeline.calibrator_, arrays["recent"]) if "recent" in arrays else None
        if pipeline.following_:
            pipeline.calibrator_ = pipeline.following_.calibrator()
        if "monitor" in spec:
            pipeline.monitor_ = CalibrationMonitor.from_state(spec["monitor"], under("monitor/", arrays))
        if "background" in spec:
            pipeline.background_ = Background.restore(spec["background"], under("background/", arrays), scorer.space)
        return pipeline

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy through :meth:`state`, so that compiled parts are rebuilt, never serialised."""
        return (type(self).from_state, self.state()) if self.is_fitted else (_unfitted, (type(self), self.parameters()))

    @property
    def _scorer(self) -> Scorer:
        if not self.is_fitted:
            raise NotFittedError("The pipeline is not fitted. Call fit first, or load a trained model.")
        return self.scorer_

    def _begin(self, frame: pl.DataFrame, schema: Schema | None, *, own_rows: bool) -> Scorer:
        self.validate()
        check_rows(len(frame))
        self.schema_ = schema or infer_schema(frame)
        if self.threshold is not None:
            named(self.threshold)
        detector = self.detector.clone() if isinstance(self.detector, Detector) else create(self.detector)
        return Scorer(detector.for_own_rows() if own_rows else detector, self.scaling, self.transforms)

    def _learn(
        self,
        frame: pl.DataFrame,
        schema: Schema | None,
        progress: Progress,
        *,
        own_rows: bool,
        like: Scorer | None = None,
    ) -> Self:
        blank = self._begin(frame, schema, own_rows=own_rows)
        if self.calibration == "split" or (not own_rows and self._splits_by_itself(len(frame), blank.detector)):
            self.scorer_, scores = self._held_out(blank, frame, "split", progress, like)
        else:
            self.scorer_ = blank.fresh().fit(frame, self.schema_, like)
            scores = self._cross_scores(blank, frame, progress)
        self._finish(frame, scores)
        return self

    def _splits_by_itself(self, n_rows: int, detector: Detector) -> bool:
        enough = SPLIT_FROM if detector.tags.steady else SPLIT_UNSTEADY_FROM
        return self.calibration == "auto" and n_rows >= enough and not detector.tags.leave_one_out

    def _cross_scores(self, blank: Scorer, frame: pl.DataFrame, progress: Progress) -> NDArray[np.float64]:
        if not self.scorer_.detector.tags.leave_one_out:
            return self._held_out(blank, frame, "cross", progress, self.scorer_)[1]
        chosen = np.sort(np.random.default_rng(self.random_state).permutation(len(frame))[:MOST_CALIBRATION])
        scores = np.full(len(frame), np.nan)
        scores[chosen] = self.scorer_.score(frame[chosen])
        return scores

    def _held_out(
        self,
        blank: Scorer,
        frame: pl.DataFrame,
        method: Literal["cross", "split"],
        progress: Progress,
        like: Scorer | None,
    ) -> tuple[Scorer, NDArray[np.float64]]:
        """The last scorer that was fitted, and the scores of the rows that it and others were not fitted on."""
        scores = np.full(len(frame), np.nan)
        scorer = blank

        def fit_and_score(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
            nonlocal scorer
            scorer = blank.fresh().fit(frame[train], self.schema_, like)
            scores[test] = scorer.score(frame[test])
            progress("calibrating", int(np.count_nonzero(~np.isnan(scores))), min(MOST_CALIBRATION, len(frame)))
            return scores[test]

        calibration_scores(fit_and_score, len(frame), method=method, most=MOST_CALIBRATION, seed=self.random_state)
        return scorer, scores

    def _finish(self, frame: pl.DataFrame, scores: NDArray[np.float64]) -> None:
        self.held_out_, self.ranks_, self.rows_ = scores, None, len(frame)
        sample = scores[~np.isnan(scores)]
        self.calibrator_, self.following_ = Calibrator(tail=self.tail).fit(sample), None
        self.monitor_ = CalibrationMonitor.of(sample)
        self.alpha_ = choose_alpha(self._wish(), self.calibrator_, sample)
        self.calibrator_.check_alpha(self.alpha_)
        scorer = self._scorer
        self.background_ = Background.learn(
            frame, self.schema_, scorer.native(frame), scores, scorer.space, scorer.score_native, self.random_state
        )

    def _explainer(
        self,
        most: int = 3,
        actionable: Sequence[str] | None = None,
        alpha: float | None = None,
        *,
        brief: bool = False,
    ) -> Explainer:
        background = self.background
        if problem := Range(1, integer=True).problem(most):
            raise ParameterError(f"Explaining: parameter most={most!r} {problem}.")
        changeable = positions(background, actionable)
        return Explainer(
            self._scorer.score_native,
            background,
            self._yardstick(alpha),
            most=most,
            changeable=changeable,
            brief=brief,
        )

    def _yardstick(self, alpha: float | None) -> Yardstick:
        """What rows were last judged by: their ranks after :meth:`fit_detect`, else the calibrator."""
        if self.ranks_ is None:
            return Yardstick(self.calibrator_.p_value, self.alpha_ if alpha is None else alpha)
        ranks, alpha = self.ranks_[0], self.ranks_[1] if alpha is None else alpha
        return Yardstick(partial(ranks.p_value, alpha=alpha), alpha)

    def _own_parameters(self) -> dict[str, Any]:
        own = {name: value for name, value in self.parameters().items() if name != "detector"}
        return {**own, "transforms": list(self.transforms)}

    def _wish(self) -> float | str:
        return self.threshold or self.contamination

    def _described(self, result: Result, frame: pl.DataFrame, first_row: int = 0) -> Result:
        frame, time = flatten(frame), self.schema_.timestamp
        return result.with_(
            row=np.arange(first_row, first_row + len(frame), dtype=np.int64),
            key=shown_key(frame, self.schema_.key_columns),
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
