"""Sessions that a regular expression finds in the text of lines, such as the block a line is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs.columns import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping


class SessionPattern:
    r"""What the name of a session looks like.

    Parameters
    ----------
    pattern : a regular expression without look-around. The session is its first match in a line, or where it has
        groups, the first of them that matches something; a line without a match, or an empty one, has no session.
    named : whether the field of the session was named: then it is looked for there, else in the message.

    Raises
    ------
    ParameterError
        for a pattern that is no regular expression.

    >>> lines = pl.DataFrame({"message": ["read blk_-7 of job 3", "idle"], "line": [1, 2]})
    >>> SessionPattern(r"blk_-?\d+").of(lines)["session"].to_list()
    ['blk_-7', None]
    >>> SessionPattern(r"job (\d+)").of(lines)["session"].to_list()
    ['3', None]
    """

    def __init__(self, pattern: str, *, named: bool = False) -> None:
        try:
            groups = pl.Series([""]).str.extract_groups(pattern).struct.fields
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            told = str(error).rpartition("error: ")[2].strip().rstrip(".")
            raise ParameterError(
                f"The session pattern {pattern!r} cannot be used: {told}. Give a regular expression such as "
                r"'blk_-?\d+'."
            ) from None
        self._field, self._pattern = "session" if named else "message", pattern
        self._groups = len(groups)
        places = range(1, len(groups) + 1) if groups else range(1)
        every = [pl.col(self._field).str.extract(pattern, group) for group in places]
        self._session = pl.coalesce([pl.when(one != "").then(one) for one in every]).alias("session")

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The lines with their sessions."""
        made = frame.with_columns(self._session)
        return made.select(name for name in (*FIELDS, "line") if name in made.columns)

    def of_one(self, record: Mapping[str, Any]) -> str | None:
        r"""The session of a line that is a dict; the same as in a frame.

        >>> SessionPattern(r"job (\d+)|blk_\d+").of_one({"message": "end of job 3"})
        '3'
        """
        text = pl.Series([record.get(self._field)], dtype=pl.String)
        if not self._groups:
            return text.str.extract(self._pattern, 0).item() or None
        found = text.str.extract_groups(self._pattern).item() or {}
        return next((one for one in found.values() if one), None)
