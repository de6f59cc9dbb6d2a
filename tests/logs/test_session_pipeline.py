"""Verdicts on sessions of log lines."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, SchemaError
from anomaly_detection.logs import SessionPipeline
from logs.traffic import BEGIN, frame_of, records

Line = dict[str, Any]


def sessions(n: int, seed: int = 0) -> list[list[Line]]:
    """n normal sessions of four lines."""
    lines = records(4 * n, seed)
    return [lines[4 * i : 4 * i + 4] for i in range(n)]


@pytest.fixture(scope="module")
def fitted() -> SessionPipeline:
    return SessionPipeline(contamination=0.02).fit(frame_of([line for one in sessions(500) for line in one]))


def judged(pipeline: SessionPipeline, odd: list[Line], n: int = 40) -> Any:
    """The result on n normal sessions with an odd one before the last 20, all of them finished."""
    normal = sessions(n, seed=3)
    every = [*normal[:-20], [{**line, "session": "odd"} for line in odd], *normal[-20:]]
    lines = [line for one in every for line in one]
    return pipeline.detect(frame_of(lines), now=BEGIN + timedelta(days=1)), n - 20


def changed(kind: str) -> list[Line]:
    lines = sessions(1, seed=4)[0]
    if kind == "a new line":
        return [*lines[:2], {**lines[2], "message": "deadlock, retrying"}, lines[3]]
    if kind == "another order":
        return [lines[2], lines[0], lines[3], lines[1]]
    if kind == "lines again and again":
        return [lines[0], *[lines[1]] * 9, *lines[2:]]
    if kind == "a level of its own":
        return [*lines[:3], {**lines[3], "level": "CRITICAL", "status_code": 503}]
    if kind == "a slow answer":
        return [*lines[:2], {**lines[2], "response_time": 400.0}, lines[3]]
    if kind == "slow answers":
        return [{**line, "response_time": 75.0} for line in lines]
    if kind == "cut short":
        return lines[:2]
    return [lines[0], {**lines[1], "message": "user mallory authenticated by kerberos"}, *lines[2:]]


KINDS = {
    "a new line": "rare_templates",
    "another order": "sequences",
    "lines again and again": "counts",
    "cut short": "counts",
    "a new value": "rare_templates",
    "a level of its own": "attributes",
    "a slow answer": "response_times",
    "slow answers": "response_times",
}


@pytest.mark.parametrize("kind", KINDS)
def test_odd_sessions_are_found(fitted: SessionPipeline, kind: str) -> None:
    result, odd = judged(fitted, changed(kind))
    assert result.key[odd] == "odd"
    assert result.is_anomaly[odd]
    assert np.argmax(result.score) == odd
    assert result.parts[KINDS[kind]][odd] <= 0.02


def test_the_oddest_line_is_named(fitted: SessionPipeline) -> None:
    result, odd = judged(fitted, changed("a new line"))
    assert result.worst[odd] == 4 * odd + 2
    assert result.row[odd] == 4 * odd
    assert np.nanargmax(result.line_scores) == 4 * odd + 2


def test_false_alarms_hold_alpha(fitted: SessionPipeline) -> None:
    lines = [line for one in sessions(2_000, seed=8) for line in one]
    assert fitted.detect(frame_of(lines), now=BEGIN + timedelta(days=1)).is_anomaly.mean() <= 0.03


def test_a_session_that_may_go_on_is_not_held_its_ending_against(fitted: SessionPipeline) -> None:
    lines = sessions(1, seed=5)[0][:2]
    last = lines[-1]["time"]
    late, early = (fitted.detect(frame_of(lines), now=last + timedelta(seconds=s)) for s in (3_600, 0.1))
    assert late.is_anomaly[0]
    assert not early.is_anomaly[0]
    assert early.parts["counts"][0] == 1.0


def test_without_times_every_session_is_finished() -> None:
    plain = [{k: v for k, v in line.items() if k in {"session", "message"}} for one in sessions(300) for line in one]
    pipeline = SessionPipeline(contamination=0.02).fit(pl.DataFrame(plain))
    result = pipeline.detect(pl.DataFrame([{**line, "session": "cut"} for line in plain[:2]]))
    assert result.is_anomaly.tolist() == [True]
    assert result.parts["pauses"].tolist() == [1.0]


def test_whole_sessions_in_any_chunks_give_the_same_bits(fitted: SessionPipeline) -> None:
    frame, now = frame_of([line for one in sessions(60, seed=6) for line in one]), BEGIN + timedelta(days=1)
    together = fitted.detect(frame, now=now)
    apart = [fitted.detect(frame[a:b], now=now) for a, b in ((0, 4), (4, 100), (100, 240))]
    assert np.array_equal(together.score, np.concatenate([one.score for one in apart]))


def test_sessions_may_be_interleaved_and_lines_without_one_are_left_out(fitted: SessionPipeline) -> None:
    one, other = sessions(2, seed=7)
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    stray = [{**mixed[0], "session": None}]
    now = BEGIN + timedelta(days=1)
    alone = [fitted.detect(frame_of(each), now=now).score[0] for each in (one, other)]
    result = fitted.detect(frame_of(stray + mixed), now=now)
    assert result.score.tolist() == alone
    assert result.row.tolist() == [1, 2]
    assert np.isnan(result.line_scores[0])


def test_a_saved_pipeline_gives_the_same_bits(fitted: SessionPipeline) -> None:
    spec, arrays = fitted.state()
    frame = frame_of([line for one in sessions(50, seed=9) for line in one])
    again = SessionPipeline.from_state(json.loads(json.dumps(spec)), arrays)
    again = SessionPipeline.from_state(*again.state())
    assert np.array_equal(again.detect(frame).score, fitted.detect(frame).score)
    assert sum(array.nbytes for array in arrays.values()) < 1_000_000
    for name in arrays:
        with pytest.raises((ArtifactError, InputError)):
            SessionPipeline.from_state(spec, {**arrays, name: arrays[name][..., None]})


def test_bad_input_is_named(fitted: SessionPipeline) -> None:
    with pytest.raises(SchemaError, match="no column 'session'"):
        fitted.detect(pl.DataFrame({"message": ["x"]}))
    with pytest.raises(InputError, match="8 rows"):
        SessionPipeline().fit(frame_of(records(12)))
    with pytest.raises(NotFittedError, match="not fitted"):
        SessionPipeline().detect(frame_of([]))
    assert len(fitted.detect(frame_of([]))) == 0


def test_numbers_may_name_sessions_in_a_column_of_any_name() -> None:
    lines = pl.DataFrame({"block": [i // 2 for i in range(200)], "message": ["begin", "end"] * 100})
    pipeline = SessionPipeline(session="block", contamination=0.05).fit(lines)
    result = pipeline.detect(pl.DataFrame({"block": [1, 1, 2, 2], "message": ["begin", "end", "end", "end"]}))
    assert result.key.to_list() == ["1", "2"]
    assert result.is_anomaly.tolist() == [False, True]
