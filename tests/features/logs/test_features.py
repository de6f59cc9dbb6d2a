"""The 78 features: which they are, what they hold, the same bits one by one and in batches."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError, NotFittedError
from anomaly_detection.features.logs import LogFeatures
from anomaly_detection.features.logs.lines import LEVELS

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, midnight
MESSAGES = ["user 17 logged in", "payment failed for order 9", "disk sda1 full", "GET /a took 12 ms", None, "timeout"]


def lines_of(n, seed=0, services=12):
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.exponential(10, n))
    frame = pl.DataFrame(
        {
            "time": [START + timedelta(seconds=float(s)) for s in seconds],
            "level": rng.choice([*LEVELS, "TRACE", "warn", None], n).tolist(),
            "service": rng.choice([f"svc-{i}" for i in range(services)], n, p=_falling(services)).tolist(),
            "message": rng.choice(MESSAGES, n).tolist(),
            "response_time": rng.gamma(2, 50, n),
            "status_code": rng.choice([200, 404, 503], n),
        },
        schema_overrides={"time": pl.Datetime("us", "UTC"), "level": pl.String, "message": pl.String},
    )
    holes = pl.Series(rng.random(n) < 0.1)
    return frame.with_columns(
        pl.when(holes).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("time", "response_time", "status_code")
    )


def _falling(n):
    weights = 1 / np.arange(1, n + 1)
    return weights / weights.sum()


def column(features, matrix, name):
    return matrix[:, features.features_.names.index(name)]


def test_there_are_always_78_with_the_promised_names():
    frame = lines_of(400)
    features = LogFeatures().fit(frame)
    names = features.features_.names
    assert len(names) == len(set(names)) == 78
    assert names[:8] == (
        *("response_time", "status_code", "hour_sin", "hour_cos", "day_sin", "day_cos", "time_since_last"),
        "logs_in_window",
    )
    assert names[8:13] == ("level_DEBUG", "level_INFO", "level_WARN", "level_ERROR", "level_CRITICAL")
    most = Counter(sorted(frame["service"])).most_common(10)
    assert names[13:23] == tuple(f"service_{name}" for name, _ in most)
    assert names[23:28] == ("rt_mean", "rt_std", "rt_median", "error_rate", "log_volume")
    assert all(name.startswith("tfidf_") for name in names[28:])
    assert "tfidf_payment failed" in names
    assert {one.column for one in features.features_.features} == {
        *("time", "level", "service", "message", "response_time", "status_code"),
    }


def test_few_services_and_terms_leave_features_that_are_always_0():
    frame = lines_of(50, services=2).with_columns(message=pl.lit("17"))
    features = LogFeatures().fit(frame)
    matrix = features.transform(frame, features.windows())
    assert matrix.shape == (50, 78)
    assert features.features_.names[15] == "service_#2"
    assert not matrix[:, 15:23].any()
    assert not matrix[:, 28:].any()


def test_values_are_what_they_are_called():
    frame = pl.DataFrame(
        {
            "time": [START + timedelta(hours=6), START + timedelta(hours=6, minutes=2)],
            "level": ["INFO", "ERROR"],
            "service": ["a", "a"],
            "message": ["payment failed", "payment done"],
            "response_time": [10.0, 30.0],
            "status_code": [200, None],
        }
    )
    features = LogFeatures().fit(pl.concat([frame, frame]))
    matrix = features.transform(frame, features.windows())
    first, second = (dict(zip(features.features_.names, row.tolist(), strict=True)) for row in matrix)
    assert first["hour_sin"] == pytest.approx(1.0)
    assert (first["day_sin"], first["day_cos"]) == (0.0, 1.0)
    assert (second["level_ERROR"], second["level_INFO"], second["service_a"]) == (1.0, 0.0, 1.0)
    assert (second["rt_mean"], second["rt_median"], second["error_rate"]) == (20.0, 20.0, 0.5)
    assert (second["time_since_last"], second["log_volume"], second["logs_in_window"]) == (120.0, 2.0, 2.0)
    assert np.isnan(first["time_since_last"])
    assert np.isnan(second["status_code"])
    assert first["tfidf_failed"] > 0 == second["tfidf_failed"]


@given(st.integers(0, 10_000), st.integers(0, 60))
def test_one_by_one_in_batches_and_in_chunks_give_the_same_bits(seed, cut):
    frame = lines_of(60, seed)
    features = LogFeatures().fit(frame)
    whole = features.transform(frame, features.windows())
    windows, alone = features.windows(), features.windows()
    chunks = np.concatenate([features.transform(frame[:cut], windows), features.transform(frame[cut:], windows)])
    rows = np.array([features.transform_row(record, alone) for record in frame.to_dicts()])
    np.testing.assert_array_equal(chunks, whole)
    np.testing.assert_array_equal(rows, whole)


def test_columns_that_are_not_there_are_missing():
    frame = pl.DataFrame({"message": ["disk full", "disk full", "all well"]})
    features = LogFeatures().fit(frame)
    matrix = features.transform(frame, features.windows())
    assert np.isnan(column(features, matrix, "response_time")).all()
    assert np.isnan(column(features, matrix, "hour_sin")).all()
    assert column(features, matrix, "log_volume").tolist() == [1, 2, 3]
    assert column(features, matrix, "tfidf_disk")[0] > 0


def test_the_small_set():
    frame = pl.DataFrame(
        {"level": ["INFO", "WARN", "ERROR", "DEBUG", "odd"], "response_time": [100.0, 150, 2000, 1, None]}
    )
    features = LogFeatures(features="small").fit(frame)
    assert features.features_.names == ("latency_ms", "level_score")
    found = features.transform(frame, features.windows())
    np.testing.assert_array_equal(found, np.float32([[100, 0], [150, 1], [2000, 2], [1, 0], [np.nan, np.nan]]))


def test_features_are_restored():
    frame = lines_of(200)
    features = LogFeatures().fit(frame)
    again = LogFeatures().restore(features.state())
    assert again.features_ == features.features_
    np.testing.assert_array_equal(
        again.transform(frame, again.windows()), features.transform(frame, features.windows())
    )


@pytest.mark.parametrize("state", [{}, {"services": [1], "terms": {}}, {"services": ["a"] * 11, "terms": {}}])
def test_damaged_features_are_refused(state):
    with pytest.raises(ArtifactError, match="damaged"):
        LogFeatures().restore(state)


def test_features_need_fit():
    features = LogFeatures()
    with pytest.raises(NotFittedError):
        features.transform(lines_of(3), features.windows())
