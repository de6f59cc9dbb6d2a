"""A model of a service's own entries takes the place of the one it started with."""

from __future__ import annotations

import shutil

import pytest

from anomaly_detection.log_detector import LogDetector
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.workflows.own_logs import OwnLogs, register_own
from anomaly_detection.workflows.starting_models import is_starting
from live_support import starting_registry, until


@pytest.fixture
def registry(tmp_path):
    folder = tmp_path / "registry"
    shutil.copytree(starting_registry(), folder)
    return LocalRegistry(folder)


def own_lines(count):
    words = ("GET /api/orders/{} 200", "stored order {} in 12 ms", "sent receipt {}")
    return [
        {"level": "INFO", "service": "orders", "message": words[i % 3].format(1000 + i), "response_time": 40.0 + i % 7}
        for i in range(count)
    ]


def test_what_is_odd_to_the_starting_model_is_usual_once_it_was_learned(registry):
    lines = own_lines(2_400)
    assert is_starting(registry.versions("logs")[-1])
    register_own(registry.root, "logs", lines[:2_000])
    assert not is_starting(registry.versions("logs")[-1])
    first, learned = (LogDetector.from_registry(f"logs@{version}", registry.root) for version in (1, 2))
    flags = [detector.detect(lines[2_000:]).is_anomaly.mean() for detector in (first, learned)]
    assert flags[0] > 0.5 > 0.05 > flags[1]
    assert learned.detect_one({"level": "ERROR", "service": "orders", "message": "no space on device"}).is_anomaly


def test_a_model_of_somebody_is_left_alone(registry):
    LogDetector().fit(own_lines(900)).register("logs", registry=registry.root)
    register_own(registry.root, "logs", own_lines(2_000))
    assert [version.version for version in registry.versions("logs")] == [1, 2]


def test_entries_are_gathered_until_they_are_enough_and_learned_from_once(registry):
    version, learned = registry.versions("logs")[-1], []
    own = OwnLogs(registry.root, "logs", 10, lambda *given: learned.append(given))
    for line in own_lines(25):
        own.add(version, [line])
    until(lambda: learned)
    assert [(name, len(lines)) for _, name, lines in learned] == [("logs", 10)]


@pytest.mark.parametrize("enough", [0, 10])
def test_nothing_is_gathered_for_other_models_or_where_it_is_not_wanted(registry, enough):
    learned = []
    own = OwnLogs(registry.root, "logs", enough, lambda *given: learned.append(given))
    other = LogDetector().fit(own_lines(900)).register("mine", registry=registry.root)
    own.add(other if enough else registry.versions("logs")[-1], own_lines(50))
    assert learned == []
    assert own._lines == []
