"""Tables that come with a form: a file, or pasted rows."""

from __future__ import annotations

from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from anomaly_detection.errors import InputError
from anomaly_detection.reports.words import plain
from anomaly_detection.web.doors import text_of, upload_of
from anomaly_detection.workflows.models import algorithm_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData

    from anomaly_detection.workflows.job_requests import Asked


class SentTable(NamedTuple):
    """A file that is open for reading, what the sender calls it, and its bytes."""

    file: IO[bytes]
    name: str
    size: int


def sent_table(form: FormData) -> SentTable:
    """The file of a form, or else the rows that were pasted.

    Raises
    ------
    InputError
        where there is neither.
    """
    upload = upload_of(form, "file")
    if upload is not None:
        name = plain((upload.filename or "").replace("\\", "/").rpartition("/")[2], 120)
        return SentTable(upload.file, name, upload.size or 0)
    rows = text_of(form, "rows")
    if not rows:
        raise InputError("Nothing was sent. Choose a file, or paste some rows.")
    data = rows.encode()
    return SentTable(BytesIO(data), f"pasted rows{_ending(rows)}", len(data))


def _ending(rows: str) -> str:
    if rows.startswith("["):
        return ".json"
    if rows.startswith("{"):
        return ".jsonl"
    return ".tsv" if "\t" in rows.partition("\n")[0] else ".csv"


def algorithm_names() -> list[str]:
    """The algorithms that a form offers: those that need no extra."""
    return [row["name"] for row in algorithm_rows() if not row["extra"]]


def names_of(form: FormData, name: str) -> tuple[str, ...]:
    """Names of columns, separated by commas."""
    return tuple(part.strip() for part in text_of(form, name).split(",") if part.strip())


def share_of(form: FormData, name: str) -> float | None:
    """A share in per cent; None where the field is empty.

    Raises
    ------
    InputError
        for what is no number.
    """
    text = text_of(form, name).rstrip("% ").replace(",", ".")
    if not text:
        return None
    try:
        return float(text) / 100
    except ValueError:
        raise InputError(f"{plain(text, 40)!r} is no number of per cent, such as 1.") from None


def checked(kind: type[Asked], asked: Mapping[str, object]) -> dict[str, Any]:
    """What a job is asked for, as plain values.

    Raises
    ------
    InputError
        for what a job of this kind does not take.
    """
    try:
        return kind.model_validate(asked).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if isinstance(own := first.get("ctx", {}).get("error"), InputError):
            raise own from error
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{place} does not fit: {first['msg']}.") from error
