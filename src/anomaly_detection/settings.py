"""What the environment says; nothing else reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "ANOMALY_DETECTION_"

SECRETS = Path("/run/secrets/anomaly-detection")


class Settings(BaseSettings):
    """Settings from environment variables that begin with ``ANOMALY_DETECTION_``, or files of secrets of that name.

    Raises
    ------
    ParameterError
        for a value that a setting cannot have.

    Parameters
    ----------
    home : the folder for everything that is kept.
    registry : the model registry's folder; ``registry`` in ``home`` when not given.
    database : the service's database; ``service.db`` in ``home`` when not given; or ``postgresql://user@host/name``.
    host : where the service listens; several addresses are parted by commas.
    port : the port of the API, with the dashboard unless it is alone.
    web_port : the port of a dashboard that is alone.
    proxies : addresses whose word is taken for whom they ask for (``X-Forwarded-For``), parted by commas; ``*`` for
        all.
    open_access : everyone who reaches the service may do everything. For development; refused unless ``host`` is
        the machine itself.
    workers : processes beside the service that run jobs.
    max_connections : the most connections at a time; above it, those that send nothing are ended first.
    max_body : the most bytes of a request, also once unpacked.
    max_uploads : the most bytes of all files for jobs that are kept at a time.
    max_rows : the most rows of a table in a request.
    max_columns : the most columns of a table in a request.
    header_seconds : the longest that the head of a request may take to arrive.
    request_seconds : the longest a request may take to arrive, and to be answered.
    drain_seconds : the longest that a service which was told to stop waits for what it is answering.
    rate : the most requests of a caller, such as ``6000/minute``; none when empty.
    rate_store : where rates are counted: ``memory://``, or ``redis://host`` for several processes.
    oidc_issuer : an identity provider whose tokens are taken besides keys; none when not given.
    oidc_audience : whom its tokens have to be for.
    oidc_keys : where its keys (JWKS) are: a file, or an ``https`` address.
    oidc_claim : the claim of a token that has the scopes.
    keep_days : how long verdicts, alarms and ended jobs are kept.
    log_format : how the service logs: lines for people, or JSON.
    metrics_open : whether ``/metrics`` is shown without a key; otherwise it needs the scope ``read``.
    trace_endpoint : where spans go: a collector that takes OTLP over HTTP, such as ``http://collector:4318``.
    trace_share : the share of requests that are traced, unless whoever asks has decided.
    log_model : the model that judges single log entries.
    learn_after : so many entries are judged by the model that the service started with; then one is learned from them.
        0 for never.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
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
    proxies: str = "127.0.0.1,::1"
    open_access: bool = False
    workers: int = Field(default=1, ge=0, le=64)
    max_connections: int = Field(default=1000, ge=10)
    max_body: int = Field(default=64 * 2**20, ge=1024)
    max_uploads: int = Field(default=4 * 2**30, ge=1024)
    max_rows: int = Field(default=1_000_000, ge=1)
    max_columns: int = Field(default=1_000, ge=1)
    header_seconds: float = Field(default=10.0, gt=0)
    request_seconds: float = Field(default=60.0, gt=0)
    drain_seconds: float = Field(default=30.0, gt=0)
    rate: str = "60000/minute"
    rate_store: SecretStr = SecretStr("memory://")
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_keys: str | None = None
    oidc_claim: str = "scope"
    keep_days: float = Field(default=30.0, gt=0)
    log_format: Literal["lines", "json"] = "lines"
    metrics_open: bool = False
    trace_endpoint: str = ""
    trace_share: float = Field(default=1.0, ge=0, le=1)
    log_model: str = "logs"
    learn_after: int = Field(default=2_000, ge=0)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ParameterError(" ".join(_said(one) for one in error.errors())) from None

    @field_validator("rate")
    @classmethod
    def _is_rate(cls, rate: str) -> str:
        if rate:
            import limits  # noqa: PLC0415 - commands that serve nothing need it not

            limits.parse(rate)
        return rate

    def environment(self) -> dict[str, str]:
        """The environment of a further process that is to work on the same things."""
        own = {
            "HOME": str(self.home),
            "REGISTRY": str(self.registry_folder),
            "DATABASE": self.database_url,
            "KEEP_DAYS": str(self.keep_days),
            "LOG_FORMAT": self.log_format,
            "TRACE_ENDPOINT": self.trace_endpoint,
            "TRACE_SHARE": str(self.trace_share),
        }
        return {**os.environ, **{f"{PREFIX}{name}": value for name, value in own.items()}}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every address to listen on."""
        return tuple(host for host in (one.strip() for one in self.host.split(",")) if host)

    @property
    def registry_folder(self) -> Path:
        """Where the model registry is."""
        return self.registry or self.home / "registry"

    @property
    def database_url(self) -> str:
        """Where the service's database is."""
        return self.database.get_secret_value() if self.database else f"sqlite:///{self.home / 'service.db'}"


def _said(problem: Mapping[str, Any]) -> str:
    """What is wrong with one setting; the value is not shown, as it may be a secret in the wrong place."""
    where = ".".join(str(part) for part in problem["loc"]).upper()
    return f"The setting {PREFIX}{where} cannot be used: {problem['msg']}."
