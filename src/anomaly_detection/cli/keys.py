"""``keys``: who may use the service."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli.service_database import service_database

if TYPE_CHECKING:
    from anomaly_detection.store.keys import ApiKey

app = typer.Typer(help="Make, see and revoke keys of the service.", no_args_is_help=True)


COLUMNS = ("id", "name", "scopes", "state", "created", "expires", "last_used")


@app.callback()
def _group() -> None:
    """Make, see and revoke keys of the service."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, score, train, or admin for everything; may be repeated.",
            show_default="read, score",
        ),
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long it lasts; until it is revoked when not given.")] = None,
    as_json: o.Json = False,
) -> None:
    """Make a key; its secret is shown this once and is not kept."""
    from anomaly_detection.cli.terminal import print_json, say
    from anomaly_detection.workflows.api_keys import create_key

    with service_database() as database:
        key, secret = create_key(database, name, scope or ("read", "score"), days, asked_by=_me())
    if as_json:
        print_json({**_shown(key), "secret": secret})
    else:
        typer.echo(secret)
        until = "until it is revoked" if key.expires is None else f"until {key.expires:%Y-%m-%d %H:%M} UTC"
        say(f"{key.name} may {', '.join(key.scopes)} {until}. Send it as Authorization: Bearer KEY.")


@app.command("list")
def list_(as_json: o.Json = False) -> None:
    """See all keys that were ever made, without their secrets."""
    from anomaly_detection.cli.terminal import print_json, show_table
    from anomaly_detection.workflows.api_keys import list_keys

    with service_database() as database:
        found = list_keys(database)
    rows = [_shown(key) for key in found]
    if as_json:
        print_json(rows)
    else:
        shown = [{**row, "scopes": ", ".join(key.scopes)} for row, key in zip(rows, found, strict=True)]
        show_table(None, COLUMNS, [[row[column] or "" for column in COLUMNS] for row in shown])


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="Its id, or its name.")], as_json: o.Json = False) -> None:
    """End a key; services that run take no request with it a second later."""
    from anomaly_detection.cli.terminal import print_json, say
    from anomaly_detection.workflows.api_keys import revoke_key

    with service_database() as database:
        ended = revoke_key(database, key, asked_by=_me())
    if as_json:
        print_json(_shown(ended))
    else:
        say(f"The key of {ended.name} does not work any more.")


def _me() -> str:
    return f"command of {getpass.getuser()}"


def _shown(key: ApiKey) -> dict[str, object]:
    moments = {"created": key.created, "expires": key.expires, "last_used": key.last_used}
    shown = {name: None if at is None else at.isoformat(timespec="seconds") for name, at in moments.items()}
    return {"id": key.id, "name": key.name, "scopes": list(key.scopes), "state": key.state, **shown}
