"""Do explanations name what carries a score, do the changes they propose work, and how long does one row take?

    python benchmarks/explanations.py [--data FOLDER] [--json FILE]

FOLDER holds ``manifest.csv`` (columns ``kind, family, file``) and Parquet files of features and a ``label``. Each table
(at most 4,000 rows of it) is fitted on and judged; ``auto`` also learns from half of the normal rows and judges the
others. A few of the flagged rows are explained, and a few of the labelled anomalies that score above the typical row.

- Deletion: the share of a score's excess over the typical score that is gone when the three named columns have normal
  values, the best that the normal rows of the model offer. SHAP's sampling explainer gets the same normal rows and at
  least as many scorings as ours took; its three columns get the best normal values, too. Beside it the most that any
  three columns remove (a search with some twenty times the scorings), and the share of the excess over the alarm line.
  The excess over the typical score has no bar of 0.80 for flagged rows: no three columns of theirs remove that much.
- Changes: the proposed values are put into the record as the user knows it, and it is judged again.
- One row of 20 columns against SHAP's tree explainer on scikit-learn's isolation forest.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments, cpu_seconds

# isort: split

import numpy as np
import polars as pl
import shap
from sklearn.ensemble import IsolationForest

from anomaly_detection.explain.effort import Effort
from anomaly_detection.explain.repairs import Repair, search
from anomaly_detection.explain.shapley import contributions
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background
    from anomaly_detection.explain.counterfactuals import Counterfactual
    from anomaly_detection.results import Result

ALGORITHMS = ("auto", "isolation_forest", "ecod", "hbos", "knn", "lof", "pca")
FAMILIES = ("tabular", "tabular_categorical", "fraud_network")
MOST_ROWS, ANOMALIES, NAMED = 4_000, 3, 3
WIDE = Effort(tried=300, kept=10, alone=20, shares=14, leaders=16, together=256, finals=4)
"""How far the search for the best three columns looks."""


@dataclass(slots=True)
class Counted:
    """Scores native rows and counts them."""

    pipeline: Pipeline
    scorings: int = 0

    def __call__(self, X: NDArray[Any]) -> NDArray[np.float64]:
        rows = np.ascontiguousarray(X, dtype=np.float32)
        self.scorings += len(rows)
        return self.pipeline.scorer_.score_native(rows)


@dataclass(frozen=True, slots=True)
class Judged:
    """A table and the verdicts on its rows.

    Parameters
    ----------
    line : the highest score that raises no alarm.
    """

    pipeline: Pipeline
    frame: pl.DataFrame
    is_labelled: NDArray[np.bool_]
    scores: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]
    alpha: float
    line: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One anomaly: shares of the excess that are gone, CPU seconds, and whether the proposed change works."""

    ours: float
    theirs: float
    best: float
    over_line: float
    seconds: float
    their_seconds: float
    flips: bool | None
    changed: int


def main() -> int:
    """Measure every algorithm on every table, and one row."""
    given = arguments(__doc__)
    report = Report("Explanations")
    one_row(report)
    if given.data is None:
        print("The deletion test and the changes are left out: they need labelled tables, --data FOLDER.")
        return report.publish(given.json)
    frames = list(tables(given.data))
    for name, judge in [("auto, new rows", new_rows), *((name, partial(own_rows, name)) for name in ALGORITHMS)]:
        found = [explained(judge(*frame)) for frame in frames]
        flagged, labelled = ([one for some in part for one in some] for part in zip(*found, strict=True))
        deletion(report, f"{name}, flagged", flagged)
        deletion(report, f"{name}, labelled", labelled)
        changes(report, name, [one for one in (*flagged, *labelled) if one.flips is not None])
    return report.publish(given.json)


def tables(folder: Path) -> Iterator[tuple[pl.DataFrame, NDArray[np.bool_]]]:
    """The features of each table and which rows are labelled anomalies; at most so many rows."""
    manifest = pl.read_csv(folder / "manifest.csv")
    chosen = manifest.filter((pl.col("kind") == "tabular") & pl.col("family").is_in(FAMILIES))
    for name in chosen["file"]:
        frame = pl.read_parquet(folder / name)
        frame = frame[np.sort(np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS])]
        features = [column for column in frame.columns if column[0] == "f" and column[1:].isdigit()]
        yield frame.select(features), (frame["label"] == 1).to_numpy()


