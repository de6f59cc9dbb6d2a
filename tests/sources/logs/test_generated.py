"""Generated logs: repeatable, of the asked size and share, written and read back."""

import polars as pl
import pytest

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.sources.logs import decode_lines
from anomaly_detection.sources.logs._incidents import INCIDENTS
from anomaly_detection.sources.logs.generated import STYLES, generate_logs, lines_of


@pytest.fixture(scope="module")
def log():
    return generate_logs(20_000, seed=5)


def test_the_columns_are_those_of_a_log_frame_and_the_labels(log):
    assert dict(log.schema) == {
        "time": pl.Datetime("us", "UTC"),
        "level": pl.String,
        "service": pl.String,
        "message": pl.String,
        "session": pl.String,
        "response_time": pl.Float64,
        "status_code": pl.Int64,
        "line": pl.UInt64,
        "label": pl.Boolean,
        "kind": pl.String,
    }
    assert log["line"].to_list() == list(range(1, 20_001))
    assert log["time"].is_sorted()
    assert log["service"].n_unique() == 6
    assert log["message"].null_count() == 0


def test_the_same_seed_gives_the_same_log(log):
    assert generate_logs(20_000, seed=5).equals(log)
    assert not generate_logs(20_000, seed=6).equals(log)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.4])
@pytest.mark.parametrize("rows", [1, 50, 20_000])
def test_size_and_share(rows, share):
    made = generate_logs(rows, anomaly_share=share, seed=1)
    assert made.height == rows
    assert made["label"].sum() == pytest.approx(rows * share, abs=1)
    assert made["kind"].is_not_null().equals(made["label"])


def test_every_kind_strikes_after_the_quiet_time(log):
    assert set(log.filter("label")["kind"]) == set(INCIDENTS)
    assert log["label"].arg_max() > 0.25 * log.height


@pytest.mark.parametrize("kind", [kind for kind in INCIDENTS if kind != "service_silence"])
def test_one_kind_alone(kind):
    made = generate_logs(20_000, anomaly_share=0.02, kinds=(kind,), seed=2)
    assert made.filter("label")["kind"].unique().to_list() == [kind]
    assert made["label"].sum() == pytest.approx(400, abs=20)


def test_incidents_are_what_they_are_called(log):
    usual, odd = log.filter(~pl.col("label")), log.filter("label")
    of = odd.partition_by("kind", as_dict=True)
    assert of[("error_burst",)]["level"].unique().to_list() == ["ERROR"]
    assert of[("latency_spike",)]["response_time"].median() > 5 * usual["response_time"].median()
    assert of[("slow_drift",)]["response_time"].median() > 2 * usual["response_time"].median()
    assert set(of[("level_escalation",)]["level"]) == {"WARN", "ERROR", "CRITICAL"}
    words = of[("new_template",)]["message"].str.head(12).unique()
    assert not usual["message"].str.head(12).is_in(words.to_list()).any()
    numbers = of[("parameter",)]["message"].str.extract(r"(\d+)").cast(pl.Int64)
    assert numbers.median() > 1000


def test_a_silent_service_says_nothing():
    made = generate_logs(20_000, anomaly_share=0.001, kinds=("service_silence",), seed=2).sort("time")
    gaps = made.with_columns(gap=pl.col("time").diff().over("service").dt.total_seconds())
    after = gaps.filter("label").group_by("service").agg(pl.col("gap").max())
    assert after["gap"].min() > 5 * gaps["gap"].median()
    assert after["gap"].max() > gaps["gap"].quantile(0.999)


@pytest.mark.parametrize("style", STYLES)
def test_written_and_read_back(log, style):
    batch = decode_lines(lines_of(log, style).to_list())
    assert batch.format.share == 1.0
    assert batch.frame.equals(log.select(batch.frame.columns))


@pytest.mark.parametrize(
    "asked", [{"rows": 0}, {"anomaly_share": 0.5}, {"services": 0}, {"quiet_share": 1.0}, {"hours": 0}]
)
def test_parameters_outside_their_range(asked):
    with pytest.raises(ParameterError):
        generate_logs(**{"rows": 10, **asked})


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="error_burst"):
        generate_logs(10, kinds=("error_bursts",))
    with pytest.raises(UnknownNameError, match="json"):
        lines_of(generate_logs(10), "jsn")
