"""Who changed what."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Pydantic reads it
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.store import audit

router = APIRouter(prefix="/api/v1/audit", tags=["access"])


class Change(BaseModel):
    """One change."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class ChangePage(BaseModel):
    """Some of the changes, the newest first."""

    items: list[Change]
    after: Annotated[int | None, Field(description="Send it as `after` for earlier ones; null at the end.")]


@router.get("")
def every(
    here: Here,
    _: Annotated[Principal, Depends(needs("admin"))],
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> ChangePage:
    """List changes, the newest first: who, what, when."""
    with here.database.read() as connection:
        found = audit.newest(connection, limit, after)
    items = [Change.model_validate(one, from_attributes=True) for one in found]
    return ChangePage(items=items, after=items[-1].id if len(items) == limit else None)
