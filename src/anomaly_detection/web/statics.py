"""The files a page loads: read once, packed once, found by name alone, so that no request reaches the file system."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).with_name("static")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file.

    Parameters
    ----------
    media_type : what it is.
    plain, packed : its bytes, and the same by gzip.
    digest : the beginning of their SHA-256, a part of its address: what changes has another address.
    """

    media_type: str
    plain: bytes
    packed: bytes
    digest: str


@cache
def files() -> dict[str, StaticFile]:
    """Every file by its name below ``static``."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in found}


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    return StaticFile(TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0), sha256(plain).hexdigest()[:12])


def address(name: str) -> str:
    """The address of a file, for templates."""
    return f"/static/{name}?v={files()[name].digest}"


async def static(request: Request) -> Response:
    """Send a file."""
    file = files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    headers = {"Cache-Control": A_YEAR, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(file.plain, headers=headers, media_type=file.media_type)
    return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type)
