"""What the environment says; nothing else reads it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from environment variables that begin with ``ANOMALY_DETECTION_``.

    Parameters
    ----------
    home : the folder for everything that is kept (``ANOMALY_DETECTION_HOME``).
    registry : the model registry's folder, ``home/registry`` when not given (``ANOMALY_DETECTION_REGISTRY``).
    """

    model_config = SettingsConfigDict(env_prefix="ANOMALY_DETECTION_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "anomaly-detection")
    registry: Path | None = None

    @property
    def registry_folder(self) -> Path:
        """Where the model registry is."""
        return self.registry or self.home / "registry"
