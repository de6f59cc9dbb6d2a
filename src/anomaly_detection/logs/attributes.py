"""Levels, services and status codes that are rare for the template of a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs._attribute_kernels import ATTRIBUTES, fill_attributes, score_attributes
from anomaly_detection.logs._value_kernels import COUNT, USUAL
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, table_of, taken
from anomaly_detection.logs.values import FEWEST, novelty

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

MOST_VALUES = 4_000


class Attributes(Method):
    """How odd level, service and status code of a line are among the lines of its template.

    The same message at another level, from a service that never says it, or with another status. Surprises are told as
    those of words are (:class:`~anomaly_detection.logs.values.Values`): the later half of training says how likely a
    new one is; a known one scores ``-ln`` of its share; what is usual for the template, and 1, is taken off. Nothing is
    said of templates that are rare, or whose lines mostly bring new ones. The score is that of the oddest of the three.
    """

    name: ClassVar[str] = "attributes"

    def fit(self, batch: LogBatch) -> Self:
        """Learn the attributes of each template."""
        rows = np.flatnonzero(batch.templates >= 0)
        templates, lines = batch.templates[rows], batch.lines
        values = np.empty((len(rows), ATTRIBUTES), np.uint64)
        fill_attributes(templates, lines.levels[rows], lines.services[rows], lines.status_codes[rows], values)
        code = (ATTRIBUTES * templates[:, None].astype(np.int64) + np.arange(ATTRIBUTES)).ravel()
        size = ATTRIBUTES * (int(templates.max(initial=-1)) + 1)
        known = np.full((size, 3), -1.0, np.float32)
        known[:, COUNT] = np.bincount(code, minlength=size)
        keys, counts, place = novelty(known, values.ravel(), code, np.repeat(rows >= len(batch) // 2, ATTRIBUTES))
        known[known[:, COUNT] < FEWEST, USUAL] = -1.0
        _forget_rare(known, place)
        kept = known[place, USUAL] >= 0
        return self._take(known, keys[kept], counts[kept].astype(np.float32))

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) the surprise of the oddest attribute, at least 0."""
        out, lines = np.empty(len(batch)), batch.lines
        of_lines = batch.templates, lines.levels, lines.services, lines.status_codes
        score_attributes(*of_lines, self._known, self._seen, self._counts, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """What is known of places, their values and how often each came."""
        return {"known": self._known, "values": self._seen.keys, "counts": self._counts}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back."""
        known = taken(state, "known", np.float32, None, 3)
        values = taken(state, "values", np.uint64, None)
        counts = taken(state, "counts", np.float32, len(values))
        if len(known) % ATTRIBUTES or (known[:, COUNT] < 0).any() or (counts < 1).any():
            raise damaged("attributes of templates")
        return self._take(known, values, counts)

    def _take(self, known: NDArray[np.float32], values: NDArray[np.uint64], counts: NDArray[np.float32]) -> Self:
        self._known, self._seen, self._counts = known, table_of(values), counts
        return self


def _forget_rare(known: NDArray[np.float32], place: NDArray[np.int64]) -> None:
    """Say nothing of the places with the fewest lines, so that the values of the others are not too many."""
    sizes = np.bincount(place[known[place, USUAL] >= 0], minlength=len(known))
    order = np.argsort(-known[:, COUNT], kind="stable")
    known[order[np.cumsum(sizes[order]) > MOST_VALUES], USUAL] = -1.0
