"""Very wide tables: searches look less far, so that a row takes a bounded number of scorings, and still find it."""

from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.explain.effort import LEAST, WIDE, Effort, effort_for
from anomaly_detection.explain.explainer import Explainer, Yardstick
from anomaly_detection.explain.players import players
from anomaly_detection.explain.shapley import contributions
from anomaly_detection.features.space import Feature, FeatureSpace
from anomaly_detection.pipeline import Pipeline

WIDTH = 1500


@pytest.fixture(scope="module")
def background():
    rows = np.random.default_rng(0).normal(size=(120, WIDTH))
    frame = pl.DataFrame(rows, schema=[f"c{i}" for i in range(WIDTH)])
    return replace(Pipeline("hbos", contamination=0.05).fit(frame).background, typical=length(np.ones((1, WIDTH)))[0])


def length(X):
    return np.sqrt((X.astype(np.float64) ** 2).sum(axis=1))


@given(width=st.integers(1, 100_000))
def test_wider_tables_are_looked_at_less_but_never_less_than_the_least(width):
    most, here, wider, least = (asdict(one) for one in (Effort(), effort_for(width), effort_for(width + 1), LEAST))
    for name in most:
        assert least[name] <= wider[name] <= here[name] <= most[name]
    assert (here == most) or width > WIDE


@pytest.mark.parametrize("odd", [{7: 4000.0, 400: -3000.0}, {i: 40.0 * (-1) ** i for i in range(0, WIDTH, 2)}])
def test_one_row_takes_a_bounded_number_of_scorings(background, odd):
    line, scored = background.typical * 1.2, []
    row = background.rows[0].copy()
    row[list(odd)] = list(odd.values())

    def score(X):
        scored.append(len(X))
        return length(X)

    explainer = Explainer(score, background, Yardstick(lambda scores: np.where(scores > line, 0.001, 0.5), 0.01))
    why = explainer.explain(row, dict(zip(background.names, row.tolist(), strict=True)))
    assert sum(scored) < 1000
    altered = row.copy()
    for change in why.counterfactual.changes:
        altered[background.names.index(change.column)] = change.new
    assert length(altered[None])[0] <= line
    if len(odd) == 2:
        assert [reason.column for reason in why.reasons] == ["c7", "c400"]
        assert why.removed > 0.99
        assert len(why.counterfactual.changes) == 2


def test_groups_add_up_to_the_score_less_that_of_the_normal_rows():
    rng = np.random.default_rng(0)
    references, row = rng.normal(size=(2, 700)), rng.normal(size=(1, 700))
    row[0, [3, 500]] = 50, -70
    row[0, 9] = np.nan

    def score(X):
        return np.abs(np.nan_to_num(X.astype(np.float64), nan=4.0)).sum(axis=1)

    found = contributions(score, row.astype(np.float32), references.astype(np.float32), FeatureSpace.of_numbers(700))
    first = references[:1].astype(np.float32)
    assert found.sum() == pytest.approx(score(row.astype(np.float32))[0] - score(first)[0], rel=1e-6)
    assert np.argsort(-found[0])[:2].tolist() == [500, 3]


@given(n=st.integers(1, 60), most=st.integers(2, 30), seed=st.integers(0, 99))
def test_each_column_has_one_player_and_the_parts_of_a_player_make_one(n, most, seed):
    rng = np.random.default_rng(seed)
    row, references = rng.choice([0, 1, 5, np.nan], n), rng.choice([0, 1, np.nan], (3, n))
    space = FeatureSpace(
        tuple(
            Feature(f"f{i}", f"f{i}", "category", n_categories=3) if i % 3 == 0 else Feature(f"f{i}", f"f{i}")
            for i in range(n)
        )
    )
    player, part = players(row.astype(np.float32), references.astype(np.float32), space, most)
    assert sorted(set(player.tolist())) == list(range(min(n, most)))
    np.testing.assert_allclose(np.bincount(player, weights=part), 1.0)
    assert (part >= 0).all()
