"""Control charts of 100,000 keys, one point each from keys of text, against river in one dictionary of keys.

    python benchmarks/many_keys.py [--json FILE]

Each call scores and learns one point of every key; the keys come in another order than the one they were first seen in.
River has an exponentially weighted mean and variance for each key and scores by the distance in deviations; ours are
robust, so the scores are not the same ones. Levels are: where no value is further away than is learned in full, both
are the same mean. Memory is that of all arrays, and of every object reachable from river's dictionary.

The same is measured end to end: a frame of keys and floats goes into a fitted ``SeriesPipeline``, and a result with
score, p-value, anomaly score, flag, severity, confidence, expected value, band and reason comes out.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds

# isort: split
import gc
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from river import stats

from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.features.series import Series
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.charts import Charts

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = 100_000
SPAN = 20.0
TRAINED = 10
"""Rows of each key that the pipeline is fitted on."""
LIVED = 200
"""So many points of each key make both forget how they began."""

Peer = dict[str, tuple[stats.EWMean, stats.EWVar]]


def names(n: int) -> pl.Series:
    """Keys as they are in monitoring: a region, a host and a metric."""
    return pl.Series([f"region-{i % 7}/host-{i:06d}/cpu" for i in range(n)])


def peer_advance(peer: Peer, keys: list[str], values: list[float]) -> list[float]:
    """River: the distance in deviations, then the update."""
    scores = []
    for key, value in zip(keys, values, strict=True):
        known = peer.get(key)
        if known is None:
            known = peer[key] = (stats.EWMean(1 / SPAN), stats.EWVar(1 / SPAN))
        mean, variance = known
        spread = variance.get()
        scores.append(abs(value - mean.get()) / spread**0.5 if spread > 0 else 0.0)
        mean.update(value)
        variance.update(value)
    return scores


def reachable_bytes(root: object) -> int:
    """Bytes of every object reachable from one, code and modules left out."""
    seen: dict[int, object] = {}
    rest = [root]
    while rest:
        one = rest.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType | BuiltinFunctionType):
            continue
        seen[id(one)] = one
        rest.extend(gc.get_referents(one))
    return sum(map(sys.getsizeof, seen.values()))


def farthest_levels(rng: np.random.Generator) -> float:
    """How far the levels of both are apart, at most, after the same points, relative to the spread."""
    keys, charts, peer = names(50), Charts(SPAN), {}
    for _ in range(LIVED * int(SPAN) // 4):
        values = rng.uniform(-1.0, 1.0, size=50)
        charts.advance(keys, values)
        peer_advance(peer, keys.to_list(), values.tolist())
    theirs = np.array([peer[key][0].get() for key in keys])
    return float(np.abs(charts.charts_[:, 0] - theirs).max())


def same_as_detectors(keys: pl.Series, rounds: NDArray[np.float64]) -> bool:
    """Whether the charts of some keys say what a detector for each of them says, bit for bit."""
    charts = Charts(SPAN)
    found = np.array([charts.advance(keys, values)[:, 0] for values in rounds])
    alone = [EWMA(SPAN).blank(("v0",)).advance(Series.of(rounds[:, k])).score for k in range(len(keys))]
    return np.array_equal(found, np.array(alone).T, equal_nan=True)


def frame_of(keys: pl.Series, time: int, values: NDArray[np.float64]) -> pl.DataFrame:
    """One row of each key, all at the same time."""
    return pl.DataFrame({"t": np.full(len(keys), time), "key": keys, "v": values})


def fitted(keys: pl.Series, rng: np.random.Generator) -> SeriesPipeline:
    """A pipeline that has seen a few rows of each key."""
    rows = pl.concat([frame_of(keys, time, rng.normal(size=len(keys))) for time in range(TRAINED)])
    return SeriesPipeline("ewma", contamination=0.001).fit(rows, timestamp="t", key="key", columns=["v"])


def pipeline_is_the_same(keys: pl.Series, rng: np.random.Generator) -> bool:
    """Whether verdicts on some keys are those of a detector for each of them, bit for bit."""
    rows = [rng.standard_t(2, size=len(keys)) for _ in range(TRAINED + 10)]
    frame = pl.concat([frame_of(keys, time, values) for time, values in enumerate(rows)])
    start = TRAINED * len(keys)
    pipeline = SeriesPipeline("ewma", contamination=0.001).fit(frame[:start], timestamp="t", key="key", columns=["v"])
    score = pipeline.detect(frame[start:]).score.reshape(10, len(keys))
    line = pipeline.learned_.shared.calibrator.line(pipeline.alpha_)
    own = {key.replace("%2F", "/") for key in pipeline.learned_.models}
    few = [k for k, key in enumerate(keys.to_list()) if key not in own]
    alone = [
        EWMA()
        .fit(Series.of([row[k] for row in rows[:TRAINED]]))
        .advance(Series.of([row[k] for row in rows[TRAINED:]], start=TRAINED), line)
        for k in few
    ]
    return np.array_equal(score[:, few], np.array([one.score for one in alone]).T)


def measure_pipeline(report: Report, keys: pl.Series, order: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Points a second and bytes a key, end to end."""
    pipeline = fitted(keys, rng)
    rows = frame_of(keys[order], TRAINED, rng.normal(size=KEYS))
    seconds = cpu_seconds({"detect": lambda: pipeline.detect(rows), "update": lambda: pipeline.update(rows)}, 7)
    same = pipeline_is_the_same(names(40), rng)
    check = f"verdicts {'as' if same else 'NOT as'} from a detector for each key, bit for bit"
    for verb, needed in seconds.items():
        rate = KEYS / needed / 1e6
        shown = f"{rate:.2f} million points a CPU second"
        report.add(f"SeriesPipeline.{verb}", shown, ">= 1 million", holds=rate >= 1.0 and same, check=check)
    size = sum(array.nbytes for array in pipeline.state()[1].values()) / KEYS
    report.add("memory of a key in the pipeline", f"{size:.0f} B", "<= 1,000 B", holds=size <= 1000)


