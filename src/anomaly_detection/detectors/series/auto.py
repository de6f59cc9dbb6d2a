"""Auto: the default detector on series, made of others by what the series is like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series import from_saved, saved
from anomaly_detection.detectors.series._chart import Chart, chart_of, name_of_chart
from anomaly_detection.detectors.series._lately import about, blank
from anomaly_detection.detectors.series._surprise import worth
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.detectors.series.ewma import FEWEST
from anomaly_detection.detectors.series.joint import Joint, names_of
from anomaly_detection.detectors.series.windows import Windows
from anomaly_detection.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

SHORTEST, LONGEST = 5_000, 20_000
"""The least and the most rows that are remembered; twice the training rows in between."""

AFTER = 0.94
"""A score that tells of an odder row before is multiplied by this, so that the odd row itself is the most anomalous."""

COMPARED = 2_000
"""So many of the training rows, at most, say what a distance from the expected value is worth in scores; three times as
many before them are learned from for that."""


class SeriesAuto(SeriesDetector):
    """The default: nearest earlier windows for one channel, levels and changes together for several.

    What a value was expected to be comes from a control chart beside it, with a season where there is one. Its scale is
    made comparable: a distance from the expected value that one row in a hundred has is worth a score that one row in a
    hundred has. A row above the line is not learned from by either.

    A score tells of the latest rows together. The one of them that lies farthest from what was expected is named, and
    says on which side the rows are; a row that is itself on the other side is on none. A row that is not the oddest
    itself scores 6 % less.

    Parameters
    ----------
    span : the memory of the control chart, in rows.
    period : rows of its season; 1 for none.
    follow : of several channels, those that are held against their level of late, such as those with a trend.

    Attributes
    ----------
    factor_ : (1,) float64, what the chart's scale is multiplied by.
    lately_ : (m, 3, d) float64, the latest values, what was expected, and scales.
    members_ : the detector that judges, and the chart.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(20.0, 2.0, size=600)
    >>> values[550] = 45.0
    >>> detector = SeriesAuto().fit(Series.of(values[:500]))
    >>> scores = detector.advance(Series.of(values)[500:])
    >>> bool(scores.score[50] > scores.score[:50].max()), int(scores.side[50])
    (True, 1)
    >>> int(scores.about["back"][60])  # the score of this row tells of the one ten rows before
    10
    >>> [member["algorithm"] for member in detector.evidence()["members"]]
    ['windows', 'ewma']
    """

    tags: ClassVar[SeriesTags] = SeriesTags(expects=True)
    learned: ClassVar[tuple[str, ...]] = ("factor_", "lately_")
    moving: ClassVar[tuple[str, ...]] = ("lately_",)
    fewest_rows: ClassVar[int] = Windows.fewest_rows
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "span": Range(FEWEST, 1e9),
        "period": Range(1, 100_000, integer=True),
    }

    factor_: NDArray[np.float64]
    lately_: NDArray[np.float64]
    members_: tuple[SeriesDetector, Chart]

    def __init__(self, span: float = 100.0, period: int = 1, follow: str | Sequence[str] = ()) -> None:
        self.span = span
        self.period = period
        self.follow = follow

    def parameters(self) -> dict[str, Any]:
        """The parameters as they were given."""
        return {"span": self.span, "period": self.period, "follow": names_of(self.follow)}

    def evidence(self) -> dict[str, Any]:
        """Which detectors it is made of, and why."""
        judge, chart = self.members_
        why = (
            "one channel: has anything like the last rows been seen before?"
            if isinstance(judge, Windows)
            else f"{len(self.names_)} channels: do they lie, and move, together as they did?"
        )
        judging = {"algorithm": "windows" if isinstance(judge, Windows) else "joint", "weight": 1.0, "why": why}
        expecting = {"algorithm": name_of_chart(chart), "weight": 0.0, "why": "gives the expected values"}
        return {"members": [judging | judge.evidence(), expecting | chart.parameters()]}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned, by it and by its members."""
        spec, arrays = super().state()
        states = [saved(member) for member in self.members_]
        own = {f"{i}/{name}": array for i, (_, found) in enumerate(states) for name, array in found.items()}
        return {**spec, "members": [one for one, _ in states]}, {**arrays, **own}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; it goes on alike, bit for bit.

        Raises
        ------
        ArtifactError
            if an array is not there or is not one of this detector.
        """
        detector = super().from_state(spec, arrays)
        judge, chart = (
            from_saved(one, {name.removeprefix(f"{i}/"): array for name, array in arrays.items()})
            for i, one in enumerate(spec["members"])
        )
        detector._require(isinstance(judge, Windows | Joint))  # noqa: SLF001  its own class
        if not isinstance(chart, Chart):
            raise ArtifactError(f"The saved {cls.__name__} has no control chart. Fit it again.")
        detector.members_ = judge, chart
        return detector

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: none of those before them is told of."""
        for member in self.members_:
            member.interrupted()
        self.lately_ = blank(len(self.lately_), len(self.names_))

    def _fit(self, series: Series) -> None:
        self.factor_ = np.ones(1)
        half = len(series) // 2
        first = max(half, len(series) - COMPARED)
        if half >= self.fewest_rows:
            self._learn(series[max(first - 3 * COMPARED, 0) : first])
            scores = self._advance(series[first:], np.inf)
            self.factor_ = np.array([worth(series.values[first:], scores)])
        self._learn(series)

    def _learn(self, series: Series) -> None:
        memory = min(LONGEST, max(SHORTEST, 2 * len(series)))
        judge = Windows(memory=memory) if series.width == 1 else Joint(follow=self.follow)
        self.lately_ = blank(judge.longest if isinstance(judge, Windows) else 1, series.width)
        self.members_ = judge.fit(series), chart_of(self.span, self.period).fit(series)

    def _advance(self, series: Series, line: float) -> SeriesScores:
        judge, chart = self.members_
        judged = judge.advance(series, line)
        told = _told(chart, series, judged.score > line)
        assert told.scale is not None and judged.length is not None, "what the members give"  # noqa: S101, PT018
        told = replace(told, scale=told.scale * self.factor_[0])
        found, side, self.lately_ = about(self.lately_, series.values, told, judged.length)
        shares = told.contributions if judged.contributions is None else judged.contributions
        score = np.where(found["back"] > 0, AFTER, 1.0) * judged.score
        return replace(told, score=score, contributions=shares, side=side, length=judged.length, about=found)

    def _restored(self) -> None:
        self._require_shapes(np.float64, (1,), "factor_")
        self._require_shapes(np.float64, (None, 3, len(self.names_)), "lately_")
        self._require(self.factor_[0] > 0.0)
        if hasattr(self, "members_"):
            judge, chart = self.members_
            self.members_ = judge.twin(), chart.twin()


def _told(chart: Chart, series: Series, kept_out: NDArray[np.bool_]) -> SeriesScores:
    """What the chart says about rows while it learns those that are not kept out."""
    parts = [chart.advance(series[:0])]
    ends = [*(np.flatnonzero(np.diff(kept_out)) + 1).tolist(), len(series)] if len(series) else []
    for start, end in zip([0, *ends], ends, strict=False):
        parts.append(chart.advance(series[start:end], -np.inf if kept_out[start] else np.inf))
    return SeriesScores.joined(parts)
