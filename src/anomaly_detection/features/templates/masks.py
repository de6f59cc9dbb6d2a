"""What is taken for a parameter by its looks, and masks of the user's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.templates._alphabet import OWN
from anomaly_detection.features.templates.columns import as_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MASKED = "<*>"
"""What stands for a parameter in the text of a template."""
_SIGN = chr(OWN)


class Mask(NamedTuple):
    """A kind of parameter: what is masked, a line that has one, and the shape of that line."""

    what: str
    line: str
    shape: str


MASKS: dict[str, Mask] = {
    "word with a digit": Mask(
        "a word that holds a digit, with all that is joined to it by . - _ / @ \\ + ~ % # $",
        "deleting blk_-38 on node-7b.rack",
        "deleting <*> on <*>",
    ),
    "number": Mask("a number, with its sign, or with colons or commas inside", "cost -1,024 at #7", "cost <*> at <*>"),
    "size or duration": Mask("a number with its unit", "sent 2.5 KB in 31 ms", "sent <*> in <*>"),
    "hexadecimal": Mask("eight letters and more, none beyond f", "magic deadbeef", "magic <*>"),
    "UUID": Mask("a UUID, as any word with a digit", "id 6f1c2a0e-9b1d-4c1a-8f00-0a1b2c3d4e5f", "id <*>"),
    "IP address": Mask("of version 4 or 6, with its port", "from 10.0.0.1:80 to fe80::1", "from <*> to <*>"),
    "MAC address": Mask("pairs of hexadecimal digits between colons", "from 00:1b:44:11:3a:b7", "from <*>"),
    "date and time": Mask(
        "with names of months, days and time zones", "at Fri Jun 17 07:07:00 2005 UTC end", "at <*> end"
    ),
    "path": Mask(
        "of Unix or Windows, behind white space or an opening mark", "open /etc/hosts failed", "open <*> failed"
    ),
    "URL": Mask("a scheme and what follows it", "GET https://example.org/a?b=c done", "GET <*> done"),
    "e-mail": Mask("an address of mail", "mail to ann@example.org sent", "mail to <*> sent"),
    "host name": Mask("a name of a known top domain", "lookup of www.example.org failed", "lookup of <*> failed"),
    "value of a key": Mask(
        "one or two words in quotes, true, false, null and the like behind =", 'ok=true by="Ann B"', "ok=<*> by=<*>"
    ),
    "nothing": Mask(
        "empty brackets and quotes, [-], and asterisks that hide something", "peer () key ****", "peer (<*>) key <*>"
    ),
    "list": Mask(
        "parameters of a kind, with nothing but , ; : . - / + and spaces between", "cpus 1, 2, 5 7", "cpus <*>"
    ),
}
"""The masks, for documentation and tests; ``_shape_kernels`` is what applies them."""


class OwnMasks:
    """Regular expressions of the user's that apply before all other masks.

    Parameters
    ----------
    masks : expressions by name.

    Raises
    ------
    ParameterError
        for one that is not valid.
    """

    def __init__(self, masks: Mapping[str, str]) -> None:
        self._expression = "|".join(f"(?:{_checked(name, pattern)})" for name, pattern in masks.items())
        self._found: pl.Series | None = None

    def applied(self, messages: Any) -> Any:
        """The messages with what the masks match replaced by the sign of a parameter."""
        if not self._expression:
            return messages
        column = as_column(messages)
        if column.dtype == pl.Binary:
            column = pl.Series(values=[row.decode("utf-8", "replace") for row in column.to_list()], dtype=pl.String)
        column = column.str.replace_all(_SIGN, "?", literal=True)
        self._found = column.str.extract_all(self._expression)
        return column.str.replace_all(self._expression, _SIGN)

    def originals(self, values: list[list[str]], first: int) -> list[list[str]]:
        """Parameters of the lines from ``first`` on, with what the masks had replaced put back."""
        if self._found is None:
            return values
        found = self._found.slice(first, len(values)).to_list()
        return [[_put_back(value, rest) for value in line] for line, rest in zip(values, map(iter, found), strict=True)]


def _put_back(value: str, found: Iterator[str]) -> str:
    return re.sub(_SIGN, lambda _: next(found, _SIGN), value)


def _checked(name: str, pattern: Any) -> str:
    if not isinstance(pattern, str):
        raise ParameterError(f"TemplateMiner: mask {name!r} has to be a text, not {pattern!r}.")
    try:
        if pl.Series([""]).str.contains(pattern).item():
            raise ParameterError(f"TemplateMiner: mask {name!r} matches the empty text. Write what it has to hold.")
    except pl.exceptions.ComputeError as error:
        raise ParameterError(
            f"TemplateMiner: mask {name!r} is no regular expression of Rust: {pattern!r}. Look-around and references "
            f"to groups are not known there."
        ) from error
    return pattern
