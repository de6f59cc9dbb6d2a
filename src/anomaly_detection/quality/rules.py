"""Rules that are written down: columns that are never missing, unique, or hold one of a few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ParameterError, SchemaError, UnknownNameError
from anomaly_detection.quality.answer import Answer, severity_of_share
from anomaly_detection.quality.columns import as_text
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

KINDS = ("not_null", "unique", "accepted_values")
MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on one column.

    Parameters
    ----------
    kind : ``not_null``, ``unique`` or ``accepted_values``.
    column : its name.
    values : for ``accepted_values``, as text.
    at_most : the share of rows that may break it.
    """

    kind: str
    column: str
    values: tuple[str, ...] = ()
    at_most: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError("rule", self.kind, KINDS)
        if self.kind == "accepted_values" and not self.values:
            raise ParameterError(f"accepted_values of {self.column!r} names no values. Write values: [a, b].")
        if not 0 <= self.at_most < 1:
            raise ParameterError(f"at_most is {self.at_most}; it is a share, at least 0 and below 1.")

    def words(self) -> str:
        """What the rows that break it do."""
        return {
            "not_null": "have no value",
            "unique": "have a value that occurs more than once",
            "accepted_values": "have a value that is not accepted",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class RuleAnswer(Answer):
    """The answer on a rule; the expected range is of the share of rows that break it.

    Parameters
    ----------
    rows : how many break it.
    of_rows : how many there are.
    examples : some of the values that do.
    """

    rows: int = 0
    of_rows: int = 0
    examples: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return Answer.to_dict(self)


def check_rule(frame: pl.DataFrame, rule: Rule) -> RuleAnswer:
    """Count the rows that break a rule.

    Raises
    ------
    SchemaError
        for a column that is not there.

    >>> import polars as pl
    >>> check_rule(pl.DataFrame({"id": [1, 2, 2]}), Rule("unique", "id")).message
    'id: 2 of 3 rows have a value that occurs more than once (2).'
    """
    if rule.column not in frame.columns:
        raise SchemaError(str(UnknownNameError("column", rule.column, frame.columns)))
    texts = as_text(frame[rule.column])
    if rule.kind == "not_null":
        broken = texts == ""
    elif rule.kind == "unique":
        broken = texts.is_duplicated() & (texts != "")
    else:
        broken = ~texts.is_in(list(rule.values)) & (texts != "")
    examples = texts.filter(broken).unique(maintain_order=True).head(MOST_EXAMPLES).to_list()
    return rule_answer(rule, int(broken.sum()), len(frame), examples)


def rule_answer(rule: Rule, broken: int, rows: int, examples: Sequence[str] = ()) -> RuleAnswer:
    """The answer, from how many rows break the rule."""
    share = broken / rows if rows else 0.0
    shown = [one for one in examples if one]
    words = f"{rule.column}: {broken:,} of {counted(rows, 'row')} {rule.words()}"
    words += f" ({', '.join(shown)})." if shown else "."
    flagged = share > rule.at_most
    return RuleAnswer(
        is_anomaly=flagged,
        severity=severity_of_share(share, rule.at_most) if flagged else "normal",
        confidence=1.0,
        expected_range=(0.0, rule.at_most),
        message=words,
        rows=broken,
        of_rows=rows,
        examples=tuple(shown),
    )
