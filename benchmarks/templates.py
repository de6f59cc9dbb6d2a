"""Templates of log lines: grouping accuracy, and lines per CPU second against Drain3 with masks.

    python benchmarks/templates.py [--data FOLDER] [--drain3 PYTHON] [--json FILE]

With ``--data``, the grouping is judged on the sets of the family ``log_parsing``, one setting for all, by two measures:
GA is the share of lines whose group is exactly the true one (Zhu et al., ICSE-SEIP 2019), FGA the F1 of exact groups
(Jiang et al., ISSTA 2024); and speed on the sets of lines of the family ``logs``. Without it, speed is measured on
lines made here.

Drain3 pins packages that do not go together with ours, so it runs in an interpreter of its own, which ``--drain3``
names; without it, it is left out. Both take turns in one run, and start with nothing learned. Drain3 gets four masks
as its users write them: hexadecimal numbers, addresses, paths, numbers.
"""

from __future__ import annotations

from _timing import Report, arguments  # first: it keeps numeric libraries on one thread

# isort: split
import csv
import json
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.templates import TemplateMiner, mine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 3
MASKS = [
    (
        (
            r"(?<![A-Za-z0-9])([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|0x[0-9a-fA-F]+"
            r"|(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{6,})(?![A-Za-z0-9])"
        ),
        "HEX",
    ),
    (r"(?<![A-Za-z0-9.])/?\d{1,3}(\.\d{1,3}){3}(:\d+)?(?![A-Za-z0-9.])", "IP"),
    (r"(?<![\w/.])(/[\w.@%+~-]+){2,}/?", "PATH"),
    (r"(?<![A-Za-z0-9])[-+]?\d+(\.\d+)?(?![A-Za-z0-9])", "NUM"),
]


