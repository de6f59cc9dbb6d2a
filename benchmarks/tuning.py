"""Does tuning without labels help? The defaults against what is registered, on real tables whose labels it never sees.

    python benchmarks/tuning.py --data FOLDER [--json FILE]

FOLDER holds ``manifest.csv`` (columns ``kind, rows, file``) and Parquet files of features and a ``label``. Of each
table with at least 200 rows and at most 70 features, 1,000 rows are drawn at random and tuned for each algorithm with
injected anomalies and 15 trials. Then both pipelines are fitted on these rows and rank them; the labels say how well.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _timing import Report, arguments

# isort: split

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.evaluation.rounds import quality
from anomaly_detection.workflows.fitting import Fitting, blank_pipeline
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.tune import TuneRequest, tune

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline

ALGORITHMS = ("isolation_forest", "knn", "hbos", "lof")
FEWEST_ROWS, MOST_FEATURES = 200, 70
MOST_ROWS = 1_000
TRIALS = 15
MEASURES = ("auroc", "average_precision")


def main() -> int:
    """Measure every algorithm; on average over all of them tuning must not make it worse."""
    given = arguments(__doc__)
    report = Report("Tuning without labels")
    if given.data is None:
        print("Left out: it needs labelled tables, --data FOLDER (make bench DATA=folder).")
        return 2
    tables = list(labelled_tables(given.data))
    changes = {algorithm: np.array([change(algorithm, *table) for table in tables]) for algorithm in ALGORITHMS}
    for algorithm, found in changes.items():
        report.add(algorithm, words(found), "none set", holds=True)
    together = np.concatenate(list(changes.values()))
    check = f"{len(tables)} tables, {TRIALS} trials each"
    report.add("all", words(together), "not worse on average", holds=together.mean(axis=0).min() >= 0, check=check)
    return report.publish(given.json)


def words(found: NDArray[np.float64]) -> str:
    """The mean change of both measures, and on how many tables it was one for better or worse."""
    auroc, precision = found.mean(axis=0)
    better, worse = int((found[:, 0] > 0).sum()), int((found[:, 0] < 0).sum())
    same = len(found) - better - worse
    return f"AUROC {auroc:+.3f}, AP {precision:+.3f}; {better} better, {worse} worse, {same} kept the defaults"


def labelled_tables(folder: Path) -> Iterator[tuple[str, pl.DataFrame, NDArray[np.bool_]]]:
    """Name, features and labels of each table of a fitting size."""
    manifest = pl.read_csv(folder / "manifest.csv")
    wanted = manifest.filter((pl.col("kind") == "tabular") & (pl.col("rows") >= FEWEST_ROWS))
    for name in wanted["file"]:
        frame = pl.read_parquet(folder / name)
        frame = frame[np.sort(np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS])]
        columns = [column for column in frame.columns if column.startswith("f") and column[1:].isdigit()]
        if frame["label"].sum() >= 5 and len(columns) <= MOST_FEATURES:
            yield Path(name).stem, frame.select(columns), frame["label"].to_numpy() == 1


def change(algorithm: str, name: str, frame: pl.DataFrame, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What AUROC and average precision gain by tuning."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.parquet"
        frame.write_parquet(data)
        request = TuneRequest(
            Reading(str(data)),
            "m",
            registry=Path(folder) / "registry",
            study=Path(folder) / "study.jsonl",
            algorithms=(algorithm,),
            trials=TRIALS,
        )
        try:
            tuned = tune(request).pipeline
        except InputError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return np.zeros(2)
    defaults = blank_pipeline(Fitting(algorithm)).fit(frame)
    gained = measured(tuned, frame, labels) - measured(defaults, frame, labels)
    print(f"{name}, {algorithm}: {gained.round(3)}", file=sys.stderr)
    return gained


def measured(pipeline: Pipeline, frame: pl.DataFrame, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How well a pipeline ranks the rows it was fitted on."""
    scores = pipeline.score(frame)
    return np.array([quality(labels, scores, measure) for measure in MEASURES])


if __name__ == "__main__":
    sys.exit(main())
