"""A suite: many checks of many tables, as written down, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.quality.rules import KINDS, Rule

if TYPE_CHECKING:
    from anomaly_detection.quality.answer import Answer

ALIASES = {
    "freshness": "timeliness",
    "row_count": "volume",
    "drift": "distribution",
    "accepted_value": "accepted_values",
}
"""Names from elsewhere, and ours for the same."""

SETTINGS: Mapping[str, frozenset[str]] = {
    "volume": frozenset({"alpha", "direction", "minimum_relative", "holidays", "country"}),
    "distribution": frozenset({"alpha"}),
    "timeliness": frozenset({"alpha"}),
    "pattern": frozenset({"tolerance"}),
    **{kind: frozenset({"column", "columns", "at_most"}) for kind in KINDS},
    "accepted_values": frozenset({"column", "columns", "values", "at_most"}),
}
"""The checks there are, and what can be said of each; ``severity`` can be said of all."""

PLACES = frozenset({"data", "url", "table", "timestamp", "every", "zone", "history", "segments", "checks"})


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one table.

    Parameters
    ----------
    kind : a name of :data:`SETTINGS`.
    settings : what was said of it.
    warns : whether an anomaly is only a warning, which fails no pipeline.
    """

    kind: str
    settings: dict[str, Any]
    warns: bool = False

    def rules(self) -> list[Rule]:
        """The rules of a check that has some."""
        said = self.settings
        columns = _listed(said.get("columns", said.get("column")))
        if not columns:
            raise ParameterError(f"{self.kind} names no column. Write {self.kind}: [a, b].")
        values = tuple(_plain(one) for one in _listed(said.get("values")))
        return [Rule(self.kind, str(column), values, float(said.get("at_most", 0.0))) for column in columns]


@dataclass(frozen=True, slots=True)
class SuiteTable:
    """One table of a suite: its name, where it is, and its checks."""

    name: str
    place: dict[str, Any]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check.

    Parameters
    ----------
    table, check : which one.
    status : ``passed``, ``warned``, ``failed``, or ``error`` where it could not be made.
    message : in a sentence.
    answer : the answer; None for an error.
    """

    table: str
    check: str
    status: str
    message: str
    answer: Answer | None = None

    @property
    def severity(self) -> str:
        """As the answer has it; an error is critical."""
        return self.answer.severity if self.answer is not None else "critical"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        answer = None if self.answer is None else self.answer.to_dict()
        return {
            "table": self.table,
            "check": self.check,
            "status": self.status,
            "severity": self.severity,
            "message": self.message,
            "answer": answer,
        }


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What came of a suite.

    Parameters
    ----------
    name : of the suite.
    results : of its checks, in order.
    """

    name: str
    results: tuple[CheckResult, ...] = field(default=())

    def count(self, status: str) -> int:
        """How many checks have a status."""
        return sum(one.status == status for one in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        counts = {status: self.count(status) for status in ("passed", "warned", "failed", "error")}
        return {"suite": self.name, **counts, "results": [one.to_dict() for one in self.results]}


def parse_suite(document: Any, name: str = "suite") -> tuple[str, list[SuiteTable]]:
    """Read a suite from plain values; gives its name and its tables.

    Raises
    ------
    ParameterError
        naming what is not understood, and where.

    >>> parse_suite({"tables": {"orders": {"data": "orders/", "checks": ["volume", {"not_null": "id"}]}}})[1][0].checks
    (Check(kind='volume', settings={}, warns=False), Check(kind='not_null', settings={'columns': ['id']}, warns=False))
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("tables"), Mapping) or not document["tables"]:
        raise ParameterError("A suite needs tables: a name for each, and below it where it is and its checks.")
    _known(document, frozenset({"name", "defaults", "tables"}), "the suite")
    defaults = document.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        raise ParameterError("defaults must be settings by name, such as history: runs.")
    _known(defaults, PLACES - {"checks"}, "defaults")
    tables = [_table(str(each), {**defaults, **_mapping(said, each)}) for each, said in document["tables"].items()]
    return str(document.get("name") or name), tables


def _table(name: str, said: dict[str, Any]) -> SuiteTable:
    _known(said, PLACES, f"table {name!r}")
    checks = said.pop("checks", None)
    if not checks:
        raise ParameterError(f"Table {name!r} has no checks. Write checks: [volume].")
    return SuiteTable(name, said, tuple(_check(one, name) for one in _listed(checks)))


def _check(said: Any, table: str) -> Check:
    if isinstance(said, str):
        said = {said: None}
    if not isinstance(said, Mapping) or len(said) != 1:
        raise ParameterError(f"A check of table {table!r} is {said!r}; it is a name, or one name with its settings.")
    ((written, settings),) = said.items()
    kind = ALIASES.get(str(written), str(written))
    if kind not in SETTINGS:
        raise UnknownNameError("check", str(written), [*SETTINGS, *ALIASES])
    if kind in KINDS and not isinstance(settings, Mapping):
        settings = {"columns": _listed(settings)}
    settings = dict(_mapping(settings or {}, written))
    _known(settings, SETTINGS[kind] | {"severity"}, f"check {written!r} of table {table!r}")
    severity = settings.pop("severity", "error")
    if severity not in ("error", "warn"):
        raise ParameterError(f"severity of {written!r} of table {table!r} is {severity!r}; it is error or warn.")
    check = Check(kind, settings, severity == "warn")
    if kind in KINDS:
        check.rules()
    return check


def _mapping(said: Any, name: Any) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise ParameterError(f"{name!r} is {said!r}; it needs settings by name.")
    return said


def _known(said: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    odd = next((str(each) for each in said if each not in names), None)
    if odd is not None:
        raise ParameterError(f"In {where}: {UnknownNameError('setting', odd, sorted(names))}")


def _listed(said: Any) -> list[Any]:
    return [] if said is None else list(said) if isinstance(said, list | tuple) else [said]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
