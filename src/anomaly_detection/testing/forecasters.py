"""The contract suite of forecasters: one check for every promise that a forecaster makes.

In the tests of a package that brings one of its own::

    import pytest
    from anomaly_detection.testing import forecaster_checks
    from my_package import MyForecaster

    @pytest.mark.parametrize("check", forecaster_checks(MyForecaster), ids=str)
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
from anomaly_detection.testing._series_data import daily

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.features.series.series import Series
    from anomaly_detection.forecasters import Forecast, Forecaster

Make: TypeAlias = "Callable[[], Forecaster]"

ROWS, AHEAD = 240, 24


def forecasts_have_their_shape(make: Make) -> None:
    """As many rows as asked for, each one step later; finite, and the bounds on both sides; several channels alike."""
    for width in (1, 3):
        series = daily(ROWS, width)
        found = make().fit(series).predict(AHEAD)
        require(found.mean.shape == found.lower.shape == found.upper.shape == (AHEAD, width), "The shape is wrong.")
        require(bool(np.isfinite([found.mean, found.lower, found.upper]).all()), "A value is missing or infinite.")
        require(bool(((found.lower <= found.mean) & (found.mean <= found.upper)).all()), "The bounds cross.")
        steps = np.diff(np.concatenate([series.time[-1:], found.time]))
        require(bool((steps == series.step).all()), "The times are not one step apart.")


def longer_forecasts_begin_alike(make: Make) -> None:
    """The first rows of a long forecast are a short one; it goes beyond what was measured, and the bands grow."""
    fitted = make().fit(daily(ROWS))
    short, long = fitted.predict(5), fitted.predict(3 * ROWS)
    require(np.allclose(short.mean, long.mean[:5]), "A longer forecast expects something else.")
    require(np.allclose(short.lower, long.lower[:5]), "A longer forecast has other bounds.")
    width = (long.upper - long.lower)[:, 0]
    require(bool((np.diff(width) >= -1e-9).all()), "Bands become narrower further out.")


def seasons_are_followed(make: Make) -> None:
    """A daily curve is forecast better than by its last value, by far."""
    whole = daily(ROWS + AHEAD)
    found = make().fit(whole[:ROWS]).predict(AHEAD)
    error = np.abs(found.mean - whole.values[ROWS:]).mean()
    last = np.abs(whole.values[ROWS - 1] - whole.values[ROWS:]).mean()
    require(error < 0.5 * last, f"Its error is {error:.3g}; that of the last value is {last:.3g}.")


def bands_hold_about_what_they_say(make: Make) -> None:
    """Most of what comes lies within the bands, which are wider for a higher level."""
    whole = daily(ROWS + AHEAD, 5)
    fitted = make().fit(whole[:ROWS])
    wide, narrow = fitted.predict(AHEAD, 0.95), fitted.predict(AHEAD, 0.5)
    share = _inside(wide, whole.values[ROWS:])
    require(share >= 0.8, f"Bands of 95 % hold {share:.0%}.")
    require(0.2 <= _inside(narrow, whole.values[ROWS:]) <= share, "Bands of 50 % hold more, or next to nothing.")
    require(bool((wide.upper >= narrow.upper).all()), "A higher level has narrower bands.")
    chance = wide.beyond(float(wide.upper[0, 0]))[0, 0]
    require(abs(chance - 0.025) < 1e-3, f"A value above the upper bound of 95 % has the probability {chance:.4f}.")


def missing_values_are_accepted(make: Make) -> None:
    """Missing values and gaps are no obstacle; a channel without any value has no forecast."""
    series = daily(ROWS, 2)
    series.values[::9] = np.nan
    series.values[100:130, 0] = np.nan
    found = make().fit(series).predict(AHEAD)
    require(bool(np.isfinite(found.mean).all() and np.isfinite(found.upper).all()), "A forecast is missing.")
    require(float(np.abs(found.mean - 20.0).max()) < 10.0, "The forecast is far from the series.")
    series.values[:, 1] = np.nan
    half = make().fit(series).predict(AHEAD)
    require(bool(np.isfinite(half.mean[:, 0]).all() and np.isnan(half.mean[:, 1]).all()), "An empty channel counts.")
    with refused(InputError, "no value", what="a series without values"):
        make().fit(series.with_values(np.full_like(series.values, np.nan)))


def constant_series_stay_constant(make: Make) -> None:
    """What never varied goes on as it was."""
    series = daily(60).with_values(np.full((60, 1), 7.0))
    found = make().fit(series).predict(5)
    require(np.allclose(found.mean, 7.0, atol=1e-3), f"7 goes on as {found.mean.ravel()}.")
    require(bool((found.upper - found.lower < 0.1).all()), "The bands of a constant are wide.")


def short_series_are_fitted_or_refused(make: Make) -> None:
    """Few rows have a forecast with bounds, or are refused with how many it takes."""
    for n in (0, 1, 2, 3, 5, 10, 20):
        if n < make().fewest_rows:
            with refused(InputError, str(make().fewest_rows), what=f"fitting on {n} rows"):
                make().fit(daily(n))
            continue
        found = make().fit(daily(n)).predict(3)
        require(bool(np.isfinite([found.mean, found.lower, found.upper]).all()), f"{n} rows have no forecast.")


def units_do_not_matter(make: Make) -> None:
    """Other units and another zero: the same forecast in them, about."""
    series = daily(ROWS)
    here = make().fit(series).predict(5)
    there = make().fit(series.with_values(series.values * 1e3 + 5e4)).predict(5)
    for name in ("mean", "lower", "upper"):
        found, expected = getattr(there, name), getattr(here, name) * 1e3 + 5e4
        require(np.allclose(found, expected, atol=200.0), f"{name} depends on the unit.")


def a_fit_is_repeatable(make: Make) -> None:
    """The same rows give the same forecast, whatever was fitted before; predicting changes nothing."""
    series = daily(ROWS)
    series.values.flags.writeable = False
    used = make().fit(daily(100, seed=3))
    used.predict(3)
    _require_same(used.fit(series), make().fit(series), "fitted before")


def further_rows_are_taken_in_or_refused(make: Make) -> None:
    """Where tagged, ``update`` moves the forecast on; else it is refused with the way out."""
    whole = daily(ROWS + 30)
    fitted = make().fit(whole[:ROWS])
    if not fitted.tags.updates:
        with refused(InputError, "fit it again", what="an update"):
            fitted.update(whole[ROWS:])
        return
    at_once = make().fit(whole[:ROWS]).update(whole[ROWS:])
    for start in range(ROWS, ROWS + 30, 7):
        fitted.update(whole[start : start + 7][: ROWS + 30 - start])
    _require_same(fitted, at_once, "rows taken in by sevens", close=True)
    require(int(at_once.predict(1).time[0]) == int(whole.time[-1]) + whole.step, "It does not start after the rows.")
    truth = daily(ROWS + 30 + AHEAD).values[ROWS + 30 :]
    error = float(np.abs(at_once.predict(AHEAD).mean - truth).mean())
    require(error < 2.0, f"After an update the error is {error:.3g}.")
    with refused(InputError, "knows the rows", what="rows from before"):
        fitted.update(whole[:5])


def a_restored_one_forecasts_alike(make: Make) -> None:
    """Saved as JSON and arrays, and restored, it says the same, bit for bit."""
    series = daily(ROWS, 2)
    fitted = make().fit(series)
    spec, arrays = fitted.state()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        restored = type(fitted).from_state(json.loads(json.dumps(spec)), dict(loaded))
    _require_same(restored, fitted, "restored")
    if fitted.tags.updates:
        later = daily(ROWS + 5, 2)[ROWS:]
        _require_same(restored.update(later), fitted.update(later), "restored, with further rows")


def wrong_use_is_refused(make: Make) -> None:
    """Before fitting, a horizon or level out of range, another channel: an error that says what is wrong."""
    with refused(NotFittedError, "fit", what="predicting before fitting"):
        make().predict(3)
    fitted = make().fit(daily(60))
    for horizon, level, word in ((0, 0.95, "horizon"), (3, 1.0, "level"), (3, 0.0, "level")):
        with refused(ParameterError, word, what=f"horizon={horizon}, level={level}"):
            fitted.predict(horizon, level)
    with refused(SchemaError, "other", what="other channels"):
        fitted.update(_renamed(daily(3)))
    with refused(ParameterError, "no_such", what="an unknown parameter"):
        make().clone(no_such=1)


PROMISES: tuple[Callable[[Make], None], ...] = (
    forecasts_have_their_shape,
    longer_forecasts_begin_alike,
    seasons_are_followed,
    bands_hold_about_what_they_say,
    missing_values_are_accepted,
    constant_series_stay_constant,
    short_series_are_fitted_or_refused,
    units_do_not_matter,
    a_fit_is_repeatable,
    further_rows_are_taken_in_or_refused,
    a_restored_one_forecasts_alike,
    wrong_use_is_refused,
)


class ForecasterCheck(PromiseCheck["Forecaster"]):
    """One promise, held against one forecaster."""

    __slots__ = ()


def forecaster_checks(
    make: Make, *, name: str | None = None, exempt: Mapping[str, str] | None = None
) -> list[ForecasterCheck]:
    """Every check of a forecaster.

    Parameters
    ----------
    make : makes an unfitted forecaster; its class, when the defaults will do.
    name : stands before the colon of the checks' identifiers; the class name when not given.
    exempt : promises it cannot keep, each with the reason.

    Raises
    ------
    UnknownNameError
        for an exemption from a promise that does not exist.

    Examples
    --------
    >>> from anomaly_detection.forecasters.ets import ETS
    >>> str(forecaster_checks(ETS)[2])
    'ETS:seasons_are_followed'
    """
    reasons = known_reasons(PROMISES, exempt)
    subject = name or type(make()).__name__
    return [ForecasterCheck(subject, one, make, reasons.get(one.__name__)) for one in PROMISES]


def _inside(found: Forecast, values: np.ndarray) -> float:
    return float(((values >= found.lower) & (values <= found.upper)).mean())


def _renamed(series: Series) -> Series:
    return type(series).of(series.values, series.step, ("other",))


def _require_same(found: Forecaster, expected: Forecaster, what: str, *, close: bool = False) -> None:
    a, b = found.predict(AHEAD), expected.predict(AHEAD)
    for name in ("time", "mean", "lower", "upper"):
        one, other = getattr(a, name), getattr(b, name)
        same = np.allclose(one, other) if close else np.array_equal(one, other)
        require(bool(same), f"{what}: {name} differs.")
