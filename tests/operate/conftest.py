"""A home that the services of these tests share, so that their first models are made once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder."""
    return tmp_path_factory.mktemp("home")
