"""Results are written whole or not at all, and read back as they were."""

import datetime as dt
import errno
import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, SinkError
from anomaly_detection.sinks import FileSink
from anomaly_detection.sources import open_source

KINDS = ["csv", "tsv", "json", "jsonl", "parquet"]
FORMATS = [*KINDS, *(f"{kind}.{packed}" for kind in KINDS for packed in ("gz", "zst"))]
FRAME = pl.DataFrame({"row": [0, 1], "score": [0.1, 2e-300], "severity": ["low", "high"], "is_anomaly": [True, False]})

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\n\r\t"), min_size=1, max_size=8
)
COLUMNS = {
    "row": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "score": (pl.Float64, st.floats(allow_nan=False, allow_infinity=False)),
    "is_anomaly": (pl.Boolean, st.booleans()),
    "severity": (pl.String, TEXT),
    "day": (pl.Date, st.dates(dt.date(1, 1, 1))),
    "time": (pl.Datetime("us"), st.datetimes()),
    "instant": (
        pl.Datetime("us", "UTC"),
        st.datetimes(timezones=st.just(dt.UTC)),
    ),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(*(st.none() | values for _, values in COLUMNS.values())), min_size=1, max_size=12),
    cut=st.integers(0, 12),
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back_equal(tmp_path, kind, rows, cut):
    schema = {name: dtype for name, (dtype, _) in COLUMNS.items()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    path = tmp_path / f"t.{kind}"
    with FileSink(path) as sink:
        sink.write(frame.head(cut))
        sink.write(frame.slice(cut))
    assert open_source(path).with_dtypes(schema).read().equals(frame)


@pytest.mark.parametrize("name", FORMATS)
def test_types_are_found_again_in_every_format(tmp_path, name):
    path = tmp_path / f"t.{name}"
    with FileSink(path) as sink:
        sink.write(FRAME)
    with open_source(path) as source:
        assert source.format == name
        assert source.notes == []
        assert source.read().equals(FRAME)


def test_json_says_how_the_results_were_made_and_knows_no_nan(tmp_path):
    path = tmp_path / "t.json"
    with FileSink(path) as sink:
        sink.made({"algorithm": "knn", "parameters": {"p": float("inf")}, "at": dt.date(2024, 5, 1)})
        sink.write(pl.DataFrame({"a": [1.0, float("nan"), float("inf"), None]}))
    document = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert document["made"] == {"algorithm": "knn", "parameters": {"p": None}, "at": "2024-05-01"}
    assert [each["a"] for each in document["results"]] == [1.0, None, None, None]


def test_no_rows_are_an_empty_array_or_a_header(tmp_path):
    for kind in KINDS:
        with FileSink(tmp_path / f"t.{kind}") as sink:
            sink.write(FRAME.clear())
    assert json.loads((tmp_path / "t.json").read_text())["results"] == []
    assert (tmp_path / "t.csv").read_text() == "row,score,severity,is_anomaly\n"
    assert pl.read_parquet(tmp_path / "t.parquet").equals(FRAME.clear())


def test_columns_that_text_cannot_hold_are_written_as_text(tmp_path):
    frame = pl.DataFrame(
        {
            "list": [[1.5, float("nan")], None],
            "b": [b"\x01", None],
            "d": [dt.timedelta(hours=1), None],
            "t": [dt.time(1, 2), None],
        }
    )
    for kind in ("csv", "jsonl", "parquet"):
        with FileSink(tmp_path / f"t.{kind}") as sink:
            sink.write(frame)
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == '"[1.5, null]",01,PT1H,01:02:00'
    assert json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])["b"] == "01"
    assert pl.read_parquet(tmp_path / "t.parquet").equals(frame)


