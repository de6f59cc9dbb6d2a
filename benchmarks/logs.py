"""Anomalies in logs: how well they are found, and how fast lines are judged.

    python benchmarks/logs.py [--data FOLDER] [--json FILE]

Quality needs the sets of logs in FOLDER and, beside it, ``eval/logs_data.py``, which cuts them: the first half trains
without labels, the second half tests. Sessions are judged by ``SessionPipeline``, lines by ``LogPipeline``. The bars
are means over the sets.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments, duration

# isort: split

import numpy as np
import polars as pl

from anomaly_detection.logs import LogPipeline, SessionPipeline

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ALPHA = 0.02
BARS = {"session": (0.83, 0.66), "line": (0.80, 0.53)}
LEVELS = {"WARNING": "WARN", "FATAL": "CRITICAL", "SEVERE": "ERROR", "FAILURE": "CRITICAL"}
LINES = 50_000


def main() -> int:
    """Measure quality where there is data, and speed."""
    given = arguments(__doc__)
    report = Report("Anomalies in logs")
    if given.data is None:
        print("Quality is left out: it needs labelled logs, --data FOLDER.")
    else:
        quality(report, given.data)
    speed(report)
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


def speed(report: Report) -> None:
    """Training, a batch, and one line."""
    lines = traffic(LINES)
    LogPipeline(contamination=ALPHA).fit(lines[:5_000]).detect(lines[:5_000])
    began = time.process_time()
    pipeline = LogPipeline(contamination=ALPHA).fit(lines)
    seconds = time.process_time() - began
    report.add(f"fit, {LINES:,} lines", duration(seconds), "<= 2 s", holds=seconds <= 2.0)
    began = time.process_time()
    pipeline.detect(lines)
    each = (time.process_time() - began) / LINES
    report.add("detect, a line of a batch", f"{duration(each)}, {1 / each:,.0f} lines/s", "none set", holds=True)
    records = lines[:3_000].to_dicts()
    taken = np.array([one_line(pipeline, record) for record in records]) / 1e9
    middle, slow = np.quantile(taken, (0.5, 0.99))
    holds = bool(middle <= 150e-6 and slow <= 500e-6)
    report.add("detect_one", f"p50 {duration(middle)}, p99 {duration(slow)}", "<= 150 µs, <= 500 µs", holds=holds)
    pipeline.forget()
    size = sum(array.nbytes for array in pipeline.state()[1].values()) / 1e6
    report.add("model", f"{size:.2f} MB", "<= 1 MB", holds=size <= 1.0)


def one_line(pipeline: LogPipeline, record: dict[str, Any]) -> int:
    """Nanoseconds for one verdict."""
    began = time.perf_counter_ns()
    pipeline.detect_one(record)
    return time.perf_counter_ns() - began


def traffic(n: int) -> pl.DataFrame:
    """n lines of 50 services with 12 templates."""
    rng = np.random.default_rng(0)
    words = ("accepted", "queued", "stored", "sent", "read", "closed")
    texts = [f"{verb} {what} {{}} in {{}} ms" for verb in words for what in ("order", "message")]
    chosen, numbers = rng.integers(0, len(texts), n), rng.integers(1, 5_000, (n, 2))
    return pl.DataFrame(
        {
            "time": np.cumsum(rng.exponential(20_000, n)).astype(np.int64),
            "level": rng.choice(["INFO", "WARN", "ERROR"], n, p=[0.94, 0.05, 0.01]),
            "service": [f"service-{i}" for i in rng.integers(0, 50, n)],
            "message": [texts[k].format(a, b) for k, (a, b) in zip(chosen, numbers.tolist(), strict=True)],
            "response_time": rng.gamma(2, 40, n),
            "status_code": rng.choice([200, 404, 500], n, p=[0.97, 0.02, 0.01]),
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


if __name__ == "__main__":
    sys.exit(main())
