"""Bytes of a log to verdicts: against pandas and scikit-learn on the same 78 columns; one line, few lines, memory.

    python benchmarks/log_speed.py [--json FILE]

2,000,000 JSON lines are read, turned into features and judged by all methods, in one thread. The peer
(``_log_peer.py``) takes a part of them in each of some rounds, beside ours; the fastest round of either is compared,
per line. Memory is that of fresh processes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments, duration

# isort: split

import numpy as np

from _log_peer import NAME, Peer, table_of
from _log_traffic import traffic
from anomaly_detection.features.logs import LogFeatures
from anomaly_detection.logs import LogPipeline
from anomaly_detection.sources.logs import LogReader, decode_lines
from anomaly_detection.sources.logs.generated import generate_logs, lines_of

if TYPE_CHECKING:
    import polars as pl

    from anomaly_detection.sources.logs import LogFormat

PARTS, LINES, TRAIN = 10, 200_000, 50_000
PEER_LINES, ROUNDS = 100_000, 5
BLOCK = 4 << 20
ALPHA = 0.01


def main() -> int:
    """Measure all of it."""
    given = arguments(__doc__)
    report = Report("Bytes of a log to verdicts")
    streams(report)
    pipeline = training(report)
    singles(report, pipeline)
    with tempfile.TemporaryDirectory() as folder:
        save(pipeline, Path(folder))
        memory(report, folder)
    return report.publish(given.json)


def part(k: int) -> pl.DataFrame:
    """The k-th part of a log of eight services."""
    log = generate_logs(LINES, services=8, hours=96, seed=k)
    return log.with_columns(time=log["time"] + timedelta(hours=96 * k))


def bytes_of(log: pl.DataFrame) -> bytes:
    """JSON lines."""
    return "\n".join(lines_of(log, "json")).encode() + b"\n"


def streams(report: Report) -> None:
    """All lines by ours, some by the peer, and their features."""
    train = part(0)[:TRAIN]
    pipeline = LogPipeline(contamination=ALPHA).fit(train)
    peer = Peer().fit(bytes_of(train).splitlines())
    log_format = decode_lines(bytes_of(train).split(b"\n")[:1000]).format
    ours(pipeline, log_format, bytes_of(train))
    mine, theirs = [], []
    for k in range(PARTS):
        data = bytes_of(part(k))
        mine.append(ours(pipeline, log_format, data)[0] / LINES)
        if k < ROUNDS:
            some = b"".join(data.splitlines(keepends=True)[:PEER_LINES])
            theirs.append(timed(lambda text=some: peer.detect(text.splitlines())) / PEER_LINES)
    each = {"ours": min(mine[:ROUNDS]), NAME: min(theirs)}
    same = equal_features(peer, train, part(1)[:20_000])
    what = f"bytes to verdicts, a line (fastest of {ROUNDS} rounds of {LINES:,} lines; the peer {PEER_LINES:,})"
    report.ratio(what, each, "ours", NAME, at_least=6, check=same)
    speed, mean = 1 / each["ours"], PARTS / sum(mine)
    chunks = equal_chunks(pipeline, log_format, bytes_of(train))
    shown = f"{speed:,.0f}; {mean:,.0f} over all {PARTS} parts"
    report.add("bytes to verdicts, lines/CPU-s", shown, ">= 300,000", holds=speed >= 3e5, check=chunks)


def ours(pipeline: LogPipeline, log_format: LogFormat, data: bytes, block: int = BLOCK) -> tuple[float, Any]:
    """CPU seconds from bytes to verdicts, and the scores."""
    began = time.process_time()
    reader = LogReader(log_format)
    found = [pipeline.detect(reader.feed(data[at : at + block])).score for at in range(0, len(data), block)]
    found.append(pipeline.detect(reader.finish()).score)
    return time.process_time() - began, np.concatenate(found)


def timed(run: Any, *given: Any) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    run(*given)
    return time.process_time() - began


def equal_features(peer: Peer, train: pl.DataFrame, log: pl.DataFrame) -> str:
    """Both make the same columns of the same lines."""
    features = LogFeatures().fit(train)
    mine = features.transform(log, features.windows())
    table = peer.features(table_of(bytes_of(log).splitlines()))
    terms = [name.removeprefix("tfidf_") for name in features.features_.names[28:]]
    both = [
        28 + list(peer.terms.get_feature_names_out()).index(term) for term in terms if term in peer.terms.vocabulary_
    ]
    same_terms = len(both) == len(terms)
    off = np.abs(mine - table)[:, : None if same_terms else 28]
    missing = bool((np.isnan(mine) == np.isnan(table)).all())
    worst = float(np.nanmax(off / (1 + np.abs(mine[:, : off.shape[1]]))))
    told = "equal" if missing and same_terms and worst < 1e-3 else "DIFFER"
    return f"78 columns of {len(log):,} lines {told} ({worst:.0e})"


def equal_chunks(pipeline: LogPipeline, log_format: LogFormat, data: bytes) -> str:
    """The same bytes in blocks of another size have the same scores."""
    found = []
    for block in (BLOCK, 77_777):
        pipeline.forget()
        found.append(ours(pipeline, log_format, data, block)[1])
    return "in other blocks " + ("the same bits" if np.array_equal(*found) else "OTHER bits")


def training(report: Report) -> LogPipeline:
    """Fit on the 78 features of 50,000 lines."""
    lines = traffic(TRAIN)
    LogPipeline(contamination=ALPHA).fit(lines[:5_000]).detect(lines[:5_000])
    pipeline = LogPipeline(contamination=ALPHA)
    seconds = timed(pipeline.fit, lines)
    report.add(f"fit, {TRAIN:,} lines", duration(seconds), "<= 2 s", holds=seconds <= 2.0)
    size = sum(array.nbytes for array in pipeline.state()[1].values()) / 1e6
    report.add("model", f"{size:.2f} MB", "<= 1 MB", holds=size <= 1.0)
    return pipeline


def singles(report: Report, pipeline: LogPipeline) -> None:
    """One line as a dict, and a hundred in a frame."""
    lines = traffic(TRAIN + 10_000)[TRAIN:]
    result, taken = pipeline.detect(lines[:4_000]).score.tolist(), []
    pipeline.forget()
    scores = []
    for record in lines[:4_000].to_dicts():
        began = time.thread_time_ns()
        scores.append(pipeline.detect_one(record).score)
        taken.append((time.thread_time_ns() - began) / 1e9)
    middle, slow = np.quantile(taken, (0.5, 0.99))
    holds = bool(middle <= 150e-6 and slow <= 500e-6)
    check = "equal to the batch, bit for bit" if scores == result else "DIFFERS from the batch"
    shown = f"p50 {duration(middle)}, p99 {duration(slow)}"
    report.add("one dict to its verdict", shown, "<= 150 µs, <= 500 µs", holds=holds and scores == result, check=check)
    hundreds = [lines[at : at + 100] for at in range(4_000, 10_000, 100)]
    each = statistics.median(timed(pipeline.detect, frame) for frame in hundreds)
    report.add("100 lines to verdicts", duration(each), "<= 2 ms", holds=each <= 2e-3)


def save(pipeline: LogPipeline, folder: Path) -> None:
    """A model as files."""
    spec, arrays = pipeline.state()
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    np.savez(folder / "arrays.npz", **arrays)


def memory(report: Report, folder: str) -> None:
    """Resident memory of a process that has loaded the model, and of one in which ever new services come."""
    script = Path(__file__).with_name("_log_memory.py")
    done = subprocess.run([sys.executable, script, folder], capture_output=True, check=True)
    found = json.loads(done.stdout)
    grown = (found["serving"] - found["imported"]) / 2**20
    check = f"{found['imported'] / 2**20:,.0f} MiB when imported"
    what = "memory of a loaded model and 50 services, above the import"
    report.add(what, f"{grown:,.0f} MiB", "<= 150 MiB", holds=grown <= 150, check=check)
    grown = (found["many"] - found["some"]) / 2**20
    check = f"state of {found['state_some']:,} bytes before and {found['state_many']:,} after"
    holds = grown <= 20 and found["state_many"] <= 2_000_000
    report.add(
        "memory grown from 20,000 services to 1,000,000", f"{grown:,.1f} MiB", "<= 20 MiB", holds=holds, check=check
    )


if __name__ == "__main__":
    sys.exit(main())
