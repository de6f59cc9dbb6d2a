"""Write the pages of the documentation that come from the code, or check that they are up to date.

python tools/reference.py [--check]
"""

from __future__ import annotations

import html
import inspect
import json
import re
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import docstrings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.entries import Entry

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTE = "<!-- Written by tools/reference.py from the code; `make reference` writes it anew. -->\n\n"
DEFAULT = re.compile(r"<(?:function|class) '?([\w.]+)[^>]*>")
ANNOTATION = re.compile(r"((?:-> )|(?:\w: ))'([^']*)'")
ROOMS = ("anomaly_detection", "anomaly_detection.detectors", "anomaly_detection.testing")
"""The modules whose ``__all__`` is the Python interface."""


def main(arguments: list[str]) -> int:
    """Write every page; with ``--check``, write none and return 1 when one would change."""
    stale = [path for path, text in pages() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make reference")
        return 1 if stale else 0
    for path, text in pages():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(stale)} of {len(list(pages()))} pages changed")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Each page's place and text."""
    for name, text in (
        ("reference/cli.md", command_line()),
        ("reference/python.md", python()),
        ("reference/algorithms.md", algorithms()),
        ("reference/thresholds.md", thresholds()),
        ("reference/errors.md", errors()),
        ("reference/service.md", service()),
        ("reference/rest.md", rest()),
        ("benchmarks.md", benchmarks()),
    ):
        yield DOCS / name, NOTE + text.rstrip() + "\n"


def command_line() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    root = get_command(import_module("anomaly_detection.cli").app)
    commands = [command_page(name, command) for name, command in walk("anomaly-detection", root)]
    return "\n\n".join(["# Command line", EXIT_CODES, *commands])


EXIT_CODES = (
    "Exit codes: 0 done, 1 anomalies found (only with `--fail-on-anomaly`), 2 bad input or usage, 3 an internal error."
)


def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command and all below it, with full names."""
    yield name, command
    for word, child in sorted(getattr(command, "commands", {}).items()):
        if not child.hidden:
            yield from walk(f"{name} {word}", child)


def command_page(name: str, command: Any) -> str:
    """One command."""
    said = [f"## {name}", docstrings.inline(inspect.cleandoc(command.help or ""))]
    children = getattr(command, "commands", {})
    if children:
        said.append("\n".join(f"- `{name} {word}`: {brief(one)}" for word, one in sorted(children.items())))
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    if shown:
        rows = [parameter_row(one) for one in shown]
        said.append("\n".join(["| argument or option | takes | default | what it does |", "|---|---|---|---|", *rows]))
    return "\n\n".join(said)


def brief(command: Any) -> str:
    """The first sentence of a command's help."""
    return docstrings.summary(command.help)


def parameter_row(parameter: Any) -> str:
    """One argument or option."""
    is_option = parameter.param_type_name == "option"
    words = ", ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts]) if is_option else ""
    name = words or f"`{parameter.name.upper()}`"
    flag = getattr(parameter, "is_flag", False)
    default = parameter.default
    shown = "required" if parameter.required else "" if flag or default in (None, (), []) else f"`{default}`"
    kind = "" if flag else takes(parameter)
    return f"| {name} | {cell(kind)} | {cell(shown)} | {cell(getattr(parameter, 'help', None) or '')} |"


def takes(parameter: Any) -> str:
    """What a value has to be, in words."""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    (inner,) = get_args(annotation) or (annotation,)
    word = {int: "whole number", float: "number", str: "text", Path: "path"}.get(inner, getattr(inner, "__name__", ""))
    bounds = [f"{sign} {value:,}" for sign, value in (("≥", parameter.min), ("≤", parameter.max)) if value is not None]
    return ", ".join([word, *bounds]) + (", repeatable" if getattr(parameter, "multiple", False) else "")


def python() -> str:
    """The public names of the rooms a Python user imports from."""
    said = ["# Python"]
    seen: set[int] = set()
    for room in ROOMS:
        module = import_module(room)
        names = [name for name in sorted(module.__all__) if not name.startswith("__")]
        found = [(name, getattr(module, name)) for name in names]
        said += [f"## {room}", docstrings.markdown(module.__doc__ or "")]
        said += [public(name, value) for name, value in found if id(value) not in seen and not inspect.ismodule(value)]
        seen.update(id(value) for _, value in found)
    return "\n\n".join(said)


def public(name: str, value: Any) -> str:
    """A class with its methods, or a function."""
    if not callable(value):
        return f"### {name}"
    said = [f"### {name}", signature(name, value), docstrings.markdown(inspect.getdoc(value) or "")]
    if inspect.isclass(value):
        said += [member(method, one) for method, one in own_members(value)]
    return "\n\n".join(said)


