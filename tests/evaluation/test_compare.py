"""Two models held against each other."""

import numpy as np
import pytest

from anomaly_detection.evaluation import METRICS, compare, compare_metrics, evaluate
from anomaly_detection.verdicts import judge


def result(score, line):
    return judge(score, np.where(np.asarray(score) > line, 0.001, 0.5), 0.01, 1000)


def models(n=1000):
    generator = np.random.default_rng(0)
    labels = generator.random(n) < 0.1
    noise = generator.normal(size=n)
    return labels, result(noise + labels, 2.0), result(noise + 3.0 * labels, 2.0)


def test_differences_are_those_of_the_two_evaluations():
    labels, weak, strong = models()
    found = compare(labels, weak, strong, bootstrap=0)
    one, two = (evaluate(labels, model.score, model.is_anomaly, bootstrap=0) for model in (weak, strong))
    assert tuple(found) == METRICS
    for name in METRICS:
        assert (found[name].first, found[name].second) == (getattr(one, name), getattr(two, name))
        assert found[name].difference == getattr(two, name) - getattr(one, name)
        assert found[name].interval is None
        assert not found[name].clear


def test_a_better_model_is_clearly_better_and_the_other_way_round_clearly_worse():
    labels, weak, strong = models()
    there, back = compare(labels, weak, strong)["auroc"], compare(labels, strong, weak)["auroc"]
    assert there.better
    assert there.clear
    assert there.interval[0] <= there.difference <= there.interval[1]
    assert back.better is False
    assert back.clear


def test_a_model_against_itself_differs_in_nothing():
    labels, weak, _ = models()
    for found in compare(labels, weak, weak).values():
        assert (found.difference, found.better, found.clear) == (0.0, None, False)
        assert found.interval == (0.0, 0.0)


def test_both_models_are_measured_on_the_same_samples():
    labels, weak, _ = models(300)
    shifted = result(weak.score + 100.0, 102.0)
    assert compare(labels, weak, shifted)["f1"].interval == (0.0, 0.0)


def test_undefined_measures_stay_undefined():
    found = compare([0, 0], result([1.0, 2.0], 5.0), result([2.0, 1.0], 5.0))["recall"]
    assert (found.first, found.difference, found.better, found.interval, found.clear) == (None, None, None, None, False)


@pytest.mark.parametrize(
    ("name", "first", "second", "better"),
    [
        ("f1", 0.5, 0.6, True),
        ("f1", 0.6, 0.5, False),
        ("false_positive_rate", 0.02, 0.01, True),
        ("false_positive_rate", 0.01, 0.02, False),
        ("recall", 0.5, 0.5, None),
        ("recall", None, 0.5, None),
    ],
)
def test_stored_measures_say_which_model_is_better(name, first, second, better):
    assert compare_metrics({name: first}, {name: second})[name].better is better


def test_stored_measures_that_only_one_model_has_are_left_out():
    assert set(compare_metrics({"f1": 1.0, "rows": 3}, {"f1": 0.0, "rows": 4, "recall": 0.1})) == {"f1"}


def test_a_change_is_plain_values():
    labels, weak, strong = models(100)
    assert set(compare(labels, weak, strong)["f1"].to_dict()) == {
        "first",
        "second",
        "difference",
        "better",
        "interval",
        "clear",
    }
