"""The 78 features of a log line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Choice, Configurable, Range
from anomaly_detection.errors import ArtifactError, NotFittedError
from anomaly_detection.features.logs._rows_kernels import fill_numbers
from anomaly_detection.features.logs.lines import LEVELS, Lines, hash_name
from anomaly_detection.features.logs.terms import Terms
from anomaly_detection.features.logs.windows import NAMES as WINDOW_NAMES
from anomaly_detection.features.logs.windows import ServiceWindows
from anomaly_detection.features.space import Feature, FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

CALENDAR = ("hour_sin", "hour_cos", "day_sin", "day_cos")
SMALL_SET = ("latency_ms", "level_score")
LEVEL_SCORES = (0.0, 0.0, 1.0, 2.0, 2.0)
"""The level scores of DEBUG, INFO, WARN, ERROR and CRITICAL."""

COLUMNS = {
    "response_time": "response_time",
    "status_code": "status_code",
    **dict.fromkeys(CALENDAR, "time"),
    "time_since_last": "time",
    "logs_in_window": "time",
    "rt_mean": "response_time",
    "rt_std": "response_time",
    "rt_median": "response_time",
    "error_rate": "level",
    "log_volume": "service",
    "latency_ms": "response_time",
    "level_score": "level",
}
"""The column of the log that a feature was made from; others are named after theirs."""


class LogFeatures(Configurable):
    """The 78 features of a log line, the same bits one by one, in batches and in any chunks.

    In order: ``response_time`` (milliseconds), ``status_code``, ``hour_sin``, ``hour_cos`` (time of day, UTC),
    ``day_sin``, ``day_cos`` (day of the week), ``time_since_last`` (seconds since the service's last line),
    ``logs_in_window`` (lines of all services); ``level_…`` for DEBUG, INFO, WARN, ERROR, CRITICAL; ``service_…`` for
    the ten services with the most lines in training; ``rt_mean``, ``rt_std``, ``rt_median``, ``error_rate``,
    ``log_volume`` of the service in the last five minutes (:class:`ServiceWindows`); ``tfidf_…`` for fifty words and
    pairs of words of the message (:class:`Terms`). Where training has fewer services or terms, the features that are
    left are called ``service_#9`` and ``tfidf_#49`` and are always 0, so that there are always 78.

    A line is an error when its level is ERROR or CRITICAL, or its status code 500 or above. What is missing is NaN: a
    response time, a status code, the time of day; an unknown level has none of the five.

    Parameters
    ----------
    features : ``"all"``, or ``"small"``: ``latency_ms`` and ``level_score`` (DEBUG and INFO 0, WARN 1, ERROR and
        CRITICAL 2), which need no memory.
    minutes : the length of the rolling windows.
    services : how many services have a feature of their own.
    terms : how many words and pairs of words have.

    Attributes
    ----------
    features_ : the names, each with the column of the log it was made from.
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "features": Choice("all", "small"),
        "minutes": Range(0, 60 * 24 * 7, open_low=True),
        "services": Range(0, 1_000, integer=True),
        "terms": Range(0, 4_096, integer=True),
    }

    features_: FeatureSpace
    services_: tuple[str, ...]

    def __init__(self, features: str = "all", minutes: float = 5.0, services: int = 10, terms: int = 50) -> None:
        self.features = features
        self.minutes = minutes
        self.services = services
        self.terms = terms

    def fit(self, frame: pl.DataFrame) -> Self:
        """Learn which services and which words have a feature.

        Parameters
        ----------
        frame : log lines with any of the columns ``time``, ``level``, ``service``, ``message``, ``response_time`` and
            ``status_code``, as the log sources make them.
        """
        self.validate()
        counts = Counter(frame["service"].drop_nulls()) if "service" in frame.columns else Counter[str]()
        by_lines = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        terms = Terms(most=max(1, int(self.terms)))
        terms.fit(frame["message"] if "message" in frame.columns and self.terms else [])
        return self._take([name for name, _ in by_lines[: int(self.services)]], terms)

    def windows(self) -> ServiceWindows:
        """The memory that :meth:`transform` needs, with nothing in it."""
        return ServiceWindows(minutes=self.minutes)

    def transform(self, frame: pl.DataFrame, windows: ServiceWindows) -> NDArray[np.float32]:
        """(n, 78) float32 for log lines in the order in which they came; the windows take them in."""
        return self.transform_lines(Lines.of(frame), windows)

    def transform_row(self, record: Mapping[str, Any], windows: ServiceWindows) -> NDArray[np.float32]:
        """(78,) float32 for one line; the same bits as in a batch."""
        row: NDArray[np.float32] = self.transform_lines(Lines.of_one(record), windows)[0]
        return row

    def transform_lines(self, lines: Lines, windows: ServiceWindows) -> NDArray[np.float32]:
        """(n, 78) float32 for lines that are arrays already."""
        out = np.empty((len(lines.times), len(self._fitted)), dtype=np.float32)
        if self.features == "small":
            out[:, 0] = lines.response_times
            out[:, 1] = np.append(LEVEL_SCORES, np.nan)[lines.levels]
            return out
        rolled = windows.update(lines.services, lines.times, lines.response_times, lines.are_errors())
        of_lines = lines.times, lines.levels, lines.services, lines.response_times, lines.status_codes
        numbers = out.shape[1] - int(self.terms)
        fill_numbers(*of_lines, rolled, self._known, out[:, :numbers])
        self._weigh(lines, out[:, numbers:])
        return out

    def state(self) -> dict[str, Any]:
        """What was learned, in plain values for JSON."""
        self._check_fitted()
        return {"services": list(self.services_), "terms": self._terms.state()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Take back what :meth:`state` handed out.

        Raises
        ------
        ArtifactError
            if it is damaged.
        """
        services, terms = state.get("services"), state.get("terms")
        whole = isinstance(services, list) and all(isinstance(one, str) for one in services)
        if not whole or not isinstance(terms, dict) or len(services or ()) > self.services:
            raise ArtifactError("The saved features of logs are damaged. Load the model from an unchanged copy.")
        return self._take(list(services or ()), Terms(most=max(1, int(self.terms))).restore(terms))

    def _weigh(self, lines: Lines, out: NDArray[np.float32]) -> None:
        used = len(self._terms.words_)
        out[:, used:] = 0.0
        for first, data, offsets in lines.messages():
            self._terms.fill(data, offsets, out[first : first + len(offsets) - 1, :used])

    def _take(self, services: Sequence[str], terms: Terms) -> Self:
        self.services_, self._terms = tuple(services), terms
        self._known = np.array([hash_name(name) for name in services], dtype=np.uint64)
        self.features_ = FeatureSpace(tuple(self._named()))
        return self

    def _named(self) -> Iterator[Feature]:
        if self.features == "small":
            yield from (Feature(name, COLUMNS[name]) for name in SMALL_SET)
            return
        for name in ("response_time", "status_code", *CALENDAR, *WINDOW_NAMES[:2]):
            yield Feature(name, COLUMNS[name])
        yield from (Feature(f"level_{level}", "level") for level in LEVELS)
        yield from (Feature(f"service_{name}", "service") for name in _filled(self.services_, int(self.services)))
        yield from (Feature(name, COLUMNS[name]) for name in WINDOW_NAMES[2:])
        yield from (Feature(f"tfidf_{word}", "message") for word in _filled(self._terms.words_, int(self.terms)))

    @property
    def _fitted(self) -> FeatureSpace:
        self._check_fitted()
        return self.features_

    def _check_fitted(self) -> None:
        if not hasattr(self, "features_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")


def _filled(names: Sequence[str], most: int) -> list[str]:
    return [*names[:most], *(f"#{place}" for place in range(len(names), most))]
