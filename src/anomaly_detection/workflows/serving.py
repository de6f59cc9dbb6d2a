"""Models that a running service holds ready, by reference, and follows when an alias moves."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.errors import ModelNotFoundError, RegistryError
from anomaly_detection.workflows.log_models import TrainedLog
from anomaly_detection.workflows.model_kinds import Kind, kind_of
from anomaly_detection.workflows.models import restored_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.registry.artifact import Artifact
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.registry.local import LocalRegistry
    from anomaly_detection.series import SeriesPipeline

SECONDS = 1.0
"""How often aliases are looked at."""

MOST_BYTES = 2**30
"""The most that the arrays of the models held ready take."""


@dataclass(slots=True, eq=False)
class Loaded:
    """A model that is ready.

    Parameters
    ----------
    version : which one.
    kind : what it judges.
    model : the pipeline; of logs, with how they are read. Models of logs and of series remember what they saw.
    size : bytes of its arrays.
    lock : held by whoever scores with a model that remembers.
    """

    version: ModelVersion
    kind: Kind
    model: Pipeline | SeriesPipeline | TrainedLog
    size: int
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(slots=True)
class _Place:
    loaded: Loaded
    used: float
    problem: str = ""


class Models:
    """Loaded models by reference; safe to use from any thread.

    References to the same version share one model, and with it what it remembers. Those used last are kept, as long as
    they fit. Where an alias moves to a version that cannot be loaded, the old one stays, and :meth:`problems` says so.

    Parameters
    ----------
    registry : where models come from.
    max_bytes : the most that the models together take; a single larger one is still held.
    clock : seconds that never go back.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from anomaly_detection.registry import LocalRegistry
    >>> Models(LocalRegistry(mkdtemp())).held()
    ()
    """

    def __init__(
        self, registry: LocalRegistry, max_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.registry = registry
        self.max_bytes = max_bytes
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._changing = threading.RLock()
        self.prepared = threading.Event()
        self.ends = threading.Event()
        self._thread: threading.Thread | None = None

    def get(self, reference: str) -> Loaded:
        """The model that a reference stands for; loaded if it is not there yet.

        Raises
        ------
        ModelNotFoundError
            if there is none, with the nearest name.
        ArtifactError
            if it must not be loaded.
        """
        return self.peek(reference) or self._load(reference)

    def peek(self, reference: str) -> Loaded | None:
        """The same if it is there, at once; else None."""
        place = self._places.get(reference)
        if place is None:
            return None
        place.used = self._clock()
        return place.loaded

    def held(self) -> tuple[ModelVersion, ...]:
        """The versions that are ready, by the references they are held for."""
        return tuple(self._places[name].loaded.version for name in sorted(self._places))

    def problems(self) -> dict[str, str]:
        """Why a reference still stands for an older version, by reference."""
        return {name: place.problem for name, place in self._places.items() if place.problem}

    def follow(self) -> None:
        """Look once where all references point now, and load what moved."""
        for reference in tuple(self._places):
            with self._changing:
                self._follow_one(reference)

    def start(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Follow aliases in a thread of its own, after some preparation there."""

        def following() -> None:
            try:
                prepare()
            finally:
                self.prepared.set()
            while not self.ends.wait(SECONDS):
                self.follow()

        self._thread = threading.Thread(target=following, name="models", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Follow no more."""
        self.ends.set()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def _load(self, reference: str) -> Loaded:
        with self._changing:
            held = self.peek(reference)
            if held is not None:
                return held
            loaded = self._loaded(self.registry.resolve(reference), reference)
            self._places[reference] = _Place(loaded, self._clock())
            self._make_room(reference)
            return loaded

    def _loaded(self, version: ModelVersion, reference: str) -> Loaded:
        for place in self._places.values():
            if _same(place.loaded.version, version):
                return place.loaded
        artifact = self.registry.load(version.reference if version.version else reference)
        size = sum(array.nbytes for array in artifact.arrays.values())
        return Loaded(version, kind_of(artifact.spec), restored(artifact), size)

    def _follow_one(self, reference: str) -> None:
        place = self._places.get(reference)
        if place is None:
            return
        try:
            version = self.registry.resolve(reference)
            if not _same(place.loaded.version, version):
                place.loaded = self._loaded(version, reference)
                self._make_room(reference)
            place.problem = ""
        except ModelNotFoundError:
            del self._places[reference]
        except (RegistryError, OSError) as error:
            place.problem = f"{reference} is still {place.loaded.version.reference}: {error}"

    def _make_room(self, newest: str) -> None:
        while sum({id(each.loaded): each.loaded.size for each in self._places.values()}.values()) > self.max_bytes:
            others = [name for name in self._places if name != newest]
            if not others:
                return
            del self._places[min(others, key=lambda name: self._places[name].used)]


def restored(artifact: Artifact) -> Pipeline | SeriesPipeline | TrainedLog:
    """The model of an artifact, of any kind.

    Raises
    ------
    ArtifactError
        if it is damaged.
    """
    if kind_of(artifact.spec) == "table":
        return restored_pipeline(artifact)
    return TrainedLog.from_state(artifact.spec, artifact.arrays)


def _same(a: ModelVersion, b: ModelVersion) -> bool:
    return (a.name, a.version, a.digest) == (b.name, b.version, b.digest)