def own_members(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties written in this package, with a docstring, in order of definition."""
    for name, value in vars(cls).items():
        one = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if not name.startswith("_") and (inspect.isfunction(one) or isinstance(one, property)) and one.__doc__:
            yield name, one


def member(name: str, one: Any) -> str:
    """One method or property."""
    text = docstrings.markdown(one.__doc__ or "")
    if isinstance(one, property):
        return f"#### {name}\n\n*property*\n\n{text}"
    return f"#### {name}\n\n{signature(name, one)}\n\n{text}"


def signature(name: str, value: Any) -> str:
    """The call, without ``self``."""
    found = inspect.signature(value)
    kept = [one for one in found.parameters.values() if one.name not in ("self", "cls")]
    text = DEFAULT.sub(r"\1", ANNOTATION.sub(r"\1\2", str(found.replace(parameters=kept))))
    return f"```text\n{name}{text}\n```"


def algorithms() -> str:
    """The catalog: a table, then each algorithm's parameters."""
    from anomaly_detection.catalog import DETECTORS

    listed = [entry for entry in DETECTORS.entries() if str(entry.target).startswith("anomaly_detection.")]
    ours = [entry for entry in listed if entry.extra != "pyod"]
    here = [entry for entry in ours if find_spec(str(entry.target).partition(":")[0])]
    head = ["| name | also | what it does | labels |", "|---|---|---|---|"]
    table = "\n".join(head + [algorithm_row(entry, f"[`{entry.name}`](#{entry.name})") for entry in here])
    wrapped = "\n".join(head + [algorithm_row(one, f"`{one.name}`") for one in listed if one.extra == "pyod"])
    said = ["# Algorithms", ALGORITHMS, table, *map(algorithm_page, here), "## From PyOD", FROM_PYOD, wrapped]
    return "\n\n".join(said)


ALGORITHMS = (
    "Names as you type them after `--algorithm` and in `AnomalyDetector(algorithm=…)`; case, spaces and hyphens do not "
    "matter. The labels: `streaming`, a row's score does not depend on the rows beside it, and `batch only`, it does; "
    "`missing values` and `categories`, the algorithm takes them as they are, and for the others the pipeline fills in "
    "and marks missing values, and encodes categories; `online`, it goes on learning a row at a time. The labels of an "
    "ensemble are those that all its members have, here its defaults."
)
FROM_PYOD = (
    "These need the extra: `pip install 'anomaly-detection[pyod]'`. Their parameters are PyOD's. `not saved` means "
    "that it cannot be kept in the registry; what needs another package says which. See "
    "[Use PyOD's detectors](../how-to/use-pyod-detectors.md)."
)


def algorithm_row(entry: Entry, name: str) -> str:
    """One line of a table."""
    from anomaly_detection.detectors.labels import labels_of

    also = ", ".join(f"`{alias}`" for alias in entry.aliases)
    return f"| {name} | {also} | {cell(entry.summary)} | {', '.join(labels_of(entry))} |"


def algorithm_page(entry: Entry) -> str:
    """One algorithm: what it does, its parameters, where it comes from."""
    cls = entry.load()
    parts = docstrings.sections(cls.__doc__ or "")
    meanings = docstrings.entries(parts.get("Parameters", ""))
    said = [f"## {entry.name}", docstrings.blocks(parts[""])]
    rows = [setting_row(cls, name, one, meanings) for name, one in inspect.signature(cls).parameters.items()]
    if rows:
        said.append("\n".join(["| parameter | default | values | meaning |", "|---|---|---|---|", *rows]))
    said += [docstrings.blocks(parts[name]) for name in ("Notes", "References") if name in parts]
    return "\n\n".join(said)


def setting_row(cls: Any, name: str, parameter: inspect.Parameter, meanings: dict[str, str]) -> str:
    """One parameter of an algorithm."""
    rule = cls.constraints.get(name)
    values = rule.problem(object()) if rule else ""
    default = "" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
    return f"| `{name}` | {cell(default)} | {cell(values)} | {cell(docstrings.inline(meanings.get(name, '')))} |"


def thresholds() -> str:
    """The estimators of the alarm line, with their parameters."""
    from anomaly_detection.thresholds import THRESHOLDS

    ours = [entry for entry in THRESHOLDS.entries() if str(entry.target).startswith("anomaly_detection.")]
    return "\n\n".join(["# Thresholds", THRESHOLD_NAMES, *map(algorithm_page, ours)])


THRESHOLD_NAMES = (
    "Names as you type them after `--threshold` and in `AnomalyDetector(threshold=…)`. Each draws the alarm line on "
    "the raw scores of the calibration rows; the p-value at that line is α."
)


def errors() -> str:
    """The tree of errors, and what each means."""
    module = import_module("anomaly_detection.errors")
    classes = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    listed = "\n".join(f"- `{one.__name__}`: {docstrings.summary(one.__doc__)}" for one in classes)
    return "\n\n".join(["# Errors", docstrings.blocks(module.__doc__ or ""), listed])


def service() -> str:
    """The settings and the metrics of the service."""
    return f"# The service\n\n## Settings\n\n{SETTINGS}\n\n{settings()}\n\n## Metrics\n\n{METRICS}\n\n{metrics()}"


def settings() -> str:
    """A table of what the environment may set."""
    from anomaly_detection.settings import PREFIX, Settings

    listed = docstrings.entries(docstrings.sections(Settings.__doc__ or "")["Parameters"])
    meanings = {name: text for names, text in listed.items() for name in names.split(", ")}
    rows = [
        f"| `{PREFIX}{name.upper()}` | {cell(shown_default(field))} | {cell(docstrings.inline(meanings[name]))} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it sets |", "|---|---|---|", *rows])


