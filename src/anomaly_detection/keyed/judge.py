"""One level of a keyed pipeline: a model and everything that turns its scores into p-values for the keys it answers."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.calibration import Calibrator, Ranks
from anomaly_detection.keyed._surprise_kernels import (
    many_surprises,
    many_tempered,
    one_surprise,
    one_tempered,
    without_themselves,
)
from anomaly_detection.keyed.evidence import intraclass
from anomaly_detection.keyed.translation import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.keyed.peers import Usual
    from anomaly_detection.pipeline import Pipeline

NO_PAST = -1
"""What stands for a key whose rows are not known one by one."""

MOST_CALIBRATION = 10_000
"""The most rows whose surprise is kept to calibrate one level."""


BAND_EDGES = (4, 16, 64)
"""Keys with about as many rows are calibrated together: a band begins at each of these."""

FEWEST_OF_BAND = 500
"""A band with fewer rows is none of its own."""

OWN_TAIL = 10
"""So many of the largest scores of rows that were learned from are held against the others only."""


@dataclass(slots=True, eq=False)
class Past:
    """What the keys that share a model were like: the surprise of some rows of each, and how much keys differ.

    Parameters
    ----------
    surprises : (n,) key after key, ascending within each.
    starts : (keys + 1,) where each key begins.
    share : the share of the variance of surprise that lies between keys, in [0, 1].
    """

    surprises: NDArray[np.float64]
    starts: NDArray[np.int64]
    share: float

    @classmethod
    def learn(
        cls, surprises: NDArray[np.float64], codes: NDArray[np.int64], bands: NDArray[np.int64]
    ) -> tuple[Past, NDArray[np.int64]]:
        """The past of each key, and the order that the rows were put in.

        Parameters
        ----------
        surprises : (n,) of rows that were held out.
        codes : (n,) the key of each, 0 and on; every code comes.
        bands : (keys,) the band of each key; surprise is compared within a band.
        """
        order = np.lexsort((surprises, codes)).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
        ranks = np.empty(len(surprises))
        for band in np.unique(bands):
            inside = bands[codes] == band
            ranks[inside] = np.searchsorted(np.sort(surprises[inside]), surprises[inside], side="right") / inside.sum()
        return cls(surprises[order], starts, intraclass(ranks, codes)), order

    def part(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which rows are those of some keys, and where each of these keys begins among them."""
        counts = np.diff(self.starts)
        return np.repeat(chosen, counts), np.concatenate([[0], np.cumsum(counts[chosen])]).astype(np.int64)


@dataclass(slots=True, eq=False)
class Band:
    """What surprise is usual among keys with about as many rows, before and after it is held against a key's past."""

    among: Calibrator
    final: Calibrator


