"""The smallest change: it works when it is made, it is small, and it keeps to the columns that may change."""

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.explain import background
from anomaly_detection.explain.effort import Effort
from anomaly_detection.pipeline import Pipeline
from explain.tables import OURS, USUAL, fitted, payments


def changed(record, found):
    return {**record, **{change.column: change.new for change in found.changes}}


@pytest.fixture(scope="module", params=OURS)
def pipeline(request):
    return fitted(request.param, contamination=0.1)


def test_the_change_makes_the_record_normal_and_is_small(pipeline):
    record = {**USUAL, "amount": 5000.0, "fee": 500.0}
    assert pipeline.detect_one(record).is_anomaly
    found = pipeline.explain_record(record).counterfactual
    verdict = pipeline.detect_one(changed(record, found))
    assert not verdict.is_anomaly
    assert verdict.p_value == found.p_value
    assert {"amount", "fee"} & {change.column for change in found.changes}
    assert len(found.changes) <= 3
    assert [change.old for change in found.changes] == [record[change.column] for change in found.changes]
    assert "instead of" in found.sentence()


def test_all_flagged_rows_of_a_table_flip_by_the_line_they_were_judged_by():
    frame = payments()
    frame[list(range(12)), "delay"] = np.linspace(15, 40, 12)
    frame[list(range(5, 20)), "amount"] = np.full(15, 400.0)
    pipeline = Pipeline("isolation_forest", contamination=0.04)
    result = pipeline.fit_detect(frame)
    rows = np.flatnonzero(result.is_anomaly).tolist()
    ranks, alpha = pipeline.ranks_
    for why, record in zip(pipeline.explain(frame, rows), frame[rows].iter_rows(named=True), strict=True):
        altered = pl.DataFrame([changed(record, why.counterfactual)], schema=frame.schema)
        p_value = ranks.p_value(pipeline.score(altered), alpha)[0]
        assert p_value == why.counterfactual.p_value > alpha


def test_numbers_move_no_further_than_they_have_to():
    pipeline = fitted("isolation_forest")
    (change,) = pipeline.explain_record({**USUAL, "delay": 40.0}).counterfactual.changes
    delays = sorted(pipeline.background.values["delay"])
    assert change.column == "delay"
    assert change.new in delays
    further = [value for value in delays if change.new < value < 40.0]
    assert all(pipeline.detect_one({**USUAL, "delay": value}).is_anomaly for value in further)


@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn", "pca"])
def test_only_columns_that_may_change_do(algorithm):
    pipeline = fitted(algorithm)
    record = {**USUAL, "amount": 50.0, "fee": 60.0}
    found = pipeline.explain_record(record, actionable=["fee", "country"]).counterfactual
    assert {change.column for change in found.changes} <= {"fee", "country"}
    assert not pipeline.detect_one(changed(record, found)).is_anomaly


@pytest.mark.parametrize("actionable", [["country"], []])
def test_where_no_allowed_change_helps_it_says_so(actionable):
    why = fitted("ecod").explain_record({**USUAL, "amount": 5e6, "fee": 5e6, "delay": 5e6}, actionable=actionable)
    assert why.counterfactual is None
    assert (actionable[0] if actionable else "no column at all") in why.no_counterfactual
    assert why.to_dict()["counterfactual"] is None


def test_where_a_few_columns_are_not_enough_more_change():
    rng = np.random.default_rng(0)
    names = [f"c{i}" for i in range(12)]
    pipeline = Pipeline("ecod", contamination=0.01).fit(pl.DataFrame(rng.normal(size=(500, 12)), schema=names))
    record = dict.fromkeys(names, 4.0)
    found = pipeline.explain_record(record).counterfactual
    assert 3 < len(found.changes) < 12
    assert not pipeline.detect_one(changed(record, found)).is_anomaly


def test_a_normal_record_needs_no_change():
    why = fitted("ecod").explain_record(USUAL)
    assert why.counterfactual is None
    assert why.no_counterfactual == "The record is no anomaly."


def test_columns_that_may_change_have_to_be_known():
    pipeline = fitted("ecod")
    with pytest.raises(UnknownNameError, match="amuont"):
        pipeline.explain_record(USUAL, actionable=["amuont"])
    with pytest.raises(ParameterError, match="list of columns"):
        pipeline.explain_record(USUAL, actionable="amount")


def test_a_wide_row_that_is_off_everywhere_flips_too(monkeypatch):
    monkeypatch.setattr(background, "effort_for", lambda _: Effort(counts=7, taken_back=100))
    names = [f"c{i}" for i in range(40)]
    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(300, 40)), schema=names)
    pipeline = Pipeline("ecod", contamination=0.05).fit(frame)
    record = dict.fromkeys(names, 4.0)
    found = pipeline.explain_record(record).counterfactual
    assert 7 < len(found.changes) < 40
    assert not pipeline.detect_one(changed(record, found)).is_anomaly
