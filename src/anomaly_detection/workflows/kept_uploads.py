"""Files that people sent for a job, each under a random name."""

from __future__ import annotations

import secrets
import shutil
from typing import IO, TYPE_CHECKING

from anomaly_detection.workflows.runs import ending_of

if TYPE_CHECKING:
    from pathlib import Path


def keep_upload(folder: Path, file: IO[bytes], name: str) -> str:
    """Keep a file, whole or not at all; returns its id, of which only the ending comes from its name."""
    folder.mkdir(parents=True, exist_ok=True)
    id_ = f"{secrets.token_hex(16)}{ending_of(name)}"
    aside = folder / f".{id_}.part"
    try:
        with aside.open("xb") as target:
            shutil.copyfileobj(file, target, 1 << 20)
        aside.rename(folder / id_)
    finally:
        aside.unlink(missing_ok=True)
    return id_
