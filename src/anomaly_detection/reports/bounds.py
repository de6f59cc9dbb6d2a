"""What numbers and words of a results file may be."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]
Severity = Literal["normal", "low", "medium", "high", "critical"]
