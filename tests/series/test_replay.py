"""The default is held against others on a series' own past, with anomalies put in, and gives way to a better one."""

import numpy as np
import polars as pl
import pytest

from anomaly_detection.detectors.series import create
from anomaly_detection.features.series import Series
from anomaly_detection.features.series.injection import SERIES_KINDS
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.replay import FEWEST, KINDS, Tried, best_of, replay

ROWS = 2_400


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=ROWS)


def season():
    return 3.0 * np.sin(np.arange(ROWS) * 2 * np.pi / 24)


def fitted(values, **parameters):
    frame = pl.DataFrame({"v": values}).with_row_index("row")
    return SeriesPipeline(**parameters).fit(frame, timestamp="row")


def test_a_steep_trend_is_judged_by_what_follows_it():
    trend = 0.01 * np.arange(ROWS)
    evidence = fitted(season() + trend + noise()).evidence()
    assert evidence["chosen"][""].startswith("seasonal_ewma: chosen by auto, since it is one channel and it catches")
    tried = {one["name"]: one for one in evidence["tried"][""]}
    assert tried["seasonal_ewma"]["recall"] > tried["windows"]["recall"] + 0.2
    assert tried["windows"]["better"] == 0.0


def test_what_is_chosen_catches_more_of_what_comes():
    values = season() + 0.01 * np.arange(ROWS) + noise()
    later = season() + 0.01 * np.arange(ROWS, 2 * ROWS) + noise(1)
    places = np.arange(100, ROWS - 100, 200)
    later[places] += 7.0
    frame = pl.DataFrame({"row": np.arange(ROWS, 2 * ROWS), "v": later})
    found = {
        name: fitted(values, detector=name, contamination=0.01).detect(frame).is_anomaly for name in ("auto", "windows")
    }
    assert found["auto"][places].mean() > found["windows"][places].mean() + 0.2
    assert found["auto"].mean() < 0.03


def test_the_default_stays_where_no_other_is_clearly_better():
    pipeline = fitted(season() + noise())
    assert pipeline.evidence()["chosen"][""].startswith("auto: windows, since it is one channel (anomalies put into")
    assert [one["name"] for one in pipeline.evidence()["tried"][""]] == ["windows", "ewma", "seasonal_ewma"]
    again = SeriesPipeline.from_state(*pipeline.state())
    assert again.evidence()["tried"] == pipeline.evidence()["tried"]


def test_a_margin_that_chance_may_make_decides_nothing():
    first = Tried("windows", 0.5, 0.0, 0.0)
    assert best_of([first, Tried("ewma", 0.65, 0.15, 0.01), Tried("stl", 0.75, 0.25, 0.1)]) is first
    assert best_of([first, Tried("ewma", 0.75, 0.25, 0.05), Tried("stl", 0.9, 0.4, 0.05)]).name == "stl"


@pytest.mark.parametrize(("rows", "length"), [(FEWEST - 1, 1), (FEWEST, 60)])
def test_a_short_past_says_nothing(rows, length):
    assert replay({"ewma": create("ewma")}, Series.of(noise()[:rows]), length) == []


def test_rows_that_nothing_can_be_put_into_are_not_replayed():
    assert replay({"ewma": create("ewma")}, Series.of(np.full((ROWS, 1), np.nan))) == []


def test_the_same_past_gives_the_same_answer_whatever_the_unit():
    ways = {"windows": create("windows"), "ewma": create("ewma")}
    once, scaled = (replay(ways, Series.of(unit * noise())) for unit in (1.0, 1024.0))
    assert once == scaled
    assert set(SERIES_KINDS) - set(KINDS) == {"dropout"}
