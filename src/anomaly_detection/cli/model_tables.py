"""Models as a person reads about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.cli.evaluations import show_evaluation
from anomaly_detection.cli.terminal import say, show_table, side
from anomaly_detection.records import counted
from anomaly_detection.sources.logs import LogFormat
from anomaly_detection.workflows.model_kinds import WORDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anomaly_detection.registry.base import ModelDetails, ModelSummary
    from anomaly_detection.workflows.models import Comparing, TrainOutcome


def show_trained(outcome: TrainOutcome, *, quiet: bool) -> None:
    """Say what was registered, and how good it is where labels tell."""
    version = outcome.version
    for note in () if quiet else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    pointing = f", {', '.join(version.aliases)}" if version.aliases else ""
    say(f"Registered {version.reference} ({version.size / 1024:.0f} KiB){pointing}", "bold")
    say(f"α = {outcome.pipeline.alpha_:.4g}, learned from {outcome.pipeline.rows_:,} rows")
    if outcome.levels is not None:
        say(levels_in_words(outcome.levels))
    if outcome.evaluation is not None:
        show_evaluation(outcome.evaluation)


def show_models(models: Sequence[ModelSummary]) -> None:
    """List the models of a registry."""
    if not models:
        say("No models yet. Train one: anomaly-detection models train --data FILE --name NAME")
        return
    columns = ("name", "algorithm", "versions", "newest", "aliases", "created")
    cells = [(m.name, _made_by(m), len(m.versions), m.latest.version, _aliases(m.aliases), _created(m)) for m in models]
    show_table("Models", columns, cells, right=("versions", "newest"))


def show_algorithms(rows: Sequence[Mapping[str, Any]]) -> None:
    """List the algorithms with their labels, and the extra that brings those that are not our own."""
    columns = ("name", "aliases", "labels", "extra", "what it does")
    cells = [
        (row["name"], ", ".join(row["aliases"]), ", ".join(row["labels"]), row["extra"] or "", row["summary"])
        for row in rows
    ]
    show_table("Algorithms", columns, cells)


def show_details(details: ModelDetails) -> None:
    """Print one version: what it is, where it comes from, what was measured."""
    show_table(details.version.reference, ("what", "value"), _facts(details))
    if details.spec.get("evidence"):
        show_levels(details.spec["evidence"])
    if details.version.metrics:
        metrics = [(name, _number(value)) for name, value in details.version.metrics.items()]
        say()
        show_table("Metrics", ("metric", "value"), metrics, right=("value",))


def levels_in_words(levels: dict[str, Any]) -> str:
    """How many keys have a model of their own.

    >>> levels_in_words({"own_models": 3, "keys": 40, "levels": [{"keys_sharing": 37}]})
    '3 models of their own for the 40 keys; 37 keys share a model'
    """
    sharing = sum(level["keys_sharing"] for level in levels["levels"])
    own = counted(levels["own_models"], "model")
    shared = f"{counted(sharing, 'key')} {'shares' if sharing == 1 else 'share'} a model"
    return f"{own} of their own for the {counted(levels['keys'], 'key')}; {shared}"


def show_levels(levels: dict[str, Any]) -> None:
    """Print which level answers for how many rows, and the models with the most rows."""
    rows = [
        (
            level["level"],
            f"{level['models']:,}",
            f"{level['rows']:,}",
            f"{level['keys_sharing']:,}",
            ", ".join(level["keys_differ_in"]),
        )
        for level in levels["levels"]
    ]
    say()
    columns = ("level", "models", "rows answered", "keys that share", "which differ in")
    show_table("Levels", columns, rows, right=columns[1:4])
    own = [
        (one["key"], one["level"], f"{one['rows']:,}", _number(one["weight"]), _number(one["difference"]))
        for one in levels["models"]
    ]
    say()
    columns = ("key", "level", "rows", "weight", "difference")
    show_table(f"Own models ({len(own)} of {levels['own_models']:,})", columns, own, right=columns[2:])


def show_comparison(found: Comparing, first: str, second: str) -> None:
    """Print two versions side by side."""
    columns = list(found.stored[0]) if found.stored else ["metric"]
    rows = [[_number(value) for value in row.values()] for row in found.stored]
    show_table("When they were registered", columns, rows, right=columns[1:])
    if found.paired:
        paired = [_paired(name, one.to_dict()) for name, one in found.paired.items()]
        say()
        columns = ["metric", first, second, "difference", "95 % interval"]
        show_table("On the same rows", columns, paired, right=columns[1:4])


def _created(model: ModelSummary) -> str:
    return model.latest.created if model.latest.problem is None else f"damaged: {model.latest.problem}"


def _made_by(model: ModelSummary) -> str:
    lineage = model.latest.lineage
    return "" if lineage is None else str(lineage.parameters.get("algorithm", ""))


def _facts(details: ModelDetails) -> list[tuple[str, str]]:
    version, spec = details.version, details.spec
    facts = {
        "aliases": ", ".join(version.aliases) or "none",
        "created": version.created,
        "size": f"{version.size / 1024:.0f} KiB",
        "digest": version.digest,
        **_what(spec),
        "α": f"{spec.get('alpha', 0):.4g}",
    }
    lineage = version.lineage
    if lineage is not None:
        facts |= {
            "rows": f"{lineage.rows:,}" if lineage.rows is not None else "unknown",
            "columns": ", ".join(lineage.columns),
            "data": f"SHA-256 {lineage.data_fingerprint}" if lineage.data_fingerprint else "unknown",
            "seed": str(lineage.seed),
            "command": lineage.command or "from Python",
            "versions": ", ".join(f"{name} {number}" for name, number in lineage.library_versions.items()),
        }
    return list(facts.items())


def _what(spec: Mapping[str, Any]) -> dict[str, str]:
    """What a model judges, and with what; of logs, how they are read."""
    kind = kind_of(spec)
    if kind == "table":
        return {"judges": WORDS[kind], "algorithm": _algorithm(spec.get("scorer", {}).get("detector"))}
    told = (spec.get("reading") or {}).get("format")
    parameters = spec["logs" if kind == "log_lines" else "sessions"]
    facts = {"judges": WORDS[kind], "parameters": ", ".join(f"{name}={value}" for name, value in parameters.items())}
    return facts if told is None else {**facts, "read as": str(LogFormat.from_dict(told))}


def _algorithm(spec: Any) -> str:
    if not isinstance(spec, dict):
        return str(spec)
    name, parameters = spec.get("name"), spec.get("parameters") or {}
    inside = ", ".join(f"{key}={value}" for key, value in parameters.items())
    return f"{name}({inside})"


def _aliases(aliases: dict[str, int]) -> str:
    return ", ".join(f"{alias} → {version}" for alias, version in aliases.items()) or "none"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return "" if value is None else str(value)


def _paired(name: str, one: dict[str, Any]) -> list[str]:
    interval = one.get("interval")
    words = "" if interval is None else f"{interval[0]:+.3f} to {interval[1]:+.3f}"
    return [name, *(_number(one.get(part)) for part in ("first", "second", "difference")), words]
