"""``models``: train, list, compare, promote, roll back, delete, export and import."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import completion
from anomaly_detection.cli import options as o
from anomaly_detection.cli import series_options as so
from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.registry.local import LocalRegistry

app = typer.Typer(help="Train models and look after them.", no_args_is_help=True)

Reference = Annotated[
    str, typer.Argument(help="A model: name, name@alias or name@version.", autocompletion=completion.models)
]
Promoted = Annotated[
    str,
    typer.Argument(
        help="The model's name; or with its version, name@2.", autocompletion=completion.models, metavar="NAME"
    ),
]
ModelName = Annotated[str, typer.Argument(help="The model's name.", autocompletion=completion.models)]
Name = Annotated[str, typer.Option("--name", "-n", metavar="NAME", help="The name to register the model under.")]
Aliases = Annotated[
    list[str] | None, typer.Option("--alias", metavar="NAMES", help="Aliases for the new version, a,b.")
]
Algorithms = Annotated[bool, typer.Option("--algorithms", help="List the algorithms instead.")]
Force = Annotated[bool, typer.Option("--force", help="Delete a whole model, or a version an alias points to.")]
Alias = Annotated[str, typer.Option("--alias", metavar="NAME", help="The alias to move.")]
Labelled = Annotated[
    str | None, typer.Option("--data", "-d", metavar="FILE", help="Labelled records to score with both.")
]


@app.callback()
def _group() -> None:
    """Train models and look after them."""


@app.command()
def train(
    data: o.Data,
    name: Name,
    algorithm: o.Algorithm = "auto",
    param: o.Parameter = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    transform: o.Transform = None,
    per_key: o.PerKey = False,
    min_rows: o.MinRows = None,
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
    direction: so.Direction = "both",
    minimum_change: so.MinimumChange = 0.0,
    minimum_share: so.MinimumShare = 0.0,
    lower_bound: so.LowerBound = None,
    upper_bound: so.UpperBound = None,
    offline: so.Offline = False,
    zone: so.Zone = None,
    budget: so.Budget = None,
    registry: o.RegistryFolder = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Fit a model, evaluate it on held-out rows, and register it as a new version."""
    from anomaly_detection.cli.model_tables import show_trained
    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.workflows.models import TrainRequest, train_model

    reading = o.reading(data, format_, encoding, delimiter, columns, categorical, timestamp, key, label, ignore)
    fitting = o.fitting(
        algorithm, param, contamination, threshold, transform, seed, per_key=per_key, key=key, min_rows=min_rows
    )
    series = so.wishes(
        direction, minimum_change, minimum_share, lower_bound, upper_bound, zone, budget, offline=offline
    )
    request = TrainRequest(reading, name, replace(fitting, series=series), o.names(alias), registry)
    with progress(quiet=quiet or as_json) as show:
        outcome = train_model(request, show)
    if as_json:
        print_json(outcome.to_dict())
    else:
        show_trained(outcome, quiet=quiet)


@app.command("list")
def list_(
    algorithms: Algorithms = False,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """List the registered models, or the algorithms there are."""
    from anomaly_detection.cli.model_tables import show_algorithms, show_models
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.workflows.models import algorithm_rows, registry_at

    if algorithms:
        rows = algorithm_rows()
        if as_json:
            print_json(rows)
        else:
            show_algorithms(rows)
        return
    models = registry_at(registry).list()
    if as_json:
        print_json([asdict(model) for model in models])
    else:
        show_models(models)


@app.command()
def show(reference: Reference, registry: o.RegistryFolder = None, as_json: o.Json = False) -> None:
    """Show one version: what it is, where it comes from, how good it is."""
    from anomaly_detection.cli.model_tables import show_details
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.workflows.models import registry_at

    details = registry_at(registry).show(reference)
    if as_json:
        print_json(asdict(details))
    else:
        show_details(details)


@app.command()
def compare(
    first: Reference,
    second: Reference,
    data: Labelled = None,
    label: o.Label = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Put two versions side by side; with labelled data, on the same rows."""
    from anomaly_detection.cli.model_tables import show_comparison
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.workflows.models import compare_models
    from anomaly_detection.workflows.reading import Reading

    if label is not None and data is None:
        raise InputError(f"--label {label}: name the labelled records with --data, too.")
    reading = None if data is None else Reading(data, format_, encoding, delimiter, label=label)
    found = compare_models(first, second, reading, registry)
    if as_json:
        print_json(found.to_dict())
    else:
        show_comparison(found, first, second)


@app.command()
def promote(
    reference: Promoted,
    version: Annotated[int | None, typer.Argument(help="The version the alias shall point to.")] = None,
    alias: Alias = "production",
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Point an alias, production by default, to a version: NAME 2, NAME@2, or NAME@challenger."""
    from anomaly_detection.workflows.models import registry_at

    store = registry_at(registry)
    name, number = _chosen(store, reference, version, alias)
    _moved(store.promote(name, number, alias), alias, as_json=as_json)


@app.command()
def rollback(
    name: ModelName,
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
    as_json: o.Json = False,
) -> None:
    """Delete a version, or with --force a whole model."""
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.registry.names import parse_reference
    from anomaly_detection.workflows.models import registry_at

    versions = registry_at(registry).delete(reference, force=force)
    name = parse_reference(reference).name
    if as_json:
        print_json({"name": name, "deleted": versions})
    else:
        typer.echo(f"Deleted {name} version {', '.join(map(str, versions))}.")


@app.command("export")
def export_(
    reference: Reference,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Write one version into one file, to be imported elsewhere."""
    from anomaly_detection.cli.terminal import print_json, say
    from anomaly_detection.workflows.models import registry_at

    store = registry_at(registry)
    written = store.export(reference, output, overwrite=force)
    if as_json:
        print_json({"reference": store.resolve(reference).reference, "file": str(written)})
    else:
        say(f"Wrote {written}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `models export` wrote.")],
    name: Annotated[str | None, typer.Option("--name", "-n", help="Another name for the model.")] = None,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> None:
    """Register a model from an exported file, after checking every byte of it."""
    from anomaly_detection.cli.terminal import print_json
    from anomaly_detection.workflows.models import registry_at

    version = registry_at(registry).import_(file, name)
    if as_json:
        print_json(asdict(version))
    else:
        typer.echo(f"Imported {version.reference}")


def _chosen(store: LocalRegistry, reference: str, version: int | None, alias: str) -> tuple[str, int]:
    """The name and the version that are meant, given apart or as one reference."""
    from anomaly_detection.registry.names import LATEST, parse_reference

    wanted = parse_reference(reference)
    one = wanted.version is None and wanted.alias is None
    if one and version is None:
        newest = store.resolve(f"{wanted.name}@{LATEST}").version
        raise InputError(
            f"Which version of {wanted.name!r} shall {alias!r} point to? Write it after the name, such as "
            f"models promote {wanted.name} {newest}, or models promote {wanted.name}@{newest}."
        )
    if not one and version is not None:
        raise InputError(
            f"{reference!r} and {version} both say which version is meant. Write models promote {wanted.name} "
            f"{version}, or models promote {reference}."
        )
    return wanted.name, store.resolve(reference).version if version is None else version


def _moved(version: ModelVersion, alias: str, *, as_json: bool) -> None:
    from anomaly_detection.cli.terminal import print_json

    if as_json:
        print_json(asdict(version))
    else:
        typer.echo(f"{version.name}@{alias} is now version {version.version}.")
