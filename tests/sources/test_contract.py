"""Files of every format, plain and compressed, keep every promise of a source."""

from __future__ import annotations

from itertools import count

import pytest

from anomaly_detection.sinks import FileSink
from anomaly_detection.sources import open_source
from anomaly_detection.testing import source_checks

FORMATS = [f"{kind}{end}" for kind in ("csv", "tsv", "json", "jsonl", "parquet") for end in ("", ".gz", ".zst")]


@pytest.mark.parametrize("check", source_checks(), ids=str)
@pytest.mark.parametrize("format", FORMATS)
def test_files_keep_the_contract(check, format, tmp_path):
    numbers = count()

    def hold(frame):
        path = tmp_path / f"{next(numbers)}.{format}"
        with FileSink(path) as sink:
            sink.write(frame)
        return lambda: open_source(path)

    check(hold)


@pytest.mark.parametrize("check", source_checks(), ids=str)
def test_each_check_notices_a_source_that_does_nothing(check):
    class Nothing:
        columns = dtypes = None

        def __getattr__(self, name):
            return lambda *_, **__: self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def close(self):
            raise AssertionError("not closed")

    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check(lambda _: Nothing)
