"""The Python door for logs: files, tables, dicts and streams in, verdicts out; saved and loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection import AnomalyDetector, LogDetector
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.logs import Lines
from anomaly_detection.logs import LogPipeline
from anomaly_detection.logs.statistics import WholeWindow
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.registry.artifact import write_artifact
from anomaly_detection.sources.logs.generated import generate_logs
from logs.traffic import frame_of, records, untidy

if TYPE_CHECKING:
    from pathlib import Path

NORMAL = records(1_200)
NEXT = records(200, seed=3, first=1_200)


def aliased(line: dict[str, Any]) -> dict[str, Any]:
    """A line as other systems send it, with a field that nobody asked for."""
    return {
        "timestamp": line["time"].isoformat(),
        "level": line["level"].lower(),
        "service": line["service"],
        "message": line["message"],
        "latency_ms": line["response_time"],
        "request_id": line["session"],
        "status": line["status_code"],
        "colour": ["red"],
    }


@pytest.fixture(scope="module")
def fitted() -> LogDetector:
    return LogDetector(contamination=0.01).fit(NORMAL)


@pytest.fixture
def detector(fitted: LogDetector) -> LogDetector:
    fitted.forget()
    return fitted


def expected() -> LogPipeline:
    return LogPipeline(contamination=0.01).fit(frame_of(NORMAL))


def test_every_way_in_gives_the_same_bits(detector: LogDetector, tmp_path: Path) -> None:
    wanted = expected().detect(frame_of(NEXT)).score.tolist()
    path = tmp_path / "next.json"
    path.write_text("".join(json.dumps(aliased(line)) + "\n" for line in NEXT))
    ways = [NEXT, [aliased(line) for line in NEXT], frame_of(NEXT), frame_of(NEXT).rename({"time": "ts"}), path]
    for way in (*ways, str(path), frame_of(NEXT).to_dict(as_series=False)):
        detector.forget()
        assert detector.detect(way).score.tolist() == wanted
    detector.forget()
    assert [detector.detect_one(aliased(line)).score for line in NEXT] == wanted


def test_no_lines_are_no_verdicts(detector: LogDetector) -> None:
    assert len(detector.detect([])) == 0
    assert list(detector.detect_stream([])) == []


def test_a_stream_is_judged_as_it_comes(detector: LogDetector) -> None:
    taken: list[int] = []

    def lines() -> Any:
        for i, line in enumerate(NEXT):
            taken.append(i)
            yield aliased(line)

    verdicts = detector.detect_stream(lines())
    assert taken == []
    first = next(verdicts)
    assert taken == [0]
    rest = list(verdicts)
    assert [one.score for one in (first, *rest)] == expected().detect(frame_of(NEXT)).score.tolist()


def test_what_is_odd_is_found_with_few_fields(detector: LogDetector) -> None:
    verdict = detector.detect_one({"service": "db", "level": "ERROR", "message": "segfault in core", "latency_ms": 9e5})
    assert verdict.is_anomaly
    assert {"isolation_forest", "sliding_window"} <= set(verdict.to_dict()["methods"])
    assert detector.stats("db")["error_count"] == 1


def test_a_file_is_learned_from_with_names_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    rows = [{"at": line["time"].isoformat(), "who": line["service"], "txt": line["message"]} for line in NORMAL]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fields = {"time": "at", "service": "who", "message": "txt"}
    first, second = (LogDetector(0.01, fields=fields).fit(log) for log in (path, rows))
    line = {"at": "2026-01-05T09:10:00Z", "who": "web", "txt": "reply sent with 7 bytes"}
    usual = {"time": "2026-01-05T09:10:00Z", "service": "web", "message": "reply sent with 7 bytes"}
    scores = {first.detect_one(line).score, second.detect_one(line).score}
    for one in (first, second):
        one.forget()
        scores.add(one.detect_one(usual).score)
    assert len(scores) == 1
    for log in (NORMAL, frame_of(NORMAL)):
        with pytest.raises(SchemaError, match="txtt"):
            LogDetector(fields={"message": "txtt"}).fit(log)


def test_times_without_a_zone_are_of_the_zone_that_was_given(tmp_path: Path) -> None:
    rows = [{**line, "time": f"{line['time']:%Y-%m-%d %H:%M:%S}"} for line in NORMAL]
    path = tmp_path / "rows.json"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for log in (rows, pl.DataFrame(rows), path):
        detector = LogDetector(zone="Europe/Amsterdam").fit(log)
        detector.register("zoned", registry=tmp_path)
        for one in (detector, LogDetector.from_registry("zoned", tmp_path)):
            for way in (rows[:9], pl.DataFrame(rows[:9])):
                found = one.detect(way).time
                assert found is not None
                assert found[0].hour == 8
            one.forget()
            assert one.detect_one({"time": "2026-01-05 09:00:00", "message": "x"}).p_value > 0


def test_what_no_line_of_training_had_is_not_looked_at(tmp_path: Path) -> None:
    columns = ["time", "level", "service", "message"]
    detector = LogDetector(0.01).fit(frame_of(NORMAL).select(columns))
    wanted = detector.detect(frame_of(NEXT).select(columns)).score.tolist()
    detector.register("plain", registry=tmp_path)
    for way in (NEXT, frame_of(NEXT)):
        assert LogDetector.from_registry("plain", tmp_path).detect(way).score.tolist() == wanted
    detector.forget()
    assert [one.score for one in detector.detect_stream(NEXT)] == wanted


def test_a_registered_model_is_loaded_by_name(detector: LogDetector, tmp_path: Path) -> None:
    detector.detect(NEXT)
    version = detector.register("web", aliases=["production"], registry=tmp_path)
    assert (version.reference, version.aliases) == ("web@1", ("production",))
    again = LogDetector.from_registry("web@production", tmp_path)
    assert again.parameters() == detector.parameters()
    assert again.detect(NEXT).score.tolist() == expected().detect(frame_of(NEXT)).score.tolist()
    with pytest.raises(ParameterError, match="logs score FILE --model web"):
        AnomalyDetector.from_registry("web", tmp_path)
    AnomalyDetector("ecod").fit(np.random.default_rng(0).normal(size=(50, 2))).save(tmp_path / "table")
    with pytest.raises(ParameterError, match="AnomalyDetector"):
        LogDetector.load(tmp_path / "table")


def test_a_saved_detector_goes_on_where_it_was(detector: LogDetector, tmp_path: Path) -> None:
    detector.detect(NEXT[:100])
    again = LogDetector.load(detector.save(tmp_path / "model"))
    assert again.stats("web") == detector.stats("web")
    assert again.detect(NEXT[100:]).score.tolist() == detector.detect(NEXT[100:]).score.tolist()
    with pytest.raises(ParameterError, match="LogDetector"):
        AnomalyDetector.load(tmp_path / "model")


def test_a_model_that_does_not_say_how_to_read_is_refused(detector: LogDetector, tmp_path: Path) -> None:
    spec, arrays = detector.pipeline_.state()
    for reading in ({}, {"format": {"name": "jsno"}, "columns": {}, "zone": None}, {"format": 5, "columns": {}}):
        told = {"reading": reading, "lines": 5, "columns": ["message"]}
        write_artifact(tmp_path / "m", {**spec, **told}, arrays, overwrite=True)
        with pytest.raises(ArtifactError, match="how its log was read"):
            LogDetector.load(tmp_path / "m")


def test_sessions_are_judged_whole(tmp_path: Path) -> None:
    detector = LogDetector(0.05, by_session=True, fields={"session": "request_id"}).fit([aliased(x) for x in NORMAL])
    result = detector.detect([aliased(line) for line in NEXT])
    assert result.key is not None
    assert result.key.to_list() == [f"r{i}" for i in range(300, 350)]
    detector.register("runs", registry=tmp_path)
    again = LogDetector.from_registry("runs", tmp_path)
    assert again.by_session
    assert again.detect([aliased(line) for line in NEXT]).score.tolist() == result.score.tolist()
    with pytest.raises(SchemaError, match="which session"):
        LogDetector(by_session=True).fit([{"message": "x"}] * 9)
    for one in (detector.detect_one, detector.stats, detector.detect_stream):
        with pytest.raises(InputError, match="judges sessions"):
            one({"message": "x"})  # type: ignore[operator]


IN_MESSAGE = [{"time": x["time"], "message": f"{x['message']} ({x['session']})"} for x in (*NORMAL, *NEXT)]


def test_sessions_are_found_by_what_their_names_look_like(tmp_path: Path) -> None:
    past, new = IN_MESSAGE[:1_200], IN_MESSAGE[1_200:]
    named = [{**line, "session": line["message"].rpartition("(")[2][:-1]} for line in IN_MESSAGE]
    detector = LogDetector(0.05, by_session=True, session_pattern=r"\((r\d+)\)").fit(past)
    result = detector.detect(pl.DataFrame(new))
    assert result.key is not None
    assert result.key.to_list() == [f"r{i}" for i in range(300, 350)]
    assert (
        result.score.tolist()
        == LogDetector(0.05, by_session=True).fit(named[:1_200]).detect(named[1_200:]).score.tolist()
    )
    detector.register("runs", registry=tmp_path)
    again = LogDetector.from_registry("runs", tmp_path)
    assert again.session_pattern == detector.session_pattern
    assert again.detect(new).score.tolist() == result.score.tolist()


def test_single_lines_get_the_session_of_a_batch(tmp_path: Path) -> None:
    past, new = IN_MESSAGE[:1_200], IN_MESSAGE[1_200:]
    for pattern, fields in ((r"none|\((r\d+)\)", None), (r"\d+", {"session": "name"})):
        lines = [{**line, "name": f"of {line['message'][-5:]}"} for line in (*past, *new)]
        detector = LogDetector(session_pattern=pattern, fields=fields).fit(lines[:1_200])
        detector.save(tmp_path / "m")
        again = LogDetector.load(tmp_path / "m")
        scores = [verdict.score for verdict in again.detect_stream(lines[1_200:])]
        assert scores == detector.detect(lines[1_200:]).score.tolist()
        plain = LogDetector().fit([{k: v for k, v in line.items() if k != "name"} for line in lines[:1_200]])
        assert scores != [verdict.score for verdict in plain.detect_stream(new)]


def test_a_session_pattern_that_finds_nothing_is_refused() -> None:
    for pattern, told in (("(", "cannot be used"), ("blk_1", "matches in no line")):
        with pytest.raises(ParameterError, match=told):
            LogDetector(by_session=True, session_pattern=pattern).fit(NORMAL)


BAD: list[Any] = [
    "a line",
    5,
    None,
    {},
    {"colour": "red"},
    {1: 2},
    {"message": 5},
    {"message": ["a"]},
    {"message": b"a"},
    {"service": 5},
    {"level": {"name": "INFO"}},
    {"level": True},
    {"latency_ms": "fast"},
    {"latency_ms": True},
    {"time": "yesterday"},
    {"status_code": "fine"},
    {"session": 1.5},
]


@pytest.mark.parametrize("record", BAD, ids=repr)
def test_what_is_no_log_line_is_refused_and_leaves_no_trace(detector: LogDetector, record: Any) -> None:
    with pytest.raises(InputError, match="log line") as refused:
        detector.detect_one(record)
    with pytest.raises(InputError, match="Line 1 "):
        detector.detect([{"message": "x"}, record])
    assert len(str(refused.value)) < 400
    assert detector.stats(None)["total_logs"] == 0


@pytest.mark.parametrize(
    "record",
    [
        {"latency_ms": float("nan")},
        {"latency_ms": -1},
        {"latency_ms": "1.5 s"},
        {"latency_ms": np.float32(3)},
        {"status": np.int64(500)},
        {"message": None},
        {"level": 40},
        {"level": "odd"},
        {"time": np.float64(1.7e9)},
        {"session": 12},
        {"log.level": "error"},
        {"message": "x", "source": {"ip": "::1"}, "event": {"kind": "y"}},
    ],
    ids=repr,
)
def test_what_other_systems_send_is_taken(detector: LogDetector, record: dict[str, Any]) -> None:
    assert 0 < detector.detect_one(record).p_value <= 1


def test_before_fitting_and_out_of_range() -> None:
    with pytest.raises(NotFittedError, match="LogDetector"):
        LogDetector().detect_one({"message": "x"})
    with pytest.raises(ParameterError, match="contamination"):
        LogDetector(contamination=0.9).fit(NORMAL)
    with pytest.raises(SchemaError, match="none of the columns"):
        LogDetector().fit(pl.DataFrame({"colour": ["red"] * 9}))
    with pytest.raises(InputError, match="8"):
        LogDetector().fit(NORMAL[:3])


def test_a_model_of_fifty_services_takes_less_than_a_mebibyte(tmp_path: Path) -> None:
    frame = generate_logs(20_000, services=50, anomaly_share=0.05).drop("label", "kind")
    detector = LogDetector().fit(frame)
    detector.detect(frame)
    for by_session in (False, True):
        version = LogDetector(by_session=by_session).fit(frame).register("m", registry=tmp_path)
        manifest = next((tmp_path / "models" / "m" / "versions" / str(version.version)).rglob("manifest.json"))
        assert version.size + manifest.stat().st_size < 2**20
    before = detector.register("m", registry=tmp_path)
    assert before.digest == LocalRegistry(tmp_path).resolve("m@1").digest


@settings(max_examples=25)
@given(st.integers(0, 300), st.sampled_from([0.05, 0.5, 5.0, 60.0]), st.integers(1, 90))
def test_a_whole_window_holds_what_the_windows_of_all_hold(seed: int, minutes: float, chunk: int) -> None:
    frame = frame_of(untidy(150, seed))
    pipeline = LogPipeline(minutes=minutes).fit(frame)
    pipeline.detect(frame)
    for service in ("s1", "s4"):
        window = WholeWindow(service, minutes)
        for at in range(0, len(frame), chunk):
            window.update(Lines.of(frame[at : at + chunk]))
        found = window.statistics()
        told = pipeline.stats(service)
        assert {name: getattr(found, name) for name in told} == told
