"""What JSON results say about time series: enough to draw them, and bounded however long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.series.axis import key_codes
from anomaly_detection.features.series.clock import SECOND, read_microseconds
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.series import SeriesPipeline
    from anomaly_detection.series.explaining import SeriesResult

MOST_PLOTS = 8
"""So many channels of keys are drawn, those with the worst anomalies."""

POINTS = 480
"""So many parts of a time are drawn, each with its lowest and its highest value."""

MOST_DOTS = 200
"""So many anomalies of a channel are drawn one by one, the most anomalous ones."""

MOST_LANES = 40
"""So many keys are shown side by side, those with the worst anomalies."""

LANE_PARTS = 120
"""So many parts of the time are shown of each key."""


def series_summary(pipeline: SeriesPipeline, result: SeriesResult, frame: pl.DataFrame) -> dict[str, Any]:
    """The worst channels of the worst keys, drawn small, and when the anomalies of each key came.

    Parameters
    ----------
    pipeline : says how time is read.
    result : verdicts on all rows.
    frame : the rows.
    """
    schema, clock = pipeline.schema_, pipeline.clock_
    place = read_microseconds(frame[str(schema.timestamp)], clock).astype(np.float64)
    place = place if clock.unit == "rows" else place / SECOND
    codes, names = key_codes(frame, schema.key_columns)
    worst = _worst_first(codes, len(names), result)
    plots: list[dict[str, Any]] = []
    for code in worst[:MOST_PLOTS].tolist() if result.seen is not None else ():
        rows = np.flatnonzero(codes == code)
        rows = rows[np.argsort(place[rows], kind="stable")]
        key = names[code] if schema.key_columns else None
        plots += [_plot(result, place, rows, k, key) for k in _channels(result, rows)[: MOST_PLOTS - len(plots)]]
    return {
        "timed": clock.is_clock,
        "keys_in_all": len(names),
        "channels_in_all": len(result.names),
        "plots": plots,
        "lanes": _lanes(result, place, codes, names, worst) if schema.key_columns else None,
    }


def _worst_first(codes: NDArray[np.int64], n: int, result: SeriesResult) -> NDArray[np.int64]:
    highest, counts = np.zeros(n), np.zeros(n)
    np.maximum.at(highest, codes, result.anomaly_score)
    np.add.at(counts, codes, result.is_anomaly)
    order: NDArray[np.int64] = np.lexsort((np.arange(n), -counts, -highest)).astype(np.int64)
    return order


def _channels(result: SeriesResult, rows: NDArray[np.int64]) -> list[int]:
    """The channels of a key, those with most part in its anomalies first."""
    if result.contributions is None:
        return [0]
    odd = rows[result.is_anomaly[rows]]
    parts = result.contributions[odd if len(odd) else rows]
    shares = (parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)).sum(axis=0)
    return [int(k) for k in np.argsort(-shares, kind="stable")]


def _plot(
    result: SeriesResult, place: NDArray[np.float64], rows: NDArray[np.int64], k: int, key: str | None
) -> dict[str, Any]:
    """One channel of one key; ``rows`` are in order of time."""
    assert result.seen is not None, "the values are there"  # noqa: S101  for the type checker
    when, seen = place[rows], result.seen[rows, k].astype(np.float64)
    start, end = float(when[0]), float(when[-1])
    parts = min(POINTS, max(1, len(rows)))
    part = _part(when, start, end, parts)
    odd = rows[result.is_anomaly[rows]]
    shown = odd[np.argsort(-result.anomaly_score[odd], kind="stable")[:MOST_DOTS]]
    dots = [
        {"place": float(place[i]), "value": value, "severity": SEVERITIES[result.severity_code[i]]}
        for i in sorted(shown.tolist())
        if np.isfinite(value := float(result.seen[i, k, 0]))
    ]
    return {
        "key": key,
        "channel": result.names[k],
        "rows": len(rows),
        "anomalies": len(odd),
        "start": start,
        "end": end,
        "low": _plain(_least(seen[:, 0], part, parts)),
        "high": _plain(-_least(-seen[:, 0], part, parts)),
        **{name: _plain(_mean(seen[:, j], part, parts)) for j, name in ((1, "expected"), (2, "lower"), (3, "upper"))},
        "odd": np.bincount(part[result.is_anomaly[rows]], minlength=parts).tolist(),
        "dots": dots,
    }


def _lanes(
    result: SeriesResult,
    place: NDArray[np.float64],
    codes: NDArray[np.int64],
    names: list[str],
    worst: NDArray[np.int64],
) -> dict[str, Any]:
    """When the anomalies of each key came: the worst severity of each part of the time."""
    start, end = float(place.min()), float(place.max())
    part = _part(place, start, end, LANE_PARTS)
    keys = []
    for code in worst[:MOST_LANES].tolist():
        mine = codes == code
        severity, counts = np.zeros(LANE_PARTS, np.int64), np.zeros(LANE_PARTS, np.int64)
        np.maximum.at(severity, part[mine], np.where(result.is_anomaly[mine], result.severity_code[mine], 0))
        np.add.at(counts, part[mine], result.is_anomaly[mine])
        found = {"rows": int(mine.sum()), "severity": severity.tolist(), "anomalies": counts.tolist()}
        keys.append({"key": names[code], **found})
    return {"start": start, "end": end, "keys": keys}


def _part(place: NDArray[np.float64], start: float, end: float, parts: int) -> NDArray[np.int64]:
    """(n,) which of so many equal parts of the time each place is in."""
    if end <= start:
        return np.zeros(len(place), np.int64)
    found: NDArray[np.int64] = np.minimum((place - start) / (end - start) * parts, parts - 1).astype(np.int64)
    return found


def _least(values: NDArray[np.float64], part: NDArray[np.int64], parts: int) -> NDArray[np.float64]:
    found = np.full(parts, np.inf)
    np.fmin.at(found, part, values)
    return np.where(np.isinf(found), np.nan, found)


def _mean(values: NDArray[np.float64], part: NDArray[np.int64], parts: int) -> NDArray[np.float64]:
    there = np.isfinite(values)
    counts = np.bincount(part[there], minlength=parts)
    sums = np.bincount(part[there], weights=values[there], minlength=parts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers as JSON has them, seven digits of each."""
    return [float(f"{value:.7g}") if np.isfinite(value) else None for value in values.tolist()]
