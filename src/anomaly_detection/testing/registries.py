"""The contract suite of registries: one check for every promise a registry makes.

In the tests of a package that brings a registry of its own::

    import pytest
    from anomaly_detection.testing.registries import registry_checks
    from my_package import MyRegistry

    @pytest.mark.parametrize("check", registry_checks(), ids=str)
    def test_contract(check, tmp_path):
        check(MyRegistry(tmp_path / "registry"), tmp_path)

Each check needs an empty registry, and an empty folder for exported files.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import AnomalyDetectionError, ArtifactError, InputError, ModelNotFoundError
from anomaly_detection.registry import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from anomaly_detection.registry import Registry

    Promise = Callable[[Registry, Path], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A model to register: all it learned is a number.

    >>> Sample(2).state()
    ({'kind': 'sample', 'number': 2}, {'0/number_': array([2.])})
    """

    number: int

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Spec and arrays."""
        return {"kind": "sample", "number": self.number}, {"0/number_": np.array([float(self.number)])}


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """One promise. Call it with an empty registry and an empty folder; it raises AssertionError when it is broken."""

    promise: Promise

    def __str__(self) -> str:
        return self.promise.__name__

    def __call__(self, registry: Registry, folder: Path) -> None:
        """Check.

        Raises
        ------
        AssertionError
            saying how the promise is broken.
        """
        self.promise(registry, folder)


def registry_checks() -> tuple[RegistryCheck, ...]:
    """One check for every promise."""
    return tuple(RegistryCheck(promise) for promise in PROMISES)


def what_is_registered_is_loaded_back(registry: Registry, _: Path) -> None:
    """Spec, arrays, metrics and lineage come back as they were."""
    lineage = Lineage.gather(rows=7, columns=["a", "b"], parameters={"k": 3}, seed=0, command="train")
    given = registry.register("m", Sample(1), metrics={"auroc": 0.5}, lineage=lineage)
    spec, arrays = Sample(1).state()
    loaded = registry.load("m")
    _equal(loaded.spec, spec, "the spec")
    _equal({name: array.tolist() for name, array in loaded.arrays.items()}, {"0/number_": [1.0]}, "the arrays")
    _equal(loaded.arrays["0/number_"].dtype, arrays["0/number_"].dtype, "the type of an array")
    _equal(registry.resolve("m"), given, "the version")
    _equal((given.metrics, given.lineage), ({"auroc": 0.5}, lineage), "metrics and lineage")


def loaded_arrays_can_be_written_to(registry: Registry, _: Path) -> None:
    """A detector goes on learning in the arrays it was loaded with; the registry's own stay as they are."""
    registry.register("m", Sample(1))
    registry.load("m").arrays["0/number_"][:] = 9.0
    _equal(_number(registry, "m"), 1, "what is loaded after a loaded array was changed")


def versions_count_up(registry: Registry, _: Path) -> None:
    """Versions are 1, 2, 3, … of each name by itself."""
    _equal([registry.register("m", Sample(number)).version for number in (1, 2, 3)], [1, 2, 3], "the versions")
    _equal(registry.register("n", Sample(1)).version, 1, "the first version of another name")
    _equal([version.version for version in registry.versions("m")], [1, 2, 3], "versions()")
    _equal([(model.name, model.versions) for model in registry.list()], [("m", (1, 2, 3)), ("n", (1,))], "list()")


def numbers_never_come_back(registry: Registry, _: Path) -> None:
    """Neither after the newest version was deleted nor after all were."""
    _fill(registry, 2)
    _equal(registry.delete("m@2"), (2,), "what was deleted")
    _equal(registry.register("m", Sample(3)).version, 3, "the next version")
    _equal(registry.delete("m", force=True), (1, 3), "what was deleted")
    _equal(registry.list(), (), "list() after all was deleted")
    _equal(registry.register("m", Sample(4)).version, 4, "the next version after all were deleted")


def references_find_their_version(registry: Registry, _: Path) -> None:
    """A bare name is production if set, else the newest; ``@3``, ``:3``, ``@alias`` and ``@latest`` say which."""
    _fill(registry, 3)
    _equal(_number(registry, "m"), 3, "a bare name without production")
    registry.promote("m", 1)
    registry.promote("m", 2, alias="challenger")
    found = {text: _number(registry, text) for text in ("m", "m@production", "m@challenger", "m@3", "m:3", "m@latest")}
    expected = {"m": 1, "m@production": 1, "m@challenger": 2, "m@3": 3, "m:3": 3, "m@latest": 3}
    _equal(found, expected, "references")


def unknown_references_say_what_there_is(registry: Registry, _: Path) -> None:
    """Unknown names come with the nearest one, unknown versions and aliases with those there are."""
    with _refused(ModelNotFoundError, "orders"):
        registry.load("orders")
    registry.register("orders", Sample(1), aliases=["production"])
    for reference, hint in {"order": "'orders'", "orders@7": "1", "orders@produktion": "'production'"}.items():
        with _refused(ModelNotFoundError, hint):
            registry.load(reference)


