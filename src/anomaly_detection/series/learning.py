"""Who gets a detector of its own, and what the others share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.calibration import Calibrator
from anomaly_detection.detectors.series import name_of
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.detectors.series.per_channel import PerChannel
from anomaly_detection.drift import CalibrationMonitor
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.axis import Track, after_state
from anomaly_detection.features.series.profile import SeriesProfile, profile_of
from anomaly_detection.records import counted
from anomaly_detection.series.charts import Charts
from anomaly_detection.series.chosen import AUTO, Choice, chosen
from anomaly_detection.series.flat import learned_charts, may_be_flat
from anomaly_detection.series.model import Model, as_seen, latest, learned, under
from anomaly_detection.thresholds import choose_alpha

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.features.series.clock import Clock
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.series.wishes import Wishes

FEWEST_ROWS = 8
"""The longest series has to have so many rows."""

OWN_FROM = 60
"""From so many rows on, a key has a detector and a calibrator of its own."""

MOST_MODELS = 2_000
"""At most so many keys have, those with the most rows."""

MOST_SHOWN = 20
"""The profiles of so many keys are kept, those with the most rows."""

MOST_CHARTS = 200
"""The control charts of so many keys calibrate what keys share."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of all keys.

    Parameters
    ----------
    models : of keys with a detector of their own.
    sparse : of the others that have several channels or count, a control chart each; they share a calibrator.
    charts : of the others with one channel, a control chart each in flat arrays, and that of keys that come later.
    shared : for keys that were never seen: a chart that has seen nothing, and that calibrator.
    alpha : the p-value at and below which a row is an anomaly: the mean of the models' own, weighted by rows.
    reasons : what was chosen for each key with a model of its own, and why.
    profiles : of the keys with the most rows.
    monitors : of these keys, whether their p-values are still those of training.
    tried : which algorithms were held against the past of a key, and what they caught of the anomalies put into it.
    """

    models: dict[str, Model]
    sparse: dict[str, Model]
    charts: Charts
    shared: Model
    alpha: float
    reasons: dict[str, str]
    profiles: dict[str, SeriesProfile]
    monitors: dict[str, CalibrationMonitor] = field(default_factory=dict)
    tried: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def model(self, key: str, *, keep: bool) -> Model:
        """The model of a key: a copy, or the one whose state goes on."""
        known = self.models.get(key) or self.sparse.get(key)
        if known is None:
            known = self.shared.twin()
            if keep:
                self.sparse[key] = known
            return known
        return known if keep else known.twin()

    def remember(self, track: Track, clock: Clock) -> None:
        """Keep the latest rows of a key with a model of its own, for forecasts."""
        model = self.models.get(track.key)
        if model is not None and model.recent is not None and len(track.series):
            rows = after_state(track.series, int(model.recent.time[-1]), clock, shift=False)
            self.models[track.key] = replace(model, recent=latest(rows.after(model.recent)))

    def recent(self) -> list[Track]:
        """The latest rows of the keys that have some, in order of the keys."""
        kept = {key: model.recent for key, model in sorted(self.models.items()) if model.recent is not None}
        return [Track(key, rows, np.arange(len(rows))) for key, rows in kept.items()]

    def in_charts(self, keys: pl.Series) -> NDArray[np.bool_] | None:
        """(n,) the rows of keys that have a chart in flat arrays, or are new; None where no key has."""
        if len(self.shared.detector.names_) > 1:
            return None
        apart = [*self.models, *self.sparse]
        found: NDArray[np.bool_] = (~keys.is_in(apart)).to_numpy() if apart else np.ones(len(keys), np.bool_)
        return found

    def watch(self, tracks: Iterable[Track], p_value: NDArray[np.float64], *, keep: bool) -> list[str]:
        """Which keys have p-values that are not those of training, in sentences; the monitors go on, or copies do."""
        notes = []
        for track in tracks:
            if (monitor := self.monitors.get(track.key)) is None:
                continue
            monitor = monitor if keep else monitor.twin()
            monitor.follow(p_value[track.rows])
            if (note := monitor.note()) is not None:
                notes.append(f"{track.key}: {note}" if track.key else note)
        return notes

    def steps(self) -> dict[str, int]:
        """The usual distance of the rows of each key with a model of its own."""
        return {key: model.detector.step_ for key, model in self.models.items()}

    @property
    def calibrator(self) -> Calibrator:
        """That of the only key, or the one that keys with few rows share."""
        return (next(iter(self.models.values())) if len(self.models) == 1 else self.shared).calibrator

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        every = [*self.models.values(), *self.sparse.values(), self.shared]
        states = [model.state() for model in every]
        arrays = {f"{i}/{name}": array for i, (_, found) in enumerate(states) for name, array in found.items()}
        watched = {key: one.state() for key, one in self.monitors.items()}
        for i, (_, found) in enumerate(watched.values()):
            arrays |= {f"monitor/{i}/{name}": array for name, array in found.items()}
        arrays |= {f"charts/{name}": array for name, array in self.charts.state()[1].items()}
        spec = {
            "monitors": {key: one for key, (one, _) in watched.items()},
            "charts": self.charts.parameters(),
            "models": list(self.models),
            "sparse": list(self.sparse),
            "specs": [one for one, _ in states],
            "alpha": self.alpha,
            "reasons": self.reasons,
            "tried": self.tried,
        }
        return spec, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Learned:
        """The inverse of :meth:`state`; profiles are not kept."""
        models = [Model.from_state(one, under(f"{i}/", arrays)) for i, one in enumerate(spec["specs"])]
        n = len(spec["models"])
        own = dict(zip(spec["models"], models[:n], strict=True))
        sparse = dict(zip(spec["sparse"], models[n:-1], strict=True))
        charts = Charts.from_state(spec["charts"], under("charts/", arrays))
        watched = {
            key: CalibrationMonitor.from_state(one, under(f"monitor/{i}/", arrays))
            for i, (key, one) in enumerate(spec.get("monitors", {}).items())
        }
        return cls(
            own, sparse, charts, models[-1], spec["alpha"], dict(spec["reasons"]), {}, watched, spec.get("tried", {})
        )


class Learning:
    """Learns all keys of a table.

    Parameters
    ----------
    algorithm : a name, or an unfitted detector.
    wishes : what counts as an alarm.
    wish : α, or how to choose it.
    clock : how time is read.
    tail : as in :class:`~anomaly_detection.calibration.Calibrator`.
    offline : detectors may look at whole files.
    """

    def __init__(
        self,
        algorithm: str | SeriesDetector,
        wishes: Wishes,
        wish: float | str,
        clock: Clock,
        *,
        tail: bool,
        offline: bool,
    ) -> None:
        self.algorithm = algorithm
        self.wishes = wishes
        self.wish = wish
        self.clock = clock
        self.tail = tail
        self.offline = offline

    def learn(self, tracks: Sequence[Track], progress: Progress) -> Learned:
        """Fit, calibrate, and set the alarm line.

        Raises
        ------
        InputError
            if no series is long enough.
        ParameterError
            for a detector that looks at whole files where that was not asked for.
        """
        ordered = sorted(tracks, key=lambda one: -len(one.series))
        profiles = {one.key: profile_of(one.series, self.clock) for one in ordered[:MOST_SHOWN]}
        own: dict[str, tuple[Model, NDArray[np.float64]]] = {}
        reasons: dict[str, str] = {}
        tried: dict[str, list[dict[str, Any]]] = {}
        for done, track in enumerate(ordered[:MOST_MODELS]):
            choice = self._choice(track, profiles)
            template = choice.detector
            if done and len(track.series) < OWN_FROM and not template.tags.decides:
                break
            if len(track.series) >= template.fewest_rows:
                model, sample = learned(template, track.series, self.wishes, self.wish, tail=self.tail)
                if len(sample):
                    own[track.key], reasons[track.key] = (model, sample), f"{name_of(template)}: {choice.why}"
                    tried |= {track.key: [one.to_dict() for one in choice.tried]} if choice.tried else {}
            progress("learning", done + 1, len(ordered))
        charts = [one for one in ordered if one.key not in own]
        shared, sparse, flat = self._sparse(charts, ordered)
        alpha = self._alpha(list(own.values()), shared)
        models = {key: model for key, (model, _) in own.items()}
        return Learned(models, sparse, flat, shared, alpha, reasons, profiles, _monitors(own), tried)

    def _choice(self, track: Track, profiles: Mapping[str, SeriesProfile]) -> Choice:
        """What judges a key; only keys whose profiles are kept are held against their past, which takes a while."""
        known = profiles.get(track.key)
        profile = known or profile_of(track.series, self.clock, changes=False)
        past = None if known is None or self.algorithm != AUTO else as_seen(track.series)[0]
        choice = chosen(self.algorithm, profile, past, offline=self.offline)
        template = choice.detector
        if track.series.width > 1 and template.tags.causal and not template.tags.multivariate:
            template = PerChannel(name_of(template), template.parameters())
        if not (template.tags.causal or template.tags.decides or self.offline):
            raise ParameterError(
                f"{name_of(template)} looks at a whole file, later rows included. Use --offline (in Python: "
                f"offline=True) to allow that, or {template.instead}, which uses rows up to the one it judges."
            )
        return replace(choice, detector=template)

    def _sparse(self, charts: Sequence[Track], ordered: Sequence[Track]) -> tuple[Model, dict[str, Model], Charts]:
        """Charts for keys without a model of their own, and what keys that were never seen get."""
        chart = self.algorithm if type(self.algorithm) is EWMA else EWMA()
        samples, models = [], {}
        known = [track for track in charts if len(track.series) >= EWMA.fewest_rows]
        flat: list[Track] = []
        for track in known:
            if may_be_flat(track):
                flat.append(track)
                continue
            models[track.key], sample = learned(chart, track.series, self.wishes, self.wish, tail=self.tail)
            samples.append(sample)
        every, sample = learned_charts(chart, flat, self.wishes)
        samples.append(sample)
        if sum(map(len, samples)) < FEWEST_ROWS:
            samples += [
                learned(chart, one.series, self.wishes, self.wish, tail=self.tail)[1] for one in ordered[:MOST_CHARTS]
            ]
        sample = np.concatenate(samples)
        if not len(sample):
            most = max(int(np.count_nonzero(~np.isnan(one.series.values).all(axis=1))) for one in ordered)
            raise InputError(
                f"Learning what is normal in a series takes at least {FEWEST_ROWS} values in a row; the longest here "
                f"has {counted(most, 'row')} with a value. Give more of them, or score with a trained model."
            )
        names = ordered[0].series.names
        calibrator = Calibrator(tail=self.tail).fit(sample)
        blank = chart.clone().blank(names, self.clock.zone)
        shared = Model(blank, calibrator, np.zeros(len(names), np.bool_), np.full(len(names), np.nan))
        return shared, {key: replace(model, calibrator=calibrator, recent=None) for key, model in models.items()}, every

    def _alpha(self, own: Sequence[tuple[Model, NDArray[np.float64]]], shared: Model) -> float:
        calibrated = [(model.calibrator, sample) for model, sample in own]
        calibrated = calibrated or [(shared.calibrator, shared.calibrator.ordered_)]
        alphas = [choose_alpha(self.wish, calibrator, sample) for calibrator, sample in calibrated]
        return float(np.average(alphas, weights=[len(sample) for _, sample in calibrated]))


def _monitors(own: Mapping[str, tuple[Model, NDArray[np.float64]]]) -> dict[str, CalibrationMonitor]:
    """For keys whose p-values are a promise about rows that follow."""
    tested = [(key, model.every) for key, (model, _) in own.items() if model.promises]
    return {key: CalibrationMonitor(every) for key, every in tested[:MOST_SHOWN]}
