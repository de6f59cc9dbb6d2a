"""Incidents among the lines of training are set aside, and the lines of clean logs stay."""

from __future__ import annotations

import json

import numpy as np
import pytest

from anomaly_detection.logs import LogPipeline
from anomaly_detection.logs.cleaning import incidents
from logs.traffic import frame_of, records


def two_services(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.exponential(size=n), rng.integers(1, 3, n).astype(np.uint64)


@pytest.mark.parametrize("seed", range(20))
def test_scores_in_random_order_have_no_incidents(seed: int) -> None:
    assert not incidents(*two_services(5_000, seed)).any()


def test_a_run_of_odd_lines_of_a_service_is_an_incident() -> None:
    scores, services = two_services(5_000, 0)
    run = np.flatnonzero(services == 1)[1_000:1_060]
    scores[run[::2]] += 20
    found = incidents(scores, services)
    assert found[run[::2]].mean() > 0.8
    assert set(np.flatnonzero(found)) <= set(range(run[0] - 60, run[-1] + 1))
    assert (services[found] == 1).all()


def test_a_service_whose_lines_are_often_odd_has_no_incident_by_that() -> None:
    scores, services = two_services(5_000, 1)
    services[::10] = 7
    scores[services == 7] *= 3
    assert not incidents(scores, services).any()


def test_what_went_wrong_in_training_is_not_normal_later() -> None:
    lines = records(3_000)
    for i in [*range(400, 460), *range(2_200, 2_260)]:
        lines[i] |= {"message": f"disk {i % 7} failed, retrying", "level": "ERROR"}
    pipeline = LogPipeline(contamination=0.01).fit(frame_of(lines))
    clean = LogPipeline(contamination=0.01).fit(frame_of(records(3_000)))
    assert clean.set_aside_ == 0
    assert 90 <= pipeline.set_aside_ <= 150
    later = records(400, seed=2)
    later[300] |= {"message": "disk 3 failed, retrying", "level": "ERROR"}
    result = pipeline.detect(frame_of(later))
    assert result.is_anomaly[300]
    assert result.is_anomaly.mean() < 0.03
    spec, arrays = pipeline.state()
    assert LogPipeline.from_state(json.loads(json.dumps(spec)), arrays).set_aside_ == pipeline.set_aside_
