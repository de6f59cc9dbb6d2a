"""The contract suite of detectors on series: one check for every promise that such a detector makes.

In the tests of a package that brings one of its own::

    import pytest
    from anomaly_detection.testing import series_checks
    from my_package import MyDetector

    @pytest.mark.parametrize("check", series_checks(MyDetector), ids=str)
    def test_contract(check):
        check()
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.testing._detector_data import refused, require
from anomaly_detection.testing._promises import PromiseCheck, known_reasons
from anomaly_detection.testing._series_data import (
    PLANTED,
    daily,
    fitted,
    spiked,
    with_gaps,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores
    from anomaly_detection.features.series.series import Series

Make: TypeAlias = "Callable[[], SeriesDetector]"

TRAIN = 600
CHUNKS = (1, 7, 64)
CLOSE = 1e-6


def scores_are_one_per_row(make: Make) -> None:
    """float64, as many as rows, never infinite; expected values, scales and contributions as wide as the series."""
    for series in _both_widths(make):
        scores = fitted(make, series[:TRAIN]).advance(series[TRAIN:])
        n, d = len(series) - TRAIN, series.width
        require(scores.score.dtype == np.float64 and scores.score.shape == (n,), "The scores are not (n,) float64.")
        require(np.isfinite(scores.score).all(), "A score of complete, regular rows is NaN or infinite.")
        for part in (scores.expected, scores.scale, scores.contributions):
            require(part is None or part.shape == (n, d), f"A part of the scores is {part}, not ({n}, {d}).")
        require(scores.side is None or set(np.unique(scores.side)) <= {-1, 0, 1}, "A side is not -1, 0 or 1.")
        if make().tags.expects:
            require(scores.expected is not None and scores.scale is not None, "Tagged as expecting, but does not.")


def later_rows_change_no_earlier_score(make: Make) -> None:
    """Scores are causal: other rows later on, or none, leave the scores before them the same, bit for bit."""
    for series in _both_widths(make):
        start = fitted(make, series[:TRAIN])
        whole = start.score(series[TRAIN:])
        for cut in (1, 40, 123):
            other = series.values[TRAIN:].copy()
            other[cut:] = -9.0 * other[cut:] + 100.0
            changed = start.score(series[TRAIN:].with_values(other))
            _require_same(changed[:cut], whole[:cut], f"scores before row {cut}, which was changed")
            _require_same(start.score(series[TRAIN : TRAIN + cut]), whole[:cut], f"scores of the first {cut} rows")


def any_chunks_give_the_same_scores(make: Make) -> None:
    """Row by row, in chunks or all at once: the same scores and the same state, also with a line and values missing."""
    for series in (*_both_widths(make), with_gaps(daily(TRAIN + 150))):
        for line in (np.inf, _high_score(make, series)):
            together = fitted(make, series[:TRAIN])
            expected = together.advance(series[TRAIN:], line)
            for size in CHUNKS:
                parts = fitted(make, series[:TRAIN])
                found = parts.advance(series[TRAIN:TRAIN], line)
                for start in range(TRAIN, len(series), size):
                    found = parts.advance(series[start : start + size], line).after(found)
                _require_same(found, expected, f"chunks of {size}")
                _require_same_state(parts, together, f"after chunks of {size}")


def scoring_changes_nothing(make: Make) -> None:
    """``score`` says what ``advance`` does and leaves state and rows untouched."""
    series = spiked(daily(TRAIN + 150))
    series.values.flags.writeable = False
    detector, untouched = fitted(make, series[:TRAIN]), fitted(make, series[:TRAIN])
    scores = detector.score(series[TRAIN:])
    _require_same_state(detector, untouched, "after score")
    _require_same(detector.advance(series[TRAIN:]), scores, "advance after score")


def a_restored_detector_goes_on_alike(make: Make) -> None:
    """Saved in the middle of a series, as JSON and arrays, and restored: the rest scores the same, bit for bit."""
    for series in _both_widths(make):
        detector = fitted(make, series[:TRAIN])
        detector.advance(series[TRAIN : TRAIN + 50])
        spec, arrays = detector.state()
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        file.seek(0)
        with np.load(file, allow_pickle=False) as loaded:
            restored = type(detector).from_state(json.loads(json.dumps(spec)), dict(loaded))
        rest = series[TRAIN + 50 :]
        _require_same(restored.advance(rest), detector.advance(rest), "the rest of the series")
        _require_same_state(restored, detector, "a restored detector, later")


def state_stays_bounded(make: Make) -> None:
    """A thousand rows or many: the state takes as many bytes."""
    series = daily(5_000)
    detector = fitted(make, series[:1_000])
    before = _size(detector)
    detector.advance(series[1_000:])
    require(_size(detector) <= before, f"The state grew from {before:,} to {_size(detector):,} bytes.")


def rows_above_the_line_are_not_learned(make: Make) -> None:
    """With a line below every score, a new level does not become normal sooner than without one."""
    series = daily(TRAIN + 200)
    series.values[TRAIN:] += 30.0
    kept_out = fitted(make, series[:TRAIN]).advance(series[TRAIN:], -np.inf).score[-50:]
    learned = fitted(make, series[:TRAIN]).advance(series[TRAIN:]).score[-50:]
    require(np.nanmedian(kept_out) >= np.nanmedian(learned) - CLOSE, "What was kept out is normal sooner.")


def missing_values_have_no_score_or_a_finite_one(make: Make) -> None:
    """Missing values, single ones and long gaps, give NaN or finite scores; what comes after is judged again."""
    series = with_gaps(daily(TRAIN + 300))
    scores = fitted(make, series[:TRAIN]).advance(series[TRAIN:])
    require(not np.isinf(scores.score).any(), "A score is infinite.")
    require(np.isfinite(scores.score[-20:]).any(), "Nothing is said about rows after a gap.")
    empty = daily(40).with_values(np.full((40, 1), np.nan))
    require(not np.isinf(fitted(make, empty).advance(_next(empty)).score).any(), "A score without values is infinite.")


def constant_series_have_finite_scores(make: Make) -> None:
    """A constant series scores the same everywhere; a value that differs scores above all others."""
    series = daily(TRAIN + 100).with_values(np.full((TRAIN + 100, 1), 7.0))
    series.values[TRAIN + PLANTED :] = 8.0
    score = fitted(make, series[:TRAIN]).advance(series[TRAIN:]).score
    require(not np.isinf(score).any(), "A score is infinite.")
    usual = score[:PLANTED][np.isfinite(score[:PLANTED])]
    require(np.nanmax(score[PLANTED:]) > usual.max(initial=-np.inf), "What differs from a constant does not stand out.")


def short_series_are_fitted_or_refused(make: Make) -> None:
    """Few rows are fitted, and score NaN or a number, or are refused with how many it takes."""
    detector = make()
    for n in (0, 1, 2, 3, 10):
        if n < detector.fewest_rows:
            with refused(InputError, str(detector.fewest_rows), what=f"fitting on {n} rows"):
                make().fit(daily(n))
            continue
        series = daily(n + 5)
        require(not np.isinf(fitted(make, series[:n]).advance(series[n:]).score).any(), "A score is infinite.")


def no_rows_have_no_scores(make: Make) -> None:
    """Zero rows give zero scores and change nothing."""
    series = daily(TRAIN)
    detector, untouched = fitted(make, series), fitted(make, series)
    require(len(detector.advance(series[TRAIN:])) == 0, "No rows have scores.")
    _require_same_state(detector, untouched, "after no rows")


def a_planted_spike_is_found(make: Make) -> None:
    """A value far out of a daily curve scores higher than any row before it."""
    for series in _both_widths(make):
        clean, bad = series, spiked(series, TRAIN + PLANTED)
        start = fitted(make, clean[:TRAIN])
        score = start.score(bad[TRAIN:]).score
        require(np.nanmax(score[PLANTED : PLANTED + 5]) > np.nanmax(score[:PLANTED]), "The spike does not stand out.")


def scores_do_not_depend_on_the_unit(make: Make) -> None:
    """Where tagged: other units (scale) and another zero (shift) leave the scores, up to rounding."""
    series, tags = spiked(daily(TRAIN + 150)), make().tags
    expected = fitted(make, series[:TRAIN]).advance(series[TRAIN:]).score
    for scale, shift in ((1e3 if tags.scale_free else 1.0, 0.0), (1.0, 50.0 if tags.shift_free else 0.0)):
        other = series.with_values(series.values * scale + shift)
        found = fitted(make, other[:TRAIN]).advance(other[TRAIN:]).score
        require(np.allclose(found, expected, rtol=1e-4, atol=CLOSE, equal_nan=True), "The scores depend on the unit.")


def wrong_use_is_refused(make: Make) -> None:
    """Before fitting, with other channels, or rows from before: an error that says what is wrong."""
    series = daily(TRAIN)
    with refused(NotFittedError, "fit", what="scoring before fitting"):
        make().score(series)
    detector = fitted(make, series)
    with refused(SchemaError, "other", "v0", what="other channels"):
        detector.advance(type(series).of(series.values, series.step, ("other",)))
    with refused(InputError, "order", what="rows from before"):
        detector.advance(series[:5])
    with refused(ParameterError, "no_such", what="an unknown parameter"):
        make().clone(no_such=1)


def fitting_again_gives_the_same_scores(make: Make) -> None:
    """A fit is repeatable and forgets what was before."""
    series = spiked(daily(TRAIN + 150))
    used = fitted(make, series[:100]).fit(series[:TRAIN])
    _require_same(used.advance(series[TRAIN:]), fitted(make, series[:TRAIN]).advance(series[TRAIN:]), "another fit")


def the_whole_file_is_scored(make: Make) -> None:
    """A detector that is not causal scores a whole file, refuses ``advance``, and names a causal one."""
    series = spiked(daily(TRAIN), 300)
    scores = make().score_whole(series).score
    require(scores.shape == (TRAIN,) and not np.isinf(scores).any(), "The scores are not (n,) and finite or NaN.")
    near = np.nanmax(scores[295:306])
    require(near >= np.nanquantile(scores, 0.98), "The spike does not stand out.")
    with refused(InputError, "offline", make().instead, what="advance of a detector that is not causal"):
        fitted(make, series[:300]).advance(series[300:])


CAUSAL: tuple[Callable[[Make], None], ...] = (
    scores_are_one_per_row,
    later_rows_change_no_earlier_score,
    any_chunks_give_the_same_scores,
    scoring_changes_nothing,
    a_restored_detector_goes_on_alike,
    state_stays_bounded,
    rows_above_the_line_are_not_learned,
    missing_values_have_no_score_or_a_finite_one,
    constant_series_have_finite_scores,
    short_series_are_fitted_or_refused,
    no_rows_have_no_scores,
    a_planted_spike_is_found,
    scores_do_not_depend_on_the_unit,
    wrong_use_is_refused,
    fitting_again_gives_the_same_scores,
)


class SeriesCheck(PromiseCheck["SeriesDetector"]):
    """One promise, held against one detector on series."""

    __slots__ = ()


def series_checks(make: Make, *, name: str | None = None, exempt: Mapping[str, str] | None = None) -> list[SeriesCheck]:
    """Every check that applies to a detector on series, by what its tags say.

    Parameters
    ----------
    make : makes an unfitted detector; its class, when the defaults will do.
    name : stands before the colon of the checks' identifiers; the class name when not given.
    exempt : promises it cannot keep, each with the reason.

    Raises
    ------
    UnknownNameError
        for an exemption from a promise that does not exist or does not apply.

    Examples
    --------
    >>> from anomaly_detection.detectors.series.ewma import EWMA
    >>> str(series_checks(EWMA)[1])
    'EWMA:later_rows_change_no_earlier_score'
    """
    example = make()
    promises = CAUSAL if example.tags.causal else (the_whole_file_is_scored,)
    reasons = known_reasons(promises, exempt)
    subject = name or type(example).__name__
    return [SeriesCheck(subject, one, make, reasons.get(one.__name__)) for one in promises]


def _both_widths(make: Make) -> list[Series]:
    widths = (1, 3) if make().tags.multivariate else (1,)
    return [daily(TRAIN + 150, width) for width in widths]


def _next(series: Series) -> Series:
    return type(series)(series.values, series.time + len(series) * series.step, series.step, series.names, series.zone)


def _high_score(make: Make, series: Series) -> float:
    """A line that some rows lie above."""
    return float(np.nanquantile(fitted(make, series[:TRAIN]).advance(series[TRAIN:]).score, 0.9))


def _size(detector: SeriesDetector) -> int:
    return sum(array.nbytes for array in detector.state()[1].values())


def _require_same(found: SeriesScores, expected: SeriesScores, what: str) -> None:
    for name in ("score", "expected", "scale", "contributions", "side"):
        a, b = getattr(found, name), getattr(expected, name)
        require((a is None) == (b is None), f"{what}: {name} is there once only.")
        if a is not None:
            require(np.array_equal(a, b, equal_nan=True), f"{what}: {name} differs.")
    for part in ("length", "about"):
        a, b = getattr(found, part), getattr(expected, part)
        require((a is None) == (b is None), f"{what}: {part} is there once only.")
        require(a is None or a.tobytes() == b.tobytes(), f"{what}: {part} differs.")


def _require_same_state(found: SeriesDetector, expected: SeriesDetector, what: str) -> None:
    a, b = found.state(), expected.state()
    require(a[0] == b[0], f"{what}: {a[0]} instead of {b[0]}.")
    different = [name for name in b[1] if _bytes(a[1], name) != _bytes(b[1], name)]
    require(not different, f"{what}: the state differs in {different}.")


def _bytes(arrays: Mapping[str, NDArray[np.float64]], name: str) -> bytes:
    return arrays[name].tobytes()
