"""Log files: whole and in batches, compressed, odd, with lines kept aside, and tables."""

import datetime as dt
import gzip
import io
import json
import os
import sys

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ParameterError, SchemaError, SourceError
from anomaly_detection.sources import Limits
from anomaly_detection.sources.logs import LogCounts, LogFormat, LogSource, Tolerance, decode_lines
from anomaly_detection.sources.logs.generated import generate_logs, lines_of

LOG = generate_logs(3000, seed=3)


@pytest.fixture
def written(tmp_path):
    def write(content, name="app.log"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def text(style="json"):
    return "\n".join(lines_of(LOG, style)) + "\n"


@pytest.mark.parametrize("name", ["app.log", "app.log.gz"])
@pytest.mark.parametrize("style", ["json", "logfmt", "text"])
def test_a_file(written, name, style):
    with LogSource(written(text(style), name)) as source:
        batch = source.read()
        assert batch.frame.equals(LOG.select(batch.frame.columns))
        assert batch.counts == source.counts == LogCounts(lines=3000, decoded=3000)
        assert batch.format == source.format
        assert "100% of its first lines" in source.notes[0]
        assert len(source.fingerprint()) == 64


@pytest.mark.parametrize("lines", [1, 7, 1000, 3000, 5000])
def test_batches_are_the_file_cut_up(written, lines):
    path = written(text() + "broken\n\n" + text())
    whole = LogSource(path).read()
    batches = list(LogSource(path).batches(lines))
    assert pl.concat([batch.frame for batch in batches]).equals(whole.frame)
    assert all(batch.frame.height == lines for batch in batches[:-1])
    assert sum((batch.counts for batch in batches), LogCounts()) == whole.counts
    assert (whole.counts.aside, whole.counts.blank) == (1, 1)


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text().encode())))
    with LogSource("-") as source:
        assert source.name == "standard input"
        assert source.read().frame.height == 3000


def test_a_batch_has_a_line(written):
    with pytest.raises(ParameterError, match="0"):
        next(LogSource(written(text())).batches(0))


@pytest.mark.parametrize("content", [b"", b"\n \n\r\n\t\n"])
@pytest.mark.parametrize("name", ["app.log", "app.log.gz"])
def test_a_file_without_lines_is_refused(written, content, name):
    with pytest.raises(SourceError, match=r"0 bytes|blank|0 lines"):
        LogSource(written(content, name)).read()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line(written, end):
    batch = LogSource(written('{"msg":"a"}' + end)).read()
    assert batch.frame["message"].to_list() == ["a"]
    assert batch.counts.lines == 1


