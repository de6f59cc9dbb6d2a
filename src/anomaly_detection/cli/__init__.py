"""The command line ``anomaly-detection``: thin; every command calls one workflow."""

from __future__ import annotations

from anomaly_detection.cli.app import app, main

__all__ = ["app", "main"]
