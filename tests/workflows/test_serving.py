"""Models that are held ready: one for each version, following aliases, bounded, and kept when the next is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import active_children
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import ModelNotFoundError
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.workflows.serving import Models
from anomaly_detection.workflows.starting_models import prepare_logs
from live_support import until

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pl.DataFrame({"a": np.random.default_rng(0).normal(size=200)})


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    found = LocalRegistry(tmp_path / "registry")
    for algorithm in ("mad", "hbos"):
        found.register("orders", Pipeline(algorithm).fit(FRAME))
    found.promote("orders", 1)
    return found


def test_an_unknown_model_is_named(registry: LocalRegistry) -> None:
    with pytest.raises(ModelNotFoundError, match="orders"):
        Models(registry).get("order")


def test_references_to_one_version_share_it(registry: LocalRegistry) -> None:
    models = Models(registry)
    assert models.get("orders") is models.get("orders@1") is models.get("orders@production")
    assert models.get("orders@2") is not models.get("orders")


def test_many_threads_load_it_once(registry: LocalRegistry) -> None:
    models = Models(registry)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: models.get("orders"), range(50)))
    assert len({id(each) for each in found}) == 1


def test_a_moved_alias_is_followed(registry: LocalRegistry) -> None:
    models = Models(registry)
    pinned, before = models.get("orders@1"), models.get("orders")
    registry.promote("orders", 2)
    assert models.get("orders") is before
    models.follow()
    assert (models.get("orders").version.version, models.get("orders@1")) == (2, pinned)
    registry.rollback("orders")
    models.follow()
    assert models.get("orders") is pinned


def test_a_damaged_version_leaves_the_old_one(registry: LocalRegistry) -> None:
    models = Models(registry)
    before = models.get("orders")
    for path in registry.root.glob("models/orders/versions/2/model/*"):
        path.write_bytes(path.read_bytes()[:-7])
    registry.promote("orders", 2)
    models.follow()
    assert models.get("orders") is before
    assert "orders is still orders@1" in models.problems()["orders"]
    registry.rollback("orders")
    models.follow()
    assert not models.problems()


def test_a_deleted_model_is_gone(registry: LocalRegistry) -> None:
    models = Models(registry)
    models.get("orders")
    registry.delete("orders", force=True)
    models.follow()
    with pytest.raises(ModelNotFoundError):
        models.get("orders")


def test_those_used_last_are_held(registry: LocalRegistry) -> None:
    now = iter(range(1_000))
    models = Models(registry, max_bytes=0, clock=lambda: float(next(now)))
    models.get("orders@1")
    models.get("orders@2")
    assert [version.version for version in models.held()] == [2]


def test_a_thread_follows(registry: LocalRegistry) -> None:
    models = Models(registry)
    prepared: list[bool] = []
    models.start(lambda: prepared.append(True))
    models.close()
    assert prepared == [True]


def test_models_of_the_first_start_are_given_up_when_the_service_ends(tmp_path: Path) -> None:
    models = Models(LocalRegistry(tmp_path / "registry"))
    models.start(partial(prepare_logs, models, "logs"))
    until(active_children)
    models.close()
    assert models.prepared.is_set()
    assert active_children() == []
    assert models.held() == ()
