"""Many writers at once, and writers that are killed, as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from anomaly_detection.registry import LocalRegistry, read_artifact, write_artifact

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

PROGRAM = Path(__file__).with_name("registry_processes.py")


class Model:
    def state(self):
        return {"number": 7}, {"numbers": np.full(2_000, 7)}


def play(scene, root):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), scene, str(root)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def leftovers(root):
    return sorted(path.name for path in (root / ".staging").iterdir())


def test_eight_writers_of_one_name_each_get_a_version_of_their_own(tmp_path):
    played = play("register", tmp_path)
    assert played["statuses"] == [0] * 8
    acknowledged = sorted(int(line) for lines in played["reports"] for line in lines)
    assert acknowledged == list(range(1, 33))
    registry = LocalRegistry(tmp_path)
    assert [version.version for version in registry.versions("m")] == acknowledged
    numbers = {registry.load(f"m@{version}").spec["number"] for version in acknowledged}
    assert numbers == {index * 100 + step for index in range(8) for step in range(4)}
    assert leftovers(tmp_path) == []


def test_promotions_at_once_are_all_in_the_history_one_after_another(tmp_path):
    registry = LocalRegistry(tmp_path)
    for _ in range(8):
        registry.register("m", Model())
    assert play("promote", tmp_path)["statuses"] == [0] * 8
    history = registry.history("m")
    assert [change.previous for change in history] == [None, *(change.version for change in history[:-1])]
    assert registry.aliases("m") == {"production": history[-1].version}


def test_readers_see_the_old_model_or_the_new_one_while_it_is_replaced(tmp_path):
    write_artifact(tmp_path / "saved", *Model().state())
    played = play("overwrite", tmp_path)
    assert played["statuses"] == [0] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_what_was_acknowledged_survives_kill_9_and_the_registry_goes_on(tmp_path):
    reports = [line.split() for line in play("kill", tmp_path)["reports"]]
    registered = [int(what) for action, what in reports if action == "registered"]
    deleted = [what for action, what in reports if action == "deleted"]
    promoted = [int(what) for action, what in reports if action == "promoted"]
    assert registered
    assert deleted
    assert promoted
    assert registered == sorted(set(registered))
    assert len(set(deleted)) == len(deleted)

    registry = LocalRegistry(tmp_path)
    there = {version.version: version for version in registry.versions("m")}
    assert set(registered) <= set(there)
    assert all(version.problem is None for version in there.values())
    assert set(promoted) <= {change.version for change in registry.history("m") if change.alias == "production"}
    for version in registered:
        artifact = registry.load(f"m@{version}")
        assert set(artifact.arrays["numbers"]) == {artifact.spec["number"]}
    assert registry.register("m", Model()).version == max(there) + 1
    assert leftovers(tmp_path) == []


def test_a_saved_model_survives_writers_killed_while_they_replace_it(tmp_path):
    assert "saved 1" in play("kill_overwrite", tmp_path)["reports"]
    write_artifact(tmp_path / "saved", *Model().state(), overwrite=True)
    assert read_artifact(tmp_path / "saved").spec == {"number": 7}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_a_kill_at_any_step_of_any_change_leaves_all_of_it_or_nothing(tmp_path):
    attempts = play("killed everywhere", tmp_path)
    assert len(attempts) > 100
    for action in {attempt[0] for attempt in attempts}:
        steps = [attempt for attempt in attempts if attempt[0] == action]
        outcomes = [after for *_, after, _ in steps]
        before, done = steps[0][4], outcomes[-1]
        assert steps[-1][3] == ["through"]
        assert all(status == 9 for _, _, status, *_ in steps[:-1])
        halves = [outcome for outcome in outcomes if outcome not in (before, done)]
        assert [half for half in halves if action != "register" or half != without_new_aliases(done, before)] == []
    assert [litter for *_, litter in attempts if litter] == []


def without_new_aliases(done, before):
    """A registration killed before its aliases were set: the version is there, and was never acknowledged."""
    (models, saved), (earlier, _) = done, before
    return [{"m": [models["m"][0], earlier["m"][1], earlier["m"][2]]}, saved]


def test_a_disk_that_is_full_at_any_step_is_a_clear_error_and_changes_nothing(tmp_path):
    attempts = play("full everywhere", tmp_path)
    refused = [attempt for attempt in attempts if attempt[3][0].startswith("refused")]
    assert {attempt[0] for attempt in refused} == {attempt[0] for attempt in attempts}
    assert [attempt for attempt in refused if attempt[4] != attempt[5]] == []
    assert [status for _, _, status, *_ in attempts if status] == []
    assert [litter for *_, litter in attempts if litter] == []
