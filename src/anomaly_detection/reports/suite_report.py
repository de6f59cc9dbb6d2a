"""The results of a suite of checks as a page, in the style of all reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from anomaly_detection.records import counted
from anomaly_detection.reports.pages import html_page

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER = ("error", "failed", "warned", "passed")


class _Made(NamedTuple):
    command: str = ""


class _Page(NamedTuple):
    title: str
    lead: str
    counts: list[tuple[str, int]]
    tables: list[tuple[str, list[Mapping[str, Any]]]]
    made: _Made = _Made()


def suite_page(result: Mapping[str, Any]) -> str:
    """One page that needs nothing else, from the plain values of a suite's result.

    Parameters
    ----------
    result : ``suite``, counts by status, and ``results`` with ``table``, ``check``, ``status``, ``severity``,
        ``message``.
    """
    results = result["results"]
    counts = [(status, int(result[status])) for status in ORDER if result[status]]
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for one in results:
        tables.setdefault(one["table"], []).append(one)
    said = ", ".join(f"{number} {status}" for status, number in counts)
    lead = f"{counted(results, 'check')} of {counted(tables, 'table')}: {said or 'none'}."
    page = _Page(f"Checks: {result['suite']}", lead, counts, list(tables.items()))
    sections = [("summary", "Summary"), ("checks", "Checks"), ("made", "How it was made")]
    return html_page(
        "suite.html.jinja", {"report": page, "sections": sections, "byline": "", "how": [("checks", len(results))]}
    )
