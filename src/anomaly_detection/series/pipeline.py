"""Time series in, verdicts out: a model per key, calibrated row by row, with expected values and reasons."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from anomaly_detection.base import SEED, AnyOf, Choice, Configurable, Range
from anomaly_detection.detectors.series import name_of
from anomaly_detection.errors import NotFittedError, ParameterError, SchemaError
from anomaly_detection.explain.tables import checked_rows
from anomaly_detection.features.inference import check_finite
from anomaly_detection.features.keys import shown_key
from anomaly_detection.features.nesting import flatten
from anomaly_detection.features.series.axis import Track, after_state, check_history, key_texts_of, tracks_of
from anomaly_detection.features.series.calendar import check_zone
from anomaly_detection.features.series.clock import Clock, clock_notes, clock_of
from anomaly_detection.features.series.profile import SeriesProfile, profile_of
from anomaly_detection.frames import as_frame, row_numbers
from anomaly_detection.pipeline import silent
from anomaly_detection.records import Schema, quoted
from anomaly_detection.series.budgets import Budgets
from anomaly_detection.series.flat import rows_in_order, scores_of
from anomaly_detection.series.forecasting import outlooks_of_model
from anomaly_detection.series.judging import Gathered, Rule
from anomaly_detection.series.learning import FEWEST_ROWS, MOST_SHOWN, Learned, Learning
from anomaly_detection.series.own_rows import OwnRows, warm_up
from anomaly_detection.series.schema import check_channels, series_schema
from anomaly_detection.series.wishes import SIDES, Wishes
from anomaly_detection.thresholds import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.calibration import Calibrator
    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.explain.explanation import Explanation
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.results import Verdict
    from anomaly_detection.series.explaining import SeriesResult
    from anomaly_detection.series.forecasting import Outlooks


class SeriesPipeline(Configurable):
    """Features + detector + calibrator + threshold for time series: trained, saved, versioned and scored as one.

    Each key has a series of its own, sorted by time. Its detector is fitted on the first half of the training rows and
    goes on row by row over the rest; the scores of that half calibrate. Then it is fitted on all. A verdict on a row
    uses rows up to it and nothing else, unless ``offline``. Rows that are anomalies are not learned from.

    Keys with fewer than 60 rows share one calibrator and have a control chart each; so do keys that were never seen.
    Counters, values that only grow and start again, are judged by what was added. Rows that lie before the last one
    that was learned from are judged as if they came weeks later.

    Parameters
    ----------
    detector : the name of a series algorithm, or such a detector; ``"auto"`` chooses by the profile of each series.
    contamination : α, the share of normal rows that may raise an alarm, in (0, 0.5]; ``"auto"`` takes it from the
        scores.
    threshold : an estimator of the alarm line instead.
    budget : how many alarms there may be instead, ``"5/week"``, ``"5/week/key"`` for each key, or a share of the rows,
        ``0.002``. The line follows the scores, so that the number holds when they drift; rows that follow one another
        are one alarm, unless the budget is a share.
    direction : ``"rise"``: only values above what was expected are anomalies; ``"drop"``: only below; ``"both"``.
    minimum_absolute : a value nearer to the expected one than this, in its unit, is no anomaly.
    minimum_relative : a value nearer to the expected one than this share of it is no anomaly.
    bounds : (low, high), None for none; a value beyond is an anomaly, whatever was expected.
    offline : detectors may look at the whole file.
    zone : the time zone of calendars where the column of time does not say, such as ``"Europe/Berlin"``.
    tail : whether a generalised-Pareto tail takes over beyond the calibration scores.
    random_state : the seed of everything random.

    Attributes
    ----------
    schema_ : which column is what.
    clock_ : how the column of time is read.
    alpha_ : the p-value at and below which a row is an anomaly; with a budget, the alarms per row that it allows.
    budgets_ : what was spent of the budget; None without one.
    rows_ : how many rows were learned from.
    learned_ : the models of all keys, and the profiles of those with the most rows.
    notes_ : what there is to know of how the rows were read, in sentences.
    drift_notes_ : where the p-values of the rows that were judged last are not those of training, in sentences.
    budget_notes_ : how many alarms the rows that were judged last raised, and how many were allowed; with a budget.

    Examples
    --------
    >>> hours = np.arange(500)
    >>> cpu = 40 + np.random.default_rng(0).normal(0, 2, size=500)
    >>> frame = pl.DataFrame({"hour": hours, "cpu": cpu})
    >>> pipeline = SeriesPipeline(contamination=0.001).fit(frame, timestamp="hour")
    >>> result = pipeline.detect(pl.DataFrame({"hour": [500, 501], "cpu": [41.0, 93.0]}))
    >>> result.is_anomaly.tolist(), result.reason[1].split(" (")[0]
    ([False, True], 'cpu 93 is above the expected 39.95')
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "contamination": AnyOf(Range(0, 0.5, open_low=True), Choice("auto")),
        "direction": Choice(*SIDES),
        "minimum_absolute": Range(0),
        "minimum_relative": Range(0),
        "offline": Choice(True, False),
        "tail": Choice(True, False),
        "random_state": SEED,
    }

    schema_: Schema
    clock_: Clock
    alpha_: float
    rows_: int
    learned_: Learned
    budgets_: Budgets | None
    notes_: list[str]
    drift_notes_: list[str]
    budget_notes_: list[str]

    def __init__(
        self,
        detector: str | SeriesDetector = "auto",
        contamination: float | str = "auto",
        threshold: str | None = None,
        direction: str = "both",
        minimum_absolute: float = 0.0,
        minimum_relative: float = 0.0,
        bounds: tuple[float | None, float | None] | None = None,
        offline: bool = False,
        zone: str | None = None,
        tail: bool = True,
        random_state: int = 0,
        budget: float | str | None = None,
    ) -> None:
        self.detector = detector
        self.contamination = contamination
        self.threshold = threshold
        self.direction = direction
        self.minimum_absolute = minimum_absolute
        self.minimum_relative = minimum_relative
        self.bounds = bounds
        self.offline = offline
        self.zone = zone
        self.tail = tail
        self.random_state = random_state
        self.budget = budget

    def fit(
        self,
        frame: Any,
        schema: Schema | None = None,
        progress: Progress = silent,
        *,
        timestamp: str | None = None,
        columns: Sequence[str] | None = None,
        key: str | Sequence[str] | None = None,
    ) -> Self:
        """Learn what is normal for each key, calibrate on rows that came later, and set the alarm line.

        Parameters
        ----------
        frame : the rows, in any order: pandas, Arrow, Polars, or a list of dicts.
        schema : which column is what; made from the columns that are named, and the numbers, when not given.
        progress : is told how far it is.
        timestamp : the column of time, where there is no schema.
        columns : the channels; all numbers when not given.
        key : the column that says what a row is about, or several from the coarsest to the finest.

        Raises
        ------
        ParameterError
            if a parameter is out of range, or the detector looks at whole files and ``offline`` is not set.
        SchemaError
            for a column that is not what it has to be, or if none says when a row was.
        InputError
            if no series is long enough, with how many rows it takes.
        """
        frame = flatten(as_frame(frame))
        tracks = self._begin(frame, schema or _schema(frame, timestamp, columns, key))
        self._learn(tracks, len(frame), progress)
        return self

    def detect(self, frame: Any, *, fdr: float | None = None, first_row: int = 0) -> SeriesResult:
        """Verdicts on rows that come after those learned from, each from rows up to it; nothing is learned for good.

        Parameters
        ----------
        frame : rows with at least the columns that it was trained on, in any order.
        fdr : not for series; there for the doors.
        first_row : the number of the frame's first row in the input.

        Raises
        ------
        ParameterError
            for ``fdr``: rows of a series are not independent.
        """
        if fdr is not None:
            raise ParameterError("fdr needs rows that are independent, and those of a series are not. Leave it out.")
        return self._judged(self._checked(frame), first_row)

    def update(self, frame: Any, *, learn_anomalies: bool = False) -> SeriesResult:
        """Verdicts on rows as :meth:`detect` gives them; the state goes on, so that the next rows follow these.

        Parameters
        ----------
        frame : rows with at least the columns that it was trained on.
        learn_anomalies : let detectors learn rows that are anomalies, too.
        """
        frame = self._checked(frame)
        result = self._judged(frame, 0, keep=True, learn_anomalies=learn_anomalies)
        self.rows_ += len(frame)
        return result

    def detect_one(self, record: Mapping[str, Any]) -> Verdict:
        """The verdict on one row that follows; the state stays as it is."""
        return self.detect(pl.DataFrame([dict(record)])).verdict(0)

    def update_one(self, record: Mapping[str, Any], *, learn_anomalies: bool = False) -> Verdict:
        """The verdict on one row that follows, which is then part of the state, as with :meth:`update`."""
        return self.update([dict(record)], learn_anomalies=learn_anomalies).verdict(0)

    def detect_stream(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
        """The verdict on each row as it comes, which is then learned; no row is taken before its verdict is asked for.

        Raises
        ------
        NotFittedError
            before :meth:`fit`, at once.
        """
        self._learned  # noqa: B018  an unfitted pipeline says so before a row comes
        return map(self.update_one, records)

    def fit_detect(
        self,
        frame: Any,
        schema: Schema | None = None,
        progress: Progress = silent,
        *,
        timestamp: str | None = None,
        columns: Sequence[str] | None = None,
        key: str | Sequence[str] | None = None,
    ) -> SeriesResult:
        """Verdicts on the rows of one file, without rows to train on.

        The first quarter of each series is learned from to begin with, and judged in its own light; each row after it
        is judged by rows up to it. P-values are ranks among all rows of the file.
        """
        frame = flatten(as_frame(frame))
        tracks = self._begin(frame, schema or _schema(frame, timestamp, columns, key))
        warm = [warm_up(track) for track in tracks]
        self._learn(warm, len(frame), progress, max(tracks, key=lambda one: len(one.series)))
        rows = OwnRows(self.learned_, self.wishes, self.clock_, self.tail)
        shape = len(frame), len(self.schema_.features)
        if self.budgets_ is None:
            found = rows.ranked(tracks, warm, shape, self._wish)
        else:
            found = rows.within(self.budgets_, tracks, warm, shape)
        self.budget_notes_ = found.budget_notes
        return self._described(found.result(), frame)

    def explain(
        self,
        frame: Any,
        rows: Sequence[int] | NDArray[np.bool_] | None = None,
        most: int = 3,
        actionable: Sequence[str] | None = None,
    ) -> list[Explanation]:
        """Why rows that :meth:`detect` judges scored as they did, channel by channel, and what would be normal.

        Parameters
        ----------
        frame : rows as for :meth:`detect`; each is judged in the light of those before it in the frame.
        rows : 0-based rows of the frame, or a mask of them; all when not given.
        most : the most channels named per row.
        actionable : the channels that a counterfactual may change; all when not given.

        Raises
        ------
        InputError
            for a row that is not there, a mask of another length, or a channel that is not one.
        """
        frame = self._checked(frame)
        numbers = checked_rows(row_numbers(rows, len(frame)), len(frame))
        check_channels(actionable, self.schema_.feature_names)
        return self._judged(frame, 0, explain_all=True).explanations(numbers, most, actionable)

    def forecast(self, horizon: int | str, algorithm: str = "auto", **wishes: Any) -> Outlooks:
        """How the series go on after the last row that was learned from: of the keys with a model of their own.

        Parameters
        ----------
        horizon : for how many rows, or for how long: 24, ``"7d"``.
        algorithm : a forecaster by name.
        wishes : ``level``, ``limit``, ``direction`` and ``nonnegative`` as in
            :class:`~anomaly_detection.series.forecasting.Wish`, and parameters of the forecaster.

        Raises
        ------
        InputError
            if no key has enough rows for a model of its own.
        """
        return outlooks_of_model(self._learned.recent(), self.clock_, horizon, algorithm, wishes)

    def profile(self, frame: Any, timestamp: str, key: str | Sequence[str] | None = None) -> dict[str, SeriesProfile]:
        """What the series of each key of a frame is like, without learning anything."""
        frame = flatten(as_frame(frame))
        schema = series_schema(frame, timestamp, key=key)
        clock = clock_of(frame[timestamp], self.zone)
        return {one.key: profile_of(one.series, clock) for one in tracks_of(frame, schema, clock)[0]}

    def evidence(self) -> dict[str, Any]:
        """What was chosen for whom, and why, in plain values."""
        learned = self._learned
        return {
            "own_models": len(learned.models),
            "sparse_keys": len(learned.sparse) + len(learned.charts),
            "chosen": dict(list(learned.reasons.items())[:MOST_SHOWN]),
            "tried": dict(list(learned.tried.items())[:MOST_SHOWN]),
            "profiles": {key: one.to_dict() for key, one in learned.profiles.items()},
            "drift": list(self.drift_notes_),
        }

    @property
    def is_fitted(self) -> bool:
        """Whether the pipeline can score."""
        return hasattr(self, "learned_")

    @property
    def calibrator_(self) -> Calibrator:
        """The calibrator of the only key, or the one that keys with few rows share."""
        return self._learned.calibrator

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`.

        Raises
        ------
        NotFittedError
            before :meth:`fit`.
        """
        spec, arrays = self._learned.state()
        spent, budget_arrays = (None, {}) if self.budgets_ is None else self.budgets_.state()
        own = {name: value for name, value in self.parameters().items() if name != "detector"}
        algorithm = self.detector if isinstance(self.detector, str) else name_of(self.detector)
        made = {} if isinstance(self.detector, str) else self.detector.parameters()
        return {
            "series": spec,
            "scorer": {"detector": {"name": algorithm, "parameters": made}},
            "parameters": {**own, "bounds": None if self.bounds is None else list(self.bounds), "detector": algorithm},
            "schema": self.schema_.to_dict(),
            "clock": asdict(self.clock_),
            "alpha": self.alpha_,
            "rows": self.rows_,
            "budget": spent,
        }, {**arrays, **budget_arrays}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; verdicts are equal, bit for bit."""
        bounds = spec["parameters"]["bounds"]
        pipeline = cls(**{**spec["parameters"], "bounds": None if bounds is None else tuple(bounds)})
        pipeline.learned_ = Learned.from_state(spec["series"], arrays)
        pipeline.schema_, pipeline.clock_ = Schema.from_dict(spec["schema"]), Clock(**spec["clock"])
        pipeline.alpha_, pipeline.rows_, pipeline.notes_ = spec["alpha"], spec["rows"], []
        pipeline.drift_notes_, pipeline.budget_notes_ = [], []
        spent = spec.get("budget")
        pipeline.budgets_ = None if spent is None else Budgets.from_state(spent, arrays)
        return pipeline

    @property
    def wishes(self) -> Wishes:
        """What counts as an alarm."""
        low, high = (None, None) if self.bounds is None else self.bounds
        return Wishes(self.direction, self.minimum_absolute, self.minimum_relative, low, high)

    def check_line(self) -> None:
        """Refuse a budget that cannot be read, or that another wish for the alarm line stands beside.

        Raises
        ------
        ParameterError
            naming both, or what can be written.
        """
        if self.budget is None:
            return
        Budget.of(self.budget)
        for name, usual in (("threshold", None), ("contamination", "auto")):
            if getattr(self, name) != usual:
                raise ParameterError(
                    f"budget={self.budget!r} and {name}={getattr(self, name)!r} both set the alarm line. Give one."
                )

    def _begin(self, frame: pl.DataFrame, schema: Schema) -> list[Track]:
        self.validate()
        self.wishes.check()
        check_zone(self.zone)
        self.check_line()
        column, self.schema_ = str(schema.timestamp), schema
        check_finite(frame, schema)
        self.clock_ = clock_of(frame[column], self.zone)
        tracks, notes = tracks_of(frame, self.schema_, self.clock_)
        check_history(max((len(one.series) for one in tracks), default=0), FEWEST_ROWS)
        self.budgets_ = None if self.budget is None else Budgets.of(self.budget, tracks, self.clock_)
        self.drift_notes_, self.budget_notes_ = [], []
        self.notes_ = [*clock_notes(frame[column], self.clock_), *notes]
        return tracks

    def _learn(self, tracks: list[Track], n_rows: int, progress: Progress, shown: Track | None = None) -> None:
        learning = Learning(self.detector, self.wishes, self._wish, self.clock_, tail=self.tail, offline=self.offline)
        self.learned_ = learning.learn(tracks, progress)
        first = next(iter(self.learned_.profiles.values())) if shown is None else profile_of(shown.series, self.clock_)
        self.notes_ += first.notes()
        self.alpha_, self.rows_ = self.learned_.alpha, n_rows

    def _checked(self, rows: Any) -> pl.DataFrame:
        """The frame without records in records, once it has the columns that are needed."""
        self._learned  # noqa: B018  an unfitted pipeline says so first
        frame: pl.DataFrame = flatten(as_frame(rows))
        needed = [str(self.schema_.timestamp), *self.schema_.key_columns]
        missing = [name for name in needed if name not in frame.columns]
        if missing:
            raise SchemaError(f"The model needs the column {missing[0]!r}; the data has {quoted(frame.columns)}.")
        self.schema_.check_names(frame.columns)
        check_finite(frame, self.schema_)
        return frame

    def _judged(
        self,
        frame: pl.DataFrame,
        first_row: int,
        *,
        keep: bool = False,
        learn_anomalies: bool = False,
        explain_all: bool = False,
    ) -> SeriesResult:
        width = len(self.schema_.features)
        found = Gathered(len(frame), width, self.alpha_, self.wishes, explain_all=explain_all)
        tracks = self._charted(found, frame, keep=keep, learn_anomalies=learn_anomalies)
        for track in tracks:
            model = self._learned.model(track.key, keep=keep)
            rule = Rule.by(model, self.alpha_)
            first, last = track.series.time[[0, -1]].tolist()
            if not keep and first < model.detector.until_ >= last:
                model = model.restarted()
            seen = model.seen(after_state(track.series, model.detector.until_, self.clock_, shift=not keep))
            scores = model.advance(seen, np.inf if learn_anomalies else rule.line)
            if keep:
                self._learned.remember(track, self.clock_)
            found.add(track.rows, seen, scores, model.counters, rule)
        self.drift_notes_ = self._learned.watch(tracks, found.p_value, keep=keep)
        if self.budgets_ is not None:
            every = tracks_of(frame, self.schema_, self.clock_, self._learned.steps())[0]
            found.hold(self.budgets_ if keep else self.budgets_.twin(), every)
        self.budget_notes_ = found.budget_notes
        return self._described(found.result(), frame, first_row)

    def _charted(self, found: Gathered, frame: pl.DataFrame, *, keep: bool, learn_anomalies: bool) -> list[Track]:
        """Judge the rows of keys that have a chart in flat arrays, or are new, all at once; return the other keys."""
        learned = self._learned
        keys = key_texts_of(frame, self.schema_.key_columns)
        in_charts = learned.in_charts(keys)
        if in_charts is None or not in_charts.any():
            return tracks_of(frame, self.schema_, self.clock_, learned.steps())[0]
        rule = Rule.of(learned.shared.calibrator, self.alpha_)
        rows, keys, series = rows_in_order(frame, self.schema_, self.clock_, keys, in_charts)
        say = learned.charts.advance if keep else learned.charts.score
        said = say(keys, series.values[:, 0], np.inf if learn_anomalies else rule.line)
        found.add(rows, series, scores_of(said, series.values), learned.shared.counters, rule)
        others = np.flatnonzero(~in_charts)
        if not len(others):
            return []
        tracks = tracks_of(frame[others], self.schema_, self.clock_, learned.steps())[0]
        return [replace(track, rows=others[track.rows]) for track in tracks]

    def _described(self, result: SeriesResult, frame: pl.DataFrame, first_row: int = 0) -> SeriesResult:
        return result.with_(
            row=np.arange(first_row, first_row + len(frame), dtype=np.int64),
            key=shown_key(frame, self.schema_.key_columns),
            time=frame[str(self.schema_.timestamp)],
        )

    @property
    def _wish(self) -> float | str:
        return self.budgets_.share if self.budgets_ is not None else self.threshold or self.contamination

    @property
    def _learned(self) -> Learned:
        if not self.is_fitted:
            raise NotFittedError("The pipeline is not fitted. Call fit first, or load a trained model.")
        return self.learned_


def _schema(
    frame: pl.DataFrame, timestamp: str | None, columns: Sequence[str] | None, key: str | Sequence[str] | None
) -> Schema:
    if timestamp is None:
        raise SchemaError("A series needs a column of time: name it with --timestamp (in Python: timestamp=).")
    return series_schema(frame, timestamp, columns=columns, key=key)
