"""A registry in a folder: safe under many writers, under kill -9 at any point, and for readers at any time."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import TYPE_CHECKING

from anomaly_detection.errors import ArtifactError, InputError, ModelConflictError, ModelNotFoundError
from anomaly_detection.registry._archive import Exported, read_archive, write_archive
from anomaly_detection.registry._atomic import writing
from anomaly_detection.registry._lookup import by_job, checked_version, described, doomed, existing, number, summary
from anomaly_detection.registry._model_folder import (
    MODEL,
    RECORD,
    ModelFolder,
    Record,
    model_names,
    registry_staging,
    write_record,
)
from anomaly_detection.registry.artifact import MAX_BYTES, Artifact, read_artifact, read_manifest, write_parts
from anomaly_detection.registry.base import (
    PRODUCTION,
    AliasChange,
    Comparison,
    MetricPair,
    ModelDetails,
    ModelSummary,
    ModelVersion,
    Saveable,
)
from anomaly_detection.registry.lineage import Lineage, stamp, utc_now
from anomaly_detection.registry.names import check_alias, check_name, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime


class LocalRegistry:
    """Named models in a folder of this machine.

    Versions count up from 1, never change, and their numbers never come back. Everything appears whole or not at all;
    readers need no locks and work on a read-only disk.

    Parameters
    ----------
    root : the folder; made when the first model is registered.
    now : where the time comes from.
    max_bytes : the most the arrays of one model may take in memory.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> class Line:
    ...     def state(self):
    ...         return {"kind": "line"}, {"slope": np.array([2.0])}
    >>> registry = LocalRegistry(tempfile.mkdtemp())
    >>> registry.register("orders", Line(), metrics={"auroc": 0.9}, aliases=["production"]).reference
    'orders@1'
    >>> registry.register("orders", Line(), metrics={"auroc": 0.95}).version
    2
    >>> registry.resolve("orders").version, registry.promote("orders", 2).version, registry.rollback("orders").version
    (1, 2, 1)
    >>> registry.load("orders@production").arrays["slope"]
    array([2.])
    """

    def __init__(self, root: Path | str, *, now: Callable[[], datetime] = utc_now, max_bytes: int = MAX_BYTES) -> None:
        self.root = Path(root)
        self.max_bytes = max_bytes
        self._now = now

    def register(
        self,
        name: str,
        model: Saveable,
        *,
        metrics: Mapping[str, float] | None = None,
        lineage: Lineage | None = None,
        aliases: Iterable[str] = (),
    ) -> ModelVersion:
        """Keep a model as the next version of ``name``; when this returns, it is on disk.

        A job of the service, which may be begun more than once, registers one version: the first one is given back.

        Raises
        ------
        InputError
            if a name or an alias breaks the rule.
        RegistryError
            if it cannot be written; then nothing was.
        """
        check_name(name)
        wanted = _checked_aliases(aliases)
        measured = _numbers(metrics)
        spec, arrays = model.state()
        with writing(f"register {name!r}", self.root), registry_staging(self.root) as aside:
            prepared = aside / "version"
            prepared.mkdir()
            manifest = write_parts(prepared / MODEL, spec, arrays, max_bytes=self.max_bytes)
            record = Record(stamp(self._now()), manifest.digest, manifest.size, measured, lineage)
            return self._add(name, prepared, record, wanted)

    def _add(self, name: str, prepared: Path, record: Record, aliases: tuple[str, ...] = ()) -> ModelVersion:
        write_record(prepared / RECORD, record)
        folder = ModelFolder(self.root, name)
        with folder.locked():
            if record.lineage is not None and record.lineage.job is not None:
                earlier = by_job(folder, record.lineage.job)
                if earlier is not None:
                    return earlier
            version = folder.add(prepared, aliases, record.created)
        return record.described(name, version, tuple(sorted(aliases)))

    def load(self, reference: str) -> Artifact:
        """Read the model behind a reference, every byte checked.

        Raises
        ------
        ModelNotFoundError
            if there is none, with the nearest name and what there is.
        ArtifactError
            if it is not as it was written.
        """
        found = self.resolve(reference)
        folder = ModelFolder(self.root, found.name)
        try:
            artifact = read_artifact(folder.artifact(found.version), max_bytes=self.max_bytes)
        except ArtifactError as error:
            _check_still_there(folder, found.version, error)
            raise
        _check_digest(folder.artifact(found.version), artifact.manifest.digest, found.digest)
        return artifact

    def resolve(self, reference: str) -> ModelVersion:
        """Say which version a reference stands for.

        Raises
        ------
        ModelNotFoundError
            if there is none, with the nearest name and what there is.
        """
        wanted = parse_reference(reference)
        folder = existing(self.root, wanted.name)
        version = number(folder, wanted)
        try:
            record = folder.record(version)
        except ArtifactError as error:
            _check_still_there(folder, version, error)
            raise
        return record.described(folder.name, version, folder.state().pointing_at(version))

    def list(self) -> tuple[ModelSummary, ...]:
        """All models, by name; a damaged one is listed with its problem."""
        every = (summary(self.root, name) for name in model_names(self.root))
        return tuple(model for model in every if model is not None)

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """The versions of a model, oldest first; a damaged one is listed with its problem."""
        folder = existing(self.root, name)
        return described(folder, folder.numbers())

    def show(self, reference: str) -> ModelDetails:
        """Everything about a version but its arrays."""
        version = self.resolve(reference)
        path = ModelFolder(self.root, version.name).artifact(version.version)
        spec, manifest = read_manifest(path)
        _check_digest(path, manifest.digest, version.digest)
        return ModelDetails(version, spec, manifest.arrays)

    def promote(
        self, name: str, version: int, alias: str = PRODUCTION, *, replacing: int | None = None
    ) -> ModelVersion:
        """Point an alias at a version; promoting what is promoted already changes nothing.

        Parameters
        ----------
        name, version, alias : what points where.
        replacing : the version that the alias has to point at until now, 0 for an alias that has to be new; None for
            any.

        Raises
        ------
        ModelConflictError
            if it points elsewhere: somebody else was first.
        """
        check_alias(alias)
        folder = existing(self.root, name)
        with writing(f"promote {name}@{version}", self.root), folder.locked():
            now = folder.state().aliases.get(alias, 0)
            if replacing is not None and now != replacing:
                found = f"points at version {now}" if now else "does not exist"
                raise ModelConflictError(
                    f"{name}@{alias} {found}, not at version {replacing}: somebody else changed it. Look, then decide "
                    "again."
                )
            return self._move(folder, alias, checked_version(folder, version), "promote")

    def rollback(self, name: str, alias: str = PRODUCTION) -> ModelVersion:
        """Point an alias at what it pointed to before; again, at what it pointed to before that.

        Raises
        ------
        ModelNotFoundError
            if it never pointed to another version that still exists.
        """
        check_alias(alias)
        folder = existing(self.root, name)
        with writing(f"roll back {name}@{alias}", self.root), folder.locked():
            version = folder.state().target_before(alias, folder.numbers())
            if version is None:
                raise ModelNotFoundError(
                    f"{name}@{alias} cannot be rolled back: it has pointed to no other version that still exists. "
                    f"Promote the version you want instead."
                )
            return self._move(folder, alias, version, "rollback")

    def drop_alias(self, name: str, alias: str) -> int:
        """Remove an alias; returns the version that it pointed at.

        Raises
        ------
        ModelNotFoundError
            if there is none.
        """
        folder = existing(self.root, name)
        with writing(f"remove {name}@{alias}", self.root), folder.locked():
            state = folder.state()
            if alias not in state.aliases:
                known = ", ".join(sorted(state.aliases)) or "none"
                raise ModelNotFoundError(f"{name} has no alias {alias!r:.80}. It has: {known}.")
            folder.save(state.dropped(alias, stamp(self._now())))
        return state.aliases[alias]

    def _move(self, folder: ModelFolder, alias: str, version: int, action: str) -> ModelVersion:
        record, before = folder.record(version), folder.state()
        after = before.moved(alias, version, action, stamp(self._now()))
        if after is not before:
            folder.save(after)
        return record.described(folder.name, version, after.pointing_at(version))

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a model and the versions they point to."""
        return dict(existing(self.root, name).state().aliases)

    def history(self, name: str) -> tuple[AliasChange, ...]:
        """Every move of the aliases of a model, oldest first."""
        return existing(self.root, name).state().history

    def compare(self, a: str, b: str) -> Comparison:
        """The metrics of two versions side by side."""
        first, second = self.resolve(a), self.resolve(b)
        names = builtins.list(first.metrics | second.metrics)
        pairs = (MetricPair(name, first.metrics.get(name), second.metrics.get(name)) for name in names)
        return Comparison(first, second, tuple(pairs))

    def delete(self, reference: str, *, force: bool = False) -> tuple[int, ...]:
        """Delete a version, or with a bare name and ``force`` all versions.

        Returns
        -------
        The numbers that were deleted; they never come back.

        Raises
        ------
        InputError
            if ``force`` is needed and was not given: for all versions, or one an alias points to.
        """
        wanted = parse_reference(reference)
        folder = existing(self.root, wanted.name)
        with writing(f"delete {reference!r:.200}", self.root), folder.locked():
            versions = doomed(folder, wanted, force=force)
            folder.remove(versions, stamp(self._now()))
        return versions

    def export(self, reference: str, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write a version to one file, checked while it is read; the same version gives the same bytes.

        Raises
        ------
        ModelConflictError
            if the file exists and ``overwrite`` is not set.
        """
        found = self.resolve(reference)
        self.load(found.reference)
        folder = ModelFolder(self.root, found.name)
        exported = Exported(found.name, found.version, folder.record(found.version))
        return write_archive(Path(path), folder.artifact(found.version), exported, overwrite=overwrite)

    def import_(self, path: Path | str, name: str | None = None) -> ModelVersion:
        """Register the version in an exported file as the next one here, under its own name or another.

        Raises
        ------
        ArtifactError
            if the file is not a whole and unchanged export; then nothing was registered.
        """
        if name is not None:
            check_name(name)
        with writing(f"import {path}", self.root), registry_staging(self.root) as aside:
            prepared = aside / "version"
            prepared.mkdir()
            origin, record = read_archive(Path(path), prepared / MODEL, max_bytes=self.max_bytes)
            return self._add(name or origin, prepared, record)


def _check_still_there(folder: ModelFolder, version: int, error: Exception) -> None:
    if not folder.exists(version):
        raise ModelNotFoundError(f"{folder.name}@{version} was deleted while it was read.") from error


def _check_digest(path: Path, found: str, recorded: str) -> None:
    if found != recorded:
        raise ArtifactError(
            f"{path} is not the model that was registered: another was put in its place. Delete this version, and "
            f"register or import the model again."
        )


def _checked_aliases(aliases: Iterable[str]) -> tuple[str, ...]:
    if isinstance(aliases, str):
        raise InputError(f"aliases={aliases!r} is one text. Give a list, such as [{aliases!r}].")
    wanted = tuple(dict.fromkeys(aliases))
    for alias in wanted:
        check_alias(alias)
    return wanted


def _numbers(metrics: Mapping[str, float] | None) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in (metrics or {}).items()}
    except (TypeError, ValueError) as error:
        raise InputError(f"metrics={metrics!r:.200} must map names to numbers.") from error
