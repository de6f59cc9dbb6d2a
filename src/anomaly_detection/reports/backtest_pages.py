"""A backtest as HTML, Markdown or JSON; whatever the data holds is text in it, never markup or code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from anomaly_detection.records import counted
from anomaly_detection.reports import words as w
from anomaly_detection.reports.backtest_charts import alarm_charts, line_of, value_chart
from anomaly_detection.reports.pages import html_page, markdown_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.reports.charts import Chart

MOST_LISTED = 200
"""So many alarms of a kind are listed, the most anomalous ones."""

ORDINALS = ("first", "second")


class Line(NamedTuple):
    """One line of the table of what was found, with a cell for each configuration."""

    name: str
    cells: tuple[str, ...]


class Page(NamedTuple):
    """What the page of every report begins with."""

    title: str
    lead: str
    made: Mapping[str, Any]
    values: Chart | None
    alarms: tuple[Chart, ...]
    found: Mapping[str, Any]
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    incidents: tuple[tuple[str, ...], ...]
    injected: tuple[tuple[str, ...], ...]
    lists: tuple[tuple[str, int, tuple[Mapping[str, Any], ...]], ...]
    notes: tuple[str, ...]


def html(found: Mapping[str, Any]) -> str:
    """One page that needs nothing else: no file, no address."""
    return html_page("backtest.html.jinja", _shared(found))


def markdown(found: Mapping[str, Any]) -> str:
    """The same in words and tables, for a ticket or a wiki."""
    return markdown_page("backtest.md.jinja", _shared(found))


def json(found: Mapping[str, Any]) -> str:
    """The same as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(found, enc_hook=str), indent=2).decode() + "\n"


BACKTEST_WRITERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "html": html,
    "htm": html,
    "md": markdown,
    "json": json,
}
"""How a backtest is written, by the ending of the file."""


def settings_in_words(settings: Mapping[str, Any]) -> str:
    """A configuration in a few words.

    >>> settings_in_words({"algorithm": "ewma", "budget": "5/week"})
    'algorithm=ewma, budget=5/week'
    """
    return w.plain(", ".join(f"{name}={w.shown(value, 60)}" for name, value in settings.items()), 400)


def duration(amount: float, *, timed: bool) -> str:
    """How long something took, of seconds or of rows.

    >>> duration(5400.0, timed=True), duration(0.0, timed=True), duration(3.0, timed=False)
    ('1.5 hours', 'at once', '3 rows')
    """
    if amount == 0:
        return "at once"
    if not timed:
        return counted(round(amount), "row")
    sizes = ((w.DAY, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))
    size, unit = next((one for one in sizes if amount >= one[0]), sizes[-1])
    said = f"{amount / size:.3g}"
    return f"{said} {unit}" if said == "1" else f"{said} {unit}s"


def lead_of(found: Mapping[str, Any]) -> str:
    """What was found, in one or two sentences."""
    history = found["history"]
    unit = history["unit"]
    parts = []
    for k, one in enumerate(found["configurations"]):
        which = "" if len(found["configurations"]) == 1 else f"The {ORDINALS[k]} configuration: "
        said = f"{which}{counted(one['alarms'], 'alarm')}, {one['alarms_per_week']:.3g} per {unit}"
        known = one.get("incidents")
        if known:
            said += f"; {known['caught']:,} of {counted(known['known'], 'known incident')} caught"
        parts.append(f"{said}.")
    return " ".join(parts)


