"""The template miner: lines in, ids out, learning as it goes, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.base import Constraint, Range
from anomaly_detection.errors import ParameterError
from anomaly_detection.features.templates import _scan_kernels as kernels
from anomaly_detection.features.templates._layout import IDS, LINES
from anomaly_detection.features.templates._saved import refused, require_parameters, restored_store, saved
from anomaly_detection.features.templates._store import final_ids, fold, new_store, text_of, with_room
from anomaly_detection.features.templates.columns import blocks
from anomaly_detection.features.templates.masks import MASKED, OwnMasks
from anomaly_detection.features.templates.values import numbers_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CACHE = 1 << 13
"""Shapes whose id is remembered; a power of two."""
IDS_PER_TEMPLATE = 16
"""How many ids a miner gives in all, for each template it may hold."""
FOLDED_SHARE = 0.25
"""The share of the templates that is folded away when there are too many."""
LIMITS: dict[str, Constraint] = {
    "max_templates": Range(2, 1_000_000, integer=True),
    "max_bytes": Range(1024, 1 << 30, integer=True),
    "max_line_bytes": Range(64, 1 << 20, integer=True),
}
PARAMETERS = (*LIMITS, "masks")


class TemplateMiner:
    """Find the templates of log lines: what a statement of the program wrote, with ``<*>`` where its parameters are.

    A line is masked first: numbers, addresses, paths, times and the like become parameters (``docs/how-to/
    log-templates.md`` has the list). Lines with equal shapes have one template. Templates that differ in one word alone
    become one when that word has taken enough values: the more words agree and the more the values look like names,
    the fewer it takes. Words with an opposite (started, stopped) are never taken for a parameter, and templates with
    different numbers of words are never merged.

    Ids are 0, 1, 2, … in order of appearance and never change. Id 0 is the catch-all, ``<*>``. A template that is
    merged into an older one keeps its id and takes over the text of the other; :meth:`canonical` leads from the one
    to the other. Any chunking of the same lines gives the same ids.

    Parameters
    ----------
    max_templates : how many templates are kept. When one more is needed, the quarter with the fewest lines, among
        equals those not seen for longest, is folded into the catch-all. After 16 ids per template in all, new shapes
        get the catch-all.
    max_bytes : how many bytes of text the templates may have together; beyond, they are folded in the same way.
    max_line_bytes : how many bytes of a line are looked at; the rest counts as one parameter.
    masks : further masks by name, as regular expressions (of Rust: no look-around); they apply before all others.

    References
    ----------
    P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: an online log parsing approach with fixed depth tree", ICWS 2017.
    A. Makanju, A. N. Zincir-Heywood, E. E. Milios, "Clustering event logs using iterative partitioning" (IPLoM),
    KDD 2009.

    Examples
    --------
    >>> miner = TemplateMiner()
    >>> miner.update(["Connected to 10.0.0.1 in 5 ms", "Disk full", "Connected to 10.0.0.2 in 31 ms"])
    array([1, 2, 1])
    >>> miner.templates()
    ['<*>', 'Connected to <*> in <*>', 'Disk full']
    >>> miner.assign(["Connected to db1 in 9 ms", "Never seen"])
    array([ 1, -1])
    >>> miner.parameters(["Connected to db1 in 9 ms"])
    [['db1', '9 ms']]
    """

    def __init__(
        self,
        max_templates: int = 2000,
        max_bytes: int = 1 << 20,
        max_line_bytes: int = 4096,
        masks: Mapping[str, str] | None = None,
    ) -> None:
        self.max_templates = max_templates
        self.max_bytes = max_bytes
        self.max_line_bytes = max_line_bytes
        self.masks = masks
        for name, rule in LIMITS.items():
            if problem := rule.problem(getattr(self, name)):
                raise ParameterError(f"TemplateMiner: parameter {name}={getattr(self, name)!r} {problem}.")
        if max_bytes < 4 * max_line_bytes:
            raise ParameterError(
                f"TemplateMiner: max_bytes={max_bytes} must be at least four lines of {max_line_bytes}."
            )
        self._own = OwnMasks(masks or {})
        self._cache = (np.zeros(CACHE, np.uint64), np.zeros(CACHE, np.int64), np.full(CACHE, -1, np.int64))
        self._out = np.zeros(2 * max_line_bytes + 64, np.uint8)
        self._where = np.zeros(len(self._out), np.int32)
        self._store = new_store(len(self._out))

    def update(self, messages: Any) -> NDArray[np.int64]:
        """Learn from messages, in order, and give the id of each: (n,).

        Parameters
        ----------
        messages : a polars or Arrow column, or a sequence, of strings or bytes; a missing message is an empty one.

        Raises
        ------
        InputError
            if these are no messages.
        ParameterError
            if a parameter is outside its range.
        """
        return self._ids(messages, learns=True)

    def assign(self, messages: Any) -> NDArray[np.int64]:
        """The ids that the messages have now, -1 for what no template matches; learns nothing: (n,)."""
        return self._ids(messages, learns=False)

    def canonical(self, ids: Any) -> NDArray[np.int64]:
        """For each id, the id of the template it was merged into, or the same; -1 stays."""
        wanted = np.asarray(ids, dtype=np.int64)
        return np.append(final_ids(self._store), -1)[wanted]

    def templates(self) -> list[str]:
        """The text of each id; merged ones have the text of what they were merged into."""
        store = self._store
        texts = {i: _shown(text_of(store, i)) for i in np.unique(final_ids(store)).tolist()}
        return [texts[i] for i in final_ids(store).tolist()]

    def counts(self) -> NDArray[np.int64]:
        """How many lines each id stands for; those of a merged one count for what it was merged into."""
        store = self._store
        own = store.counts[: store.sizes[IDS]].copy()
        own[final_ids(store) != np.arange(len(own))] = 0
        return own

    @property
    def lines(self) -> int:
        """How many lines were learned from."""
        return int(self._store.sizes[LINES])

    def parameters(self, messages: Any) -> list[list[str]]:
        """The parameters of each message, as the ``<*>`` of its template come; none where no template matches."""
        masked = self._own.applied(messages)
        found: list[list[str]] = []
        for first, data, offsets in blocks(masked):
            ids = self.canonical(self._block(data, offsets, learns=False))
            found += self._own.originals(values_of(self._store, data, offsets, ids, self.max_line_bytes), first)
        return found

    def numbers(self, messages: Any) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Parameters that are numbers, by template: the rows of its messages (k,), and a matrix (k, parameters).

        Sizes are in bytes, durations in seconds; NaN stands for what is no number.

        >>> miner = TemplateMiner()
        >>> _ = miner.update(["took 5 ms for 2 KB", "took 2 s for 1 MB"])
        >>> miner.numbers(["took 7 ms for 3 KB"])
        {1: (array([0]), array([[7.000e-03, 3.072e+03]]))}
        """
        masked = self._own.applied(messages)
        parts: dict[int, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
        for first, data, offsets in blocks(masked):
            ids = self.canonical(self._block(data, offsets, learns=False))
            for template, (rows, values) in numbers_of(self._store, data, offsets, ids, self.max_line_bytes).items():
                parts.setdefault(template, []).append((rows + first, values))
        return {
            i: (np.concatenate([a for a, _ in each]), np.concatenate([b for _, b in each])) for i, each in parts.items()
        }

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        spec, arrays = saved(self._store)
        return {**spec, "parameters": {name: getattr(self, name) for name in PARAMETERS}}, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`: the same lines get the same ids.

        Raises
        ------
        ArtifactError
            if the arrays are not what a miner saves.
        """
        try:
            miner = cls(**require_parameters(spec, set(PARAMETERS)))
        except (ParameterError, TypeError) as error:
            raise refused(error) from error
        miner._store = restored_store(spec, arrays, len(miner._out), miner.max_templates)
        return miner

    def _ids(self, messages: Any, *, learns: bool) -> NDArray[np.int64]:
        masked = self._own.applied(messages)
        ids = [self._block(data, offsets, learns=learns) for _, data, offsets in blocks(masked)]
        return np.concatenate(ids) if ids else np.empty(0, np.int64)

    def _block(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], *, learns: bool) -> NDArray[np.int64]:
        ids, at, why = np.empty(len(offsets) - 1, np.int64), 0, kernels.NEEDS_ROOM
        scratch = (self._out, self._out.view(np.uint64), self._where)
        while why != kernels.DONE:
            store = self._store
            limits = (self.max_line_bytes, self.max_templates, self.max_bytes, IDS_PER_TEMPLATE * self.max_templates)
            at, why = kernels.scan(data, offsets, at, ids, store, *scratch, *limits, learns, *self._cache)
            if why == kernels.FULL:
                fold(store, FOLDED_SHARE)
            if why != kernels.DONE:
                self._store = with_room(store, len(self._out))
        return ids


def _shown(text: NDArray[np.uint8]) -> str:
    return text.tobytes().replace(bytes([1]), MASKED.encode()).decode("utf-8", "replace")
