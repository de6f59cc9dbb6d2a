"""Rounds: rows that are measured were not fitted on, what is measured is what it says, and lines keep within limits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.held_lines import SHARES, best_line
from anomaly_detection.evaluation.rounds import Rounds, agreement, quality
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.pipeline import Pipeline

ROWS = 300


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pl.DataFrame({"x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS), "c": rng.choice(["a", "b"], ROWS)})


@pytest.fixture(scope="module")
def labels():
    return np.arange(ROWS) % 60 == 0


def rounds_of(frame, labels=None, **more):
    return Rounds(frame, infer_schema(frame), labels, **more)


@pytest.mark.parametrize("labelled", [False, True])
def test_every_row_is_held_out_once_and_never_fitted_on(frame, labels, labelled):
    rounds = rounds_of(frame, labels if labelled else None)
    assert sorted(np.concatenate([one.held_out for one in rounds.each])) == list(range(ROWS))
    for one in rounds.each:
        assert not set(one.held_out) & set(one.train)
        assert set(one.again) < set(one.train)


def test_each_fold_has_its_share_of_the_anomalies(frame, labels):
    assert [labels[one.held_out].sum() for one in rounds_of(frame, labels).each] == [2, 2, 1]
    two = np.arange(ROWS) < 2
    assert [two[one.held_out].sum() for one in rounds_of(frame, two).each] == [1, 1]


@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS])
def test_one_class_in_the_labels_is_refused(frame, count):
    with pytest.raises(InputError, match="at least 2 anomalies and 2 normal rows"):
        rounds_of(frame, np.arange(ROWS) < count)


def test_the_value_is_the_mean_of_the_kinds_and_the_stability(frame):
    rounds = rounds_of(frame)
    assert rounds.kinds == ("extreme", "cluster", "category")
    found = rounds.run(Pipeline("knn"), rounds.each[0])
    kinds = np.mean([found.parts[kind] for kind in rounds.kinds])
    assert found.value == pytest.approx(0.5 * kinds + 0.5 * found.parts["stability"])
    assert found.parts["extreme"] > 0.7


def test_scores_of_injected_rows_are_those_of_the_table_they_are_in(frame):
    rounds = rounds_of(frame, kinds=("extreme",))
    one = rounds.each[1]
    pipeline = Pipeline("hbos")
    scorer = rounds._fitted(pipeline, one.train)
    held = frame[one.held_out].with_row_index()
    places = one.places["extreme"]
    whole = pl.concat(
        [held.filter(~pl.col("index").is_in(places)), one.injected.with_row_index()], how="diagonal_relaxed"
    )
    truth = np.arange(len(whole)) >= len(held) - len(places)
    expected = quality(truth, scorer.score(whole.drop("index")), "auroc")
    assert rounds.run(pipeline, one).parts["extreme"] == pytest.approx(expected)


def test_labels_are_held_against_held_out_scores(frame, labels):
    planted = frame.with_columns(pl.when(pl.Series(labels)).then(50.0).otherwise("x").alias("x"))
    rounds = rounds_of(planted, labels, measure="average_precision")
    assert [rounds.run(Pipeline("mad"), one).value for one in rounds.each] == [1.0, 1.0, 1.0]
    assert rounds.kinds == ()


def test_what_is_measured_is_the_same_for_the_same_seed_and_not_for_another(frame):
    first, same, other = (rounds_of(frame, seed=seed) for seed in (1, 1, 2))
    values = [[each.run(Pipeline("pca"), one).value for one in each.each] for each in (first, same, other)]
    assert values[0] == values[1] != values[2]


def test_a_row_that_is_constant_in_a_fold_does_not_break_it():
    frame = pl.DataFrame({"x": [0.0] * 29 + [1.0], "y": np.arange(30.0)[::-1] % 7})
    rounds = rounds_of(frame)
    assert all(np.isfinite(rounds.run(Pipeline("pca"), one).value) for one in rounds.each)


@pytest.mark.parametrize(("more", "words"), [({"measure": "f2"}, "measure"), ({"kinds": ("odd",)}, "Possible here")])
def test_what_is_unknown_is_refused(frame, more, words):
    with pytest.raises((InputError, ParameterError), match=words):
        rounds_of(frame, **more)


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=200, unique=True))
def test_agreement_is_full_with_itself_and_lies_between_0_and_1(values):
    scores = np.array(values)
    assert agreement(scores, scores) == 1.0
    assert 0.0 <= agreement(scores, -scores) <= 1.0
    assert agreement(scores, scores[::-1]) == pytest.approx(agreement(scores[::-1], scores))


def test_agreement_of_strangers_is_low():
    rng = np.random.default_rng(0)
    assert np.mean([agreement(rng.random(500), rng.random(500)) for _ in range(50)]) < 0.1


@pytest.fixture(scope="module")
def held():
    """Scores of normal rows, and of anomalies above most of them, in three folds."""
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 100 == 0
    scores = rng.normal(size=3000) + 4.0 * labels
    folds = [np.arange(i, 3000, 3) for i in range(3)]
    return [scores[rows] for rows in folds], folds, labels


@pytest.mark.parametrize("most", [0.001, 0.004, 0.03])
def test_the_line_uses_what_is_allowed_and_no_more(held, most):
    scores, folds, _ = held
    line = best_line(scores, folds, None, SHARES, most)
    assert line.alarms <= most
    others = [best_line(scores, folds, None, (wish,), None) for wish in SHARES]
    assert line.alarms == max(other.alarms for other in others if other.alarms <= most)


def test_alarms_are_counted_on_held_out_normal_rows(held):
    scores, folds, labels = held
    normal = best_line(
        [one[~labels[rows]] for one, rows in zip(scores, folds, strict=True)], _folds_of(~labels), None, (0.05,), None
    )
    assert normal.alarms == pytest.approx(0.05, abs=0.01)
    assert best_line(scores, folds, labels, (0.05,), None).alarms < best_line(scores, folds, None, (0.05,), None).alarms


def _folds_of(chosen):
    numbers = np.cumsum(chosen) - 1
    return [numbers[np.arange(i, len(chosen), 3)][chosen[i::3]] for i in range(3)]


def test_with_labels_the_line_with_the_best_f1_is_taken(held):
    scores, folds, labels = held
    line = best_line(scores, folds, labels, SHARES, None)
    assert line.f1 == max(best_line(scores, folds, labels, (wish,), None).f1 for wish in SHARES)
    assert line.f1 > 0.7


def test_when_no_line_is_allowed_the_one_with_the_fewest_alarms_is_taken(held):
    scores, folds, _ = held
    line = best_line(scores, folds, None, (0.1, 0.05), 1e-9)
    assert line.wish == 0.05
    assert line.alarms > 1e-9


def test_without_labels_and_limit_the_first_wish_is_taken(held):
    scores, folds, _ = held
    assert best_line(scores, folds, None, SHARES, None).wish == "auto"
