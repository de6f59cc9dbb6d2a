"""The autoencoder of rows: what only several columns together tell, and nothing else."""

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.quality import check_pattern, score_cells
from anomaly_detection.quality.autoencoder import Network, groups_of, reconstruction
from anomaly_detection.quality.cells import MISFIT
from anomaly_detection.quality.columns import coded
from anomaly_detection.quality.rarity import NOTHING
from quality.tables import ERRORS, sites, spoilt, thirds


def odds_of(frame):
    return reconstruction([coded(frame[name]) for name in frame.columns])


def test_errors_across_columns_are_found_that_pairs_do_not_show():
    frame, wrong = thirds(30)
    alone, found = score_cells(frame), score_cells(frame, method="autoencoder")
    worst = np.argsort(-found.scores.max(1))[:30]
    assert wrong[worst].mean() > 0.9
    assert wrong[np.argsort(-alone.scores.max(1), kind="stable")[:30]].mean() < 0.1
    assert (found.odds >= alone.odds).all()
    assert found.misfit[wrong][:, :4].mean() > found.misfit[wrong][:, 4].mean() + 1
    (finding,) = [one for one in check_pattern(frame, method="autoencoder").findings if one.kind == MISFIT]
    assert finding.rows >= 10
    assert wrong[[one.row for one in finding.examples]].all()
    assert "do not fit together" in finding.message
    assert all(name in finding.examples[0].value for name in ("a = ", "b = ", "c = ", "s = "))


def test_numbers_that_hang_together():
    rng = np.random.default_rng(0)
    height = rng.normal(170, 10, 3000)
    weight = 0.9 * height - 90 + rng.normal(0, 2, 3000)
    weight[:20] = 63 - (weight[:20] - 63) + 15 * np.sign(63 - weight[:20])
    odds = odds_of(pl.DataFrame({"height": height, "weight": weight, "chance": rng.normal(size=3000)}))
    assert (odds[:20, :2].max(1) > np.quantile(odds[20:, :2].max(1), 0.98)).mean() > 0.9


def test_a_table_without_errors_has_no_findings():
    frame = thirds(0)[0]
    assert odds_of(frame).max() < 0
    assert not check_pattern(frame, method="autoencoder").is_anomaly
    assert not check_pattern(sites(), method="autoencoder").is_anomaly


def test_it_is_off_unless_asked_for_and_takes_nothing_away():
    frame, mask = spoilt(sites(), ERRORS)
    assert score_cells(frame).misfit is None
    found = score_cells(frame, method="autoencoder")
    assert (found.scores >= score_cells(frame).scores).all()
    assert mask.ravel()[np.argsort(-found.scores.ravel())[:5]].all()
    trusted = score_cells(frame, key=["zip"], method="autoencoder")
    assert (trusted.misfit[:, frame.columns.index("zip")] == NOTHING).all()


def test_the_same_table_gives_the_same_scores():
    frame = thirds(30, rows=400)[0]
    assert np.array_equal(odds_of(frame), odds_of(frame))


@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame({"a": ["x"] * 99}), sites(10), thirds(0)[0].head(0)])
def test_tables_that_say_nothing(frame):
    assert np.array_equal(odds_of(frame), np.full(frame.shape if frame.width else (0, 0), NOTHING))
    assert not check_pattern(frame, method="autoencoder").is_anomaly


def test_groups_are_few_whatever_the_column():
    rng = np.random.default_rng(0)
    numbers = coded(pl.Series("x", [None, *rng.normal(size=999).tolist()]))
    assert groups_of(numbers)[numbers.codes].max() <= 17
    names = coded(pl.Series("x", [*"abc" * 10, *(f"n{n}" for n in range(400)), None]))
    assert len(set(groups_of(names).tolist())) == 5
    assert groups_of(names, 2).max() == 3


def test_gradients_are_those_of_the_loss(monkeypatch):
    monkeypatch.setattr("anomaly_detection.quality.autoencoder.SHARE_HIDDEN", 1.1)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (40, 3))
    network = Network.begin(codes, rng)
    network.weights = [each.astype(np.float64) for each in network.weights]
    units = codes + network.begins[:-1]

    def loss():
        told = np.maximum(network.weights[1], 0) @ network.weights[2] + network.weights[3]
        parts = [softmax(told[start : start + 3])[codes[:, j]] for j, start in enumerate(network.begins[:-1].tolist())]
        return -np.log(parts).sum() / len(codes)

    gradients = network._gradients(units, rng)
    for which, place in ((1, (5,)), (2, (5, 4)), (3, (2,))):
        network.weights[which][place] += 1e-6
        above = loss()
        network.weights[which][place] -= 2e-6
        slope = (above - loss()) / 2e-6
        network.weights[which][place] += 1e-6
        assert gradients[which][place] == pytest.approx(slope, abs=1e-4)


def test_methods_that_are_none_and_a_history_are_refused():
    with pytest.raises(UnknownNameError, match="autoencoder"):
        score_cells(sites(), method="autoencodr")
    with pytest.raises(ParameterError, match="earlier ones"):
        check_pattern(sites(), sites(), method="autoencoder")
