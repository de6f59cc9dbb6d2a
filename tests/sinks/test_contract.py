"""Files of every format, plain and compressed, keep every promise of a sink."""

from __future__ import annotations

import polars as pl
import pytest

from anomaly_detection.errors import SourceError
from anomaly_detection.sinks import FileSink
from anomaly_detection.sources import open_source
from anomaly_detection.testing import sink_checks

FORMATS = [f"{kind}{end}" for kind in ("csv", "tsv", "json", "jsonl", "parquet") for end in ("", ".gz", ".zst")]


def rows_of(path):
    if not path.exists():
        return None
    try:
        source = open_source(path, format=path.suffixes[0][1:])
    except SourceError:
        return pl.DataFrame()
    with source:
        return source.read()


@pytest.mark.parametrize("check", sink_checks(), ids=str)
@pytest.mark.parametrize("format", FORMATS)
def test_files_keep_the_contract(check, format, tmp_path):
    path = tmp_path / f"results.{format}"
    check(lambda: FileSink(path), lambda: rows_of(path))
    assert {each.name for each in tmp_path.iterdir()} <= {path.name}


@pytest.mark.parametrize("check", sink_checks(), ids=str)
def test_each_check_notices_a_sink_that_does_nothing(check):
    class Nothing:
        def made(self, how):
            pass

        def write(self, frame):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    forgetful = {"nothing_is_there_before_the_end", "an_error_leaves_nothing"}
    rows = pl.DataFrame if str(check) in forgetful else lambda: None
    with pytest.raises(AssertionError):
        check(Nothing, rows)
