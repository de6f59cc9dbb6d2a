"""Secrets that live for a minute, for browsers that open a WebSocket and cannot send headers with it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Pydantic reads it

from fastapi import APIRouter
from pydantic import BaseModel, Field

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Caller  # noqa: TC001 - FastAPI reads it
from anomaly_detection.workflows.api_keys import create_token

router = APIRouter(prefix="/api/v1/tokens", tags=["access"])


class Token(BaseModel):
    """A secret and when it ends."""

    token: str = Field(examples=["adt_Zk3…"])
    expires: datetime


@router.post("", status_code=201)
def create(here: Here, caller: Caller) -> Token:
    """A token with your own scopes, for a minute.

    Send it as a WebSocket subprotocol beside `anomaly-detection`, or as `?token=`.
    """
    key, secret = create_token(here.database, caller.name, sorted(caller.scopes))
    here.keys.look()
    return Token.model_validate({"token": secret, "expires": key.expires})
