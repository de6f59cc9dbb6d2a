"""Series in, verdicts out."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.series import SeriesDetector, SeriesScores, SeriesTags, register
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.records import Column, Schema
from anomaly_detection.series import SeriesPipeline

KEYED = Schema((Column("v", "number"),), "t", "host")


def table(n=600, start=0, seed=0, host=None):
    values = 40.0 + np.random.default_rng(seed).normal(0.0, 2.0, size=n)
    frame = pl.DataFrame({"t": np.arange(start, start + n), "v": values})
    return frame if host is None else frame.with_columns(host=pl.lit(host))


def with_value(frame, row, value):
    return frame.with_columns(v=pl.Series(frame["v"]).scatter(row, value))


@pytest.fixture(scope="module")
def fitted():
    return SeriesPipeline("ewma", contamination=0.005).fit(table(), timestamp="t")


def test_a_spike_is_told_with_what_was_expected(fitted):
    result = fitted.detect(with_value(table(100, 600, 1), 30, 93.0))
    assert result.top(1).tolist() == [30]
    assert result.severity[30] == "critical"
    assert result.reason[30].startswith("v 93 is above the expected 39.")
    assert result.lower[30] < result.expected[30] < result.upper[30] < 93.0
    written = result.to_polars()
    assert written.columns[-4:] == ["expected", "lower", "upper", "reason"]
    assert written["reason"].null_count() == 100 - result.anomaly_count
    inside = (table(100, 600, 1)["v"].to_numpy() > result.lower) & (table(100, 600, 1)["v"].to_numpy() < result.upper)
    inside[30] = False
    np.testing.assert_array_equal(inside, ~result.is_anomaly)


def test_alarms_on_normal_rows_are_near_alpha():
    pipeline = SeriesPipeline(contamination=0.01).fit(table(2000), timestamp="t")
    assert 0.004 < pipeline.detect(table(10_000, 2000, 1)).is_anomaly.mean() < 0.02


def test_the_default_says_so_and_expects_values():
    pipeline = SeriesPipeline(contamination=0.002).fit(table(), timestamp="t")
    assert "windows" in pipeline.evidence()["chosen"][""]
    result = pipeline.detect(with_value(table(100, 600, 1), 30, 93.0))
    assert not result.is_anomaly[:30].any()
    assert result.is_anomaly[30]
    assert result.reason[30].startswith("v 93 is above the expected 39.")


@settings(max_examples=10, deadline=None)
@given(st.permutations(list(range(40))))
def test_verdicts_come_in_the_order_of_the_input(fitted, order):
    frame = with_value(table(40, 600, 1), 7, None)
    expected, found = fitted.detect(frame), fitted.detect(frame[order])
    np.testing.assert_array_equal(found.score, expected.score[order])
    np.testing.assert_array_equal(found.p_value, expected.p_value[order])


def test_rows_later_on_change_no_verdict_and_chunks_do_not_matter(fitted):
    frame = with_value(table(200, 600, 3), 50, 80.0)
    whole = fitted.detect(frame)
    np.testing.assert_array_equal(fitted.detect(frame[:120]).p_value, whole.p_value[:120])
    going_on = SeriesPipeline.from_state(*fitted.state())
    parts = [going_on.update(frame[i : i + 17]).score for i in range(0, 200, 17)]
    np.testing.assert_array_equal(np.concatenate(parts), whole.score)
    assert going_on.rows_ == 800


def test_saved_and_restored_it_says_the_same(fitted):
    spec, arrays = fitted.state()
    again = SeriesPipeline.from_state(json.loads(json.dumps(spec)), {k: v.copy() for k, v in arrays.items()})
    frame = table(100, 600, 1)
    assert again.detect(frame).to_polars().equals(fitted.detect(frame).to_polars())
    assert again.parameters() == fitted.parameters()


def test_one_record_is_judged_as_the_first_of_a_batch(fitted):
    frame = table(3, 600, 1)
    assert fitted.detect_one(frame.row(0, named=True)) == fitted.detect(frame).verdict(0)


def test_missing_values_get_a_neutral_verdict(fitted):
    result = fitted.detect(with_value(table(100, 600, 1), [3, 4, 5], None))
    assert np.isfinite(result.score).all()
    assert result.p_value[3:6].tolist() == [1.0, 1.0, 1.0]
    assert not result.is_anomaly[3:6].any()


def test_each_key_has_its_own_normal_and_few_rows_share():
    low, high, few = table(host="low"), table(host="high"), table(20, host="few")
    high = high.with_columns(v=pl.col("v") * 10)
    pipeline = SeriesPipeline(contamination=0.002).fit(pl.concat([low, high, few]), KEYED)
    assert set(pipeline.learned_.models) == {"low", "high"}
    assert pipeline.learned_.charts.keys().to_list() == ["few"]
    new = pl.DataFrame({"t": [700] * 3, "v": [400.0] * 3, "host": ["low", "high", "few"]})
    assert pipeline.detect(new).is_anomaly.tolist() == [True, False, True]
    unseen = pl.concat([table(40, 700, host="new"), pl.DataFrame({"t": [800], "v": [400.0], "host": ["new"]})])
    result = pipeline.detect(unseen)
    assert result.is_anomaly[-1]
    assert result.key[0] == "new"
    again = SeriesPipeline.from_state(*pipeline.state())
    assert again.detect(unseen).to_polars().equals(result.to_polars())
    pipeline.update(unseen[:40])
    assert pipeline.detect(unseen[40:]).is_anomaly[0]


def test_several_channels_are_judged_together_and_named():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"t": np.arange(500), **{f"c{k}": rng.normal(k, 1.0, 500) for k in range(4)}})
    pipeline = SeriesPipeline(contamination=0.01).fit(frame[:400], timestamp="t")
    bad = frame[400:].with_columns(c2=pl.Series(frame["c2"][400:]).scatter(50, -30.0))
    result = pipeline.detect(bad)
    assert result.contributions[50].argmax() == 2
    assert result.reason[50].startswith("c2 -30 is below the expected")
    assert result.expected is None


@pytest.mark.parametrize(("direction", "expected"), [("rise", [20]), ("drop", [10]), ("both", [10, 20])])
def test_only_the_side_that_was_asked_for(direction, expected):
    frame = with_value(with_value(table(60, 600, 1), 10, 0.0), 20, 80.0)
    pipeline = SeriesPipeline("ewma", contamination=0.001, direction=direction).fit(table(), timestamp="t")
    assert np.flatnonzero(pipeline.detect(frame).is_anomaly).tolist() == expected


def test_small_deviations_can_be_left_out_and_bounds_set():
    frame = with_value(with_value(table(60, 600, 1), 10, 60.0), 20, 90.0)
    fit = {"contamination": 0.001}
    found = [
        np.flatnonzero(
            SeriesPipeline("ewma", **fit, **wish).fit(table(), timestamp="t").detect(frame).is_anomaly
        ).tolist()
        for wish in ({}, {"minimum_absolute": 30.0}, {"minimum_relative": 0.8}, {"minimum_absolute": 99.0})
    ]
    assert found == [[10, 20], [20], [20], []]
    pipeline = SeriesPipeline("ewma", **fit, minimum_absolute=99.0, bounds=(None, 88.0)).fit(table(), timestamp="t")
    result = pipeline.detect(frame)
    assert result.reason[20] == "v 90 is above the bound 88"
    assert result.severity[20] == "critical"
    assert np.flatnonzero(result.is_anomaly).tolist() == [20]


def test_a_counter_is_judged_by_what_was_added():
    added = np.abs(np.random.default_rng(0).normal(10.0, 1.0, size=700))
    total = np.cumsum(added)
    total[300:] -= total[300] - 5.0
    total[650:] += 500.0
    frame = pl.DataFrame({"t": np.arange(700), "requests": total})
    pipeline = SeriesPipeline("ewma", contamination=0.001).fit(frame[:500], timestamp="t")
    assert "counters, judged by their differences: requests" in pipeline.notes_
    result = pipeline.detect(frame[500:])
    assert np.flatnonzero(result.is_anomaly).tolist() == [150]
    assert result.reason[150].startswith("requests added 509.5 is above")
    assert pipeline.detect(frame[:300]).anomaly_count == 0
    assert SeriesPipeline("ewma", contamination=0.001).fit_detect(frame, timestamp="t").top(1).tolist() == [650]


def test_rows_of_one_file_are_judged_among_themselves():
    frame = with_value(with_value(table(), 500, 90.0), 5, 90.0)
    result = SeriesPipeline("ewma", contamination=0.005).fit_detect(frame, timestamp="t")
    assert set(result.top(2).tolist()) == {5, 500}
    assert result.anomaly_count == 3
    keyed = pl.concat([frame.with_columns(host=pl.lit(host)) for host in "ab"] + [table(20, host="c")])
    result = SeriesPipeline("ewma", contamination=0.005).fit_detect(keyed, KEYED)
    assert set(result.top(4).tolist()) == {5, 500, 605, 1100}
    assert len(result) == 1220


def test_rows_from_before_are_judged_as_if_they_came_later(fitted):
    result = fitted.detect(with_value(table(), 100, 90.0))
    assert result.top(1).tolist() == [100]
    assert SeriesPipeline.from_state(*fitted.state()).update(table(5)).anomaly_count == 0


@pytest.mark.parametrize("constant", [0.0, -3.5])
def test_what_was_constant_and_changes_is_found(constant):
    frame = pl.DataFrame({"t": np.arange(200), "v": np.full(200, constant)})
    pipeline = SeriesPipeline().fit(frame[:150], timestamp="t")
    result = pipeline.detect(with_value(frame[150:], 20, constant + 1.0))
    assert result.score.argmax() == 20
    assert np.isfinite(result.score).all()


def test_bad_input_is_refused_with_the_way_out():
    frame = table()
    pipeline = SeriesPipeline()
    with pytest.raises(NotFittedError):
        pipeline.detect(frame)
    with pytest.raises(InputError, match="Give 6 more"):
        pipeline.fit(frame[:2], timestamp="t")
    with pytest.raises(InputError, match="Give 8 more"):
        pipeline.fit(frame[:0], timestamp="t")
    with pytest.raises(SchemaError, match="empty: every value is missing"):
        pipeline.fit(frame.with_columns(v=pl.lit(None, pl.Float64)), timestamp="t")
    with pytest.raises(InputError, match="has 2 rows with a value"):
        pipeline.fit(with_value(frame[:12], list(range(10)), None), timestamp="t")
    with pytest.raises(SchemaError, match="infinite"):
        pipeline.fit(with_value(frame, 3, float("inf")), timestamp="t")
    with pytest.raises(SchemaError, match="--timestamp"):
        pipeline.fit(frame)
    fitted = pipeline.fit(frame, timestamp="t")
    with pytest.raises(SchemaError, match="needs the column 't'"):
        fitted.detect(frame.drop("t"))
    with pytest.raises(SchemaError, match="'v'"):
        fitted.detect(frame.rename({"v": "w"}))
    with pytest.raises(ParameterError, match="independent"):
        fitted.detect(frame, fdr=0.1)
    assert len(fitted.detect(frame[:0])) == 0
    for wrong in ({"direction": "up"}, {"minimum_absolute": -1.0}, {"bounds": (3.0, 1.0)}, {"zone": "Mars/Base"}):
        with pytest.raises(ParameterError, match=r"Mars|SeriesPipeline: parameter|bounds"):
            SeriesPipeline(**wrong).fit(frame, timestamp="t")


class Farthest(SeriesDetector):
    """Looks at the whole file: the distance from its median."""

    tags = SeriesTags(causal=False)

    def _fit(self, series):
        pass

    def score_whole(self, series):
        return SeriesScores(np.abs(series.values - np.nanmedian(series.values, axis=0)).max(axis=1))


def test_detectors_of_whole_files_need_to_be_allowed():
    register("farthest", Farthest)
    with pytest.raises(ParameterError, match=r"farthest looks at a whole file.*--offline"):
        SeriesPipeline(Farthest()).fit(table(), timestamp="t")
    pipeline = SeriesPipeline("farthest", offline=True).fit(table(), timestamp="t")
    frame = with_value(table(100, 600, 1), 30, 93.0)
    result = pipeline.detect(frame)
    assert result.top(1).tolist() == [30]
    assert result.reason[30] == "v 93 does not fit the rows before"
    assert SeriesPipeline.from_state(*pipeline.state()).detect(frame).score.tolist() == result.score.tolist()
    assert SeriesPipeline("farthest", offline=True).fit_detect(frame, timestamp="t").top(1).tolist() == [30]


class OneChannel(EWMA):
    """Takes one channel at a time."""

    tags = SeriesTags(multivariate=False, expects=True)


def test_a_detector_of_one_channel_is_given_one_after_the_other():
    register("one_channel", OneChannel)
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"t": np.arange(500), "a": rng.normal(0, 1, 500), "b": rng.normal(0, 50, 500)})
    frame = frame.with_columns(a=pl.Series(frame["a"]).scatter(450, 15.0))
    pipeline = SeriesPipeline(OneChannel(span=50), 0.01).fit(frame[:400], timestamp="t")
    result = pipeline.detect(frame[400:])
    assert result.top(1).tolist() == [50]
    assert result.reason[50].startswith("a 15 is above the expected")
    assert SeriesPipeline.from_state(*pipeline.state()).detect(frame[400:]).score.tolist() == result.score.tolist()


def test_a_parameter_reaches_the_detector():
    pipeline = SeriesPipeline(EWMA(span=7)).fit(table(), timestamp="t")
    assert next(iter(pipeline.learned_.models.values())).detector.span == 7
    assert pipeline.evidence()["chosen"] == {"": "ewma: as asked"}


@pytest.mark.parametrize("algorithm", ["change_point_online", "gap", "sub_pca"])
def test_training_rows_are_judged_at_their_place_of_the_season(algorithm):
    hours = np.arange(600)
    values = 40 + 5 * np.sin(hours * np.pi / 12) + np.random.default_rng(0).normal(0, 0.5, 600)
    times = np.datetime64("2024-03-01T00", "us") + hours * np.timedelta64(1, "h")
    frame = pl.DataFrame({"at": times, "cpu": values})
    pipeline = SeriesPipeline(algorithm, contamination=0.001).fit(frame, timestamp="at")
    assert not pipeline.detect(frame).is_anomaly.any()
