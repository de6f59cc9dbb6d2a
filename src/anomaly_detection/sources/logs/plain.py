"""Lines of no known format: each is a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.sources.logs._fields import Decoded, Found
from anomaly_detection.sources.logs._pattern import LINE_BYTES, cut
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs._stamps import LEVEL
from anomaly_detection.sources.logs.columns import LogColumns
from anomaly_detection.sources.logs.joining import trace_like

if TYPE_CHECKING:
    from anomaly_detection.sources.logs._spans import Lines

COLUMNS = LogColumns(message=("line",))

_WORD = rf"^.{{0,80}}?\b({LEVEL.replace('(?i:', '(?:')})\b"


class Plain:
    """Lines as they are: no time, no service; the level is a word in capitals in their first 80 characters.

    No line is undecodable; those that look like a stack trace belong to the one before.
    """

    joins = "trace"
    orphans = True

    def decode(self, lines: Lines) -> Decoded:
        """Take each line as a message."""
        texts = cut(lines.spans, LINE_BYTES)[0]
        trace = trace_like(texts)
        level = Spans.of(texts.series().str.extract(_WORD))
        return Decoded(~trace, {"message": Found(lines.spans), "level": Found(level)})
