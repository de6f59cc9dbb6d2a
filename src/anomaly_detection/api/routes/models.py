"""Models, versions and aliases."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.schemas import models as m
from anomaly_detection.workflows.model_changes import Changes
from anomaly_detection.workflows.models import algorithm_rows, registry_at

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context
    from anomaly_detection.registry.base import ModelSummary, ModelVersion
    from anomaly_detection.registry.local import LocalRegistry

router = APIRouter(prefix="/api/v1", tags=["models"])

Reads = Annotated[Principal, Depends(needs("read"))]
Admin = Annotated[Principal, Depends(needs("admin"))]
Name = Annotated[str, Path(max_length=200, description="The name of a model.", examples=["orders"])]
Number = Annotated[int, Path(ge=1, le=2**53, description="The number of a version.", examples=[3])]
Alias = Annotated[str, Path(max_length=200, description="An alias.", examples=["production"])]
Force = Annotated[bool, Query(description="Also what an alias points at.")]


@router.get("/algorithms")
def algorithms(_: Reads) -> list[m.Algorithm]:
    """List the algorithms that can be named, with their labels and the extra that each needs."""
    return [m.Algorithm.model_validate(row) for row in algorithm_rows()]


@router.get("/models")
def every(
    here: Here,
    _: Reads,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> m.ModelPage:
    """List models by name."""
    found = [one for one in _registry(here).list() if after is None or one.name > after]
    page = found[:limit]
    return m.ModelPage(items=[_model(one) for one in page], after=page[-1].name if len(found) > limit else None)


@router.get("/models/{name}")
def one(name: Name, here: Here, _: Reads) -> m.Model:
    """Show a model: its versions, its aliases, its newest version."""
    registry = _registry(here)
    versions = registry.versions(name)
    return m.Model(
        name=name,
        versions=[version.version for version in versions],
        aliases=registry.aliases(name),
        latest=version_answer(versions[-1]),
    )


@router.delete("/models/{name}")
def delete(name: Name, here: Here, caller: Admin, force: Force = False) -> m.Deleted:
    """Delete all versions of a model; `force` says that you mean it."""
    return m.Deleted(deleted=list(_changes(here, caller).delete(name, force=force)))


@router.get("/models/{name}/versions")
def versions(name: Name, here: Here, _: Reads) -> m.Versions:
    """List the versions of a model, the oldest first."""
    return m.Versions(items=[version_answer(version) for version in _registry(here).versions(name)])


@router.get("/models/{name}/versions/{version}")
def version(name: Name, version: Number, here: Here, _: Reads) -> m.Version:
    """Show a version: when and from what it came, and how good it was."""
    return version_answer(_registry(here).resolve(f"{name}@{version}"))


@router.delete("/models/{name}/versions/{version}")
def delete_version(name: Name, version: Number, here: Here, caller: Admin, force: Force = False) -> m.Deleted:
    """Delete a version."""
    return m.Deleted(deleted=list(_changes(here, caller).delete(f"{name}@{version}", force=force)))


@router.get("/models/{name}/history")
def history(name: Name, here: Here, _: Reads) -> m.History:
    """List the moves of a model's aliases, the oldest first."""
    return m.History(items=[m.AliasChange(**asdict(change)) for change in _registry(here).history(name)])


@router.put("/models/{name}/aliases/{alias}")
def promote(name: Name, alias: Alias, asked: m.Promotion, here: Here, caller: Admin) -> m.Version:
    """Point an alias at a version: promotion is pointing `production` at it.

    With `replacing`, of two callers who do so at once one succeeds and the other gets 409.
    """
    return version_answer(_changes(here, caller).promote(name, asked.version, alias, replacing=asked.replacing))


@router.delete("/models/{name}/aliases/{alias}")
def drop_alias(name: Name, alias: Alias, here: Here, caller: Admin) -> m.DroppedAlias:
    """Remove an alias."""
    return m.DroppedAlias(alias=alias, version=_changes(here, caller).drop_alias(name, alias))


@router.post("/models/{name}/aliases/{alias}/rollback")
def rollback(name: Name, alias: Alias, here: Here, caller: Admin) -> m.Version:
    """Point an alias at what it pointed to before."""
    return version_answer(_changes(here, caller).rollback(name, alias))


def _registry(here: Context) -> LocalRegistry:
    return registry_at(here.settings.registry_folder)


def _changes(here: Context, caller: Principal) -> Changes:
    return Changes(_registry(here), here.database, caller.name)


def _model(one: ModelSummary) -> m.Model:
    return m.Model(name=one.name, versions=list(one.versions), aliases=one.aliases, latest=version_answer(one.latest))


def version_answer(one: ModelVersion) -> m.Version:
    """A version, as it is shown."""
    return m.Version.model_validate(asdict(one) | {"aliases": list(one.aliases)})
