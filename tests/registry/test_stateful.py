"""Whatever is done in whatever order, the registry says what a plain dict would."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anomaly_detection.errors import InputError, ModelNotFoundError
from anomaly_detection.registry import LocalRegistry

NAMES = st.sampled_from(["a", "a.b", "B-1"])
ALIASES = st.sampled_from(["production", "challenger"])
VERSIONS = st.integers(1, 6)


class Model:
    def __init__(self, number):
        self.number = number

    def state(self):
        return {"number": self.number}, {"0/number_": np.array(self.number)}


class Twin:
    """One model, in a dict: its versions, where its aliases have pointed, and the highest number ever given."""

    def __init__(self):
        self.versions = {}
        self.trails = {}
        self.highest = 0

    def current(self, alias):
        trail = self.trails.get(alias, [])
        return trail[-1] if trail and trail[-1] is not None else None

    def before(self, alias):
        """Where a rollback leads, and the trail up to there."""
        trail = list(self.trails.get(alias, []))
        while trail and (trail[-1] not in self.versions or trail[-1] == self.current(alias)):
            trail.pop()
        return trail


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.registry = LocalRegistry(self.root / "registry")
        self.twins = {}
        self.count = 0

    def teardown(self):
        shutil.rmtree(self.root)

    def twin(self, name):
        return self.twins.setdefault(name, Twin())

    @rule(name=NAMES, aliases=st.lists(ALIASES, max_size=2, unique=True))
    def register(self, name, aliases):
        self.count += 1
        twin = self.twin(name)
        twin.highest += 1
        assert self.registry.register(name, Model(self.count), aliases=aliases).version == twin.highest
        twin.versions[twin.highest] = self.count
        for alias in aliases:
            twin.trails.setdefault(alias, []).append(twin.highest)

    @rule(name=NAMES, alias=ALIASES, version=VERSIONS)
    def promote(self, name, alias, version):
        twin = self.twin(name)
        try:
            self.registry.promote(name, version, alias)
        except ModelNotFoundError:
            assert version not in twin.versions
        else:
            assert version in twin.versions
            if twin.current(alias) != version:
                twin.trails.setdefault(alias, []).append(version)

    @rule(name=NAMES, alias=ALIASES)
    def rollback(self, name, alias):
        twin = self.twin(name)
        trail = twin.before(alias)
        try:
            version = self.registry.rollback(name, alias).version
        except ModelNotFoundError:
            assert not trail
        else:
            assert version == trail[-1]
            twin.trails[alias] = trail

    @rule(name=NAMES, version=VERSIONS, force=st.booleans())
    def delete(self, name, version, force):
        twin = self.twin(name)
        used = any(twin.current(alias) == version for alias in twin.trails)
        try:
            assert self.registry.delete(f"{name}@{version}", force=force) == (version,)
        except ModelNotFoundError:
            assert version not in twin.versions
        except InputError:
            assert used
            assert not force
        else:
            assert force or not used
            self.forget(twin, [version])

    @precondition(lambda self: self.count > 3)
    @rule(name=NAMES)
    def delete_all(self, name):
        twin = self.twin(name)
        try:
            assert self.registry.delete(name, force=True) == tuple(sorted(twin.versions))
        except ModelNotFoundError:
            assert not twin.versions
        else:
            self.forget(twin, list(twin.versions))

    def forget(self, twin, versions):
        for alias, trail in twin.trails.items():
            if twin.current(alias) in versions:
                trail.append(None)
        for version in versions:
            del twin.versions[version]

    @rule(name=NAMES, other=NAMES)
    def export_and_import(self, name, other):
        twin, target = self.twin(name), self.twin(other)
        if not twin.versions:
            return
        newest = max(twin.versions)
        file = self.registry.export(f"{name}@{newest}", self.root / "export", overwrite=True)
        target.highest += 1
        assert self.registry.import_(file, other).version == target.highest
        target.versions[target.highest] = twin.versions[newest]

    @invariant()
    def both_say_the_same(self):
        expected = {name: tuple(sorted(twin.versions)) for name, twin in self.twins.items() if twin.versions}
        listed = self.registry.list()
        assert {model.name: model.versions for model in listed} == expected
        for model in listed:
            twin = self.twins[model.name]
            aliases = {alias: twin.current(alias) for alias in twin.trails if twin.current(alias) is not None}
            assert model.aliases == self.registry.aliases(model.name) == aliases
            bare = aliases.get("production", max(twin.versions))
            assert self.registry.load(model.name).spec == {"number": twin.versions[bare]}


RegistryMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTheRegistryIsADict = RegistryMachine.TestCase
