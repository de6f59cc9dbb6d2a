"""The shapes of Azure's Anomaly Detector: requests and answers of its clients, and its error codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from service_support import service

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
RNG = np.random.default_rng(0)
WAVE = (20 + 5 * np.sin(np.arange(120) * 2 * np.pi / 12) + RNG.normal(0, 0.2, 120)).tolist()


def points(values, hours=1.0):
    return [{"timestamp": (FIRST + timedelta(hours=hours * n)).isoformat(), "value": v} for n, v in enumerate(values)]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with service(tmp_path_factory.mktemp("home"), open_access=False) as running:
        secret = running.key("score")["Authorization"].removeprefix("Bearer ")
        running.client.headers["Ocp-Apim-Subscription-Key"] = secret
        yield running


def ask(running, kind, version="v1.1", **body):
    return running.client.post(f"/anomalydetector/{version}/timeseries/{kind}/detect", json=body)


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_every_point_is_judged(running, version):
    values = [*WAVE[:80], 45.0, *WAVE[81:100], 2.0, *WAVE[101:]]
    answer = ask(running, "entire", version, series=points(values), granularity="hourly", sensitivity=95).json()
    kinds = ("isAnomaly", "isPositiveAnomaly", "isNegativeAnomaly")
    assert [answer[kind][80] for kind in kinds] == [True, True, False]
    assert [answer[kind][100] for kind in kinds] == [True, False, True]
    assert sum(answer["isAnomaly"]) <= 8
    assert answer["severity"][80] > 0.6
    assert answer["period"] == 12
    for name in ("expectedValues", "upperMargins", "lowerMargins"):
        assert len(answer[name]) == 120
        assert np.isfinite(answer[name]).all()
    band = answer["expectedValues"][80] + (100 - 95) * answer["upperMargins"][80]
    assert values[80] > band


def test_fewer_are_flagged_with_less_sensitivity_and_never_more_than_the_ratio(running):
    values = RNG.normal(0, 1, 300).tolist()
    counts = [
        sum(ask(running, "entire", series=points(values), granularity="hourly", sensitivity=s).json()["isAnomaly"])
        for s in (20, 80, 99)
    ]
    assert counts == sorted(counts)
    capped = ask(running, "entire", series=points(values), granularity="hourly", sensitivity=99, maxAnomalyRatio=0.005)
    assert sum(capped.json()["isAnomaly"]) == 1


@pytest.mark.parametrize("mode", ["auto", "linear", "previous", None])
def test_missing_points_do_not_shift_the_season(running, mode):
    whole = points([*WAVE[:80], 45.0, *WAVE[81:]])
    gone = {17, 18, 33, 50, 71, 95}
    given = [point for n, point in enumerate(whole) if n not in gone]
    wish = {"imputeMode": mode} if mode else {}
    answer = ask(running, "entire", series=given, granularity="hourly", **wish).json()
    spike = given.index(whole[80])
    assert len(answer["isAnomaly"]) == len(given)
    assert answer["isAnomaly"][spike]
    assert sum(answer["isAnomaly"]) <= 4
    inside = [n for n in range(24, len(given)) if n != spike]
    errors = np.abs(np.array(answer["expectedValues"]) - [point["value"] for point in given])[inside]
    assert np.median(errors) < 0.5


@pytest.mark.parametrize(("mode", "fixed"), [("zero", None), ("fixed", 1000.0), ("notFill", None)])
def test_missing_points_may_be_anything_or_left_out(running, mode, fixed):
    given = [point for n, point in enumerate(points(WAVE)) if n not in {40, 41}]
    answer = ask(running, "last", series=given, granularity="hourly", imputeMode=mode, imputeFixedValue=fixed).json()
    assert answer["isAnomaly"] is False


def test_changes_that_are_too_close_are_one(running):
    values = [*RNG.normal(10, 0.5, 60), *RNG.normal(20, 0.5, 12), *RNG.normal(40, 0.5, 60)]
    rows = [
        np.flatnonzero(
            ask(running, "changepoint", series=points(values), granularity="hourly", stableTrendWindow=window).json()[
                "isChangePoint"
            ]
        ).tolist()
        for window in (1, 30)
    ]
    assert rows == [[60, 72], [72]]


@pytest.mark.parametrize(("value", "odd"), [(WAVE[-1], False), (60.0, True)])
def test_the_last_point_is_judged_by_those_before(running, value, odd):
    answer = ask(running, "last", series=points([*WAVE[:-1], value]), granularity="hourly").json()
    assert (answer["isAnomaly"], answer["isPositiveAnomaly"], answer["isNegativeAnomaly"]) == (odd, odd, False)
    assert (answer["period"], answer["suggestedWindow"]) == (12, 49)
    assert abs(answer["expectedValue"] - WAVE[-1]) < 10


def test_change_points_are_found(running):
    values = [*RNG.normal(10, 0.5, 60), *RNG.normal(20, 0.5, 60)]
    answer = ask(running, "changepoint", series=points(values), granularity="hourly").json()
    assert np.flatnonzero(answer["isChangePoint"]).tolist() == [60]
    assert answer["confidenceScores"][60] >= 0.75


def test_points_need_no_timestamps_without_granularity(running):
    answer = ask(running, "entire", series=[{"value": v} for v in WAVE])
    assert len(answer.json()["isAnomaly"]) == 120


SERIES = points(WAVE)


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("entire", {}, "RequiredSeries"),
        ("changepoint", {"series": SERIES}, "RequiredGranularity"),
        ("entire", {"series": SERIES[:11], "granularity": "hourly"}, "InvalidSeries"),
        ("entire", {"series": points([1.0] * 8641), "granularity": "hourly"}, "InvalidSeries"),
        ("last", {"series": SERIES[::-1], "granularity": "hourly"}, "InvalidSeries"),
        ("last", {"series": [*SERIES, SERIES[-1]], "granularity": "hourly"}, "InvalidSeries"),
        ("last", {"series": points(WAVE, 0.7), "granularity": "hourly"}, "InvalidSeries"),
        ("last", {"series": SERIES[::2], "granularity": "hourly"}, "InvalidSeries"),
        ("entire", {"series": [{"timestamp": "soon", "value": 1}] * 12}, "InvalidSeries"),
        ("entire", {"series": [{"value": 1}] * 12, "granularity": "daily"}, "InvalidSeries"),
        ("entire", {"series": [{"value": None}] * 12}, "InvalidSeries"),
        ("entire", {"series": SERIES, "granularity": "fortnightly"}, "InvalidGranularity"),
        ("entire", {"series": SERIES, "customInterval": 0}, "InvalidCustomInterval"),
        ("entire", {"series": SERIES, "period": -1}, "InvalidPeriod"),
        ("entire", {"series": SERIES, "sensitivity": 100}, "InvalidModelArgument"),
        ("entire", {"series": SERIES, "imputeMode": "guess"}, "InvalidImputeMode"),
        ("entire", {"series": SERIES, "imputeMode": "fixed"}, "InvalidImputeFixedValue"),
    ],
)
def test_errors_have_the_codes_that_clients_know(running, kind, body, code):
    answer = ask(running, kind, **body)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert answer.headers["x-ms-error-code"] == code


def test_a_body_that_is_no_json_has_its_code_too(running):
    answer = running.client.post(
        "/anomalydetector/v1.1/timeseries/entire/detect", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidJsonFormat")
