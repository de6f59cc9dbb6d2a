"""What a registry is, and the words of one: versions, aliases, references."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from anomaly_detection.registry.lineage import Lineage  # noqa: TC001 (msgspec reads the annotations)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from anomaly_detection.registry._arrays import ArrayEntry
    from anomaly_detection.registry.artifact import Artifact

PRODUCTION = "production"
"""The alias that a bare name stands for, if it is set."""


class Saveable(Protocol):
    """A model that can be registered."""

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Its spec, plain values, and what it learned, arrays."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model; it never changes, only the aliases that point at it do.

    Parameters
    ----------
    name, version : which one.
    created : when it was registered, UTC, ISO 8601.
    digest : SHA-256 of its manifest: the identity of its content.
    size : bytes on disk.
    metrics : what was measured when it was registered.
    lineage : where it comes from.
    aliases : the aliases that point at it now.
    imported_from : the reference it had where it was exported, if it was imported.
    problem : why its description cannot be read, if it cannot; the other fields are empty then.
    """

    name: str
    version: int
    created: str = ""
    digest: str = ""
    size: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    lineage: Lineage | None = None
    aliases: tuple[str, ...] = ()
    imported_from: str | None = None
    problem: str | None = None

    @property
    def reference(self) -> str:
        """The words that load exactly this version, such as ``orders@3``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One model in a list: its versions in order, its aliases, and the newest version."""

    name: str
    versions: tuple[int, ...]
    aliases: dict[str, int]
    latest: ModelVersion


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """Everything about one version but the arrays themselves."""

    version: ModelVersion
    spec: dict[str, Any]
    arrays: tuple[ArrayEntry, ...]


@dataclass(frozen=True, slots=True)
class AliasChange:
    """One move of an alias.

    Parameters
    ----------
    alias : which one.
    version : what it points to since then; None if it is gone.
    previous : what it pointed to before; None if it was new.
    action : ``promote``, ``rollback`` or ``delete``.
    at : when, UTC, ISO 8601.
    """

    alias: str
    version: int | None
    previous: int | None
    action: str
    at: str


@dataclass(frozen=True, slots=True)
class MetricPair:
    """One metric of two versions; None where a version lacks it."""

    metric: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        """``b - a``, if both are known."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, metric by metric."""

    a: ModelVersion
    b: ModelVersion
    metrics: tuple[MetricPair, ...]


class Registry(Protocol):
    """Named models, integer versions that never change or come back, and aliases that move.

    A reference is ``name`` (the version of the alias ``production`` if that is set, else the newest), ``name@alias``,
    ``name@3`` or ``name:3``, and ``name@latest``. An unknown one raises
    :class:`~anomaly_detection.errors.ModelNotFoundError`.
    """

    def register(
        self,
        name: str,
        model: Saveable,
        *,
        metrics: Mapping[str, float] | None = None,
        lineage: Lineage | None = None,
        aliases: Iterable[str] = (),
    ) -> ModelVersion:
        """Keep a model as the next version of ``name``."""

    def load(self, reference: str) -> Artifact:
        """Read the model behind a reference, every byte checked."""

    def resolve(self, reference: str) -> ModelVersion:
        """Say which version a reference stands for."""

    def list(self) -> tuple[ModelSummary, ...]:
        """All models, by name."""

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """The versions of a model, oldest first."""

    def show(self, reference: str) -> ModelDetails:
        """Everything about a version but its arrays."""

    def promote(
        self, name: str, version: int, alias: str = PRODUCTION, *, replacing: int | None = None
    ) -> ModelVersion:
        """Point an alias at a version; refuse where it does not point at what is to be replaced."""

    def drop_alias(self, name: str, alias: str) -> int:
        """Remove an alias; returns the version that it pointed at."""

    def rollback(self, name: str, alias: str = PRODUCTION) -> ModelVersion:
        """Point an alias at what it pointed to before."""

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a model and the versions they point to."""

    def history(self, name: str) -> tuple[AliasChange, ...]:
        """Every move of the aliases of a model, oldest first."""

    def compare(self, a: str, b: str) -> Comparison:
        """The metrics of two versions side by side."""

    def delete(self, reference: str, *, force: bool = False) -> tuple[int, ...]:
        """Delete a version, or with a bare name and ``force`` all of them; returns what was deleted."""

    def export(self, reference: str, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write a version to one file."""

    def import_(self, path: Path | str, name: str | None = None) -> ModelVersion:
        """Register the version in an exported file."""
