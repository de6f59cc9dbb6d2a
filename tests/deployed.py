"""Files of ``deploy/``, and the programs that read them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def program(name):
    """A program; without it the test is skipped, or fails where everything has to be there."""
    found = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    if found is None:
        message = f"no {name}; it comes with Debian's prometheus, hadolint with the group dev"
        (pytest.fail if os.environ.get("AD_REQUIRE_EXTRAS") == "1" else pytest.skip)(message)
    return found
