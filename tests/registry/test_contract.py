"""The local registry keeps every promise of a registry."""

from __future__ import annotations

import pytest

from anomaly_detection.registry import LocalRegistry
from anomaly_detection.testing.registries import registry_checks


@pytest.mark.parametrize("check", registry_checks(), ids=str)
def test_local_registry_keeps_the_contract(check, tmp_path):
    check(LocalRegistry(tmp_path / "registry"), tmp_path)


@pytest.mark.parametrize("check", registry_checks(), ids=str)
def test_each_check_notices_a_registry_that_does_nothing(check, tmp_path):
    class Nothing:
        def __getattr__(self, name):
            return lambda *_, **__: None

    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check(Nothing(), tmp_path)
