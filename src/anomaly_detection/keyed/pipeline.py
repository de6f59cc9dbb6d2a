"""A pipeline with a model per key: one for each key with enough rows, coarser ones for the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from anomaly_detection.base import Range
from anomaly_detection.calibration import Calibrator, Ranks, check_rows
from anomaly_detection.detectors.labels import need_streaming
from anomaly_detection.errors import ParameterError, SchemaError
from anomaly_detection.explain.tables import checked_rows
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.keys import key_of, key_text
from anomaly_detection.features.nesting import flatten
from anomaly_detection.frames import row_numbers
from anomaly_detection.keyed import saved
from anomaly_detection.keyed._surprise_kernels import many_surprises, one_surprise
from anomaly_detection.keyed.learning import Learned, Learning
from anomaly_detection.pipeline import Pipeline, silent
from anomaly_detection.records import named_columns
from anomaly_detection.thresholds import benjamini_hochberg, choose_alpha, named
from anomaly_detection.verdicts import judge, judge_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.detectors import Detector
    from anomaly_detection.explain import Explanation
    from anomaly_detection.keyed.judge import Judge
    from anomaly_detection.keyed.routes import Routes
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.records import Schema
    from anomaly_detection.results import Result, Verdict

MIN_ROWS = 300
"""From this many rows on a key has a model of its own."""

MAX_MODELS = 500
"""At most so many keys have a model of their own."""

ALL = "all"
"""The name of the level that is about all rows."""


class KeyNames:
    """The rule for ``key``."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        if value is None or isinstance(value, str):
            return None
        if isinstance(value, Sequence | np.ndarray) and all(isinstance(name, str) for name in value):
            return None
        return "must be the name of a column, or a list of names from the coarsest to the finest"


