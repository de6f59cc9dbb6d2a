"""Files for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas.jobs import UploadAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anomaly_detection.workflows.uploads import Uploads

router = APIRouter(tags=["jobs"])

Scores = Annotated[Principal, Depends(needs("score"))]

PIECE = 2**20
BINARY = {"schema": {"type": "string", "format": "binary"}}
FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": BINARY["schema"]}}}
BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": FORM, "application/octet-stream": BINARY}}}


@router.post("/api/v1/uploads", status_code=201, openapi_extra=BODY)
async def upload(
    request: Request, here: Here, _: Scores, response: Response, name: Annotated[str, Query(max_length=400)] = ""
) -> UploadAnswer:
    """Send a table for a job: the body is the file, or a form with the field ``file``. Jobs name it by the id."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise ProblemError(422, "The form has no file. Put it into the field 'file'.")
            found = await _kept(here.uploads, file.filename or "", _pieces(file), here.settings.max_body)
    else:
        found = await _kept(here.uploads, name, request.stream(), here.settings.max_body)
    response.headers["Location"] = f"/api/v1/uploads/{found.id}"
    return found


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE):
        yield piece


async def _kept(uploads: Uploads, name: str, pieces: AsyncIterator[bytes], limit: int) -> UploadAnswer:
    with uploads.writing(name) as writing:
        async for piece in pieces:
            if writing.size + len(piece) > limit:
                raise ProblemError(413, f"The file is larger than {limit} bytes. Send less, or compress it.")
            await run_in_threadpool(writing.write, piece)
        if not writing.size:
            raise ProblemError(422, "The file is empty.")
    return UploadAnswer(id=writing.id, size=writing.size)
