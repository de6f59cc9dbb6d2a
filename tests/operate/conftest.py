"""A home that the services of these tests share, so that their first models are made once."""

from __future__ import annotations

import logging

import pytest
import structlog

from anomaly_detection.monitoring.log_lines import QUIET


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The folder."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _loggers_are_put_back():
    """Whatever a test starts to log, the next one begins without."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, one in levels.items():
        logging.getLogger(name).setLevel(one)
    structlog.reset_defaults()
