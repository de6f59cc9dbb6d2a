"""The folder of one model: its versions, what is known about each, and its aliases.

::

    models/orders/
        .lock              held by whoever changes anything below
        state.json         aliases, their history, the next number after a deletion
        versions/3/
            version.json   when, metrics, lineage, and which model/ it is about
            model/         the artifact

The folder stays when all versions are deleted, so that their numbers never come back.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from anomaly_detection.errors import ArtifactError, RegistryError
from anomaly_detection.registry._aliases import State
from anomaly_detection.registry._atomic import (
    locked,
    make_folder,
    publish,
    read_file,
    staging,
    sync_folder,
    synced,
    write_file,
)
from anomaly_detection.registry._sealed import AGAIN, seal, unseal
from anomaly_detection.registry.base import ModelVersion
from anomaly_detection.registry.lineage import Lineage  # noqa: TC001 (msgspec reads the annotations)
from anomaly_detection.registry.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed import DataclassInstance

STATE_FORMAT = "anomaly-detection-aliases"
RECORD_FORMAT = "anomaly-detection-version"
FORMAT_VERSION = 1
MODEL = "model"
RECORD = "version.json"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_MAX_JSON = 64 * 2**20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """What is known about a version, in ``version.json``; its name and number are those of the folders."""

    created: str
    digest: str
    size: int
    metrics: dict[str, float] = field(default_factory=dict)
    lineage: Lineage | None = None
    imported_from: str | None = None

    def described(self, name: str, version: int, aliases: tuple[str, ...]) -> ModelVersion:
        """The same for the outside."""
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        return ModelVersion(name, version, aliases=aliases, **known)


def write_record(path: Path, record: Record) -> None:
    """Write ``version.json``, and bring the folder it is in to disk."""
    write_file(path, encode(RECORD_FORMAT, record))
    sync_folder(path.parent)


def encode(form: str, value: DataclassInstance) -> bytes:
    """A dataclass as sealed JSON."""
    return seal(form, FORMAT_VERSION, {item.name: getattr(value, item.name) for item in fields(value)})[0]


def decode(path: Path, form: str, kind: type[T], data: bytes | None = None) -> T:
    """Read sealed JSON back as a dataclass.

    Raises
    ------
    ArtifactError
        if it is missing or not as it was written.
    """
    found, _ = unseal(read_file(path, _MAX_JSON) if data is None else data, path, form, FORMAT_VERSION)
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise ArtifactError(f"{path} does not hold what it should: {error}. {AGAIN}") from error


@contextmanager
def _published(source: Path, target: Path) -> Iterator[None]:
    """Rename into place; back again if what follows cannot be done."""
    publish(source, target)
    try:
        yield
    except OSError:
        publish(target, source)
        raise


@contextmanager
def registry_staging(root: Path) -> Iterator[Path]:
    """Give a folder in a registry, on the same disk as its models, to write in."""
    area = root / ".staging"
    make_folder(area)
    with staging(area) as aside:
        yield aside


def model_names(root: Path) -> tuple[str, ...]:
    """The models there are folders of, in order; some may have no versions."""
    return tuple(sorted(name for name in _names_in(root / "models") if is_name(name)))


def _names_in(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(entry.name for entry in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise RegistryError(f"{folder} cannot be read: {error.strerror}. Ask for the right to read it.") from error


class ModelFolder:
    """The folder of one model in a local registry; what changes something is called while it is :meth:`locked`."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.folder = root / "models" / name
        self._root = root
        self._versions = self.folder / "versions"
        self._state = self.folder / "state.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer of this model."""
        make_folder(self.folder)
        with locked(self.folder / ".lock"):
            make_folder(self._versions)
            yield

    def numbers(self) -> tuple[int, ...]:
        """The versions there are, in order."""
        return tuple(sorted(int(name) for name in _names_in(self._versions) if _NUMBER.fullmatch(name)))

    def artifact(self, version: int) -> Path:
        """The folder of the artifact of a version."""
        return self._versions / str(version) / MODEL

    def exists(self, version: int) -> bool:
        """Whether there is such a version."""
        return (self._versions / str(version)).is_dir()

    def record(self, version: int) -> Record:
        """What is known about a version."""
        return decode(self._versions / str(version) / RECORD, RECORD_FORMAT, Record)

    def state(self) -> State:
        """The aliases of versions that exist, and the history of all."""
        if not self._state.exists():
            return State()
        try:
            return decode(self._state, STATE_FORMAT, State).limited_to(self.exists)
        except ArtifactError as error:
            raise ArtifactError(f"{error} Or remove it: the versions stay, the aliases are lost.") from error

    def save(self, state: State) -> None:
        """Replace the aliases and their history."""
        with registry_staging(self._root) as aside:
            publish(self._prepare_state(state, aside), self._state)

    def add(self, prepared: Path, aliases: Iterable[str], at: str) -> int:
        """Make a prepared folder the next version, with aliases; the number it got."""
        before = self.state()
        version = max((before.next_version, *(number + 1 for number in self.numbers())))
        after = before
        for alias in aliases:
            after = after.moved(alias, version, "promote", at)
        if after is before:
            publish(prepared, self._versions / str(version))
            return version
        with registry_staging(self._root) as aside:
            state = self._prepare_state(after, aside)
            with _published(prepared, self._versions / str(version)):
                publish(state, self._state)
        return version

    def remove(self, versions: tuple[int, ...], at: str) -> None:
        """Delete one version or all: with one rename they are gone, and with them the aliases that pointed at them."""
        doomed = self._versions if versions == self.numbers() else self._versions / str(versions[0])
        before = self.state()
        after = before.without(versions, at)
        with registry_staging(self._root) as aside:
            numbers_kept = self._prepare_state(replace(before, next_version=after.next_version), aside, "numbers_kept")
            prepared = self._prepare_state(after, aside)
            publish(numbers_kept, self._state)
            with synced(doomed.parent), _published(doomed, aside / "doomed"):
                publish(prepared, self._state)

    def _prepare_state(self, state: State, aside: Path, name: str = "after") -> Path:
        prepared = aside / name
        write_file(prepared, encode(STATE_FORMAT, state))
        return prepared
