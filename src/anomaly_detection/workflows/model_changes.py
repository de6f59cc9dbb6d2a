"""Changes of models by callers of the service: each is in the audit, or did not happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from anomaly_detection.registry.base import PRODUCTION
from anomaly_detection.store import audit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.registry.local import LocalRegistry
    from anomaly_detection.store import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that one caller makes.

    Parameters
    ----------
    registry : of the models.
    database : where the audit is.
    asked_by : who it is.
    """

    registry: LocalRegistry
    database: Database
    asked_by: str

    def promote(
        self, name: str, version: int, alias: str = PRODUCTION, *, replacing: int | None = None
    ) -> ModelVersion:
        """Point an alias at a version; raises as :meth:`~anomaly_detection.registry.local.LocalRegistry.promote`."""
        detail = {"alias": alias, "version": version}
        return self._noted(
            "promote model", name, detail, lambda: self.registry.promote(name, version, alias, replacing=replacing)
        )

    def rollback(self, name: str, alias: str = PRODUCTION) -> ModelVersion:
        """Point an alias at what it pointed to before."""
        return self._noted("roll back model", name, {"alias": alias}, lambda: self.registry.rollback(name, alias))

    def drop_alias(self, name: str, alias: str) -> int:
        """Remove an alias."""
        return self._noted("remove alias", name, {"alias": alias}, lambda: self.registry.drop_alias(name, alias))

    def delete(self, reference: str, *, force: bool = False) -> tuple[int, ...]:
        """Delete a version, or all of them."""
        return self._noted("delete model", reference, {}, lambda: self.registry.delete(reference, force=force))

    def import_(self, path: Path, name: str | None = None) -> ModelVersion:
        """Register an exported version."""
        return self._noted("import model", name or "", {}, lambda: self.registry.import_(path, name))

    def _noted(self, action: str, subject: str, detail: dict[str, Any], change: Callable[[], T]) -> T:
        with self.database.write() as connection:
            audit.note(connection, self.asked_by, action, subject, detail)
            return change()
