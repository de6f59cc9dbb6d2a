"""Log files of the usual kinds as log frames: time, level, service, message and more, a row a line."""

from anomaly_detection.sources.logs.columns import LogColumns
from anomaly_detection.sources.logs.counts import LogCounts, Tolerance
from anomaly_detection.sources.logs.format import LogFormat
from anomaly_detection.sources.logs.reader import LogReader
from anomaly_detection.sources.logs.single import decode_one
from anomaly_detection.sources.logs.source import LogBatch, LogSource, decode_lines

__all__ = [
    "LogBatch",
    "LogColumns",
    "LogCounts",
    "LogFormat",
    "LogReader",
    "LogSource",
    "Tolerance",
    "decode_lines",
    "decode_one",
]
