"""From rows to the levels of a keyed pipeline: models for dense keys, the evidence for them, and the calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.keys import coarser, finest, key_texts
from anomaly_detection.keyed.evidence import difference, reliability
from anomaly_detection.keyed.grouping import codes_of, dense_keys, even_share, evenly, rows_of, without_gaps
from anomaly_detection.keyed.judge import Judge, Shared, bands_of, own_p_values
from anomaly_detection.keyed.peers import Usual
from anomaly_detection.keyed.routes import Routes
from anomaly_detection.keyed.translation import thinned

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.records import Schema

EVEN_ROWS = 10_000
"""A model of many keys learns from as even a share of each as still gives it so many rows."""

MOST_KEYS = 100_000
"""What is usual is kept for at most so many keys of a level, those with the most rows."""

MOST_PAST = 256
"""At most so many rows of a key are known one by one,"""

LEAST_PAST = 16
"""and at least so many,"""

ALL_PAST = 1_000_000
"""so that all keys of a level together have about this many."""

FOREIGN = 300
"""A key's model is tried on so many rows of other keys."""

NORMAL_ROWS = 32
"""So many normal rows are kept to explain what a key's model says."""

FEWEST_SAY = 0.5
"""A model whose rows weigh less than this against those of all keys is left out."""


@dataclass(slots=True)
class Fitted:
    """A model and the rows it was fitted on: ascending row numbers, and the p-values of those that were held out."""

    pipeline: Pipeline
    rows: NDArray[np.int64]
    held: NDArray[np.float64]

    @classmethod
    def on(cls, pipeline: Pipeline, rows: NDArray[np.int64]) -> Fitted:
        """With the p-values of the scores that calibrated it; NaN where a row was not needed."""
        scores = pipeline.held_out_
        held = np.full(len(scores), np.nan)
        known = ~np.isnan(scores)
        held[known] = pipeline.calibrator_.p_value(scores[known])
        return cls(pipeline, rows, held)

    def surprises(self, frame: pl.DataFrame, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """``-ln p`` of rows of the frame.

        Held out where the model was calibrated on them; else the model has more than 10,000 rows or has not seen the
        row, and whether it has makes no difference.
        """
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        found = np.where(self.rows[places] == rows, self.held[places], np.nan)
        missing = np.isnan(found)
        if missing.any():
            found[missing] = own_p_values(self.pipeline, frame[rows[missing]])
        return -np.log(found)

    def held_rows(self) -> NDArray[np.int64]:
        """The rows that were held out."""
        return self.rows[~np.isnan(self.held)]


@dataclass(slots=True)
class Moved:
    """The rows within a level, each less what is usual for its key, and a model of them.

    Parameters
    ----------
    inside : the rows within the level, ascending.
    keys : the codes of the keys within the level, ascending.
    codes : (n,) which of these keys each row is of.
    usual : what is usual for each of these keys.
    frame : the rows, moved.
    fitted : the model; its rows are places within ``inside``.
    """

    inside: NDArray[np.int64]
    keys: NDArray[np.int64]
    codes: NDArray[np.int64]
    usual: Usual
    frame: pl.DataFrame
    fitted: Fitted


@dataclass(slots=True)
class Learned:
    """The levels, where each key is answered, the alarm line, and the surprise of rows that were held out."""

    judges: list[Judge]
    routes: Routes
    alpha: float
    held_out: NDArray[np.float64]


@dataclass(slots=True)
class Learning:
    """Learns the levels of one table.

    Parameters
    ----------
    blank : makes an unfitted model.
    frame, schema : the rows, flat, and which column is what.
    min_rows, max_models : which keys are dense.
    seed : of the calibration.
    progress : is told how far it is.
    """

    blank: Callable[[], Pipeline]
    frame: pl.DataFrame
    schema: Schema
    min_rows: int
    max_models: int
    seed: int
    progress: Progress
    texts: list[pl.Series] = field(init=False)
    text: pl.Series = field(init=False)
    codes: NDArray[np.int64] = field(init=False)
    held_out: NDArray[np.float64] = field(init=False)
    routes: Routes = field(default_factory=Routes)
    judges: list[Judge] = field(default_factory=list)
    fitted: list[Fitted] = field(default_factory=list)
    moved: dict[int, Moved] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.texts = key_texts(self.frame, self.schema.key_columns)
        self.text = finest(self.texts)
        self.codes = codes_of(self.text)
        self.held_out = np.full(len(self.frame), np.nan)

    def learn(self) -> Learned:
        """Fit all levels, coarse to fine, then calibrate each on the rows that it answers for."""
        self._fit_all_rows()
        self._fit_keys()
        who = self.routes.of(self.text)[0]
        for at, judge in enumerate(self.judges):
            rows = np.flatnonzero(who == at)
            judge.answered = len(rows)
            self._calibrate(at, rows)
        weights = np.array([judge.answered for judge in self.judges], dtype=np.float64)
        alpha = float(np.average([judge.pipeline.alpha_ for judge in self.judges], weights=weights))
        return Learned(self.judges, self.routes, alpha, self.held_out)

    def _fit_all_rows(self) -> None:
        rows = self._even_rows(np.arange(len(self.frame), dtype=np.int64))
        self._keep(Judge(0, None, self.blank().fit(self.frame[rows], self.schema, self.progress)), rows)

    def _fit_keys(self) -> None:
        """A model for each dense key, kept where the evidence gives it a say."""
        keys = sorted(dense_keys(self.texts, self.min_rows, self.max_models))
        rows_by_key = rows_of(self.texts, keys)
        for done, (level, key) in enumerate(keys):
            self.progress("fitting a model per key", done, len(keys))
            rows = rows_by_key[key] if level == len(self.texts) else self._even_rows(rows_by_key[key])
            pipeline = self.blank().fit(self.frame[rows], self.schema, like=self.judges[0].pipeline)
            above = self.routes.judge_of(coarser(key))
            foreign = self._foreign(above, rows_by_key[key], whole=level == len(self.texts))
            apart = difference(pipeline.held_out_[~np.isnan(pipeline.held_out_)], pipeline.score(foreign))
            weight = reliability(len(rows), apart)
            if weight >= FEWEST_SAY:
                self.routes.add_judge(key, len(self.judges))
                self._keep(Judge(level, key, pipeline, weight, apart), rows)

    def _keep(self, judge: Judge, rows: NDArray[np.int64]) -> None:
        judge.pipeline.monitor_ = None  # it is the calibration by level that promises
        self.judges.append(judge)
        self.fitted.append(Fitted.on(judge.pipeline, rows))
        if judge.level:
            thinned(judge.pipeline, NORMAL_ROWS)

    def _foreign(self, above: int, rows: NDArray[np.int64], *, whole: bool) -> pl.DataFrame:
        """Rows of other keys out of the next coarser level; those held against a whole key as they would be in it."""
        others = np.setdiff1d(self.fitted[above].rows, rows, assume_unique=True)
        chosen = np.sort(np.random.default_rng(self.seed).permutation(others)[:FOREIGN])
        if not whole:
            return self.frame[chosen]
        moved = self._moved(above)
        key = int(np.searchsorted(moved.keys, self.codes[rows[0]]))
        return moved.usual.moved_to(moved.frame[np.searchsorted(moved.inside, chosen)], key)

    def _even_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        codes = without_gaps(self.codes[rows])
        return rows[evenly(codes, max(self.min_rows, even_share(codes, EVEN_ROWS)), self.seed)]

    def _some_of_each(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        codes = without_gaps(self.codes[rows])
        most = int(np.clip(ALL_PAST // (int(codes.max()) + 1), LEAST_PAST, MOST_PAST))
        return rows[evenly(codes, most, self.seed)]

    def _calibrate(self, at: int, rows: NDArray[np.int64]) -> None:
        """Calibrate one level on rows that it answers for, or on its own where it answers for none."""
        judge, fitted = self.judges[at], self.fitted[at]
        shares = judge.level < len(self.texts) and len(rows) > 0
        known = self._some_of_each(rows) if shares else fitted.held_rows()
        self.held_out[known] = -np.log(judge.calibrate(fitted.surprises(self.frame, known)))
        if shares:
            self._share(at, known[_of_most_keys(self.codes[known], self.text[known].is_not_null().to_numpy())])

    def _share(self, at: int, rows: NDArray[np.int64]) -> None:
        """Let a level know the keys that it answers for, from some rows of each."""
        if not len(rows):
            return
        keys, first, codes = np.unique(self.codes[rows], return_index=True, return_inverse=True)
        moved = self._moved(at)
        places = np.searchsorted(moved.keys, keys)
        bands = bands_of(np.bincount(moved.codes)[places])
        shared = Shared(moved.usual.of(places), moved.fitted.pipeline, bands)
        surprises = moved.fitted.surprises(moved.frame, np.searchsorted(moved.inside, rows))
        self.held_out[rows] = -np.log(shared.calibrate(surprises, codes.astype(np.int64)))
        self.judges[at].shared = shared
        self.routes.add_past(at, self.text[rows[first]].to_list())

    def _moved(self, at: int) -> Moved:
        """The rows within a level, less what is usual for their keys."""
        if at not in self.moved:
            judge, fitted = self.judges[at], self.fitted[at]
            inside = self._inside(judge)
            keys, codes = np.unique(self.codes[inside], return_inverse=True)
            codes, frame = codes.astype(np.int64), self.frame[inside]
            numbers = [column.name for column in self.schema.features if column.kind == "number"]
            usual = Usual.learn(frame, codes, numbers)
            places = np.searchsorted(inside, fitted.rows)
            alike = Fitted(judge.pipeline, places, fitted.held)
            if usual.columns:
                frame = usual.moved_by_others(frame, codes)
                alike = Fitted.on(self.blank().fit(frame[places], self.schema, like=judge.pipeline), places)
            self.moved[at] = Moved(inside, keys, codes, usual, frame, alike)
        return self.moved[at]

    def _inside(self, judge: Judge) -> NDArray[np.int64]:
        if judge.key is None:
            return np.arange(len(self.frame), dtype=np.int64)
        return (self.texts[judge.level - 1] == judge.key).fill_null(value=False).arg_true().to_numpy().astype(np.int64)


def _of_most_keys(codes: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows have a key, one of those with the most rows where there are very many."""
    counts = np.bincount(codes[known], minlength=int(codes.max()) + 1)
    chosen = np.argsort(-counts, kind="stable")[:MOST_KEYS]
    return known & np.isin(codes, chosen)
