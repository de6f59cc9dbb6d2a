"""Lines of text as Python's logging, log4j, logback and their kin write them."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from anomaly_detection.sources.logs._pattern import Patterns
from anomaly_detection.sources.logs._stamps import LEVEL, STAMPS
from anomaly_detection.sources.logs.columns import LogColumns

COLUMNS = LogColumns(time=("time",), level=("level", "word"), service=("logger",), message=("message",))

_L = rf"\[?(?<level>{LEVEL})\]?"
_TAG = r"(?<logger>.*?)"
_KLOG = r"[0-9]{4} [0-9:.]{8,15}"
_PROCESS = r"(?<process>[^\]\s]*)"
_REST = r"(?<message>.*)$"


class Layout(NamedTuple):
    """A way of writing lines: its name and its expression, with ``TIME`` in place of a time stamp."""

    name: str
    pattern: str


LAYOUTS: tuple[Layout, ...] = (
    Layout("python", rf"^(?<time>TIME) - (?<logger>\S+) - {_L} - {_REST}"),
    Layout("spring", rf"^(?<time>TIME) +{_L} +(?<process>[0-9]+) --- (?:\[[^\]]*\] ?)*(?<logger>[^\s:\[]+) *: {_REST}"),
    Layout("logback", rf"^(?<time>TIME) \[(?<thread>[^\]]*)\] {_L} +(?<logger>[^\s:]+)(?: +[-:]|:) {_REST}"),
    Layout("log4j", rf"^(?<time>TIME) +{_L} +\[(?<thread>[^\]]*)\] +(?<logger>[^\s:]+)(?: +[-:]|:) {_REST}"),
    Layout("hyphens", rf"^(?<time>TIME) - {_L} +\[(?<thread>.*?)\] +- {_REST}"),
    Layout(
        "process", rf"^(?<time>TIME) (?<process>[0-9]+) {_L} (?<logger>[^\s:]+):? (?:\[(?<request>[^\]]*)\] )?{_REST}"
    ),
    Layout("logcat", rf"^(?<time>TIME) +(?<process>[0-9]+) +(?<thread>[0-9]+) (?<level>[VDIWEF]) {_TAG} *: {_REST}"),
    Layout("klog", rf"^(?<level>[IWEF])(?<time>{_KLOG}) +(?<thread>[0-9]+) (?<source>\S+)\] {_REST}"),
    Layout("apache", rf"^\[(?<time>TIME)\] \[(?:(?<logger>[^:\]]*):)?(?<level>{LEVEL})\] (?:\[pid [^\]]*\] )?{_REST}"),
    Layout("gunicorn", rf"^\[(?<time>TIME)\] \[(?<process>[0-9]+)\] {_L} {_REST}"),
    Layout("nginx", rf"^(?<time>TIME) \[(?<level>{LEVEL})\] (?<process>[0-9]+)#(?<thread>[0-9]+): {_REST}"),
    Layout("hadoop", rf"^(?<time>TIME) (?<process>[0-9]+ )?{_L} (?<logger>[^\s:]+): {_REST}"),
    Layout("level", rf"^\[?(?<time>TIME)\]?[ \t|,:;-]+{_L}[ \t|,:;-]+(?<message>(?:[^ \t|,:;-].*)?)$"),
    Layout("colons", rf"^(?<level>{LEVEL}):(?<logger>[^\s:]+):{_REST}"),
    Layout("word", rf"^\[?(?<level>{LEVEL})\]?[:\s]\s*{_REST}"),
    Layout("rsyslog", rf"^(?<time>TIME) (?<host>[^\s:\[\]]+) (?<logger>[^\s\[:]+)(?:\[{_PROCESS}\])?: ?{_REST}"),
    Layout("stamp", rf"^\[?(?<time>TIME)\]?[ \t|,:;-]*{_REST}"),
)
"""From the most to the least particular."""

_WORD = rf"^.{{0,80}}?\b({LEVEL.replace('(?i:', '(?:')})\b"


class Text(Patterns):
    """A time stamp, a level and a message, with what stands between them; lines without a head belong to one with it.

    The groups are time, level, logger, message, and, where the layout has them, process, thread, source, request.
    Where a layout has no place for the level, a word in capitals in the first 80 characters of the message is it.
    """

    needs = ("level", "message")

    def prepared(self, groups: pl.DataFrame) -> pl.DataFrame:
        """Add the level that stands within the message."""
        if "level" in groups.columns and groups["level"].null_count() == 0:
            return groups
        return groups.with_columns(word=pl.col("message").str.extract(_WORD))


def every(layout: Layout) -> str:
    """The expression of a layout for time stamps of all kinds."""
    return layout.pattern.replace("TIME", "|".join(STAMPS))


def narrow(layout: Layout) -> list[str]:
    """The expressions of a layout, one for each kind of time stamp."""
    return [layout.pattern.replace("TIME", stamp) for stamp in STAMPS] if "TIME" in layout.pattern else [layout.pattern]
