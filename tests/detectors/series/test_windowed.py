"""sub_pca, sliding_window and spectral_residual: windows of rows that end at the row that is judged."""

import numpy as np
import pytest

from anomaly_detection.detectors import create as create_for_tables
from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series.sliding_window import SlidingWindow
from anomaly_detection.detectors.series.spectral_residual import SpectralResidual
from anomaly_detection.detectors.series.sub_pca import SubPCA
from anomaly_detection.errors import ArtifactError, InputError, ParameterError, UnknownNameError
from anomaly_detection.features.series import Series

ROWS = np.arange(900)


def wave(seed=0):
    return np.sin(ROWS * 2 * np.pi / 30) + np.random.default_rng(seed).normal(0.0, 0.1, size=900)


def upside_down():
    values = wave()
    values[600:630] = -values[600:630]
    return values


def scores_of(detector, values, n=400):
    series = Series.of(values)
    return detector.fit(series[:n]).advance(series[n:])


def standard(values, n=400):
    middle = np.median(values[:n])
    return (values - middle) / (1.4826 * np.median(np.abs(values[:n] - middle)))


def windows_of(values, w):
    return np.array([values[i - w + 1 : i + 1] for i in range(w - 1, len(values))])


@pytest.mark.parametrize("name", ["sub_pca", "sliding_window"])
def test_a_season_upside_down_is_found_although_each_value_is_usual(name):
    score = scores_of(create(name), upside_down()).score
    assert 200 <= np.argmax(score) <= 260
    assert score[np.r_[:200, 261:500]].max() < 0.7 * score.max()


@pytest.mark.parametrize("name", ["sub_pca", "sliding_window"])
def test_the_window_is_a_season_or_what_was_asked_for(name):
    assert create(name).fit(Series.of(wave())).evidence()["window"] == 30
    assert create(name, window=17).fit(Series.of(wave())).evidence()["window"] == 17
    with pytest.raises(ParameterError, match="window=2"):
        create(name, window=2)


def test_sub_pca_equals_its_naive_twin():
    values = wave()
    rows = windows_of(standard(values).astype(np.float32), 30).astype(float)
    train = windows_of(standard(values), 30)[:371]
    _, lengths, axes = np.linalg.svd(train - train.mean(axis=0), full_matrices=False)
    kept = axes[: np.searchsorted(np.cumsum(lengths**2), 0.9 * np.sum(lengths**2)) + 1]
    away = rows - train.mean(axis=0)
    errors = ((away - away @ kept.T @ kept) ** 2).mean(axis=1)
    score = scores_of(SubPCA(share=0.9), values).score
    np.testing.assert_allclose(score, np.sqrt(errors[371:] / errors[:371].mean()), rtol=1e-4)


def test_a_window_of_several_channels_is_a_row_for_the_algorithm():
    values = np.column_stack([wave(1), wave(2)])
    table = np.concatenate([windows_of(standard(column), 20) for column in values.T], axis=1)
    expected = create_for_tables("lof", n_neighbors=10).fit(table[:381]).score(table[381:])
    detector = SlidingWindow("lof", {"n_neighbors": 10}, window=20)
    np.testing.assert_allclose(scores_of(detector, values).score, expected, rtol=1e-3)


@pytest.mark.parametrize("algorithm", ["isolation_forest", "pca", "hbos", "ocsvm"])
def test_any_algorithm_for_tables_will_do_and_is_restored(algorithm):
    series = Series.of(upside_down())
    detector = SlidingWindow(algorithm, window=10).fit(series[:400])
    restored = SlidingWindow.from_state(*detector.state())
    score = restored.advance(series[400:]).score
    np.testing.assert_array_equal(score, detector.advance(series[400:]).score)
    assert np.isfinite(score).all()


def test_wrong_algorithms_are_refused():
    with pytest.raises(UnknownNameError, match="knn"):
        create("sliding_window", detector="knnn")
    with pytest.raises(ParameterError, match="spam"):
        create("sliding_window", detector="knn", parameters={"spam": 1})
    with pytest.raises(ParameterError, match="--timestamp"):
        create("sliding_window", detector="ewma")


def test_algorithms_that_need_a_whole_table_are_refused():
    pytest.importorskip("pyod")
    with pytest.raises(InputError, match="Judging a window of rows"):
        create("sliding_window", detector="pyod_sod")


def naive_saliency(values):
    """What stands out in a window, from the definition, row by row."""
    values = values - np.median(values[:-5])
    n = len(values)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    spectrum = turns @ values
    logs = np.log(np.abs(spectrum))
    residual = [logs[f] - (logs[f - 1] + logs[f] + logs[(f + 1) % n]) / 3 for f in range(n)]
    return np.abs(np.conj(turns) @ (np.exp(residual) * spectrum / np.abs(spectrum))) / n


def test_spectral_residual_equals_its_naive_twin():
    values = wave()
    score = scores_of(SpectralResidual(window=64), values).score
    for row in (400, 555, 899):
        window = standard(values)[row - 63 : row + 1]
        past = window[-7:-1]
        ahead = past[1] + sum((past[-1] - past[j]) / (5 - j) for j in range(5))
        saliency = naive_saliency(np.concatenate([window, np.full(5, ahead)]))[:64]
        usual = saliency[-22:-1].mean()
        np.testing.assert_allclose(score[row - 400], (saliency[-1] - usual) / usual, rtol=1e-6)


def test_spectral_residual_finds_a_value_out_of_place_without_knowing_the_season():
    values = wave()
    values[700] += 1.5
    scores = scores_of(SpectralResidual(), np.column_stack([wave(1), values]))
    assert np.argmax(scores.score) == 300
    assert scores.side[300] == 1
    assert scores.contributions[300].argmax() == 1


@pytest.mark.parametrize("name", ["sub_pca", "sliding_window", "spectral_residual"])
def test_foreign_arrays_are_refused(name):
    detector = create(name).fit(Series.of(wave()))
    spec, arrays = detector.state()
    for array, wrong in (("frame_", -arrays["frame_"] - 1.0), ("tail_", arrays["tail_"][:1]), ("absent_", np.ones(3))):
        with pytest.raises(ArtifactError):
            type(detector).from_state(spec, {**arrays, array: wrong})


@pytest.mark.parametrize("name", ["sub_pca", "sliding_window"])
def test_windows_that_lack_much_are_not_judged(name):
    values = wave()
    values[500:515] = np.nan
    score = scores_of(create(name), values).score
    assert np.isnan(score[107:115]).all()
    assert np.isfinite(score[140:]).all()
    nothing = scores_of(create(name), np.where(ROWS < 400, np.nan, values)).score
    assert np.isnan(nothing).all()


@pytest.mark.parametrize("name", ["sub_pca", "sliding_window", "spectral_residual"])
def test_no_window_reaches_over_an_interruption(name):
    series = Series.of(wave())
    detector = create(name, window=40).fit(series[:410])
    going_on = detector.score(series[450:])
    detector.interrupted()
    anew = detector.advance(series[450:])
    assert np.isfinite(going_on.score).all()
    assert np.isnan(anew.score[:15]).all()
    np.testing.assert_array_equal(anew.score[40:], going_on.score[40:])
