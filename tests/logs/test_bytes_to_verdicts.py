"""From the bytes of a log to verdicts: however they are cut, and whatever comes, in bounded memory."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.features.logs import ServiceWindows
from anomaly_detection.logs import LogPipeline
from anomaly_detection.logs.methods import WEIGHTS
from anomaly_detection.sources.logs import LogFormat, LogReader, decode_lines, decode_one
from anomaly_detection.sources.logs.generated import generate_logs, lines_of

LOG = generate_logs(2_000, services=3, hours=2, seed=4)
LINES = lines_of(LOG, "json").to_list()
DATA = "\n".join(LINES[1_500:]).encode() + b"\n"


@pytest.fixture(scope="module")
def log_format() -> LogFormat:
    return decode_lines(LINES[:1_000]).format


@pytest.fixture(scope="module")
def fitted(log_format: LogFormat) -> LogPipeline:
    reader = LogReader(log_format)
    frames = [reader.feed("\n".join(LINES[:1_500]).encode()), reader.finish()]
    return LogPipeline(contamination=0.02).fit(pl.concat(frames))


def judged(pipeline: LogPipeline, log_format: LogFormat, cuts: list[int]) -> np.ndarray:
    """(n, methods + 3) all that is said of each line when the bytes come in such blocks."""
    pipeline.forget()
    reader = LogReader(log_format)
    frames = [reader.feed(DATA[a:b]) for a, b in pairwise([0, *sorted(cuts), len(DATA)])]
    results = [pipeline.detect(frame) for frame in [*frames, reader.finish()]]
    told = [[one.score, one.p_value, one.confidence, *(one.parts[name] for name in WEIGHTS)] for one in results]
    return np.hstack([np.array(one) for one in told])


@given(st.lists(st.integers(0, len(DATA)), max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_blocks_of_bytes_have_the_same_verdicts(
    fitted: LogPipeline, log_format: LogFormat, cuts: list[int]
) -> None:
    np.testing.assert_array_equal(judged(fitted, log_format, cuts), judged(fitted, log_format, []))


def test_records_one_by_one_have_the_verdicts_of_the_bytes(fitted: LogPipeline, log_format: LogFormat) -> None:
    together = judged(fitted, log_format, [])
    fitted.forget()
    verdicts = [fitted.detect_one(decode_one(json.loads(line))) for line in LINES[1_500:]]
    assert [one.score for one in verdicts] == together[0].tolist()
    assert [one.confidence for one in verdicts] == together[2].tolist()
    for k, name in enumerate(WEIGHTS):
        assert [one.methods[name].p_value for one in verdicts] == together[3 + k].tolist()


def test_ever_new_services_sessions_and_messages_keep_the_size(fitted: LogPipeline) -> None:
    fitted.forget()
    templates, held = fitted.templates(), []
    for first in range(0, 200_000, 20_000):
        names = [f"{first + i:x}" for i in range(20_000)]
        time = [LOG["time"][0]] * len(names)
        frame = pl.DataFrame({"time": time, "service": names, "session": names, "message": names})
        assert np.isfinite(fitted.detect(frame).score).all()
        held.append({name: array.shape for name, array in fitted.state()[1].items()})
    windows = ServiceWindows()
    assert held[0]["intake/windows/names"] == (windows.most_services,)
    assert held[-1]["intake/windows/overall/times"] == (16 * windows.most_lines,)
    assert all(shapes == held[-1] for shapes in held[4:])
    assert fitted.templates() == templates
