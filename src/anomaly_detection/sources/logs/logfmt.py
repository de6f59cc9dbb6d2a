"""logfmt: ``time=… level=info msg="two words"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.sources.logs._fields import Decoded
from anomaly_detection.sources.logs._logfmt_kernels import scan_logfmt
from anomaly_detection.sources.logs._tree import FieldTree

if TYPE_CHECKING:
    from anomaly_detection.sources.logs._spans import Lines
    from anomaly_detection.sources.logs.columns import LogColumns


class Logfmt:
    """Pairs of names and values; a value with blanks is in double quotes, with a backslash before quotes in it.

    Of pairs with equal names the last counts, and words that are no pair are passed over. A line that does not begin
    with a pair, or whose quote is not closed, is undecodable.
    """

    joins = "trace"
    orphans = False

    def __init__(self, columns: LogColumns) -> None:
        self._tree = FieldTree(columns, nested=False)

    def decode(self, lines: Lines) -> Decoded:
        """Find the wanted pairs of each line."""
        spans, tree = lines.spans, self._tree
        places, kinds = tree.room(lines.size)
        ok = np.empty(lines.size, np.bool_)
        scan_logfmt(spans.text, spans.starts, spans.ends, tree.nodes, tree.keys, tree.names, places, kinds, ok)
        return Decoded(ok, {field: tree.chosen(field, spans.text, places, kinds) for field in tree.slots})
