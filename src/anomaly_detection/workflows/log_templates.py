"""The templates of a log file: which lines the same statement of the program wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.features.templates import mine
from anomaly_detection.workflows.output import open_sink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.log_reading import LogReading


@dataclass(frozen=True, slots=True)
class TemplatesRequest:
    """What to read and where to write.

    Parameters
    ----------
    reading : the log.
    masks : further masks by name, as regular expressions.
    output : a file for the template of every line, or ``-``.
    output_format : when its name does not tell.
    """

    reading: LogReading
    masks: Mapping[str, str]
    output: str | None = None
    output_format: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """One template.

    Parameters
    ----------
    template_id : its place among the templates, in order of appearance.
    template : its text, with ``<*>`` for parameters.
    lines : how many lines it stands for.
    example : the first of them.
    """

    template_id: int
    template: str
    lines: int
    example: str


@dataclass(frozen=True, slots=True)
class TemplatesOutcome:
    """What was found.

    Parameters
    ----------
    lines : how many lines were read.
    templates : in order of appearance.
    notes : what the user should know of how the file was read.
    """

    lines: int
    templates: tuple[TemplateCount, ...]
    notes: tuple[str, ...]


def templates_of_file(request: TemplatesRequest, progress: Progress) -> TemplatesOutcome:
    """Find the templates of a log file, and write which line has which.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    InputError
        where the output cannot be written, or no line has a message.
    ParameterError
        for a mask that is no regular expression.
    """
    sink = open_sink(request.output, request.output_format, request.reading.data) if request.output else None
    with request.reading.open() as source:
        parts = []
        for batch in source.batches():
            parts.append(batch.frame.select("line", "message"))
            rows = sum(map(len, parts))
            progress(f"reading, {rows:,} rows", rows, None)
        notes = tuple(source.notes)
    frame = pl.concat(parts)
    if frame["message"].null_count() == len(frame):
        raise InputError(
            f"No line of {request.reading.data} has a message. Name the field that holds it: --message NAME."
        )
    progress("finding templates", 0, None)
    ids, templates = mine(frame["message"], request.masks)
    if sink is not None:
        columns = pl.Series("template_id", ids), pl.Series("template", templates).gather(ids)
        with sink as opened:
            opened.write(frame.select("line").with_columns(*columns))
    return TemplatesOutcome(len(frame), _counted(frame["message"], ids, templates), notes)


def _counted(
    messages: pl.Series, ids: np.ndarray[tuple[int], np.dtype[np.int64]], templates: list[str]
) -> tuple[TemplateCount, ...]:
    _, first, counts = np.unique(ids, return_index=True, return_counts=True)
    examples = messages.gather(first).fill_null("").to_list()
    rows = zip(range(len(templates)), templates, counts.tolist(), examples, strict=True)
    return tuple(TemplateCount(*row) for row in rows)
