"""Lineage is plain facts; fingerprints depend on the data and nothing else."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from anomaly_detection.registry import Lineage, LocalRegistry, fingerprint, library_versions


def test_lineage_has_the_time_in_utc_and_the_versions_of_what_is_installed():
    summer = timezone(timedelta(hours=2))
    lineage = Lineage.gather(now=lambda: datetime(2026, 7, 1, 1, 0, 0, tzinfo=summer))
    assert lineage.created == "2026-06-30T23:00:00Z"
    assert lineage.library_versions["numpy"] == np.__version__
    assert lineage.library_versions["polars"] == pl.__version__


def test_libraries_that_are_not_installed_are_left_out():
    assert set(library_versions(["numpy", "no-such-library"])) == {"python", "numpy"}


def test_gathering_imports_no_heavy_library():
    program = (
        "import sys; from anomaly_detection.registry import Lineage; Lineage.gather();"
        "print(sorted({'sklearn', 'scipy', 'numba', 'pandas', 'pyarrow', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lineage_survives_the_registry_with_odd_parameters(tmp_path):
    class Model:
        def state(self):
            return {}, {}

    lineage = Lineage.gather(
        rows=3,
        columns=["a", "ü"],
        parameters={"alpha": np.float64(0.5), "limit": float("inf"), "$k": [1, None]},
        seed=0,
    )
    registry = LocalRegistry(tmp_path)
    registry.register("m", Model(), lineage=lineage)
    assert registry.resolve("m").lineage == lineage


FRAME = pl.DataFrame(
    {
        "number": [1.5, None, 3.0],
        "count": [1, 2, None],
        "word": ["a", None, "ü"],
        "yes": [True, None, False],
        "day": [date(2026, 1, 1), None, date(2026, 1, 3)],
        "list": [[1], None, [2, 3]],
        "class": pl.Series(["x", "y", None], dtype=pl.Categorical),
    }
)


def test_a_fingerprint_does_not_depend_on_how_the_frame_came_about():
    parts = pl.concat([FRAME.head(1), FRAME.tail(2)], rechunk=False)
    assert fingerprint(parts) == fingerprint(FRAME) == fingerprint(pl.DataFrame(FRAME.to_dict(as_series=True)))


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_fingerprint_notices_a_changed_value_a_missing_one_and_a_new_name(column):
    known = fingerprint(FRAME)
    reordered = FRAME.with_columns(pl.col(column).reverse())
    emptied = FRAME.with_columns(pl.lit(None, dtype=FRAME[column].dtype).alias(column))
    renamed = FRAME.rename({column: "other"})
    assert len({known, fingerprint(reordered), fingerprint(emptied), fingerprint(renamed)}) == 4


def test_texts_that_run_together_differ():
    assert fingerprint(pl.DataFrame({"a": ["ab", "c"]})) != fingerprint(pl.DataFrame({"a": ["a", "bc"]}))


def test_a_fingerprint_is_the_same_on_every_machine():
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert fingerprint(frame) == "2f9d364093a262e290acd451b2fd97ec7e1fdc9e801b609cf27471b673d55631"
