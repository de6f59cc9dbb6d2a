"""Sessions that a regular expression finds in the text of lines, such as the block a line is about."""

from __future__ import annotations

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs.columns import FIELDS


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
        column = pl.col("session" if named else "message")
        found = [column.str.extract(pattern, group) for group in range(1, len(groups) + 1)]
        every = found or [column.str.extract(pattern, 0)]
        self._session = pl.coalesce([pl.when(one != "").then(one) for one in every]).alias("session")

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The lines with their sessions."""
        made = frame.with_columns(self._session)
        return made.select(name for name in (*FIELDS, "line") if name in made.columns)