def own_rows(algorithm: str, frame: pl.DataFrame, is_labelled: NDArray[np.bool_]) -> Judged:
    """Fit on all rows and judge them."""
    pipeline = Pipeline(algorithm)
    return judged(pipeline, frame, is_labelled, pipeline.fit_detect(frame))


def new_rows(frame: pl.DataFrame, is_labelled: NDArray[np.bool_]) -> Judged:
    """Fit the default algorithm on half of the normal rows and judge all others."""
    normal = np.random.default_rng(1).permutation(np.flatnonzero(~is_labelled))
    learned = np.isin(np.arange(len(frame)), normal[: len(normal) // 2])
    pipeline = Pipeline("auto").fit(frame.filter(learned))
    rest = frame.filter(~learned)
    return judged(pipeline, rest, is_labelled[~learned], pipeline.detect(rest))


def judged(pipeline: Pipeline, frame: pl.DataFrame, is_labelled: NDArray[np.bool_], result: Result) -> Judged:
    """The verdicts on a frame."""
    line = float(np.max(result.score[~result.is_anomaly], initial=pipeline.background.typical))
    return Judged(pipeline, frame, is_labelled, result.score, result.is_anomaly, result.alpha, line)


def explained(table: Judged) -> tuple[list[Measured], list[Measured]]:
    """A few of the flagged rows of one table, and a few of the labelled ones that score above the typical row."""
    is_high = table.scores > table.pipeline.background.typical
    drawn = [
        np.random.default_rng(0).permutation(np.flatnonzero(some & is_high))[:ANOMALIES]
        for some in (table.is_anomaly, table.is_labelled)
    ]
    flagged, labelled = ([measured(table, int(row)) for row in rows] for rows in drawn)
    return flagged, labelled


def measured(table: Judged, row: int) -> Measured:
    """One anomaly, explained by us and by SHAP."""
    pipeline, record = table.pipeline, table.frame[[row]]
    background, score = pipeline.background, Counted(pipeline)
    began = time.process_time()
    explanation = pipeline.explain(record, alpha=table.alpha)[0]
    seconds = time.process_time() - began
    x = pipeline.scorer_.native(record)[0]
    start = Repair(float(score(x[None, :])[0]), x, {})
    parts = contributions(score, x[None, :], background.references, background.space)[0]
    search(score, start, background, parts, NAMED)
    began = time.process_time()
    theirs = shap_columns(score, background, x, budget=score.scorings)
    their_seconds = time.process_time() - began
    excess, ours = start.score - background.typical, explanation.removed or 0.0
    best = removed(search(score, start, background, parts, NAMED, effort=WIDE), start, excess)
    change = explanation.counterfactual
    return Measured(
        ours=ours,
        theirs=removed(search(score, start, background, parts, NAMED, theirs), start, excess),
        best=max(best, ours),
        over_line=min(1.0, ours * excess / (start.score - table.line)) if start.score > table.line else np.nan,
        seconds=seconds,
        their_seconds=their_seconds,
        flips=judged_normal(table, record, change) if table.is_anomaly[row] else None,
        changed=0 if change is None else len(change.changes),
    )


def shap_columns(score: Counted, background: Background, x: NDArray[np.float32], budget: int) -> list[int]:
    """The three columns to which SHAP's sampling explainer gives most."""
    data = np.concatenate([background.reference[None, :], background.rows]).astype(np.float64)
    explainer = shap.SamplingExplainer(score, data)
    np.random.seed(0)  # noqa: NPY002  SHAP draws from it
    samples = max(budget, 4 * len(x))
    values = explainer.shap_values(x.astype(np.float64), nsamples=samples, min_samples_per_feature=2, silent=True)
    by_column = np.bincount(background.column_of, weights=np.asarray(values).ravel())
    return [int(column) for column in np.argsort(-by_column)[:NAMED]]


def removed(repairs: list[Repair], start: Repair, excess: float) -> float:
    """The share of the excess that is gone with the best of them."""
    lowest = min([repair.score for repair in repairs], default=start.score)
    return min(1.0, (start.score - lowest) / excess)


def judged_normal(table: Judged, record: pl.DataFrame, found: Counterfactual | None) -> bool:
    """Whether the record raises no alarm with the proposed values in the user's own columns."""
    if found is None:
        return False
    pipeline = table.pipeline
    values = {**record.row(0, named=True), **{change.column: change.new for change in found.changes}}
    scores = pipeline.score(pl.DataFrame([values], schema=record.schema, strict=False))
    if pipeline.ranks_ is None:
        return bool(pipeline.calibrator_.p_value(scores)[0] > table.alpha)
    return bool(pipeline.ranks_[0].p_value(scores, table.alpha)[0] > table.alpha)


def deletion(report: Report, what: str, found: list[Measured]) -> None:
    """The medians over all anomalies."""
    ours, theirs, best, over_line, mine, shaps = (
        float(np.nanmedian([getattr(one, name) for one in found]))
        for name in ("ours", "theirs", "best", "over_line", "seconds", "their_seconds")
    )
    means = [float(np.mean([getattr(one, name) for one in found])) for name in ("ours", "theirs", "best")]
    labelled = what.endswith("labelled")
    report.add(
        f"{what}: excess over the typical score removed",
        f"{ours:.3f} (SHAP {theirs:.3f}, any three columns {best:.3f})",
        ">= 0.80; not below SHAP" if labelled else "not below SHAP",
        holds=ours >= max(0.8 if labelled else 0.0, theirs),
        check=f"{len(found)} anomalies, means {means[0]:.3f}, {means[1]:.3f} and {means[2]:.3f}; "
        f"{mine * 1e3:.1f} ms each, SHAP {shaps * 1e3:.1f} ms",
    )
    report.add(f"{what}: excess over the alarm line removed", f"{over_line:.3f}", ">= 0.80", holds=over_line >= 0.8)


def changes(report: Report, what: str, found: list[Measured]) -> None:
    """How many proposed changes work, and how many columns they change."""
    share = float(np.mean([one.flips for one in found]))
    columns = [one.changed for one in found if one.flips]
    report.add(
        f"{what}: changes that make the record normal",
        f"{share:.1%}; columns: median {np.median(columns):g}, 90 % {np.quantile(columns, 0.9):g}",
        ">= 99 %; median <= 2",
        holds=share >= 0.99 and bool(np.median(columns) <= 2),
    )


def one_row(report: Report) -> None:
    """One record of 20 columns, isolation forest, everything that is said about it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 20)).astype(np.float32)
    X[:200, :4] *= 5
    names = [f"c{i}" for i in range(20)]
    pipeline = Pipeline("isolation_forest").fit(pl.DataFrame(X, schema=names))
    forest = IsolationForest(n_estimators=100, random_state=0).fit(X)
    tree = shap.TreeExplainer(forest)
    odd = rng.normal(size=20).astype(np.float32)
    odd[[3, 8]] = 7, -6
    record = dict(zip(names, odd.tolist(), strict=True))
    seconds = cpu_seconds(
        {
            "ours": partial(pipeline.explain_record, record),
            "contributions": partial(pipeline.contributions, pl.DataFrame([record])),
            "SHAP's tree explainer": partial(tree.shap_values, odd[None, :]),
        },
        rounds=9,
        calls={"ours": 10, "contributions": 10, "SHAP's tree explainer": 3},
    )
    named = {reason.column for reason in pipeline.explain_record(record).reasons}
    both = {names[i] for i in np.argsort(tree.shap_values(odd[None, :])[0])[:2]}
    agree = f"both name {', '.join(sorted(both))}" if both <= named else f"we name {named}, SHAP {both}"
    report.ratio("contributions of one row", seconds, "contributions", "SHAP's tree explainer", at_least=0, check=agree)
    milliseconds = seconds["ours"] * 1e3
    what = "one row: contributions, named columns, removed share, change, sentences"
    report.add(what, f"{milliseconds:.2f} ms", "<= 5 ms", holds=milliseconds <= 5)


if __name__ == "__main__":
    sys.exit(main())
