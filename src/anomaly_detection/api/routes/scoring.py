"""Batches of records, judged by any registered model: JSON, JSON Lines as a stream, Arrow IPC."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import polars as pl
from fastapi import APIRouter, Depends, Path
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from anomaly_detection.api.bare import Json, Streamed
from anomaly_detection.api.context import Context, Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas import streams as schemas
from anomaly_detection.errors import InputError
from anomaly_detection.workflows.arrow_bodies import unpacked_bytes
from anomaly_detection.workflows.record_scoring import RecordScoring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from anomaly_detection.workflows.verdict_records import VerdictRecord

router = APIRouter(prefix="/api/v1", tags=["models"])

JSON_LINES = ("application/x-ndjson", "application/jsonl", "application/jsonlines")
ARROW = "application/vnd.apache.arrow.stream"
LINES = 1_000
"""Lines of a stream that are judged in one go."""

LONGEST_LINE = 2**20
TOLD = ("id", "score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence")
LONGEST_ID = 200

_CONTENT: dict[str, Any] = {
    "application/json": {"schema": schemas.Batch.model_json_schema()},
    JSON_LINES[0]: {"schema": {"type": "string"}},
    ARROW: {"schema": {"type": "string", "format": "binary"}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON_LINES[0]: {"schema": {"type": "string"}}, ARROW: _CONTENT[ARROW]}}
}


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    records: list[dict[str, Any]] | None = None
    data: list[list[Any]] | None = None
    ids: list[str] | None = None


@router.post(
    "/models/{name}/score",
    dependencies=[Depends(needs("score"))],
    response_model=schemas.BatchVerdicts,
    responses=_ANSWERS,
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def score(name: Annotated[str, Path(max_length=200)], request: Request, here: Here) -> Response:
    """Judge records in order. ``name`` may be a reference, such as ``orders@3`` or ``orders@production``.

    JSON Lines are answered line by line as they come, with an ``error`` in the place of a line that cannot be judged;
    of an Arrow stream, verdicts come back as one.
    """
    scoring = RecordScoring(await asyncio.to_thread(here.models.get, name))
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind in JSON_LINES:
        return Streamed(_lines(here, scoring, request), JSON_LINES[0])
    if kind == ARROW:
        body = await request.body()
        return Response(await asyncio.to_thread(_arrow, here, scoring, body), media_type=ARROW)
    if kind != "application/json":
        raise ProblemError(415, f"Records come as application/json, {JSON_LINES[0]} or {ARROW}, not {kind!r:.80}.")
    body = await request.body()
    return Json(await asyncio.to_thread(_json, here, scoring, body))


def _json(here: Context, scoring: RecordScoring, body: bytes) -> bytes:
    try:
        batch = msgspec.json.decode(body, type=_Batch)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"The body has to be {{'records': [...]}} or {{'data': [[...]]}}: {error}.") from error
    records: Sequence[Any] | None = batch.records if batch.records is not None else batch.data
    if records is None or (batch.records is not None and batch.data is not None):
        raise InputError("Give either records, a list of objects, or data, a list of rows.")
    _check_size(here, len(records), max(map(len, records), default=0))
    found = scoring.judge(records, _checked_ids(batch.ids, len(records)))
    _keep(here, scoring, found)
    told = {"model": scoring.loaded.version.reference, "results": [_told(one) for one in found]}
    return msgspec.json.encode({**told, "total": len(found), "anomalies": sum(one.is_anomaly for one in found)})


def _arrow(here: Context, scoring: RecordScoring, body: bytes) -> bytes:
    unpacked = unpacked_bytes(body)
    if unpacked > here.settings.max_body:
        raise ProblemError(413, f"The stream has {unpacked:,} bytes once unpacked: at most {here.settings.max_body:,}.")
    try:
        frame = pl.read_ipc_stream(io.BytesIO(body), n_rows=here.settings.max_rows + 1)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(f"The body is no Arrow IPC stream: {str(error)[:200]}") from error
    _check_size(here, frame.height, frame.width)
    ids = [str(one) for one in frame["record_id"]] if "record_id" in frame.columns else None
    found = scoring.judge_frame(frame, _checked_ids(ids, frame.height)) if frame.height else []
    _keep(here, scoring, found)
    out = io.BytesIO()
    pl.DataFrame({name: [getattr(one, name) for one in found] for name in TOLD}).write_ipc_stream(out)
    return out.getvalue()


async def _lines(here: Context, scoring: RecordScoring, request: Request) -> AsyncIterator[bytes]:
    number, rest = 0, b""
    async for chunk in _chunks(request):
        *whole, rest = (rest + chunk).split(b"\n")
        for at in range(0, len(whole), LINES):
            yield await asyncio.to_thread(_judged_lines, here, scoring, whole[at : at + LINES], number)
            number += len(whole[at : at + LINES])
        if len(rest) > LONGEST_LINE:
            yield msgspec.json.encode({"line": number + 1, "error": f"A line has at most {LONGEST_LINE:,} bytes."})
            return
    if rest.strip():
        yield await asyncio.to_thread(_judged_lines, here, scoring, [rest], number)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body until its end, or until the client is gone."""
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            yield chunk


def _judged_lines(here: Context, scoring: RecordScoring, lines: Sequence[bytes], number: int) -> bytes:
    """The answers to lines, those without anything in them left out."""
    answers: list[Any] = [None] * len(lines)
    records, places = [], []
    for place, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            records.append(msgspec.json.decode(line))
            places.append(place)
        except (msgspec.DecodeError, RecursionError) as error:
            answers[place] = {"line": number + place + 1, "error": f"This is not JSON: {error}."}
    found = scoring.judge_each(records, [_own_id(record) for record in records]) if records else []
    _keep(here, scoring, [one for one in found if not isinstance(one, InputError)])
    for place, one in zip(places, found, strict=True):
        told = {"error": str(one)} if isinstance(one, InputError) else _told(one)
        answers[place] = {"line": number + place + 1, **told}
    return b"".join(msgspec.json.encode(answer) + b"\n" for answer in answers if answer is not None)


def _keep(here: Context, scoring: RecordScoring, found: list[VerdictRecord]) -> None:
    waiting = here.recorder.keep(scoring.loaded.version, found) if found else None
    if waiting is not None:
        waiting.result()


def _told(record: VerdictRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in TOLD}


def _own_id(record: Any) -> str | None:
    own = record.get("record_id") if isinstance(record, dict) else None
    return own[:LONGEST_ID] if isinstance(own, str) and own else None


def _checked_ids(ids: Sequence[str] | None, rows: int) -> Sequence[str | None]:
    if ids is None:
        return [None] * rows
    if len(ids) != rows or any(not 0 < len(one) <= LONGEST_ID for one in ids):
        raise InputError(f"ids has to have an id of 1 to {LONGEST_ID} characters for each of the {rows:,} records.")
    return ids


def _check_size(here: Context, rows: int, columns: int) -> None:
    most = here.settings
    if rows > most.max_rows or columns > most.max_columns:
        raise ProblemError(
            413,
            f"{rows:,} rows of {columns:,} columns are too many: at most {most.max_rows:,} of {most.max_columns:,}.",
        )