@dataclass(slots=True, eq=False)
class Shared:
    """How a level judges the sparse keys that it knows.

    What is usual for a key is the less certain, the fewer rows it has, so keys are calibrated with their like.

    Parameters
    ----------
    usual : what is usual for each of these keys.
    pipeline : a model of rows less what is usual for their keys; the level's own where keys do not differ in that.
    band_of : (keys,) the band of each key.
    past : what surprise each of these keys has seen.
    bands : keys with few rows first.
    """

    usual: Usual
    pipeline: Pipeline
    band_of: NDArray[np.int64]
    past: Past = field(default_factory=lambda: Past(np.empty(0), np.zeros(1, dtype=np.int64), 0.0))
    bands: list[Band] = field(default_factory=list)

    def calibrate(self, surprises: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Learn what surprise each key has seen, from held-out rows, and give their p-values as :meth:`own_rows` does.

        Parameters
        ----------
        surprises : (n,) of moved rows.
        codes : (n,) the key of each, 0 and on; every code comes.
        """
        tail = self.pipeline.tail
        self.past = Past.learn(surprises, codes, self.band_of)[0]
        for number in range(int(self.band_of.max()) + 1):
            among = Calibrator(tail=tail).fit(_evenly(surprises[self.band_of[codes] == number]))
            tempered = self._without_themselves(self.past, self.band_of == number, among)[1]
            self.bands.append(Band(among, Calibrator(tail=tail).fit(_evenly(tempered))))
        return self.own_rows(surprises, codes, np.arange(len(self.band_of)))

    def own_rows(
        self, surprises: NDArray[np.float64], codes: NDArray[np.int64], keys: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """(n,) the p-values of rows, each held against the others of its key among them; ``keys`` says which it is."""
        bands = self.band_of[keys]
        past, order = Past.learn(surprises, codes, bands)
        past.share = self.past.share
        ordered = np.empty(len(surprises))
        for number, band in enumerate(self.bands):
            if (bands == number).any():
                inside, tempered = self._without_themselves(past, bands == number, band.among)
                ordered[inside] = as_if_new(band.final, tempered)
        p_values = np.empty(len(surprises))
        p_values[order] = ordered
        return p_values

    def p_values(self, frame: pl.DataFrame, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) the p-value of each row; ``which`` of the keys each is of."""
        return self.held_against(many_surprises(own_p_values(self.pipeline, self.usual.moved(frame, which))), which)

    def held_against(self, surprises: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) the p-value of each surprise, given the past of its key and of keys with about as many rows."""
        p_values, past = np.empty(len(surprises)), self.past
        for number, band in enumerate(self.bands):
            rows = np.flatnonzero(self.band_of[which] == number)
            among = band.among
            p_values[rows] = band.final.p_value(
                many_tempered(
                    surprises[rows], which[rows], among.ordered_, among.tail_, past.surprises, past.starts, past.share
                )
            )
        return p_values

    def p_value_one(self, record: Mapping[str, Any], which: int) -> float:
        """The same of one record, bit for bit."""
        surprise = one_surprise(_own_p_value(self.pipeline, self.usual.moved_record(record, which)))
        band, past = self.bands[int(self.band_of[which])], self.past
        among, start, stop = band.among, int(past.starts[which]), int(past.starts[which + 1])
        return band.final.p_value_one(
            one_tempered(surprise, among.ordered_, among.tail_, past.surprises, start, stop, past.share)
        )

    def _without_themselves(
        self, past: Past, keys: NDArray[np.bool_], among: Calibrator
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which rows of a past are those of some keys, and what is left of their surprise."""
        inside, starts = past.part(keys)
        rows = past.surprises[inside]
        return inside, without_themselves(among.ordered_, among.tail_, rows, starts, past.share)


def bands_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(keys,) the band of each key, 0 and on, by how many rows it has; every band has rows enough to calibrate.

    >>> bands_of(np.array([1, 2, 200, 300, 500])), bands_of(np.array([3, 3]))
    (array([0, 0, 0, 0, 0]), array([0, 0]))
    """
    edges: list[int] = []
    for edge in BAND_EDGES:
        below = rows[(rows < edge) & (rows >= (edges[-1] if edges else 0))]
        if min(int(below.sum()), int(rows[rows >= edge].sum())) >= FEWEST_OF_BAND:
            edges.append(edge)
    return np.searchsorted(edges, rows, side="right").astype(np.int64)


@dataclass(slots=True, eq=False)
class Judge:
    """A model of all rows, of a coarser key, or of a key.

    Parameters
    ----------
    level : how many columns of the key it is about; 0 is all rows.
    key : the text of that key; None for all rows.
    pipeline : the model.
    weight : what the evidence says that its rows weigh against those of all keys, in [0, 1].
    difference : how much rows of other keys stand out in the own model, in [0, 1].
    answered : how many training rows it answers for.
    pool : what surprise is usual for a key that it knows nothing of, or for its only one.
    shared : how it judges the sparse keys that it knows, if there are any.
    """

    level: int
    key: str | None
    pipeline: Pipeline
    weight: float = 1.0
    difference: float = 0.0
    answered: int = 0
    pool: Calibrator = field(default_factory=Calibrator)
    shared: Shared | None = None

    def calibrate(self, surprises: NDArray[np.float64]) -> NDArray[np.float64]:
        """Learn what surprise is usual, from held-out rows, and give their own p-values."""
        self.pool = Calibrator(tail=self.pipeline.tail).fit(_evenly(surprises))
        return self.pool.p_value(surprises)

    def p_values(self, frame: pl.DataFrame, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) the calibrated p-value of each row; ``which`` of the keys it knows the row is of, or :data:`NO_PAST`."""
        p_values = np.empty(len(frame))
        strange, known = np.flatnonzero(which == NO_PAST), np.flatnonzero(which != NO_PAST)
        if len(strange):
            p_values[strange] = self.pool.p_value(many_surprises(own_p_values(self.pipeline, frame[strange])))
        if self.shared is not None and len(known):
            p_values[known] = self.shared.p_values(frame[known], which[known])
        return p_values

    def p_value_one(self, record: Mapping[str, Any], which: int) -> float:
        """The same of one record, bit for bit."""
        if self.shared is None or which == NO_PAST:
            return self.pool.p_value_one(one_surprise(_own_p_value(self.pipeline, record)))
        return self.shared.p_value_one(record, which)

    def own_rows(
        self, frame: pl.DataFrame, which: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) each: the surprise and the p-value of the rows it learned from, held against the others of their key."""
        surprises, p_values = np.empty(len(frame)), np.empty(len(frame))
        strange, known = np.flatnonzero(which == NO_PAST), np.flatnonzero(which != NO_PAST)
        if len(strange):
            surprises[strange] = _own_surprises(self.pipeline, frame[strange])
            p_values[strange] = as_if_new(self.pool, surprises[strange])
        if self.shared is not None and len(known):
            keys, codes = np.unique(which[known], return_inverse=True)
            codes = codes.astype(np.int64)
            moved = self.shared.usual.moved_by_others(frame[known], codes)
            surprises[known] = _own_surprises(self.shared.pipeline, moved)
            p_values[known] = self.shared.own_rows(surprises[known], codes, keys)
        return surprises, p_values

    def model_of(self, which: int, alpha: float) -> Pipeline:
        """The model that judges a key, in the units of its rows, and by the p-values of the verdicts."""
        if self.shared is None or which == NO_PAST:
            found = copy.copy(self.pipeline)
        else:
            found = translated(self.shared.pipeline, self.shared.usual, which)
        found.ranks_ = Verdicts(self, which), alpha
        return found

    def p_values_of(self, scores: NDArray[np.float64], which: int) -> NDArray[np.float64]:
        """(n,) what the scores of a key's rows in the model that judges it mean."""
        if self.shared is None or which == NO_PAST:
            return self.pool.p_value(many_surprises(self.pipeline.calibrator_.p_value(scores)))
        surprises = many_surprises(self.shared.pipeline.calibrator_.p_value(scores))
        return self.shared.held_against(surprises, np.full(len(scores), which))

    def known_rows(self, which: int) -> int:
        """How many rows a p-value is estimated from."""
        if self.shared is None or which == NO_PAST:
            return self.pool.n_
        return self.shared.bands[int(self.shared.band_of[which])].final.n_


class Verdicts(Ranks):
    """The p-values that explanations of a key's rows go by, from raw scores.

    Parameters
    ----------
    judge : the level that judges the key.
    which : of the keys it knows, or :data:`NO_PAST`.
    """

    def __init__(self, judge: Judge, which: int) -> None:
        self._judge, self._which = judge, which

    def p_value(self, scores: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:  # noqa: ARG002
        """(m,) the p-values of raw scores; they do not depend on the line."""
        return self._judge.p_values_of(scores, self._which)


def own_p_values(pipeline: Pipeline, frame: pl.DataFrame) -> NDArray[np.float64]:
    """(n,) the p-value of each row in one model alone."""
    return pipeline.calibrator_.p_value(pipeline.score(frame))


def as_if_new(calibrator: Calibrator, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the p-values of rows that the calibrator was fitted on, the largest as if it had not been.

    A score that lies far out makes the tail heavy that it is held against, the more so the fewer rows there are.
    """
    p_values, ordered = calibrator.p_value(scores), calibrator.ordered_
    for rank, row in enumerate(np.argsort(-scores, kind="stable")[: min(OWN_TAIL, len(ordered) - 1)]):
        others = Calibrator(calibrator.tail).fit(np.delete(ordered, len(ordered) - 1 - rank))
        p_values[row] = others.p_value_one(scores[row])
    return p_values


def _own_surprises(pipeline: Pipeline, frame: pl.DataFrame) -> NDArray[np.float64]:
    return many_surprises(as_if_new(pipeline.calibrator_, pipeline.score(frame)))


def _own_p_value(pipeline: Pipeline, record: Mapping[str, Any]) -> float:
    return pipeline.calibrator_.p_value_one(pipeline.scorer_.score_record(record))


def _evenly(values: NDArray[np.float64], most: int = MOST_CALIBRATION) -> NDArray[np.float64]:
    """At most so many values, evenly out of their order."""
    if len(values) <= most:
        return values
    return np.sort(values)[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]
