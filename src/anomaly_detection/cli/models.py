"""``models``: train, list, compare, promote, roll back, delete, export and import."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o

if TYPE_CHECKING:
    from anomaly_detection.registry.base import ModelDetails, ModelVersion

app = typer.Typer(help="Train models and look after them.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(help="A model: name, name@alias or name@version.")]
Name = Annotated[str, typer.Option("--name", "-n", help="The name to register the model under.")]
Aliases = Annotated[list[str] | None, typer.Option("--alias", help="Aliases for the new version, a,b.")]
Algorithms = Annotated[bool, typer.Option("--algorithms", help="List the algorithms instead.")]
Force = Annotated[bool, typer.Option("--force", help="Delete a whole model, or a version an alias points to.")]
Alias = Annotated[str, typer.Option("--alias", help="The alias to move.")]


@app.callback()
def _group() -> None:
    """Train models and look after them."""


@app.command()
def train(
    data: o.Data,
    name: Name,
    algorithm: o.Algorithm = "isolation_forest",
    param: o.Parameter = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    alias: Aliases = None,
    columns: o.Columns = None,
    categorical: o.Categorical = None,
    timestamp: o.Timestamp = None,
    key: o.Key = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    registry: o.RegistryFolder = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Fit a model, evaluate it on held-out rows, and register it as a new version."""
    from anomaly_detection.cli.evaluations import evaluation_table
    from anomaly_detection.cli.terminal import console, print_json, progress
    from anomaly_detection.workflows.fitting import Fitting
    from anomaly_detection.workflows.models import TrainRequest, train_model

    reading = o.reading(data, format_, encoding, delimiter, columns, categorical, timestamp, key, label, ignore)
    fitting = Fitting(algorithm, o.parameters(param), o.contamination(contamination), threshold, seed)
    request = TrainRequest(reading, name, fitting, o.names(alias), registry)
    with progress(quiet=quiet or as_json) as show:
        outcome = train_model(request, show)
    if as_json:
        print_json(asdict(outcome.version))
        return
    version = outcome.version
    console().print(f"Registered [bold]{version.reference}[/] ({version.size / 1024:.0f} KiB){_pointing(version)}")
    console().print(f"α = {outcome.pipeline.alpha_:.4g}, learned from {outcome.pipeline.rows_:,} rows")
    if outcome.evaluation is not None:
        console().print(evaluation_table(outcome.evaluation))


