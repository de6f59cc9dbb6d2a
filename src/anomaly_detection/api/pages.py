"""Pages of a list: where the next one begins, as text that means nothing to others."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated

from fastapi import Query

from anomaly_detection.errors import InputError

Limit = Annotated[int, Query(ge=1, le=1_000, description="The most of a page.")]
After = Annotated[str | None, Query(max_length=400, description="The next of the page before.")]


def cursor(at: datetime, id: str) -> str:
    """The place after an item.

    >>> from datetime import UTC
    >>> place_of(cursor(datetime(2026, 1, 2, tzinfo=UTC), "a"))
    (datetime.datetime(2026, 1, 2, 0, 0, tzinfo=datetime.timezone.utc), 'a')
    """
    return urlsafe_b64encode(f"{at.isoformat()} {id}".encode()).decode()


def place_of(text: str | None) -> tuple[datetime, str] | None:
    """The inverse of :func:`cursor`; None for none.

    Raises
    ------
    InputError
        for text that no page gave.
    """
    if text is None:
        return None
    try:
        at, _, last = urlsafe_b64decode(text.encode()).decode().rpartition(" ")
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InputError(f"after={text!r:.100} is no place of a list. Use the next of the page before.") from None
    if moment.tzinfo is None:
        raise InputError(f"after={text!r:.100} is no place of a list. Use the next of the page before.")
    return moment, last