class KeyedPipeline(Pipeline):
    """A model for each key with enough rows, coarser ones for the others, behind one pipeline.

    Every record belongs to a key: a host, a shop, a region and a host. What is normal for one key may be an anomaly
    in another, so a *dense* key, one with at least ``min_rows`` rows, gets a model of its own where held-out rows say
    that it is different: with n rows the key weighs ``n d / (1 + (n - 1) d)`` against the others, where d says how far
    rows of other keys, moved to where it lies, stand out in its model (the squared Kolmogorov distance of their scores
    from the key's own, less what chance gives). Below one half it is treated like the others.

    The others, *sparse* keys above all, share a model of the next coarser key (all hosts of the region), or of all
    rows. It sees rows less what is usual for their key: medians of the number columns, shrunk by how few rows the key
    has and how little keys differ in the column. How surprising a row is is then held against what its key has seen,
    as far as keys differ in that, too; a key that is odd as a whole is no alarm. A key that was never seen is answered
    by a model of rows as they are.

    All p-values are calibrated on rows that were held out: those of a dense key on its own, those of sparse keys on
    keys with about as many rows, those of unknown keys on the keys that share the level.

    Scores are surprises, ``-ln p``: those of different models can be compared.

    Parameters
    ----------
    key : the column of the key, or several from the coarsest to the finest; the schema's when not given.
    detector, contamination, threshold, calibration, tail, scaling, transforms, random_state : of every model, as in
        :class:`~anomaly_detection.pipeline.Pipeline`. With ``"auto"`` or a threshold, α is the mean over the models'
        own, weighted by the rows they answer for.
    min_rows : from this many rows on a key has a model of its own.
    max_models : at most so many keys have one, those with the most rows.

    Attributes
    ----------
    judges_ : the levels, the one of all rows first.
    schema_, alpha_, rows_, held_out_ : as in :class:`~anomaly_detection.pipeline.Pipeline`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"host": np.repeat(["a", "b"], 500), "load": rng.normal(np.repeat([10, 50], 500))})
    >>> pipeline = KeyedPipeline("host", contamination=0.01).fit(frame)
    >>> [pipeline.detect_one({"host": host, "load": 50}).is_anomaly for host in ("a", "b")]
    [True, False]
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        **Pipeline.constraints,
        "key": KeyNames(),
        "min_rows": Range(20, 1_000_000_000, integer=True),
        "max_models": Range(0, 100_000, integer=True),
    }

    judges_: list[Judge]
    routes_: Routes

    def __init__(
        self,
        key: str | Sequence[str] | None = None,
        detector: str | Detector = "isolation_forest",
        contamination: float | str = "auto",
        threshold: str | None = None,
        calibration: str = "auto",
        tail: bool = True,
        scaling: str = "standard",
        transforms: Sequence[str] = (),
        random_state: int = 0,
        min_rows: int = MIN_ROWS,
        max_models: int = MAX_MODELS,
    ) -> None:
        super().__init__(detector, contamination, threshold, calibration, tail, scaling, transforms, random_state)
        self.key = key
        self.min_rows = min_rows
        self.max_models = max_models

    @classmethod
    def of(cls, pipeline: Pipeline, key: str | Sequence[str] | None, min_rows: int = MIN_ROWS) -> Self:
        """One in which every model is like a given, unfitted one."""
        return cls(key, **pipeline.parameters(), min_rows=min_rows)

    def validate(self) -> None:
        """Check every parameter, and that the detector can answer for rows of other models.

        Raises
        ------
        ParameterError
            naming the first parameter that is out of range, its value and what has to hold.
        InputError
            for a detector that is labelled batch only, with the algorithm to use instead.
        """
        super().validate()
        need_streaming(self.detector, "A model per key", "leave out --per-key (in Python: key=)")

    def fit(
        self,
        frame: pl.DataFrame,
        schema: Schema | None = None,
        progress: Progress = silent,
        *,
        like: Pipeline | None = None,  # noqa: ARG002  a pipeline of pipelines is like no other
    ) -> Self:
        """Learn what is normal for each key, calibrate on held-out rows, and set the alarm line.

        Raises
        ------
        ParameterError
            if a parameter is out of range, or α is finer than the calibration rows resolve and the tail is off.
        SchemaError
            if there is no key, a key column cannot be one, or the frame has no usable columns.
        InputError
            if there are fewer than 8 rows.
        """
        self._learn_levels(flatten(frame), schema, progress)
        return self

    def fit_detect(self, frame: pl.DataFrame, schema: Schema | None = None, progress: Progress = silent) -> Result:
        """Fit on a frame and give verdicts on its own rows.

        A row's p-value is the rank of its surprise among all rows, as in
        :meth:`Pipeline.fit_detect <anomaly_detection.pipeline.Pipeline.fit_detect>`: at a given α that share of the
        rows is flagged, wherever they are.
        """
        frame = flatten(frame)
        self._learn_levels(frame, schema, progress)
        which, surprises, p_values = self._own_rows(frame)
        scores = many_surprises(p_values) + 1e-9 * np.argsort(np.argsort(surprises)) / len(frame)  # ties keep an order
        ranks = Ranks(scores, tail=self.tail)
        wish = self._wish()
        line = self.alpha_ if isinstance(wish, str) else choose_alpha(wish, ranks, scores)
        result = judge(scores, ranks.p_value(scores, line), line, len(scores))
        return self._levelled(result, frame, which)

    def score(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n,) the surprise of each row, ``-ln p``; higher is more anomalous."""
        return many_surprises(self._p_values(self._keyed(frame))[0])

    def detect(self, frame: pl.DataFrame, *, fdr: float | None = None, first_row: int = 0) -> Result:
        """Give verdicts on the rows of a frame; see :meth:`Pipeline.detect`.

        Raises
        ------
        SchemaError
            if the frame lacks a column that is needed, one of the key included.
        """
        frame = self._keyed(frame)
        p_values, at, known = self._p_values(frame)
        alpha = self.alpha_ if fdr is None else benjamini_hochberg(p_values, fdr)[1]
        return self._levelled(judge(many_surprises(p_values), p_values, alpha, known), frame, at, first_row)

    def detect_one(self, record: Mapping[str, Any]) -> Verdict:
        """Give the verdict on one record; the same bits as in a batch, without building a frame."""
        level, which = self._judging(record)
        p_value = level.p_value_one(record, which)
        return judge_one(one_surprise(p_value), p_value, self.alpha_, level.known_rows(which))

    def update(self, frame: pl.DataFrame, *, learn_anomalies: bool = False) -> Result:  # noqa: ARG002
        """Refuse: who is dense, and what is usual for whom, is learned from whole tables.

        Raises
        ------
        ParameterError
            always.
        """
        raise ParameterError(
            "A model per key does not go on learning record by record. Fit it anew on the latest rows, or use a model "
            "without a key for a stream."
        )

    def contributions(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """(n, columns) how much each of the user's columns adds to the score of each row in its model."""
        frame, names = self._keyed(frame), self.contribution_names
        found = np.zeros((len(frame), len(names)))
        for model, rows in self._models(frame):
            columns = np.array([names.index(name) for name in model.contribution_names])
            found[rows[:, None], columns] = model.contributions(frame[rows])
        return found

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
        """Why rows scored as they did, as the models see it that judge them; see :meth:`Pipeline.explain`."""
        frame = self._keyed(frame)
        chosen = checked_rows(row_numbers(rows, len(frame)), len(frame))
        line = self.alpha_ if alpha is None else alpha
        found: dict[int, Explanation] = {}
        for model, part in self._models(frame[chosen]):
            numbers = [chosen[place] for place in part.tolist()]
            told = model.explain(frame, numbers, most, actionable, alpha=line, among=among, brief=brief)
            found |= dict(zip(part.tolist(), told, strict=True))
        return [found[place] for place in range(len(chosen))]

    def explain_record(
        self, record: Mapping[str, Any], most: int = 3, actionable: Sequence[str] | None = None
    ) -> Explanation:
        """Why one record scored as it did, as the model sees it that judges it."""
        level, which = self._judging(record)
        return level.model_of(which, self.alpha_).explain_record(record, most, actionable)

    def level_of(self, record: Mapping[str, Any]) -> str:
        """The name of the level that judges a record."""
        return self.level_name(self._judging(record)[0].level)

    def level_name(self, level: int) -> str:
        """What a level is called: the columns of the key that it tells apart.

        >>> KeyedPipeline(["region", "host"]).level_name(2)
        'region/host'
        """
        columns = self.schema_.key_columns if self.is_fitted else named_columns(self.key)
        return "/".join(columns[:level]) or ALL

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        self._scorer  # noqa: B018
        spec, arrays = saved.packed(self.judges_, self.routes_)
        key = self.key if self.key is None or isinstance(self.key, str) else list(self.key)
        return {
            "parameters": {**self._own_parameters(), "key": key},
            "schema": self.schema_.to_dict(),
            "alpha": self.alpha_,
            "rows": self.rows_,
            "evidence": self.evidence(),
            **spec,
        }, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; scores are equal, bit for bit."""
        judges, routes = saved.unpacked(spec, arrays)
        parameters = {**spec["parameters"], "transforms": tuple(spec["parameters"]["transforms"])}
        pipeline = cls(**parameters, detector=judges[0].pipeline.detector)
        pipeline._take(judges, routes, spec["alpha"], spec["rows"])
        return pipeline

    def evidence(self) -> dict[str, Any]:
        """How it is made up, for people and for JSON: the levels, the models, and what each weighs."""
        names = [self.level_name(level) for level in range(len(self.schema_.key_columns) + 1)]
        return saved.described(self.judges_, self.routes_, names)

    def _learn_levels(self, frame: pl.DataFrame, schema: Schema | None, progress: Progress) -> None:
        self.validate()
        check_rows(len(frame))
        if self.threshold is not None:
            named(self.threshold)
        schema = schema or infer_schema(frame, key=self.key)
        if not schema.key_columns:
            raise SchemaError("A model per key needs a key. Say with --key (in Python: key=) what a record is about.")
        learned = Learning(
            self._blank, frame, schema, self._enough_rows(), int(self.max_models), self.random_state, progress
        ).learn()
        self._take_learned(learned, len(frame))

    def _take_learned(self, learned: Learned, n_rows: int) -> None:
        self._take(learned.judges, learned.routes, learned.alpha, n_rows)
        self.held_out_ = learned.held_out

    def _take(self, judges: list[Judge], routes: Routes, alpha: float, n_rows: int) -> None:
        every = judges[0].pipeline
        self.judges_, self.routes_ = judges, routes
        self.schema_, self.scorer_ = every.schema_, every.scorer_
        self.background_ = every.background_
        self.alpha_, self.rows_ = alpha, n_rows
        known = sum(level.pool.n_ for level in judges)
        self.calibrator_ = Calibrator().restore({"ordered_": np.zeros(known), "tail_": np.array([0.0, 1.0, 1.0, 0.0])})

    def _blank(self) -> Pipeline:
        own = self.parameters()
        return Pipeline(**{name: own[name] for name in Pipeline.parameter_names()})

    def _enough_rows(self) -> int:
        """Without a tail, a model has to resolve α by its rows alone."""
        resolved = 0 if self.tail or isinstance(self.contamination, str) else math.ceil(1.0 / self.contamination)
        return max(int(self.min_rows), resolved)

    def _keyed(self, frame: pl.DataFrame) -> pl.DataFrame:
        frame = self._flat(frame)
        key_text(frame.head(0), self.schema_.key_columns)
        return frame

    def _routed(self, frame: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.routes_.of(key_text(frame, self.schema_.key_columns))

    def _judging(self, record: Mapping[str, Any]) -> tuple[Judge, int]:
        """The level that judges a record, and which of the keys it knows the record is of."""
        self._scorer  # noqa: B018  an unfitted pipeline says so first
        at, which = self.routes_.find(key_of(record, self.schema_.key_columns))
        return self.judges_[at], which

    def _models(self, frame: pl.DataFrame) -> Iterator[tuple[Pipeline, NDArray[np.int64]]]:
        """The model of each key that comes, in the units of its rows, and these rows."""
        at, which = self._routed(frame)
        for number, rows in parts(at):
            for key, some in parts(which[rows]):
                yield self.judges_[number].model_of(key, self.alpha_), rows[some]

    def _p_values(self, frame: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """(n,) each: the p-value, the level, and how many rows the p-value was estimated from."""
        at, which = self._routed(frame)
        p_values, known = np.empty(len(frame)), np.empty(len(frame), dtype=np.int64)
        for number, rows in parts(at):
            level = self.judges_[number]
            p_values[rows] = level.p_values(frame[rows], which[rows])
            known[rows] = [level.known_rows(one) for one in which[rows].tolist()]
        return p_values, at, known

    def _own_rows(self, frame: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """(n,) each: the level, the surprise, and the p-value of each row that was learned from."""
        text = key_text(frame, self.schema_.key_columns)
        at, which = self.routes_.of(text)
        surprises, p_values = np.empty(len(frame)), np.empty(len(frame))
        for number, rows in parts(at):
            level = self.judges_[number]
            surprises[rows], p_values[rows] = level.own_rows(frame[rows], which[rows])
        return at, surprises, p_values

    def _levelled(self, result: Result, frame: pl.DataFrame, at: NDArray[np.int64], first_row: int = 0) -> Result:
        names = pl.Series("level", [self.level_name(level.level) for level in self.judges_], dtype=pl.String)
        return self._described(result, frame, first_row).with_(level=names.gather(at))


def parts(codes: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each code that comes, ascending, and the rows that have it, ascending."""
    order = np.argsort(codes, kind="stable")
    known, starts = np.unique(codes[order], return_index=True)
    yield from zip(known.tolist(), np.split(order, starts[1:]), strict=False)  # no codes split into one empty part
