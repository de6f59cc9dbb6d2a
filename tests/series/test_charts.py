"""Control charts of very many keys are those of EWMA, one by one."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.errors import ArtifactError, InputError, ParameterError
from anomaly_detection.features.series import Series
from anomaly_detection.series.charts import Charts


def rows(n_keys, n, seed=0):
    rng = np.random.default_rng(seed)
    keys = pl.Series([f"host-{i}" for i in rng.integers(0, n_keys, n)])
    values = rng.standard_t(2, size=n)
    values[rng.random(n) < 0.05] = np.nan
    return keys, values


@pytest.mark.parametrize("line", [np.inf, 3.0])
def test_each_key_has_the_chart_of_a_detector_of_its_own(line):
    keys, values = rows(7, 1000)
    found = Charts(span=30).advance(keys, values, line)
    for key in keys.unique():
        mine = (keys == key).to_numpy()
        blank = EWMA(span=30).blank(("v0",))
        alone = blank.advance(Series.of(values[mine]), line)
        np.testing.assert_array_equal(found[mine], np.column_stack([alone.score, alone.expected, alone.scale]))


@given(st.lists(st.text(max_size=5), max_size=60), st.integers(0, 60))
def test_keys_are_told_apart_by_their_bytes_in_any_chunks(words, cut):
    keys, values = pl.Series(words, dtype=pl.String), np.arange(float(len(words)))
    whole, parts = Charts(), Charts()
    expected = whole.advance(keys, values)
    found = np.concatenate([parts.advance(keys[:cut], values[:cut]), parts.advance(keys[cut:], values[cut:])])
    np.testing.assert_array_equal(found, expected)
    assert whole.keys().to_list() == parts.keys().to_list() == list(dict.fromkeys(words))
    seen = {word: words.count(word) for word in words}
    assert whole.charts_[:, 2].tolist() == [seen[word] for word in dict.fromkeys(words)]


def test_it_grows_and_goes_on_alike_once_saved():
    keys = pl.Series([f"a rather long key, number {i}" for i in range(5000)])
    values = np.random.default_rng(0).normal(size=5000)
    charts = Charts()
    for _ in range(6):
        charts.advance(keys, values)
    spec, arrays = charts.state()
    again = Charts.from_state(json.loads(json.dumps(spec)), arrays)
    more = pl.concat([keys[::-1], pl.Series(["new"] * 10)])
    np.testing.assert_array_equal(again.advance(more, np.ones(5010)), charts.advance(more, np.ones(5010)))
    assert len(again) == 5001
    assert charts.nbytes < 300 * len(charts)


def test_wrong_rows_and_foreign_arrays_are_refused():
    with pytest.raises(InputError, match="2 keys and 1 values"):
        Charts().advance(pl.Series(["a", "b"]), np.ones(1))
    with pytest.raises(InputError, match="infinite"):
        Charts().advance(pl.Series(["a"]), np.array([np.inf]))
    with pytest.raises(ParameterError, match="span=1"):
        Charts(span=1).advance(pl.Series(["a"]), np.ones(1))
    charts = Charts()
    charts.advance(pl.Series(["a", None]), np.ones(2))
    assert charts.keys().to_list() == ["a", ""]
    spec, arrays = charts.state()
    for name, wrong in (
        ("ends", arrays["ends"] + 5),
        ("charts", arrays["charts"][:1]),
        ("pool", np.zeros(9, np.uint8)),
    ):
        with pytest.raises(ArtifactError):
            Charts.from_state(spec, {**arrays, name: wrong})
