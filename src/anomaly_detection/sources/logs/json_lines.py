"""JSON lines: objects with fields of any names, flat or nested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.sources.logs._fields import Decoded, Found
from anomaly_detection.sources.logs._json_values import parsed, text_of, value_of
from anomaly_detection.sources.logs._scan_kernels import DECIMAL, DEEPEST, HOLDER, MEMBERS, NULL, scan_json
from anomaly_detection.sources.logs._tree import FieldTree
from anomaly_detection.sources.logs.columns import TEXTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Lines, Spans
    from anomaly_detection.sources.logs.columns import LogColumns


class JsonLines:
    """Objects, one a line; the wanted fields are found without building the objects.

    A line that is not plain JSON is read by a general parser, as Python's json reads it; one that this cannot read
    either is undecodable. Of fields with equal names the last counts.
    """

    joins = "trace"
    orphans = False

    def __init__(self, columns: LogColumns) -> None:
        self.columns = columns
        self._tree = FieldTree(columns)

    def decode(self, lines: Lines) -> Decoded:
        """Find the wanted fields of each object."""
        spans, tree = lines.spans, self._tree
        places, kinds = tree.room(lines.size)
        plain = np.empty(lines.size, np.bool_)
        stack, seen = np.empty(DEEPEST + 1, np.int64), np.empty(tree.keys.shape[0], np.bool_)
        usual = np.full(MEMBERS, -1, np.int64)
        scan_json(
            spans.text,
            spans.starts,
            spans.ends,
            tree.nodes,
            tree.keys,
            tree.names,
            stack,
            seen,
            usual,
            places,
            kinds,
            plain,
        )
        plain &= ~self._odd(kinds)
        kinds[~plain] = NULL
        fields = {field: tree.chosen(field, spans.text, places, kinds) for field in tree.slots}
        return self._completed(spans, plain, fields)

    def _odd(self, kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(lines,) which have values whose text is not as they stand there."""
        odd = np.zeros(kinds.shape[0], np.bool_)
        for field, slots in self._tree.slots.items():
            for slot, _ in slots:
                if field in TEXTS or field == "level":
                    odd |= kinds[:, slot] == DECIMAL
                if field == "message":
                    odd |= kinds[:, slot] == HOLDER
        return odd

    def _completed(self, spans: Spans, plain: NDArray[np.bool_], fields: dict[str, Found]) -> Decoded:
        """The fields, with those of lines that only the general parser can read."""
        rest = np.flatnonzero(~plain)
        records = [parsed(spans.raw(row)) for row in rest.tolist()]
        read = [i for i, record in enumerate(records) if record is not None]
        rows = rest[read]
        ok = plain.copy()
        ok[rows] = True
        if rows.size == 0:
            return Decoded(ok, fields)
        for field, found in fields.items():
            paths = self.columns.of_field(field)
            values = [value_of(records[i] or {}, paths, field) for i in read]
            texts = [text_of(value) for value, _ in values]
            names = np.zeros(plain.size, np.int64) if found.names is None else found.names
            names[rows] = [name for _, name in values]
            raw = [None if text is None else text.encode() for text in texts]
            fields[field] = Found(found.spans.replaced(rows, raw), names)
        return Decoded(ok, fields)
