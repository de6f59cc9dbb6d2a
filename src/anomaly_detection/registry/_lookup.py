"""From a reference to a version that exists, or to an error that says what there is instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.errors import InputError, ModelNotFoundError, RegistryError, UnknownNameError
from anomaly_detection.records import counted
from anomaly_detection.registry._aliases import State
from anomaly_detection.registry._model_folder import ModelFolder, model_names
from anomaly_detection.registry.base import PRODUCTION, ModelSummary, ModelVersion
from anomaly_detection.registry.names import LATEST, Reference, check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def existing(root: Path, name: str) -> ModelFolder:
    """The folder of a model that has versions.

    Raises
    ------
    ModelNotFoundError
        with the nearest name and what there is.
    """
    check_name(name)
    folder = ModelFolder(root, name)
    if folder.numbers():
        return folder
    known = [other for other in model_names(root) if ModelFolder(root, other).numbers()]
    if not known:
        raise ModelNotFoundError(f"Unknown model {name!r}: the registry {root} has no models yet. Register one first.")
    raise ModelNotFoundError(f"{UnknownNameError('model', name, known)} The registry {root} has: {_listed(known)}.")


def number(folder: ModelFolder, wanted: Reference) -> int:
    """The version that a reference stands for.

    Raises
    ------
    ModelNotFoundError
        if there is no such version or alias, with what there is.
    """
    if wanted.version is not None:
        return checked_version(folder, wanted.version)
    if wanted.alias == LATEST:
        return _latest(folder)
    aliases = folder.state().aliases
    if wanted.alias is None and PRODUCTION not in aliases:
        return _latest(folder)
    return _aliased(folder, wanted.alias or PRODUCTION, aliases)


def _latest(folder: ModelFolder) -> int:
    numbers = folder.numbers()
    if not numbers:
        raise ModelNotFoundError(f"{folder.name} was deleted in the meantime.")
    return numbers[-1]


def _aliased(folder: ModelFolder, alias: str, aliases: Mapping[str, int]) -> int:
    if alias not in aliases:
        known = [*sorted(aliases), LATEST]
        raise ModelNotFoundError(f"{folder.name}: {UnknownNameError('alias', alias, known)} It has: {_listed(known)}.")
    return checked_version(folder, aliases[alias])


def checked_version(folder: ModelFolder, version: object) -> int:
    """The version, if it exists.

    Raises
    ------
    InputError
        if it is not a whole number.
    ModelNotFoundError
        if there is no such version, with those there are.
    """
    if isinstance(version, bool) or not isinstance(version, int):
        raise InputError(f"A version is a whole number, such as 3; {version!r:.80} is not.")
    if not folder.exists(version):
        raise ModelNotFoundError(f"{folder.name} has no version {version}. It has: {_listed(folder.numbers())}.")
    return version


def _listed(things: Iterable[object], most: int = 20) -> str:
    every = [str(thing) for thing in things]
    return ", ".join(every[-most:]) + (f" and {len(every) - most} more" if len(every) > most else "") or "none"


def doomed(folder: ModelFolder, wanted: Reference, *, force: bool) -> tuple[int, ...]:
    """The versions that a deletion is about, if it may go ahead.

    Raises
    ------
    InputError
        if ``force`` is needed: for all versions, or one that an alias points to.
    """
    if wanted.version is None and wanted.alias is None:
        if not force:
            raise InputError(
                f"{folder.name!r} alone means all of its versions ({counted(folder.numbers(), 'version')}). Name one, "
                f"such as {folder.name}@{_latest(folder)}, or delete all with force=True (--force)."
            )
        return folder.numbers()
    version = number(folder, wanted)
    aliases = folder.state().pointing_at(version)
    if aliases and not force:
        raise InputError(
            f"{folder.name}@{version} is in use by {', '.join(aliases)}. Promote another version first, "
            f"or delete it with force=True (--force)."
        )
    return (version,)


def summary(root: Path, name: str) -> ModelSummary | None:
    """A model in a list, with its problem if it is damaged; None if it has no versions."""
    folder = ModelFolder(root, name)
    numbers = folder.numbers()
    known = described(folder, numbers[-1:])
    if not known:
        return None
    state = _readable_state(folder) or State()
    return ModelSummary(name, numbers, dict(state.aliases), known[0])


def described(folder: ModelFolder, versions: Iterable[int]) -> tuple[ModelVersion, ...]:
    """What is known about versions; a damaged one comes with its problem, one that is gone by now not at all."""
    state = _readable_state(folder) or State()
    found = [_described(folder, version, state) for version in versions]
    return tuple(version for version in found if version.problem is None or folder.exists(version.version))


def by_job(folder: ModelFolder, job: str) -> ModelVersion | None:
    """The version that a job of the service has registered, if it has."""
    state = folder.state()
    found = (_described(folder, version, state) for version in reversed(folder.numbers()))
    return next((one for one in found if one.lineage is not None and one.lineage.job == job), None)


def _described(folder: ModelFolder, version: int, state: State) -> ModelVersion:
    aliases = state.pointing_at(version)
    try:
        return folder.record(version).described(folder.name, version, aliases)
    except RegistryError as error:
        return ModelVersion(folder.name, version, aliases=aliases, problem=str(error))


def _readable_state(folder: ModelFolder) -> State | None:
    try:
        return folder.state()
    except RegistryError:
        return None