@app.command("list")
def list_(
    algorithms: Algorithms = False,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """List the registered models, or the algorithms there are."""
    from anomaly_detection.cli.terminal import console, print_json, table
    from anomaly_detection.workflows.models import algorithm_rows, registry_at

    if algorithms:
        rows = algorithm_rows()
        if as_json:
            print_json(rows)
        else:
            words = [row.values() for row in rows]
            console().print(table("Algorithms", ("name", "aliases", "takes", "what it does"), words))
        return
    models = registry_at(registry).list()
    if as_json:
        print_json([asdict(model) for model in models])
    elif not models:
        console().print("No models yet. Train one: anomaly-detection models train --data FILE --name NAME")
    else:
        cells = [(m.name, len(m.versions), m.latest.version, _aliases(m.aliases), m.latest.created) for m in models]
        columns = ("name", "versions", "newest", "aliases", "created")
        console().print(table("Models", columns, cells, right=("versions", "newest")))


@app.command()
def show(reference: Reference, registry: o.RegistryFolder = None, as_json: o.Json = False) -> None:
    """Show one version: what it is, where it comes from, how good it is."""
    from anomaly_detection.cli.terminal import console, print_json, table
    from anomaly_detection.workflows.models import registry_at

    details = registry_at(registry).show(reference)
    if as_json:
        print_json(asdict(details))
        return
    console().print(table(details.version.reference, ("what", "value"), _facts(details)))
    if details.version.metrics:
        metrics = [(name, f"{value:.4g}") for name, value in details.version.metrics.items()]
        console().print()
        console().print(table("Metrics", ("metric", "value"), metrics, right=("value",)))


@app.command()
def compare(
    first: Reference,
    second: Reference,
    data: Annotated[str | None, typer.Option("--data", "-d", help="Labelled records to score with both.")] = None,
    label: o.Label = None,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Put two versions side by side; with labelled data, on the same rows."""
    from anomaly_detection.cli.terminal import console, print_json, table
    from anomaly_detection.workflows.models import compare_models
    from anomaly_detection.workflows.reading import Reading

    found = compare_models(first, second, Reading(data, label=label) if data else None, registry)
    if as_json:
        print_json(found.to_dict())
        return
    columns = list(found.stored[0]) if found.stored else ["metric"]
    rows = [[_number(value) for value in row.values()] for row in found.stored]
    console().print(table("When they were registered", columns, rows, right=columns[1:]))
    if found.paired:
        paired = [_paired_cells(name, one.to_dict()) for name, one in found.paired.items()]
        console().print()
        console().print(table("On the same rows", ("metric", first, second, "difference", "95 % interval"), paired))


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="The model's name.")],
    version: Annotated[int, typer.Argument(help="The version the alias shall point to.")],
    alias: Alias = "production",
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Point an alias, production by default, to a version."""
    from anomaly_detection.workflows.models import registry_at

    _moved(registry_at(registry).promote(name, version, alias), alias, as_json=as_json)


@app.command()
def rollback(
    name: Annotated[str, typer.Argument(help="The model's name.")],
    alias: Alias = "production",
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Point an alias back to the version it pointed to before."""
    from anomaly_detection.workflows.models import registry_at

    _moved(registry_at(registry).rollback(name, alias), alias, as_json=as_json)


@app.command()
def delete(
    reference: Reference,
    force: Force = False,
    registry: o.RegistryFolder = None,
) -> None:
    """Delete a version, or with --force a whole model."""
    from anomaly_detection.workflows.models import registry_at

    versions = registry_at(registry).delete(reference, force=force)
    typer.echo(f"Deleted {reference.partition('@')[0]} version {', '.join(map(str, versions))}.")


@app.command("export")
def export_(
    reference: Reference,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    registry: o.RegistryFolder = None,
) -> None:
    """Write one version into one file, to be imported elsewhere."""
    from anomaly_detection.workflows.models import registry_at

    typer.echo(f"Wrote {registry_at(registry).export(reference, output, overwrite=force)}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `models export` wrote.")],
    name: Annotated[str | None, typer.Option("--name", "-n", help="Another name for the model.")] = None,
    registry: o.RegistryFolder = None,
) -> None:
    """Register a model from an exported file, after checking every byte of it."""
    from anomaly_detection.workflows.models import registry_at

    typer.echo(f"Imported {registry_at(registry).import_(file, name).reference}")


def _moved(version: ModelVersion, alias: str, *, as_json: bool) -> None:
    from anomaly_detection.cli.terminal import print_json

    if as_json:
        print_json(asdict(version))
    else:
        typer.echo(f"{version.name}@{alias} is now version {version.version}.")


def _facts(details: ModelDetails) -> list[tuple[str, str]]:
    version, spec = details.version, details.spec
    lineage = version.lineage
    facts = {
        "aliases": ", ".join(version.aliases) or "none",
        "created": version.created,
        "size": f"{version.size / 1024:.0f} KiB",
        "digest": version.digest,
        "algorithm": str(spec.get("scorer", {}).get("detector")),
        "α": f"{spec.get('alpha', 0):.4g}",
    }
    if lineage is not None:
        facts |= {
            "rows": str(lineage.rows),
            "columns": ", ".join(lineage.columns),
            "data": str(lineage.data_fingerprint),
            "seed": str(lineage.seed),
            "command": str(lineage.command),
            "versions": ", ".join(f"{name} {number}" for name, number in lineage.library_versions.items()),
        }
    return list(facts.items())


def _aliases(aliases: dict[str, int]) -> str:
    return ", ".join(f"{alias} → {version}" for alias, version in aliases.items()) or "none"


def _pointing(version: ModelVersion) -> str:
    return f", {', '.join(version.aliases)}" if version.aliases else ""


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _paired_cells(name: str, one: dict[str, Any]) -> list[str]:
    interval = one.get("interval")
    words = "" if interval is None else f"{interval[0]:+.3f} to {interval[1]:+.3f}"
    return [name, *(_number(one.get(part)) for part in ("first", "second", "difference")), words]
