"""What is said about a row: columns that carry the score, plain words, and no surprises on bad input."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from anomaly_detection import AnomalyDetector
from anomaly_detection.errors import InputError, NotFittedError, ParameterError
from anomaly_detection.explain import tables as tables_module
from anomaly_detection.explain.effort import Effort
from anomaly_detection.explain.repairs import Repair, _first_round, search
from anomaly_detection.pipeline import Pipeline
from explain.tables import OURS, USUAL, fitted, payments


@pytest.fixture(scope="module", params=OURS)
def pipeline(request):
    return fitted(request.param)


@pytest.fixture(scope="module")
def forest():
    return fitted("isolation_forest")


def test_the_columns_at_fault_are_named_and_carry_the_score(pipeline):
    why = pipeline.explain_record({**USUAL, "delay": 300.0})
    assert why.reasons[0].column == "delay"
    assert why.removed > 0.8
    assert why.reasons[0].share == max(reason.share for reason in why.reasons) > 0.4
    assert why.sentence.startswith("delay is 300 (normal: ")
    assert why.recommendation == "Check delay: it lies above what is normal."


@pytest.mark.parametrize("algorithm", ["knn", "lof", "pca"])
def test_what_is_rare_only_together_is_repaired_by_one_of_the_columns(algorithm):
    why = fitted(algorithm).explain_record({**USUAL, "amount": 65.0, "fee": 3.2})
    assert {"amount", "fee"} & {reason.column for reason in why.reasons}
    assert why.removed > 0.8
    assert len(why.counterfactual.changes) == 1


def test_contributions_add_up_to_the_score_over_that_of_normal_rows(pipeline):
    frame = payments(20, seed=5)
    background = pipeline.background
    base = pipeline.scorer_.score_native(background.references).mean()
    np.testing.assert_allclose(pipeline.contributions(frame).sum(axis=1), pipeline.score(frame) - base, atol=1e-9)


def test_the_dictionary_has_the_promised_shape(forest):
    found = forest.explain_record({**USUAL, "amount": 900.0}).to_dict()
    assert list(found) == ["sentence", "recommendation", "columns", "removed", "counterfactual", "similar"]
    assert list(found["columns"][0]) == ["column", "value", "contribution", "share", "normal"]
    assert list(found["counterfactual"]) == ["changes", "p_value", "sentence"]
    assert list(found["counterfactual"]["changes"][0]) == ["column", "from", "to"]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"delay": 99.0}, "Check delay: it lies above what is normal."),
        ({"delay": -99.0}, "Check delay: it lies below what is normal."),
        ({"country": "XX"}, "Check country: this value was never seen in training; it is new or mistyped."),
        ({"delay": None}, "Find out why delay is missing: normal records have it."),
        ({"amount": 55.0, "fee": 2.0}, "Check fee: it lies below what is normal."),
    ],
)
def test_the_recommendation_says_what_to_check(forest, change, advice):
    assert forest.explain_record({**USUAL, **change}, most=1).recommendation == advice


def test_usual_values_in_a_rare_combination_are_called_so():
    why = fitted("knn").explain_record({**USUAL, "amount": 63.0, "fee": 4.2})
    assert "rare combination" in why.recommendation
    assert "amount" in why.recommendation or "fee" in why.recommendation


def test_a_row_that_is_off_everywhere_is_called_so():
    names = [f"c{i}" for i in range(15)]
    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(500, 15)), schema=names)
    why = Pipeline("ecod", contamination=0.01).fit(frame).explain_record(dict.fromkeys(names, 2.5))
    assert why.recommendation.startswith("Check the record as a whole")
    assert why.removed < 0.5


def test_one_record_is_explained_as_in_a_frame_and_in_any_company(forest):
    frame = pl.concat([payments(5, seed=9), pl.DataFrame([{**USUAL, "amount": 900.0}])])
    alone = forest.explain_record(frame.row(5, named=True))
    (one,) = forest.explain(frame, [5])
    assert one.reasons == alone.reasons == forest.explain(frame)[5].reasons
    assert one.to_dict()["counterfactual"] == alone.to_dict()["counterfactual"]
    assert (one.row, alone.row) == (5, None)


def test_a_restored_pipeline_explains_the_same(pipeline):
    spec, arrays = pipeline.state()
    copy = Pipeline.from_state(json.loads(json.dumps(spec)), arrays)
    frame = pl.DataFrame([{**USUAL, "amount": 900.0}])
    assert copy.explain(frame) == pipeline.explain(frame)


@pytest.mark.parametrize(
    "record",
    [dict.fromkeys(USUAL), {"amount": 3}, {**USUAL, "country": "XX", "code": "YY"}, {**USUAL, "delay": np.inf}],
)
def test_missing_unseen_and_infinite_values_are_explained(pipeline, record):
    why = pipeline.explain_record(record)
    assert all(np.isfinite(reason.contribution) for reason in why.reasons)
    assert why.sentence
    assert why.recommendation


def test_a_model_without_normal_rows_says_what_to_do(forest):
    spec, arrays = forest.state()
    older = Pipeline.from_state(
        {name: value for name, value in spec.items() if name != "background"},
        {name: array for name, array in arrays.items() if not name.startswith("background/")},
    )
    assert older.detect_one(USUAL) == forest.detect_one(USUAL)
    for ask in (lambda: older.explain(payments(3)), lambda: older.explain_record(USUAL)):
        with pytest.raises(NotFittedError, match="train it again"):
            ask()
    copy = Pipeline.from_state(*older.state())
    assert copy.background_ is None


def test_similar_rows_are_off_in_the_same_columns(forest):
    frame = payments(50, seed=3)
    frame[[4, 9, 17], "delay"] = [80.0, 82.0, 79.0]
    frame[30, "amount"] = 900.0
    found = forest.explain(frame, [9, 30])
    assert set(found[0].similar) == {4, 17}
    assert 30 not in found[1].similar
    assert not set(found[1].similar) & {4, 9, 17}
    assert set(forest.explain(frame, [9], among=[4, 9, 20])[0].similar) == {4}
    assert forest.explain(frame, [9], among=[])[0].similar == ()


def test_in_a_long_table_similar_rows_come_from_a_part_of_it(forest, monkeypatch):
    frame = payments(300, seed=3)
    frame[[4, 9], "delay"] = [80.0, 82.0]
    monkeypatch.setattr(tables_module, "MOST_OTHERS", 10)
    assert forest.explain(frame, [4, 9])[0].similar == (9,)
    assert forest.explain(frame, [4])[0].similar == ()


def test_brief_explanations_have_reasons_only(forest):
    frame = pl.DataFrame([{**USUAL, "amount": 900.0}])
    (brief,), (full,) = forest.explain(frame, brief=True), forest.explain(frame)
    assert brief.reasons[0].column == full.reasons[0].column
    assert brief.recommendation == full.recommendation
    assert (brief.removed, brief.counterfactual) == (None, None)
    assert brief.no_counterfactual == "No change was looked for."


def test_most_is_how_many_columns_are_named(forest):
    record = dict.fromkeys(("amount", "fee", "delay"), 900.0) | {"country": "XX"}
    assert [len(forest.explain_record(record, most=most).reasons) for most in (1, 2, 4)] == [1, 2, 4]
    for most in (0, 1.5, "3"):
        with pytest.raises(ParameterError, match="most="):
            forest.explain_record(record, most=most)


@pytest.mark.parametrize("rows", [[5], [-6], [0, 99], ["a"], [1.5]])
def test_rows_that_are_not_there_are_named(forest, rows):
    with pytest.raises(InputError, match=r"5 rows|whole numbers"):
        forest.explain(payments(5), rows)


def test_rows_count_from_the_end_and_may_be_none_at_all(forest):
    assert forest.explain(payments(5), [-1])[0].row == 4
    assert forest.explain(payments(5), np.array([3]))[0].row == 3
    assert forest.explain(payments(5), []) == []
    assert forest.explain(payments(5).clear()) == []


def test_an_unfitted_pipeline_says_so():
    with pytest.raises(NotFittedError, match="not fitted"):
        Pipeline().explain(payments(5))


def test_the_python_door_takes_the_same():
    detector = AnomalyDetector("isolation_forest", contamination=0.02).fit(payments())
    frame = pl.DataFrame([USUAL, {**USUAL, "amount": 900.0}])
    (why,) = detector.explain(frame, rows=[1], most=2, actionable=["amount"])
    assert [change.column for change in why.counterfactual.changes] == ["amount"]
    assert why.row == 1
    assert len(why.reasons) <= 2


def test_a_table_of_one_column_and_one_with_a_constant_are_explained():
    frame = pl.DataFrame({"x": np.random.default_rng(0).normal(size=50), "same": [1] * 50})
    why = Pipeline("isolation_forest").fit(frame).explain_record({"x": 50.0, "same": 1})
    assert [reason.column for reason in why.reasons] == ["x"]
    assert why.counterfactual.changes[0].column == "x"


def test_columns_that_lower_the_score_only_together_are_found():
    def either(X):
        return np.maximum(X[:, 0], X[:, 1]) + 0.1 * np.abs(X[:, 2:]).sum(axis=1)

    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(100, 6)), schema=list("abcdef"))
    background = Pipeline("ecod").fit(frame).background
    row = np.float32([90, 90, 9, 9, 9, 9])
    start = Repair(float(either(row[None])[0]), row, {})
    found = search(either, start, background, np.array([45, 45, 0.9, 0.9, 0.9, 0.9]), 2)
    assert found[1].changes.keys() == {0, 1}
    assert found[1].score < 10


def test_values_that_only_go_together_are_found_by_the_second_round():
    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(300, 4)), schema=list("abcd"))
    background = replace(Pipeline("ecod").fit(frame).background, typical=-1.0)

    def apart(X):
        return np.abs(X[:, None, :3] - background.rows[:, :3]).sum(axis=2).min(axis=1).astype(np.float64)

    row = np.float32([50, -50, 50, 0])
    start = Repair(float(apart(row[None])[0]), row, {})
    parts = np.array([50.0, 50.0, 50.0, 0.0])
    one_at_a_time = _first_round(apart, start, background, [0, 1, 2, 3], 3, Effort())[2][0]
    found = search(apart, start, background, parts, 3)[2]
    assert found.score == 0.0 < one_at_a_time.score
    assert found.changes.keys() == {0, 1, 2}
    assert len(set(found.changes.values())) == 1


def test_nothing_more_is_looked_for_once_the_score_is_typical():
    background = fitted("ecod").background
    row = background.rows[0].copy()
    row[0] = 500

    def far(X):
        return np.abs(X[:, 0]).astype(np.float64) + background.typical - 3

    start = Repair(float(far(row[None])[0]), row, {})
    found = search(far, start, background, np.array([1.0, 0, 0, 0, 0]), 3)
    assert [list(one.changes) for one in found] == [[0]]
