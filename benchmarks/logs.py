"""Anomalies in logs: how well they are found (how fast is in ``log_speed.py``).

    python benchmarks/logs.py [--data FOLDER] [--labels] [--json FILE]

Generated logs (10 % of the lines in incidents of ten kinds) need nothing: their quiet first part trains, or, in a row
of its own, the first half of a log with incidents from the start. The bars are means over the seeds, at an alarm line
of 1 %. Quality on labelled logs needs the sets in FOLDER and, beside it, ``eval/logs_data.py``, which cuts them: the
first half trains without labels, the second half tests. Sessions are judged by ``SessionPipeline``, lines by
``LogPipeline``. The bars are means over the sets. With ``--labels``, what a classifier reaches that learns from the
labels of four fifths of the tested sessions, and judges the last fifth: how much of the labels the templates tell.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from _timing import Report, options

# isort: split

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_detection.evaluation import evaluate
from anomaly_detection.features.templates import TemplateMiner
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.sources.logs.generated import generate_logs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ALPHA = 0.02
BARS = {"session": (0.83, 0.66), "line": (0.80, 0.53)}
LEVELS = {"WARNING": "WARN", "FATAL": "CRITICAL", "SEVERE": "ERROR", "FAILURE": "CRITICAL"}
LINES = 50_000
SEEDS = (1, 2, 3, 4, 5)
GENERATED_ALPHA, QUIET = 0.01, 0.3
MORE = ("precision", "recall", "f1", "false_positive_rate")
GENERATED_BARS = {"auroc": 0.97, "precision": 0.90, "recall": 0.85, "f1": 0.87, "false_positive_rate": 0.02}


def main() -> int:
    """Measure quality: on generated logs, and where there is data."""
    parser = options(__doc__)
    parser.add_argument("--labels", action="store_true", help="also what a classifier of sessions reaches with labels")
    given = parser.parse_args()
    report = Report("Anomalies in logs")
    if given.data is None:
        print("Quality is left out: it needs labelled logs, --data FOLDER.")
    else:
        quality(report, given.data)
        if given.labels:
            with_labels(report, given.data)
    generated(report)
    return report.publish(given.json)


def quality(report: Report, folder: Path) -> None:
    """AUROC and average precision on each set, and their means."""
    cutting = module(folder.parent / "eval" / "logs_data.py")
    found: dict[str, list[tuple[float, float]]] = {level: [] for level in BARS}
    for case in cutting.cases(folder):
        train, test = (frame_of(cutting.ordered(case, units)) for units in (case.train, case.test))
        scores, alarms = (of_sessions if case.level == "session" else of_lines)(train, test, case.test)
        told = cutting.metrics(case.y, scores, scores)
        found[case.level].append((told["auroc"], told["ap"]))
        shown = (
            f"AUROC {told['auroc']:.3f}, AP {told['ap']:.3f}, alarms on normal ones {alarms[case.y == 0].mean():.4f}"
        )
        report.add(f"{case.level}s, set {len(found[case.level])}", shown, "none set", holds=True)
    for level, (auroc, ap) in BARS.items():
        means = np.mean(found[level], axis=0)
        shown = f"AUROC {means[0]:.3f}, AP {means[1]:.3f}"
        holds = bool(means[0] >= auroc and means[1] >= ap)
        report.add(f"{level}s, mean of {len(found[level])} sets", shown, f">= {auroc} and >= {ap}", holds=holds)


def with_labels(report: Report, folder: Path) -> None:
    """What the order of templates tells of the labels of tested sessions, by a classifier that sees most of them."""
    cutting, found = module(folder.parent / "eval" / "logs_data.py"), []
    for case in cutting.cases(folder):
        if case.level != "session":
            continue
        counts = grams(cutting.ordered(case, case.test), case.test)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000))
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        said = cross_val_predict(classifier, counts, case.y, cv=folds, method="predict_proba")[:, 1]
        found.append((roc_auc_score(case.y, said), average_precision_score(case.y, said)))
        shown = f"AUROC {found[-1][0]:.3f}, AP {found[-1][1]:.3f}"
        report.add(f"sessions, set {len(found)}, a classifier with labels", shown, "none set", holds=True)
    auroc, precision = np.mean(found, axis=0)
    shown = f"AUROC {auroc:.3f}, AP {precision:.3f}"
    report.add(f"sessions, mean of {len(found)} sets, a classifier with labels", shown, "none set", holds=True)


def grams(lines: Any, units: list[Any]) -> NDArray[np.float64]:
    """How often each run of one to four templates comes in each session."""
    names = lines["event"] if "event" in lines else TemplateMiner().update(lines["message"].tolist())
    said = lines.assign(template=[f"t{name}" for name in names]).groupby("unit", sort=False)["template"].agg(" ".join)
    texts = [f"begin {said[unit]} end" for unit in units]
    counter = CountVectorizer(ngram_range=(1, 4), token_pattern=r"\S+", min_df=2)
    counts: NDArray[np.float64] = counter.fit_transform(texts).toarray().astype(np.float64)
    return counts


def generated(report: Report) -> None:
    """AUROC, and what an alarm line of 1 % gives; trained on quiet lines, and on lines with incidents."""
    quiet = np.mean([of_generated(seed, QUIET, QUIET) for seed in SEEDS], axis=0)
    for (name, bar), value in zip(GENERATED_BARS.items(), quiet, strict=True):
        fewer = name == "false_positive_rate"
        holds = bool(value <= bar if fewer else value >= bar)
        report.add(f"generated, {name}", f"{value:.3f}", f"{'<=' if fewer else '>='} {bar}", holds=holds)
    mixed = np.mean([of_generated(seed, 0.0, 0.5) for seed in SEEDS], axis=0)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in zip(GENERATED_BARS, mixed, strict=True))
    report.add("generated, 10 % incidents in training", shown, "none set", holds=True)
    sessions = np.mean([of_generated_sessions(seed) for seed in SEEDS], axis=0)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in zip(("auroc", "ap", *MORE), sessions, strict=True))
    report.add("generated, sessions with anomalous lines", shown, "none set", holds=True)


def of_generated(seed: int, quiet: float, share: float) -> tuple[float, ...]:
    """The measures of GENERATED_BARS; the first share of the lines, or those before the first incident, train."""
    log = generate_logs(LINES, seed=seed, quiet_share=quiet)
    labels = log["label"].to_numpy()
    rows = min(int(share * LINES), int(labels.argmax())) if quiet else int(share * LINES)
    lines, labels = log.drop("label", "kind"), labels[rows:]
    result = LogPipeline(contamination=GENERATED_ALPHA).fit(lines[:rows]).detect(lines[rows:])
    told = evaluate(labels, result.score, result.is_anomaly, bootstrap=0)
    return tuple(getattr(told, name) for name in GENERATED_BARS)


def of_generated_sessions(seed: int) -> tuple[float, ...]:
    """AUROC, average precision and MORE of sessions; one with an anomalous line is anomalous."""
    log = generate_logs(LINES, seed=seed, quiet_share=QUIET)
    rows = min(int(QUIET * LINES), int(log["label"].to_numpy().argmax()))
    lines = log.drop("label", "kind")
    result = SessionPipeline(contamination=GENERATED_ALPHA).fit(lines[:rows]).detect(lines[rows:])
    odd = log[rows:].drop_nulls("session").group_by("session").agg(pl.col("label").any())
    labels = result.key.to_frame().join(odd, on="session", maintain_order="left")["label"].to_numpy()
    told = evaluate(labels, result.score, result.is_anomaly, bootstrap=0)
    return tuple(getattr(told, name) for name in ("auroc", "average_precision", *MORE))


def module(path: Path) -> Any:
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def frame_of(lines: Any) -> pl.DataFrame:
    """Lines of a set as the log sources make them."""
    times = [None if time != time else time.to_pydatetime() for time in lines["timestamp"]]  # noqa: PLR0124  NaT
    levels = [LEVELS.get(str(level).upper(), str(level).upper()) for level in lines["level"]]
    return pl.DataFrame(
        {
            "time": pl.Series(times, dtype=pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "level": levels,
            "service": pl.Series([name or None for name in lines["component"].fillna("")], dtype=pl.String),
            "message": lines["message"].tolist(),
            "unit": lines["unit"].astype(str).tolist(),
        }
    )


def of_sessions(train: pl.DataFrame, test: pl.DataFrame, units: list[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The score of each session, and whether it raises an alarm."""
    result = SessionPipeline(contamination=ALPHA, session="unit").fit(train).detect(test)
    place = {key: i for i, key in enumerate(result.key.to_list() if result.key is not None else [])}
    order = np.array([place[str(unit)] for unit in units])
    return result.score[order], result.is_anomaly[order]


def of_lines(train: pl.DataFrame, test: pl.DataFrame, units: list[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The score of each line, and whether it raises an alarm."""
    result = LogPipeline(contamination=ALPHA).fit(train).detect(test)
    if len(result) != len(units):
        raise ValueError(f"{len(result)} verdicts for {len(units)} lines")
    return result.score, result.is_anomaly


if __name__ == "__main__":
    sys.exit(main())
