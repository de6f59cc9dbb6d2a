"""Lines of logs to typed columns: JSON lines against Python's json and Polars, access logs against Python's re.

python benchmarks/log_decoders.py [--json FILE]
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import Any

from _timing import Report, arguments, cpu_seconds, duration

# isort: split

import polars as pl

from anomaly_detection.sources.logs import LogFormat, LogReader, decode_lines, decode_one
from anomaly_detection.sources.logs.generated import generate_logs, lines_of

LINES = 200_000
ACCESS = re.compile(
    r'(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)
NAMES = ["time", "level", "service", "message", "session", "response_time", "status_code"]


def main() -> int:
    """Decode the same lines by several ways, and compare the columns."""
    given = arguments(__doc__)
    report = Report("Lines of logs to columns")
    log = generate_logs(LINES, services=8, hours=96, seed=1)
    json_lines(report, log)
    access_logs(report, log)
    single(report, log)
    return report.publish(given.json)


def json_lines(report: Report, log: pl.DataFrame) -> None:
    """Seven fields a line."""
    text = "\n".join(lines_of(log, "json")).encode()
    found = decode_lines(text.split(b"\n")[:1000]).format
    runs = {
        "ours": lambda: ours(found, text),
        "Python's json": lambda: by_json(text),
        "polars.read_ndjson": lambda: by_polars(text),
    }
    same = all(run().equals(log.select(NAMES)) for run in runs.values())
    check = "equal columns" if same else "DIFFERENT columns"
    seconds = cpu_seconds(runs, rounds=5)
    report.ratio("JSON lines", seconds, "ours", "Python's json", at_least=4 if same else 1e9, check=check)
    report.ratio("JSON lines", seconds, "ours", "polars.read_ndjson", at_least=0, check=check)
    speed = LINES / seconds["ours"]
    report.add("JSON lines/CPU-s", f"{speed:,.0f}", ">= 1,000,000", holds=same and speed >= 1e6, check=check)


def access_logs(report: Report, log: pl.DataFrame) -> None:
    """The combined format."""
    stamp = pl.col("time").dt.to_string("%d/%b/%Y:%H:%M:%S +0000")
    status, agent = pl.col("status_code").fill_null(200), "Mozilla/5.0 (X11; Linux x86_64)"
    pattern = '10.0.0.1 - - [{}] "GET /{} HTTP/1.1" {} 512 "-" "' + agent + '"'
    lines = log.select(line=pl.format(pattern, stamp, "service", status)).to_series().to_list()
    text = "\n".join(lines).encode()
    found = decode_lines(lines[:1000]).format
    runs = {"ours": lambda: ours(found, text), "Python's re": lambda: by_re(text)}
    peer = runs["Python's re"]()
    same = runs["ours"]().select(peer.columns).equals(peer)
    seconds = cpu_seconds(runs, rounds=5)
    report.ratio(
        "access logs",
        seconds,
        "ours",
        "Python's re",
        at_least=2,
        check="equal columns" if same else "DIFFERENT columns",
    )


def single(report: Report, log: pl.DataFrame) -> None:
    """One dict."""
    records = [json.loads(line) for line in lines_of(log.head(2000), "json")]
    same = [decode_one(record) for record in records] == log.head(2000).select(NAMES).to_dicts()
    seconds = cpu_seconds({"ours": lambda: [decode_one(record) for record in records]})["ours"] / len(records)
    check = "equal to the batch" if same else "DIFFERS from the batch"
    report.add("one dict", duration(seconds), "<= 50 µs", holds=same and seconds <= 50e-6, check=check)


def ours(log_format: LogFormat, text: bytes) -> pl.DataFrame:
    """The reader of log files, in blocks of 4 MiB."""
    reader = LogReader(log_format)
    blocks = [reader.feed(text[at : at + (4 << 20)]) for at in range(0, len(text), 4 << 20)]
    frame = pl.concat([*blocks, reader.finish()])
    return frame.select(name for name in NAMES if name in frame.columns)


def by_json(text: bytes) -> pl.DataFrame:
    """Line by line."""
    columns: dict[str, list[Any]] = {name: [] for name in NAMES}
    for line in text.split(b"\n"):
        record = json.loads(line)
        columns["time"].append(datetime.fromisoformat(record["timestamp"]))
        for name in NAMES[1:]:
            columns[name].append(record.get(name))
    return pl.DataFrame(columns, schema_overrides={"time": pl.Datetime("us", "UTC")})


def by_polars(text: bytes) -> pl.DataFrame:
    """With a schema; it drops nothing here, and would fail at the first line that is broken."""
    kinds = {"response_time": pl.Float64, "status_code": pl.Int64}
    frame = pl.read_ndjson(
        text, schema={"timestamp": pl.String, **{name: kinds.get(name, pl.String) for name in NAMES[1:]}}
    )
    time = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    return frame.select(time.alias("time"), *NAMES[1:])


def by_re(text: bytes) -> pl.DataFrame:
    """Line by line."""
    times, requests, statuses = [], [], []
    for line in text.decode().split("\n"):
        found = ACCESS.match(line)
        if found is not None:
            times.append(datetime.strptime(found[4], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC))
            requests.append(found[5])
            statuses.append(int(found[6]))
    columns = {"time": times, "message": requests, "status_code": statuses}
    return pl.DataFrame(columns, schema_overrides={"time": pl.Datetime("us", "UTC")})


if __name__ == "__main__":
    sys.exit(main())
