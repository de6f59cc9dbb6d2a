"""Explanations beside written verdicts: bounded, numbered as in the input, the same whatever the batch."""

import json

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import NotFittedError
from anomaly_detection.explain.explanation import Explanation
from anomaly_detection.explain.reasons import Reason
from anomaly_detection.workflows import detect, explaining, fitting
from anomaly_detection.workflows.detect import DetectRequest, detect_file
from anomaly_detection.workflows.models import TrainRequest, load_pipeline, train_model
from anomaly_detection.workflows.reading import Reading

ROWS = 400


def test_where_no_column_stands_out_it_is_said_once():
    why = Explanation(0, (), "no column stands out", "Compare it as a whole: no column stands out.")
    assert explaining._in_words(why) == "Compare it as a whole: no column stands out."
    reason = Reason("x", 9, 0.2, "0 to 1", 1.0)
    assert explaining._in_words(Explanation(0, (reason,), "x is 9", "Check x.")) == "x is 9. Check x."


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(ROWS, 3)).round(4)
    values[::40, 1] += np.linspace(9, 12, 10).round(3)
    path = tmp_path / "data.csv"
    pl.DataFrame(values, schema=["x", "y", "z"]).write_csv(path)
    return str(path)


def explained(data, out, **more):
    outcome = detect_file(DetectRequest(Reading(data), output=out, explain=True, **more))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return outcome, {line["row"]: line["explanation"] for line in lines if line["explanation"] is not None}


def test_anomalies_are_explained_with_the_numbers_of_the_input(data, tmp_path):
    outcome, found = explained(data, tmp_path / "out.jsonl")
    assert len(found) == outcome.anomaly_count > 0
    for row, why in found.items():
        assert why["columns"][0]["column"] == "y"
        assert row not in why["similar"]
        assert set(why["similar"]) <= set(found)
        assert why["counterfactual"]["p_value"] > outcome.alpha
    assert any(why["similar"] for why in found.values())
    top = outcome.top[0]
    assert {**top["explanation"], "similar": []} == {**found[top["row"]], "similar": []}


def test_rows_of_later_batches_keep_their_numbers(data, tmp_path, monkeypatch):
    _, whole = explained(data, tmp_path / "whole.jsonl", train_rows=100)
    monkeypatch.setattr(fitting, "BATCH", 150)
    _, parts = explained(data, tmp_path / "parts.jsonl", train_rows=100)
    assert whole.keys() == parts.keys()
    assert min(whole) >= 100
    for row, why in whole.items():
        assert {**why, "similar": []} == {**parts[row], "similar": []}
        assert set(parts[row]["similar"]) <= set(whole)


def test_after_so_many_anomalies_only_the_reasons_are_given(data, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(explaining, "MOST_IN_FULL", 3)
    monkeypatch.setattr(explaining, "AT_ONCE", 2)
    out = tmp_path / "out.jsonl"
    request = DetectRequest(Reading(data), fitting=fitting.Fitting(contamination=0.02), output=out, explain=True)
    detect_file(request, lambda *words: told.append(words))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    flagged = sorted((line for line in lines if line["is_anomaly"]), key=lambda line: -line["score"])
    assert len(flagged) == 8
    assert [line["explanation"]["counterfactual"] is not None for line in flagged] == [True] * 3 + [False] * 5
    assert all(line["explanation"]["columns"][0]["column"] == "y" for line in flagged)
    assert [done for what, done, _ in told if what == "explaining"] == [2, 4, 6, 8]


def test_a_model_that_cannot_explain_says_so_before_anything_is_read(data, tmp_path, monkeypatch):
    registry = tmp_path / "registry"
    train_model(TrainRequest(Reading(data), "m", registry=registry))
    older = load_pipeline("m", registry)
    older.background_ = None
    monkeypatch.setattr(detect, "prepared", lambda _: older)
    out = tmp_path / "out.jsonl"
    with pytest.raises(NotFittedError, match="train it again"):
        detect_file(DetectRequest(Reading(data), model="m", registry=registry, output=out, explain=True))
    assert not out.exists()
    outcome = detect_file(DetectRequest(Reading(data), model="m", registry=registry, output=out))
    assert outcome.top[0]["reasons"] == []
    assert out.exists()
