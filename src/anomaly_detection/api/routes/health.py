"""Whether the service lives, and is ready."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(here: Here) -> dict[str, Any]:
    """Say that the service can do its work; 503 where the database does not answer."""
    with here.database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
    return {"status": "ok"}
