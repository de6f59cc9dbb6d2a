"""What the service says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Missing = Annotated[list[str], Field(description="Parts that do not do their work; the log says why.")]


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether the service can do its work."""

    status: Literal["ok", "not ready"]
    missing: Missing = []


class Health(BaseModel):
    """How the service is."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["ok", "degraded"]
    model_loaded: bool = Field(description="Whether the model for single log entries is in memory.")
    version: str
    missing: Missing = []