def tables_of(found: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """A title, a header and lines for each table that a terminal shows."""
    names = tuple(settings_in_words(one["settings"]) for one in found["configurations"])
    tables = [("Replayed", ("", *names), [(line.name, *line.cells) for line in _lines(found)])]
    after = names if len(names) > 1 else ("first alarm after",)
    if found["incidents"]:
        tables.append(("Known incidents", ("start", "end", "what", *after), _incidents(found)))
    if injected := _injected(found):
        caught = names if len(names) > 1 else ("caught",)
        tables.append(("Injected anomalies", ("kind", "what it is", *caught), injected))
    return tables


def _shared(found: Mapping[str, Any]) -> dict[str, Any]:
    line = line_of(found)
    names = tuple(settings_in_words(one["settings"]) for one in found["configurations"])
    page = Page(
        title=f"Backtest on {w.plain(str(found['data']['name']).rpartition('/')[2] or 'data', 80)}",
        lead=lead_of(found),
        made=found["made"],
        values=value_chart(found, line),
        alarms=alarm_charts(found, line),
        found=found,
        names=names,
        lines=tuple(_lines(found)),
        incidents=tuple(_incidents(found)),
        injected=tuple(_injected(found)),
        lists=tuple(_lists(found)),
        notes=tuple(w.plain(note, 400) for note in found["notes"]),
    )
    sections = [
        ("summary", "Summary"),
        ("time", "Time" if found["history"]["timed"] else "Order"),
        ("incidents", "Incidents") if page.incidents else ("", ""),
        ("injected", "Injected anomalies") if page.injected else ("", ""),
        ("alarms", "Alarms"),
        ("made", "How it was made"),
    ]
    return {
        "report": page,
        "sections": [one for one in sections if one[0]],
        "byline": _span(found),
        "how": _how(found),
        "ordinals": ORDINALS,
        "timed": found["history"]["timed"],
    }


def _span(found: Mapping[str, Any]) -> str:
    history = found["history"]
    begin, end = (_when(history[name]) for name in ("from", "to"))
    what = "" if history["keys"] == 1 else f" of {history['keys']:,} keys"
    return f"{counted(history['judged_rows'], 'row')}{what} replayed, from {begin} to {end}"


def _lines(found: Mapping[str, Any]) -> list[Line]:
    history, every = found["history"], found["configurations"]
    unit = history["unit"]
    lines = [
        Line("alarms", tuple(w.number(one["alarms"]) for one in every)),
        Line(f"alarms per {unit}", tuple(f"{one['alarms_per_week']:.3g}" for one in every)),
        Line(f"expected in the next {unit}", tuple(_range(one["next_week"]) for one in every)),
        Line("flagged rows", tuple(w.number(one["flagged_rows"]) for one in every)),
    ]
    known = [one["incidents"] for one in every if "incidents" in one]
    if known:
        lines.append(Line("known incidents caught", tuple(f"{one['caught']:,} of {one['known']:,}" for one in known)))
        late = tuple(
            "" if one["median_late"] is None else duration(one["median_late"], timed=history["timed"]) for one in known
        )
        lines.append(Line("after their start, median", late))
        lines.append(Line("alarms about no known incident", tuple(w.number(one["false_alarms"]) for one in known)))
    return lines


def _range(expected: Mapping[str, Any]) -> str:
    return f"{expected['low']:,} to {expected['high']:,}"


def _incidents(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    timed = found["history"]["timed"]
    lates = [one["incidents"]["late"] for one in found["configurations"] if "incidents" in one]
    lines = []
    for i, one in enumerate(found["incidents"] or []):
        what = ", ".join(w.plain(each, 80) for each in (one["name"], one["key"]) if each)
        caught = ["missed" if late[i] is None else duration(late[i], timed=timed) for late in lates]
        lines.append((_when(one["start"]), _when(one["end"]), what, *caught))
    return lines


def _injected(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    every = [{one["kind"]: one for one in each["injected"]} for each in found["configurations"]]
    lines = []
    for kind, one in every[0].items():
        cells = [f"{each[kind]['caught']} of {each[kind]['injected']}" if kind in each else "" for each in every]
        lines.append((kind.replace("_", " "), one["about"], *cells))
    return lines


def _lists(found: Mapping[str, Any]) -> list[tuple[str, int, tuple[Mapping[str, Any], ...]]]:
    parts = found["difference"]
    if parts is None:
        lists = [("All alarms", found["configurations"][0]["list"])]
    else:
        lists = [("Only of the first configuration", parts["only_first"])]
        lists += [("Only of the second configuration", parts["only_second"]), ("Of both", parts["both"])]
    return [(title, len(alarms), tuple(_worst(alarms))) for title, alarms in lists]


def _worst(alarms: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    worst = sorted(alarms, key=lambda one: -one["anomaly_score"])[:MOST_LISTED]
    return sorted(worst, key=lambda one: one["at"])


def _how(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    history, made = found["history"], found["made"]
    fits = found["configurations"][0]["fits"]
    again = f", then again before {', '.join(_when(each) for each in fits[1:6])}" if len(fits) > 1 else ""
    more = f" and {len(fits) - 6} more times" if len(fits) > 6 else ""
    told = [
        *((f"The {ORDINALS[k]} configuration", settings_in_words(one["settings"])) for k, one in _numbered(found)),
        ("Learned from", f"{w.number(history['learned_rows'])} rows before {_when(fits[0])}{again}{more}"),
        ("Alarms", "rows of one key that follow one another are one alarm"),
        ("Expected", "a range that holds with a probability of 90 %, if alarms go on to come as they did"),
        ("Data", str(found["data"]["name"])),
        ("SHA-256 of the data", str(found["data"]["sha256"])),
        ("Versions", ", ".join(f"{name} {version}" for name, version in made["versions"].items())),
        ("Made", str(made["created"])),
    ]
    return [(name, w.plain(value, 2_000)) for name, value in told]


def _numbered(found: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(found["configurations"]))


def _when(at: str | int) -> str:
    return w.number(at) if isinstance(at, int) else at.replace("T", " ").removesuffix("Z")
