"""What the environment says; nothing else reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets/anomaly-detection")


class Settings(BaseSettings):
    """Settings from environment variables that begin with ``ANOMALY_DETECTION_``, or files of secrets of that name.

    Parameters
    ----------
    home : the folder for everything that is kept (``ANOMALY_DETECTION_HOME``).
    registry : the model registry's folder, ``home/registry`` when not given (``ANOMALY_DETECTION_REGISTRY``).
    database : the service's database, ``home/service.db`` when not given; ``postgresql://host/name``.
    host, port, web_port : where the service listens: API and dashboard on ``port``, a dashboard alone on ``web_port``.
    open_access : everyone who reaches the service may do everything. For development; refused unless ``host`` is
        the machine itself.
    workers : processes beside the service that run jobs.
    max_body : the most bytes of a request, also once unpacked.
    max_rows, max_columns : the most of a table in a request.
    request_seconds : the longest a request may take to arrive, and to be answered.
    rate : the most requests of a caller, such as ``6000/minute``; none when empty.
    rate_store : where rates are counted: ``memory://``, or ``redis://host`` for several processes.
    oidc_issuer, oidc_audience, oidc_keys, oidc_claim : an identity provider whose tokens are taken besides keys: who it
        is, whom its tokens are for, where its keys (JWKS) are (a file or ``https``), and the claim that has the scopes.
    keep_days : how long verdicts, alarms and ended jobs are kept.
    log_format : how the service logs: lines for people, or JSON.
    log_model : the model that judges single log entries.
    """

    model_config = SettingsConfigDict(
        env_prefix="ANOMALY_DETECTION_",
        frozen=True,
        extra="ignore",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    home: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "anomaly-detection")
    registry: Path | None = None
    database: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    web_port: int = Field(default=8080, ge=0, le=65535)
    open_access: bool = False
    workers: int = Field(default=1, ge=0, le=64)
    max_body: int = Field(default=64 * 2**20, ge=1024)
    max_rows: int = Field(default=1_000_000, ge=1)
    max_columns: int = Field(default=1_000, ge=1)
    request_seconds: float = Field(default=60.0, gt=0)
    rate: str = "60000/minute"
    rate_store: SecretStr = SecretStr("memory://")
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_keys: str | None = None
    oidc_claim: str = "scope"
    keep_days: float = Field(default=30.0, gt=0)
    log_format: Literal["lines", "json"] = "lines"
    log_model: str = "logs"

    @field_validator("rate")
    @classmethod
    def _is_rate(cls, rate: str) -> str:
        if rate:
            import limits  # noqa: PLC0415 - commands that serve nothing need it not

            limits.parse(rate)
        return rate

    @property
    def registry_folder(self) -> Path:
        """Where the model registry is."""
        return self.registry or self.home / "registry"

    @property
    def database_url(self) -> str:
        """Where the service's database is."""
        return self.database.get_secret_value() if self.database else f"sqlite:///{self.home / 'service.db'}"
