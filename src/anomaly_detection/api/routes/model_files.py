"""Models in files: export and import."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path as Folder
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.routes.models import version_answer
from anomaly_detection.api.schemas import models as m  # noqa: TC001 - FastAPI reads it
from anomaly_detection.errors import ArtifactError
from anomaly_detection.workflows.model_changes import Changes
from anomaly_detection.workflows.models import registry_at

router = APIRouter(prefix="/api/v1/models", tags=["models"])

Reads = Annotated[Principal, Depends(needs("read"))]
Admin = Annotated[Principal, Depends(needs("admin"))]
Reference = Annotated[str, Path(max_length=200, examples=["orders@3"])]

ZIP = "application/zip"

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "/{name}/export",
    response_class=FileResponse,
    responses={200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}},
)
def export(name: Reference, here: Here, _: Reads) -> FileResponse:
    """Download a version as one file; `POST /api/v1/models` registers it elsewhere."""
    registry = registry_at(here.settings.registry_folder)
    found = registry.resolve(name)
    folder = Folder(tempfile.mkdtemp(prefix="export-", dir=here.settings.home))
    try:
        path = registry.export(found.reference, folder / "model.zip")
    except BaseException:
        shutil.rmtree(folder)
        raise
    after = BackgroundTask(shutil.rmtree, folder)
    return FileResponse(path, media_type=ZIP, filename=f"{found.name}-{found.version}.zip", background=after)


@router.post("", status_code=201, openapi_extra=UPLOAD)
async def import_(
    request: Request, here: Here, caller: Admin, name: Annotated[str | None, Query(max_length=200)] = None
) -> m.Version:
    """Register an exported version as the next one, under its own name or another; every byte is checked first."""
    with tempfile.TemporaryDirectory(prefix="import-", dir=here.settings.home) as folder:
        path = Folder(folder) / "upload.zip"
        with path.open("wb") as file:
            async for part in request.stream():
                await to_thread.run_sync(file.write, part)
        changes = Changes(registry_at(here.settings.registry_folder), here.database, caller.name)
        try:
            return version_answer(await to_thread.run_sync(changes.import_, path, name))
        except ArtifactError as error:
            raise ProblemError(422, str(error).replace(str(path), "The file")) from error