def sets(data: Path, family: str, kind: str) -> Iterator[pl.DataFrame]:
    """The tables of one family and kind."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            if row["family"] == family and row["kind"] == kind:
                yield pl.read_parquet(data / row["file"])


def accuracy(found: Sequence[int], true: Sequence[str]) -> tuple[float, float]:
    """GA and FGA."""
    sizes, true_sizes, pairs = Counter(found), Counter(true), Counter(zip(found, true, strict=True))
    exact = [n for (a, b), n in pairs.items() if n == sizes[a] == true_sizes[b]]
    precision, recall = len(exact) / len(sizes), len(exact) / len(true_sizes)
    return sum(exact) / len(true), 2 * precision * recall / max(precision + recall, 1e-12)


def judge(report: Report, data: Path) -> None:
    """Grouping on labelled sets: their messages without the header, and whole lines."""
    for column, bars in (("content", (0.86, 0.88)), ("message", (0.0, 0.0))):
        found = [
            accuracy(mine(table[column])[0].tolist(), table["event_id"].to_list())
            for table in sets(data, "log_parsing", "log_parsing")
        ]
        what = "messages" if column == "content" else "whole lines, header included"
        for name, values, bar in zip(("GA", "FGA"), np.transpose(found), bars, strict=True):
            mean = float(np.mean(values))
            shown = f"{mean:.3f} (halves {np.mean(values[::2]):.3f} and {np.mean(values[1::2]):.3f})"
            text = f">= {bar}" if bar else "none set"
            report.add(f"{name}, {what}, mean of {len(values)} sets", shown, text, holds=mean >= bar)


def made_lines(n: int = 20_000) -> pl.Series:
    """Lines of a service that is made up: ten statements with addresses, ids, sizes and times."""
    rng = np.random.default_rng(0)
    statements = (
        "{t} INFO net.Server: connection from 10.0.{a}.{b}:{c} accepted in {a} ms",
        "{t} INFO store.Block: block blk_{c}{a} of size {c} written to /data/{a}/current/blk_{c}",
        "{t} WARN store.Block: slow write of {b}.{a} KB to node{a}.rack{b}.example.org took {c} ms",
        "{t} INFO api.Handler: [req-{c:08x}-{a:04x}] GET /v2/items/{c}?limit={a} status: 200 len: {c} time: 0.{b}",
        "{t} ERROR jobs.Runner: job {c} of user{a} failed with exit code {b}",
        "{t} INFO jobs.Runner: job {c} of user{a} finished",
        "{t} DEBUG cache.Table: evicted {a} entries, {b} left, epoch 0x{c:x}",
        "{t} INFO auth.Session: session {c:032x} opened for uid={a}",
        "{t} INFO auth.Session: session {c:032x} closed",
        "{t} WARN net.Server: peer 10.0.{a}.{b} did not answer within {b} seconds, retrying",
    )
    which, numbers = rng.integers(0, 10, n), rng.integers(1, 250, (n, 3))
    return pl.Series(
        statements[k].format(
            t=f"2026-01-01T00:{i // 600 % 60:02}:{i // 10 % 60:02}.{i % 1000:03}Z", a=a, b=b, c=c * 7919
        )
        for i, (k, (a, b, c)) in enumerate(zip(which.tolist(), numbers.tolist(), strict=True))
    )


def peer_run(python: str, messages: pl.Series) -> tuple[float, int]:
    """CPU seconds of Drain3, and how many clusters it finds."""
    with tempfile.TemporaryDirectory() as folder:
        lines, masks = Path(folder, "messages.json"), Path(folder, "masks.json")
        lines.write_text(json.dumps(messages.to_list()), encoding="utf-8")
        masks.write_text(json.dumps(MASKS), encoding="utf-8")
        script = Path(__file__).with_name("_drain3_peer.py")
        done = subprocess.run([python, script, lines, masks], capture_output=True, check=True)
    answer = json.loads(done.stdout)
    return answer["seconds"], len(set(answer["clusters"]))


def our_run(messages: pl.Series) -> tuple[float, int]:
    """The same for ours."""
    miner = TemplateMiner()
    start = time.process_time()
    ids = miner.update(messages)
    seconds = time.process_time() - start
    return seconds, len(np.unique(miner.canonical(ids)))


def time_lines(report: Report, messages: pl.Series, python: str | None) -> None:
    """Lines per CPU second, masks included."""
    our_run(messages)
    turns = [(our_run(messages), peer_run(python, messages) if python else None) for _ in range(ROUNDS)]
    seconds = statistics.median(ours[0] for ours, _ in turns)
    same = (TemplateMiner().update(messages) == np.concatenate(in_parts(messages))).all()
    check = f"in blocks of 777 lines the same ids: {'yes' if same else 'NO'}; {turns[0][0][1]} templates"
    what = f"masks and mining, {len(messages):,} lines of {messages.str.len_bytes().mean():.0f} bytes"
    if python is None:
        rate = f"{len(messages) / seconds:,.0f} lines per CPU second"
        report.add(what, rate, "none set", holds=bool(same), check=check)
        return
    peer = statistics.median(theirs[0] for _, theirs in turns if theirs)
    rates = f"{len(messages) / seconds:,.0f} against {len(messages) / peer:,.0f} lines/s"
    shown = f"{peer / seconds:.1f}x Drain3 with masks ({rates})"
    report.add(
        what, shown, ">= 20x", holds=bool(same) and peer >= 20 * seconds, check=f"{check}, Drain3 {turns[0][1][1]}"
    )


def in_parts(messages: pl.Series) -> list[np.ndarray]:
    """The ids of the same lines, in parts."""
    miner = TemplateMiner()
    return [miner.update(messages.slice(i, 777)) for i in range(0, len(messages), 777)]


def main() -> int:
    """Run all and print the table."""
    given = arguments(__doc__, peer="drain3")
    report = Report("Log templates")
    tables = [made_lines()]
    if given.data is not None:
        judge(report, given.data)
        tables += [table["message"].fill_null("") for table in sets(given.data, "logs", "log_lines")]
    for messages in tables:
        time_lines(report, messages, given.drain3)
    return report.publish(given.json)


if __name__ == "__main__":
    raise SystemExit(main())
