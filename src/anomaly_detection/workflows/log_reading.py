"""What a user says about a log file, and the file opened accordingly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs import LogSource

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class LogReading:
    """How to read a log.

    Parameters
    ----------
    data : the file; ``-`` is standard input.
    format : as :class:`~anomaly_detection.sources.logs.LogSource` takes it.
    pattern : a regular expression with named groups; then the format is ``regex``.
    columns : which field holds what; the others are told from their usual names.
    zone : of time stamps that name none.
    aside : a file for lines that cannot be decoded.
    """

    data: str
    format: str = "auto"
    pattern: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    aside: str | None = None

    def open(self) -> LogSource:
        """The file, its format told; raises as :class:`~anomaly_detection.sources.logs.LogSource` does.

        Raises
        ------
        ParameterError
            where a pattern is given for a format that has none.
        """
        if self.pattern is not None and self.format not in {"auto", "regex"}:
            raise ParameterError(f"--pattern is for the format regex, not for {self.format}. Leave out one of the two.")
        return LogSource(
            self.data,
            "regex" if self.pattern is not None else self.format,
            self.columns,
            pattern=self.pattern,
            zone=self.zone,
            aside=self.aside,
        )