def test_parquet_beyond_what_is_held_is_set_aside_and_joined_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("anomaly_detection.sinks._parquet.HELD", 1000)
    frame = pl.DataFrame({"a": range(5000), "s": [f"row {i}" for i in range(5000)]})
    with FileSink(tmp_path / "t.parquet") as sink:
        for batch in frame.iter_slices(300):
            sink.write(batch)
        assert any(path.is_dir() for path in tmp_path.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
    assert pl.read_parquet(tmp_path / "t.parquet").equals(frame)


def write_all(path, frames):
    with FileSink(path) as sink:
        for frame in frames:
            sink.write(frame)


def write_and_raise(path, error):
    with FileSink(path) as sink:
        sink.write(FRAME)
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["t.csv", "t.json.gz", "t.parquet", "t.jsonl.zst"])
def test_an_error_or_ctrl_c_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, name, error):
    monkeypatch.setattr("anomaly_detection.sinks._parquet.HELD", 10)
    path = tmp_path / name
    path.write_text("before")
    with pytest.raises(error):
        write_and_raise(path, error)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["t.csv", "t.json.gz", "t.parquet"])
def test_nothing_has_the_name_until_all_is_written(tmp_path, name):
    path = tmp_path / name
    with FileSink(path) as sink:
        sink.write(FRAME)
        assert not path.exists()
    assert path.exists()


def test_the_file_keeps_its_permissions_and_its_link(tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "real.csv").chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    with FileSink(link) as sink:
        sink.write(FRAME)
    assert link.is_symlink()
    assert stat.S_IMODE((tmp_path / "real.csv").stat().st_mode) == 0o640
    assert (tmp_path / "real.csv").read_text().startswith("row,")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.json", "t.parquet"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, name):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("anomaly_detection.sinks._aside.os.fsync", full)
    with pytest.raises(SinkError, match=r"the disk is full.*Free some space"), FileSink(tmp_path / name) as sink:
        sink.write(FRAME)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_in_the_middle_is_told(tmp_path, monkeypatch):
    really = os.open
    monkeypatch.setattr("anomaly_detection.sinks._aside.os.open", lambda *_: really("/dev/full", os.O_RDWR))
    with pytest.raises(SinkError, match="the disk is full"):
        write_all(tmp_path / "t.csv", [pl.DataFrame({"a": ["x" * 1000] * 100})] * 20)


def test_what_cannot_be_a_result_file_is_refused_at_once(tmp_path):
    (tmp_path / "in.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="no folder"):
        FileSink(tmp_path / "nowhere" / "t.csv")
    with pytest.raises(InputError, match="is a directory"):
        FileSink(tmp_path, "csv")
    with pytest.raises(InputError, match=r"\.parquet"):
        FileSink(tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="'csv'"):
        FileSink(tmp_path / "t.csv", "cvs")
    with pytest.raises(InputError, match="is the input"):
        FileSink(tmp_path / "in.csv", source=f"{tmp_path}/./in.csv")
    with pytest.raises(InputError, match="regular file"):
        FileSink("/dev/null", "csv")
    assert (tmp_path / "in.csv").read_text() == "a\n1\n"


def test_a_place_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SinkError, match="may not be written"):
        FileSink(tmp_path / "t.csv")


def test_rows_with_other_columns_are_refused(tmp_path):
    with pytest.raises(SinkError, match=r"'row'.*'other'"):
        write_all(tmp_path / "t.csv", [FRAME, pl.DataFrame({"other": [1]})])
    assert list(tmp_path.iterdir()) == []


def test_a_sink_that_is_not_open_says_so(tmp_path):
    with pytest.raises(SinkError, match="with FileSink"):
        FileSink(tmp_path / "t.csv").write(FRAME)


def test_a_named_format_goes_before_the_name(tmp_path):
    with FileSink(tmp_path / "results.out", "jsonl") as sink:
        sink.write(FRAME)
    assert open_source(tmp_path / "results.out").read().equals(FRAME)


def test_nobody_who_may_not_read_the_old_results_reads_the_new_ones_meanwhile(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("old")
    path.chmod(0o600)
    with FileSink(path) as sink:
        sink.write(pl.DataFrame({"row": [0]}))
        assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
