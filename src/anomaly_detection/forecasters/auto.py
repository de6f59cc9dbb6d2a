"""The default forecaster: the fast ones tried out from earlier moments, the best of them or their mean."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.catalog import FORECASTERS
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags, origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

MEMBERS = ("fourier", "seasonal_naive", "ets")
"""What is tried, in order of preference where errors are the same."""

CLEARLY = 0.9
"""A later choice has to have so much of the error of one before it."""


class AutoForecaster(Forecaster):
    """Tries ``fourier``, ``seasonal_naive`` and ``ets`` on the end of the history, and keeps what was nearest.

    Each is fitted on the beginning and says what comes next, from several moments; for each channel the one with the
    smallest mean absolute error is kept, or the mean of two or three of them where that has a smaller one. The bands
    come from the errors of what was chosen.

    Parameters
    ----------
    horizon : for how many rows ahead they are tried out and bands are measured; None is an eighth of the history.

    Attributes
    ----------
    share_ : (d, 3) what each member has in the forecast of a channel.
    members_ : the fitted members.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> found = AutoForecaster().fit(Series.of(np.arange(60.0) % 6))
    >>> found.predict(3).mean.ravel().round(1) + 0.0
    array([0., 1., 2.])
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(updates=True)
    learned: ClassVar[tuple[str, ...]] = ("share_", "error_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"horizon": HORIZON}

    share_: NDArray[np.float64]
    error_: NDArray[np.float64]
    members_: tuple[Forecaster, ...]

    def __init__(self, horizon: int | None = None) -> None:
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """For each member its mean absolute error on rows held back and its share, both over all channels."""
        errors, shares = self.error_.mean(axis=0), self.share_.mean(axis=0)
        return {
            "members": {
                name: {"error": float(error), "share": float(share), **member.evidence()}
                for name, error, share, member in zip(MEMBERS, errors, shares, self.members_, strict=True)
            },
            "reason": _reason(errors, shares),
        }

    def _measure(self, series: Series, horizon: int) -> None:
        members: list[Forecaster] = [FORECASTERS.load(name)(horizon=horizon) for name in MEMBERS]
        self.members_ = tuple(member.fit(series) for member in members)
        starts = origins(len(series), horizon, self.windows, self.fewest_rows)
        errors = np.full((len(members), len(starts), horizon, series.width), np.nan)
        for own, member in zip(errors, members, strict=True):
            own[len(starts) - len(member.errors_) :] = member.errors_
        self.share_, self.error_, self.errors_ = _chosen(errors)
        self._keep_bands(series, horizon)

    def _fit(self, series: Series) -> None:
        self._measure(series, 1)

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        means = np.stack([member.predict(horizon).mean for member in self.members_], axis=2)
        mean: NDArray[np.float64] = np.einsum("hdm,dm->hd", means, self.share_)
        return mean

    def _update(self, series: Series) -> None:
        for member in self.members_:
            member.update(series)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned, of the members too."""
        spec, arrays = super().state()
        states = [member.state() for member in self.members_]
        own = {f"{name}/{key}": one for name, (_, of) in zip(MEMBERS, states, strict=True) for key, one in of.items()}
        return {**spec, "members": [of for of, _ in states]}, {**arrays, **own}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> AutoForecaster:
        """The inverse of :meth:`state`.

        Raises
        ------
        ArtifactError
            if an array is not there.
        """
        found = super().from_state(spec, arrays)
        members = []
        for name, of in zip(MEMBERS, spec["members"], strict=True):
            own = {key.removeprefix(f"{name}/"): one for key, one in arrays.items() if key.startswith(f"{name}/")}
            members.append(FORECASTERS.load(name).from_state(of, own))
        found.members_ = tuple(members)
        return found


def _chosen(errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(d, M) shares, (d, M) errors of the members alone, and the (K, H, d) errors of what was chosen."""
    count, _, _, d = errors.shape
    sets = [one for size in range(1, count + 1) for one in combinations(range(count), size)]
    share = np.zeros((d, count))
    share[:, 0] = 1.0
    best = _size(errors[0])
    for members in sets[1:]:
        size = _size(errors[list(members)].mean(axis=0))
        nearer = size < CLEARLY * best
        best = np.where(nearer, size, best)
        share[nearer] = np.isin(np.arange(count), members) / len(members)
    alone = np.stack([_size(one) for one in errors], axis=1)
    return share, alone, np.einsum("mkhd,dm->khd", errors, share)


def _size(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) mean absolute errors; NaN where nothing came."""
    known = ~np.isnan(errors)
    number = known.sum(axis=(0, 1))
    total = np.where(known, np.abs(errors), 0.0).sum(axis=(0, 1))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _reason(errors: NDArray[np.float64], shares: NDArray[np.float64]) -> str:
    best = int(np.argmax(shares))
    if np.isnan(errors).all():
        return f"too little history to try anything: {MEMBERS[best]}"
    others = ", ".join(f"{name} {error:.4g}" for name, error in zip(MEMBERS, errors, strict=True))
    mean = " and means with it" if shares[best] < 1.0 else ""
    return f"{MEMBERS[best]}{mean}: mean absolute errors on rows held back were {others}"
