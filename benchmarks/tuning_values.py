"""By what can a setting be chosen without labels? Several values of a trial, held against labels they never saw.

    python benchmarks/tuning_values.py --data FOLDER [--json FILE]

The tables are those of ``tuning.py``. For each algorithm the defaults and six random points of its search space are
measured in rounds. Each way of making one number of that chooses a point, or the defaults where nothing is better by
0.01. Then the pipelines are fitted on all rows and rank them; the labels say how well.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments

# isort: split

import numpy as np

from anomaly_detection.evaluation.inject import kinds_for
from anomaly_detection.evaluation.rounds import Rounds, quality
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.scorer import Scorer
from anomaly_detection.workflows.fitting import Fitting, blank_pipeline
from anomaly_detection.workflows.search_space import defaults_of, space_of
from anomaly_detection.workflows.trials import Wanted
from tuning import MEASURES, labelled_tables

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.records import Schema

ALGORITHMS = ("isolation_forest", "knn", "hbos", "pca", "lof", "mad")
POINTS = 6
MARGIN = 0.01
EVERY = ("extreme", "local", "cluster", "dependency", "category", "missing")

VALUES: dict[str, tuple[tuple[str, ...], float]] = {
    "AUROC, every kind": (EVERY, 0.0),
    "AUROC, dependency": (("dependency",), 0.0),
    "AUROC, local": (("local",), 0.0),
    "AUROC, missing": (("missing",), 0.0),
    "AUROC, extreme, cluster, category": (("extreme", "cluster", "category"), 0.0),
    "stability": (EVERY, 1.0),
    "half AUROC, every kind, half stability": (EVERY, 0.5),
    "half AUROC, extreme, cluster, category, half stability": (("extreme", "cluster", "category"), 0.5),
}
"""What a value is made of: the kinds whose AUROC is averaged, and the weight of the stability beside it."""


def main() -> int:
    """Let every value choose within each algorithm, and among all of them."""
    given = arguments(__doc__)
    report = Report("What to tune by without labels")
    if given.data is None:
        print("Left out: it needs labelled tables, --data FOLDER (make bench DATA=folder).")
        return 2
    tables = [found_on(*table) for table in labelled_tables(given.data)]
    check = f"{len(tables)} tables, {len(ALGORITHMS)} algorithms, {POINTS + 1} settings each"
    for name, value in VALUES.items():
        within = np.mean([change(table[one], value) for table in tables for one in ALGORITHMS], axis=0)
        among = np.mean([change([x for one in ALGORITHMS for x in table[one]], value) for table in tables], axis=0)
        words = f"within an algorithm {shown(within)}; among all {shown(among)}"
        report.add(name, words, "none set", holds=True, check=check)
    return report.publish(given.json)


def shown(change: NDArray[np.float64]) -> str:
    """The mean change of both measures."""
    return f"AUROC {change[0]:+.3f}, AP {change[1]:+.3f}"


Found = tuple[dict[str, float], "NDArray[np.float64]"]
"""What the rounds say about a setting, and what the labels say."""


def found_on(name: str, frame: pl.DataFrame, labels: NDArray[np.bool_]) -> dict[str, list[Found]]:
    """Every setting of every algorithm on one table, the defaults first."""
    schema = infer_schema(frame)
    rounds = Rounds(frame, schema, kinds=kinds_for(frame, schema))
    print(name, file=sys.stderr)
    return {
        algorithm: [_found(point, rounds, frame, schema, labels) for point in points(algorithm)]
        for algorithm in ALGORITHMS
    }


def _found(
    point: dict[str, Any], rounds: Rounds, frame: pl.DataFrame, schema: Schema, labels: NDArray[np.bool_]
) -> Found:
    pipeline = blank_pipeline(Wanted(Fitting()).at(point))
    parts = [rounds.run(pipeline, one).parts for one in rounds.each]
    scores = _scorer(pipeline).fit(frame, schema).score(frame)
    truth = np.array([quality(labels, scores, measure) for measure in MEASURES])
    return {name: float(np.mean([one[name] for one in parts])) for name in parts[0]}, truth


def _scorer(pipeline: Pipeline) -> Scorer:
    return Scorer(pipeline.detector.clone(), pipeline.scaling, pipeline.transforms)


def points(algorithm: str) -> list[dict[str, Any]]:
    """The defaults and some random points of an algorithm's space."""
    draw = Random(np.random.default_rng(0))
    drawn = [{name: one.draw(draw, name) for name, one in space_of(algorithm).items()} for _ in range(POINTS)]
    return [{"algorithm": algorithm, **point} for point in (defaults_of(algorithm), *drawn)]


class Random:
    """Draws at random, as the first trials of a search do."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def suggest_float(self, _: str, low: float, high: float, *, log: bool = False) -> float:
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))) if log else self.rng.uniform(low, high))

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return round(self.suggest_float(name, low, high, log=log))

    def suggest_categorical(self, _: str, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]


def change(settings: list[Found], value: tuple[tuple[str, ...], float]) -> NDArray[np.float64]:
    """What AUROC and average precision gain against the first setting, which are the defaults."""
    kinds, weight = value
    values = []
    for parts, _ in settings:
        known = [parts[kind] for kind in kinds if kind in parts] or [parts["stability"]]
        values.append((1.0 - weight) * float(np.mean(known)) + weight * parts["stability"])
    best = int(np.argmax(values))
    return settings[best][1] - settings[0][1] if values[best] > values[0] + MARGIN else np.zeros(2)


if __name__ == "__main__":
    sys.exit(main())