def main() -> int:
    """Measure and print."""
    given = arguments(__doc__)
    rng, report = np.random.default_rng(0), Report("Many keys")
    keys, charts, peer = names(KEYS), Charts(SPAN), {}
    order = rng.permutation(KEYS)
    mixed, values = keys[order], rng.normal(size=KEYS)
    as_list, as_floats = mixed.to_list(), values.tolist()
    charts.advance(keys, values)
    peer_advance(peer, keys.to_list(), as_floats)
    seconds = cpu_seconds(
        {"ours": lambda: charts.advance(mixed, values), "river": lambda: peer_advance(peer, as_list, as_floats)}, 5
    )
    apart = farthest_levels(rng)
    same = same_as_detectors(names(40), rng.standard_t(2, size=(100, 40)))
    check = f"levels at most {apart:.1e} of river's; {'as' if same else 'NOT as'} a detector for each key, bit for bit"
    report.ratio("100,000 keys, one point each", seconds, "ours", "river", at_least=1, check=check)
    rate = KEYS / seconds["ours"] / 1e6
    report.add("points a CPU second", f"{rate:.2f} million", ">= 1 million", holds=rate >= 1.0, check=check)
    mine, theirs = charts.nbytes / KEYS, reachable_bytes(peer) / KEYS
    report.add("memory of a key", f"{mine:.0f} B (river {theirs:.0f} B)", "<= 1,000 B", holds=mine <= 1000)
    report.add("levels and detectors", f"{apart:.1e}", "<= 1e-9, the same", holds=apart <= 1e-9 and same)
    measure_pipeline(report, keys, order, rng)
    return report.publish(given.json)


if __name__ == "__main__":
    sys.exit(main())
