"""Joint: all channels at once."""

import numpy as np
import pytest

from anomaly_detection.detectors.series.joint import Joint
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.series import Series


def naive(train, rows, unseen=30.0):
    """The slow twin, for rows without missing values that follow the training rows: (n,) scores."""
    levels = far(train, rows, len(train), unseen)
    changes = far(np.diff(train, axis=0), np.diff(rows, axis=0, prepend=train[-1:]), len(train), unseen)
    return np.sqrt(np.mean([(new / usual) ** 2 for usual, new in [*levels, *changes]], axis=0))


def far(train, rows, n, unseen):
    """Together and by channel: the 99 % quantile of the training distances, and the distances of rows."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    varies = scale > 1e-9
    divisor = np.where(varies, scale, 1.0)
    own, new = (np.where(varies, (one - mean) / divisor, unseen * (one != mean)) for one in (train, rows))
    values, vectors = np.linalg.eigh(own[:, varies].T @ own[:, varies] / n)
    found = []
    for view in (
        lambda away: np.hypot(
            np.sqrt(((away[:, varies] @ vectors) ** 2 / np.maximum(values, 0.01)).sum(axis=1)),
            np.sqrt((away[:, ~varies] ** 2).sum(axis=1)),
        ),
        lambda away: (np.abs(away) ** 1.5).mean(axis=1) ** (2 / 3),
    ):
        trained = np.concatenate([np.zeros(n - len(own)), view(own)])  # the first row has not changed
        found.append((np.quantile(trained, 0.99), view(new)))
    return found


def rows_of(n, seed=0):
    """Two channels that go together, one by itself, and one that never varies."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    return np.column_stack([common, common + 0.1 * rng.normal(size=n), rng.normal(size=n), np.full(n, 3.0)])


def test_the_kernel_equals_its_naive_twin():
    values = rows_of(500)
    values[430, 3] = 4.0
    values[460:470, 0] += 5.0
    score = Joint().fit(Series.of(values[:400])).advance(Series.of(values)[400:]).score
    np.testing.assert_allclose(score, naive(values[:400], values[400:]), rtol=1e-8)


def test_what_no_longer_goes_together_is_found_in_its_channel():
    values = rows_of(600)
    values[550, 1] = values[550, 0] - 3.0
    values[580, 3] = 3.5
    scores = Joint().fit(Series.of(values[:400])).advance(Series.of(values)[400:])
    assert set(np.argsort(scores.score)[-4:].tolist()) == {150, 151, 180, 181}
    assert scores.contributions[180].argmax() == 3


def test_a_channel_that_is_missing_says_nothing():
    values = rows_of(500)
    values[450:, 2] = np.nan
    values[470] = np.nan
    score = Joint().fit(Series.of(values[:400])).advance(Series.of(values)[400:]).score
    assert np.flatnonzero(np.isnan(score)).tolist() == [70]
    assert np.nanmax(score[50:]) < 2.0


def test_a_long_anomaly_stays_one():
    values = rows_of(2000)
    values[500:] += 10.0
    score = Joint().fit(Series.of(values[:400])).advance(Series.of(values)[400:]).score
    assert score[100:].min() > 2 * score[:100].max()


def test_foreign_arrays_are_refused():
    spec, arrays = Joint().fit(Series.of(rows_of(50))).state()
    for wrong in ({"frame_": -arrays["frame_"]}, {"turn_": arrays["turn_"][:1]}, {"usual_": np.zeros(4)}):
        with pytest.raises(ArtifactError):
            Joint.from_state(spec, {**arrays, **wrong})


def test_a_channel_that_is_followed_may_move_slowly():
    rng = np.random.default_rng(0)
    rows = np.arange(4_000)
    values = rng.normal(size=(4_000, 3)) + 0.002 * rows[:, None] * [1.0, 0.0, 0.0]
    values[3_900, 0] += 9.0
    series = Series.of(values)
    still, following = (Joint(follow=names).fit(series[:2_000]) for names in ((), "v0"))
    moved, level = (one.score(series[2_000:]).score for one in (still, following))
    assert np.median(moved[1_500:]) > 1.5 * np.median(moved[:200])
    assert np.median(level[1_500:]) < 1.1 * np.median(level[:200])
    assert int(np.argmax(level)) == 1_900


def test_a_joint_detector_that_follows_goes_on_alike_in_chunks_and_once_saved():
    values = np.random.default_rng(0).normal(size=(700, 2)).cumsum(axis=0)
    values[550:560, 1] = np.nan
    series = Series.of(values)
    detector = Joint(follow=["v1"]).fit(series[:400])
    together = detector.score(series[400:]).score
    detector.advance(series[400:500])
    again = Joint.from_state(*detector.state())
    parts = [again.advance(series[row : row + 7]).score for row in range(500, 700, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), together[100:])


def test_rows_that_do_not_follow_have_not_changed():
    values = np.random.default_rng(0).normal(size=(300, 2))
    detector = Joint().fit(Series.of(values[:200]))
    after = Series.of(values)[250:]
    jump = detector.score(after).score[0]
    detector.interrupted()
    assert detector.score(after).score[0] < jump