def names_that_are_paths_are_refused(registry: Registry, _: Path) -> None:
    """Only letters, digits, '.', '_' and '-', up to 100, no leading '.'."""
    for name in ("", ".", "..", ".hidden", "../m", "a/b", "a\\b", "a b", "a\n", "a\0", "é", "a" * 101):
        with _refused(InputError, "letters"):
            registry.register(name, Sample(1))
        with _refused(InputError, "letters"):
            registry.load(name)
    _equal(registry.list(), (), "list() after refused names")
    registry.register("A-1._" + "b" * 95, Sample(1))


def aliases_that_look_like_versions_are_refused(registry: Registry, _: Path) -> None:
    """Else a reference would have two meanings."""
    for alias in ("7", "latest", "", "a b", "../a"):
        with _refused(InputError, "alias"):
            registry.register("m", Sample(1), aliases=[alias])
    _equal(registry.list(), (), "list() after refused aliases")


def rollback_goes_back_step_by_step(registry: Registry, _: Path) -> None:
    """Each rollback leads to what the alias pointed to before; the history keeps every move."""
    _fill(registry, 3)
    for version in (1, 2, 2, 3):
        registry.promote("m", version)
    _equal([registry.rollback("m").version, registry.rollback("m").version], [2, 1], "two rollbacks")
    with _refused(ModelNotFoundError, "rolled back"):
        registry.rollback("m")
    moves = [(change.action, change.previous, change.version) for change in registry.history("m")]
    promoted = [("promote", None, 1), ("promote", 1, 2), ("promote", 2, 3)]
    _equal(moves, [*promoted, ("rollback", 3, 2), ("rollback", 2, 1)], "the history")


def a_version_in_use_is_not_deleted_by_accident(registry: Registry, _: Path) -> None:
    """Nor is a whole model; with ``force`` both are, and the aliases with them."""
    _fill(registry, 2)
    registry.promote("m", 1)
    for reference in ("m@1", "m@production", "m"):
        with _refused(AnomalyDetectionError, "force"):
            registry.delete(reference)
    _equal(registry.delete("m@1", force=True), (1,), "what was deleted")
    _equal(registry.aliases("m"), {}, "the aliases")
    _equal(_number(registry, "m"), 2, "a bare name after production was deleted")


def metrics_stand_side_by_side(registry: Registry, _: Path) -> None:
    """``compare`` shows every metric of either version, and the difference where both have it."""
    registry.register("m", Sample(1), metrics={"auroc": 0.5, "f1": 0.25})
    registry.register("m", Sample(2), metrics={"auroc": 0.75, "recall": 1.0})
    pairs = [(pair.metric, pair.a, pair.b, pair.difference) for pair in registry.compare("m@1", "m@2").metrics]
    expected = [("auroc", 0.5, 0.75, 0.25), ("f1", 0.25, None, None), ("recall", None, 1.0, None)]
    _equal(pairs, expected, "the comparison")


def an_exported_version_is_imported_whole(registry: Registry, folder: Path) -> None:
    """Under its own name or another, with metrics and lineage, as the next version."""
    registry.register("m", Sample(5), metrics={"auroc": 0.5}, lineage=Lineage.gather(rows=5))
    file = registry.export("m@1", folder / "m.zip")
    again, other = registry.import_(file), registry.import_(file, "other")
    _equal((again.reference, other.reference), ("m@2", "other@1"), "the imported versions")
    first = registry.resolve("m@1")
    for version in (again, other):
        kept = (version.digest, version.metrics, version.lineage, version.imported_from)
        _equal(kept, (first.digest, first.metrics, first.lineage, "m@1"), "what is kept")
        _equal(_number(registry, version.reference), 5, "the imported model")


def a_changed_export_is_refused(registry: Registry, folder: Path) -> None:
    """Nothing of it becomes visible."""
    registry.register("m", Sample(5))
    file = registry.export("m", folder / "m.zip")
    data = file.read_bytes()
    for changed in (b"", data[: len(data) // 2], data.replace(b'"number":5', b'"number":6')):
        file.write_bytes(changed)
        with _refused(ArtifactError, str(file)):
            registry.import_(file)
    _equal([model.versions for model in registry.list()], [(1,)], "the versions after refused imports")


PROMISES: tuple[Promise, ...] = (
    what_is_registered_is_loaded_back,
    loaded_arrays_can_be_written_to,
    versions_count_up,
    numbers_never_come_back,
    references_find_their_version,
    unknown_references_say_what_there_is,
    names_that_are_paths_are_refused,
    aliases_that_look_like_versions_are_refused,
    rollback_goes_back_step_by_step,
    a_version_in_use_is_not_deleted_by_accident,
    metrics_stand_side_by_side,
    an_exported_version_is_imported_whole,
    a_changed_export_is_refused,
)


def _fill(registry: Registry, versions: int) -> None:
    for number in range(1, versions + 1):
        registry.register("m", Sample(number))


def _number(registry: Registry, reference: str) -> int:
    return int(registry.load(reference).arrays["0/number_"][0])


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}.")


@contextmanager
def _refused(error: type[AnomalyDetectionError], hint: str) -> Iterator[None]:
    try:
        yield
    except error as raised:
        if hint not in str(raised):
            raise AssertionError(f"The refusal does not name {hint!r}: {raised}") from raised
    else:
        raise AssertionError(f"Not refused with {error.__name__} naming {hint!r}.")