def shown_default(field: Any) -> str:
    """A default as it is typed."""
    if field.default_factory is not None:
        return "`~/.local/share/anomaly-detection`"
    value = getattr(field.default, "get_secret_value", lambda: field.default)()
    return "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def metrics() -> str:
    """A table of what Prometheus is told."""
    from anomaly_detection import telemetry

    found = [getattr(telemetry, name) for name in telemetry.__all__ if name.isupper() and name != "METRICS"]
    described = sorted(((next(iter(one.describe())), one) for one in found), key=lambda pair: pair[0].name)
    rows = []
    for family, one in described:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in one._labelnames)  # noqa: SLF001 - there is no public word
        rows.append(f"| `{name}` | {family.type} | {labels} | {cell(family.documentation)} |")
    return "\n".join(["| metric | kind | labels | what it says |", "|---|---|---|---|", *rows])


SETTINGS = (
    "From the environment, or from a file of that name (in small letters) in `/run/secrets/anomaly-detection`, which "
    "is for secrets. Options of `anomaly-detection serve` go before both. "
    "[Operate the service](../operate.md) says when to change what."
)
METRICS = (
    "`GET /metrics` shows them to Prometheus, with those of the process (`anomaly_detection_process_…`). Gauges are "
    "filled when somebody asks, from the database and the registry, and say the same on each replica; counters and "
    "histograms are of one process."
)


def rest() -> str:
    """The routes of the service, by tag, with their parameters and an example of a body."""
    from anomaly_detection.api import Context, create_api
    from anomaly_detection.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        context = Context.open(Settings(home=Path(home), registry=None, database=None, open_access=True))
        document = create_api(context).openapi()
        context.close()
    routes = [
        (operation["tags"][0], f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    said = ["# REST API", REST]
    for tag in document["tags"]:
        said += [f"## {tag['name'].capitalize()}", tag["description"]]
        said += [route_page(name, one, document) for of, name, one in routes if of == tag["name"]]
    return "\n\n".join(said)


REST = (
    "The service writes the whole document at `/openapi.json`. Every answer that is no success is a problem document "
    "(RFC 9457): `title`, `status`, `detail`, `instance`, `request_id`, and `errors` where fields are off. How to call "
    "it: [Use the REST API](../how-to/use-the-rest-api.md)."
)


def route_page(name: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """One route: what it does, its parameters, an example of its body, the fields of its answer."""
    said = [f"### {name}", operation.get("description", "")]
    rows = [
        f"| `{one['name']}` | {one['in']} | {cell(one.get('description'))} |" for one in operation.get("parameters", ())
    ]
    if rows:
        said.append("\n".join(["| parameter | in | meaning |", "|---|---|---|", *rows]))
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = resolved(content.get("schema", {}), document)
        examples = schema.get("examples", ())[:1]
        said += [f"```json\n{json.dumps(example, ensure_ascii=False)}\n```" for example in examples]
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            fields = resolved(content.get("schema", {}), document).get("properties", ())
            if status.startswith("2") and fields:
                said.append(f"Answers {status} with " + ", ".join(f"`{field}`" for field in fields) + ".")
    return "\n\n".join(said)


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one that it refers to."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def benchmarks() -> str:
    """The tables that ``make bench`` left in benchmarks/results, each below its picture, if there is one."""
    found = sorted((ROOT / "benchmarks" / "results").glob("*.md"))
    tables = [
        f"## {path.stem.replace('_', ' ').capitalize()}\n\n{picture(path.stem)}{path.read_text().strip()}"
        for path in found
    ]
    empty = ["| what | ours | peer | ratio |", "|---|---|---|---|"]
    return "\n\n".join(["# Benchmarks", BENCHMARKS, *(tables or ["\n".join(empty)])])


def picture(name: str) -> str:
    """The picture of a benchmark with its own description for who cannot see it, or nothing."""
    path = DOCS / "assets" / f"{name}.svg"
    if not path.exists():
        return ""
    described = re.search(r"<desc[^>]*>(.*?)</desc>", path.read_text(encoding="utf-8"), re.DOTALL)
    return f"![{html.unescape(described[1]) if described else name}](assets/{name}.svg)\n\n"


BENCHMARKS = (
    "Each speed is a ratio to a named peer, taken in one run on one thread in CPU seconds, with a check beside it that "
    "both give the same answer. `make bench` measures them again on your machine; `make bench DATA=folder` also what "
    "needs labelled tables."
)


def cell(text: str | None) -> str:
    """Text that fits into a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