def test_line_breaks_of_windows(written):
    source = LogSource(written(text("text").replace("\n", "\r\n")))
    assert source.read().frame["message"].equals(LOG["message"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32", "latin-1"])
def test_other_encodings(written, encoding):
    path = written('{"msg":"é"}\n{"msg":"b"}\n'.encode(encoding))
    found = LogSource(path, encoding="latin-1" if encoding == "latin-1" else "utf-8").read()
    assert found.frame["message"].to_list() == ["é", "b"]


def test_undecodable_lines_are_kept_aside(written, tmp_path):
    aside = tmp_path / "aside.jsonl"
    source = LogSource(written('{"msg":"a"}\nbroken \u00e9\n{"msg":"b"}\n{"msg":\n'), aside=aside)
    batch = source.read()
    assert batch.frame["line"].to_list() == [1, 3]
    kept = [json.loads(line) for line in aside.read_text().splitlines()]
    assert kept == [{"line": 2, "text": "broken é"}, {"line": 4, "text": '{"msg":'}]
    assert "line 2: 'broken é'; line 4" in source.notes[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.log", "aside.jsonl"]
    LogSource(written('{"msg":"a"}\n'), aside=aside).read()
    assert len(aside.read_text().splitlines()) == 2


def test_reading_that_is_given_up_leaves_nothing(written, tmp_path):
    path = written("broken\n" + text() * 20)
    batches = LogSource(path, "json", aside=tmp_path / "aside.jsonl", limits=None).batches(10)
    next(batches)
    batches.close()
    assert [each.name for each in tmp_path.iterdir()] == ["app.log"]


def test_a_place_that_cannot_be_written(written, tmp_path):
    source = LogSource(written('{"msg":"a"}\nbroken\n'), aside=tmp_path / "no" / "aside.jsonl")
    with pytest.raises(SourceError, match="could not be kept"):
        source.read()


def test_too_many_undecodable_lines_stop_the_reading(written, tmp_path):
    content = '{"msg":"a"}\n' * 80 + "oh no \x1b " * 50 + "\n" + "broken\n" * 19
    aside = tmp_path / "aside.jsonl"
    with pytest.raises(
        SourceError, match=r"20 lines .* as json, more than 10% of the lines. The first is line 81: 'oh"
    ) as caught:
        LogSource(written(content), aside=aside).read()
    assert len(str(caught.value)) < 600
    assert len(aside.read_text().splitlines()) == 20
    assert LogSource(written(content), tolerance=Tolerance(share=0.2)).read().counts.aside == 20
    with pytest.raises(SourceError, match="the limit of 5"):
        LogSource(written(content), tolerance=Tolerance(lines=5, share=1)).read()
    with pytest.raises(SourceError, match="could not be decoded as json"):
        LogSource(written("a\nb\n"), "json").read()
    with pytest.raises(ParameterError):
        Tolerance(share=2)


def test_the_share_is_looked_at_on_the_way(written):
    content = '{"msg":"a"}\n' * 50_000 + "broken\n" * 20_000 + '{"msg":"a"}\n' * 500_000
    with pytest.raises(SourceError, match="10% of the first 65,536 lines"):
        LogSource(written(content)).read()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(['{"msg":"a"}', "  at x", "broken", ""]), min_size=1, max_size=40).map("\n".join),
    st.integers(0, 4),
    st.floats(0, 1),
)
def test_the_same_stops_alike(written, content, lines, share):
    def outcome(batch_lines):
        source = LogSource(path, "json", tolerance=Tolerance(lines=lines, share=share, always=1))
        try:
            return pl.concat([batch.frame for batch in source.batches(batch_lines)]), None
        except SourceError as error:
            return None, str(error)

    path = written(content + "\n")
    frame, error = outcome(1)
    other, same = outcome(1000)
    assert error == same
    assert (frame is None and other is None) or frame.equals(other)


def test_a_long_line_is_cut(written):
    path = written("x" * 3_000_000 + "\nshort\n" + "y" * 5_000_000)
    batch = LogSource(path, "plain", limits=Limits(line=1_000_000)).read()
    assert batch.frame["message"].str.len_bytes().to_list() == [65536, 5, 65536]
    assert batch.counts.shortened == 4
    assert LogSource(written("x" * (10 << 20))).read().frame.height == 1


def test_a_year_comes_from_the_file_or_the_user(written):
    path = written("Oct 11 22:14:15 web su: failed\n")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert LogSource(path).read().frame["time"].dt.year().to_list() == [2019]
    assert LogSource(path, reference=dt.datetime(2022, 11, 1)).read().frame["time"].dt.year().to_list() == [2022]


def test_a_service_and_a_zone_for_lines_that_name_none(written):
    path = written("2024-05-01 12:00:00 ERROR it broke\n")
    row = LogSource(path, service="shop", zone="Europe/Berlin").read().frame.row(0, named=True)
    assert (row["service"], row["time"].hour) == ("shop", 10)


def test_a_kept_format_is_used(written):
    path = written(text())
    kept = LogFormat.from_json(LogSource(path).format.to_json())
    assert LogSource(path, kept).read().frame.equals(LogSource(path).read().frame)
    assert LogSource(path, kept, {"session": ""}).format.columns.session == ("session",)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.tsv", "t.csv.gz", "t.json"])
def test_tables(tmp_path, name):
    path = tmp_path / name
    table = LOG.drop("label", "kind", "line").rename({"message": "Text", "time": "when", "response_time": "took_s"})
    table = table.with_columns(pl.col("took_s") / 1000)
    if name.endswith("parquet"):
        table.write_parquet(path)
    elif name.endswith("json"):
        path.write_text(json.dumps(table.with_columns(pl.col("when").dt.to_string("iso:strict")).to_dicts()))
    else:
        data = table.write_csv(separator="\t" if "tsv" in name else ",", datetime_format="%Y-%m-%d %H:%M:%S%.6f+00:00")
        path.write_bytes(gzip.compress(data.encode()) if name.endswith("gz") else data.encode())
    source = LogSource(path, columns={"time": "when", "message": "Text", "response_time": "took_s"})
    batch = source.read()
    assert batch.format.name == "table"
    expected = LOG.select(batch.frame.columns)
    assert batch.frame.drop("response_time").equals(expected.drop("response_time"))
    assert (batch.frame["response_time"] - expected["response_time"]).abs().max() < 1e-6
    parts = list(source.batches(700))
    assert pl.concat([part.frame for part in parts]).equals(batch.frame)
    with pytest.raises(SchemaError, match="'nope'"):
        LogSource(path, columns={"level": "nope"})


def test_a_table_of_odd_types(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame(
        {
            "ts": [1_714_557_600_000, None, -1],
            "level": [10, 30, 99],
            "service": pl.Series(["a", "", None], dtype=pl.Categorical),
            "message": [[1], [], None],
            "duration": [float("nan"), -1.0, 2.0],
            "status": ["200", "x", None],
        }
    ).write_parquet(path)
    batch = LogSource(path).read()
    assert batch.frame["time"].dt.year().to_list() == [2024, None, None]
    assert batch.frame["level"].to_list() == ["DEBUG", "INFO", None]
    assert batch.frame["service"].to_list() == ["a", None, None]
    assert batch.frame["response_time"].to_list() == [None, None, 2.0]
    assert batch.frame["status_code"].to_list() == [200, None, None]
    counts = batch.counts
    assert (counts.unknown_levels, counts.unreadable_times, counts.unusable_values) == (1, 1, 3)


def test_lines_with_the_clock_going_backwards_keep_their_order():
    lines = [f'{{"time":{stamp},"msg":"a"}}' for stamp in (1_714_557_600, 1_714_557_500, 1_714_557_700)]
    assert decode_lines(lines).frame["time"].dt.epoch("s").to_list() == [1_714_557_600, 1_714_557_500, 1_714_557_700]


def test_a_million_services_are_as_many_texts():
    lines = [f'{{"service":"s{i}","msg":"a"}}' for i in range(100_000)]
    assert decode_lines(lines).frame["service"].n_unique() == 100_000
