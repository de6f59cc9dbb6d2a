"""How well does every algorithm find the labelled anomalies of real tables, and how long does it take?

    python benchmarks/tables.py --data FOLDER [--json FILE] [--cache FOLDER] [--picture FILE] [--only NAME ...]

FOLDER holds ``manifest.csv`` (columns ``kind, family, rows, features, file``) and Parquet files of features and a
``label``. Every algorithm has its defaults and one seed for all tables, and never sees a label.

- Rows that were learned from: a whole table is fitted on and scored.
- New rows: half of the normal rows are fitted on; the other half and all anomalies are scored.

Ours get the columns as they are, through the feature step of a pipeline, whose time counts. PyOD's get numbers,
standardised, and the time of making them does not count. Nor does calibration, which PyOD does not have.

What was measured is kept below ``--cache``: PyOD's until one of its packages changes, ours until our code changes; CPU
seconds are then those of that time. ``--only`` measures some algorithms and tells of those that are known.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from _timing import Report, duration, options

# isort: split

import numpy as np

from _table_cache import Cache, Measured, key_of, our_version
from _table_peers import PEERS
from _table_picture import Point, drawing
from _table_tasks import OURS, PROTOCOLS, Table, labelled_tables, measurements, our_scores, task_of
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

ROOT = Path(__file__).resolve().parent.parent
NAMES = (*OURS, *PEERS)
LEAST = {"auroc": 0.81, "precision": 0.39}
MARGINS = {("own", "auroc"): 0.03, ("own", "precision"): 0.02, ("new", "auroc"): 0.02, ("new", "precision"): None}
SHOWN = {"auroc": "AUROC", "precision": "AP"}


class Means(NamedTuple):
    """Of one algorithm under one protocol: means over the tables, all CPU seconds, how many tables it failed on."""

    auroc: float
    precision: float
    seconds: float
    failed: int
    each: list[Measured]


Found = dict[str, dict[str, Means]]
"""By protocol and name."""


def main() -> int:
    """Measure what is asked for and not known yet; tell of the algorithms that were measured on all tables."""
    given = arguments()
    if given.data is None:
        print("Left out: it needs labelled tables, --data FOLDER (make bench DATA=folder).")
        return 2
    tables = list(labelled_tables(given.data))
    found = measure(tables, Cache(given.cache), given.only)
    report = Report("Real tables", below=listed(found, len(tables)))
    if not all({"auto", *PEERS} <= known.keys() for known in found.values()):
        print(report.below, "Without auto and all of PyOD's there is nothing to hold against a bar.", sep="\n\n")
        return 2
    add_bars(report, found, tables)
    if all(len(known) == len(NAMES) for known in found.values()):
        picture = drawing({PROTOCOLS[one]: points(known) for one, known in found.items()}, len(tables))
        given.picture.write_text(picture, encoding="utf-8")
    return report.publish(given.json)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "tables", help="where measurements are kept")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "assets" / "tables.svg", help="SVG to write")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="measure only these")
    return parser.parse_args()


def measure(tables: list[Table], cache: Cache, only: tuple[str, ...]) -> Found:
    """Measure what is not in the cache, the smallest tables first, and take the means of what is complete."""
    ours = our_version()
    keys: dict[str, dict[str, list[str]]] = {protocol: {name: [] for name in NAMES} for protocol in PROTOCOLS}
    for place, table in enumerate(tables, 1):
        for protocol, known in keys.items():
            for name, all_keys in known.items():
                all_keys.append(key_of(protocol, name, table.digest, PEERS[name].version if name in PEERS else ours))
            wanted = [name for name in only if known[name][-1] not in cache]
            about = f"table {place} of {len(tables)}, {len(table.frame):,} x {table.frame.width}, {protocol}"
            for name, one in measurements(wanted, task_of(table, protocol)):
                cache[known[name][-1]] = one
                print(f"{about}: {name} {words(one)}", file=sys.stderr, flush=True)
    return {
        protocol: {
            name: means([cache[key] for key in all_keys])
            for name, all_keys in known.items()
            if all(key in cache for key in all_keys)
        }
        for protocol, known in keys.items()
    }


def words(one: Measured) -> str:
    """One measurement, for the progress."""
    return one.failed or f"AUROC {one.auroc:.3f}, AP {one.precision:.3f}, {duration(one.seconds)}"


def means(each: list[Measured]) -> Means:
    """One algorithm over all tables."""
    auroc, precision, seconds = np.mean([(one.auroc, one.precision, one.seconds) for one in each], axis=0)
    return Means(auroc, precision, seconds * len(each), sum(bool(one.failed) for one in each), each)


def add_bars(report: Report, found: Found, tables: list[Table]) -> None:
    """What is promised of ``auto`` and of all of ours."""
    same = sum(equals_pipeline(table) for table in tables[:3])
    for measure_name, least in LEAST.items():
        value = getattr(found["own"]["auto"], measure_name)
        check = f"{len(tables)} tables; a pipeline gives the same scores on {same} of 3"
        what = f"auto, {PROTOCOLS['own']}: {SHOWN[measure_name]}"
        report.add(what, f"{value:.3f}", f">= {least}", holds=value >= least and same == 3, check=check)
    for (protocol, measure_name), least in MARGINS.items():
        add_margin(report, found[protocol], f"auto, {PROTOCOLS[protocol]}: {SHOWN[measure_name]}", measure_name, least)
    failed = sum(known[name].failed for known in found.values() for name in OURS if name in known)
    report.add("tables that one of ours fails on", str(failed), "0", holds=not failed)


def add_margin(report: Report, known: dict[str, Means], what: str, measure_name: str, least: float | None) -> None:
    """How far ``auto`` is above the best single detector of PyOD; beside it, the best of our own others."""
    value = {name: getattr(one, measure_name) for name, one in known.items()}
    best = max(PEERS, key=value.__getitem__)
    own = max((name for name in OURS if name in known and name != "auto"), key=value.__getitem__, default="auto")
    pairs = zip(known["auto"].each, known[best].each, strict=True)
    better = sum(getattr(one, measure_name) > getattr(other, measure_name) for one, other in pairs)
    margin = value["auto"] - value[best]
    told = f"{value['auto']:.3f}, {margin:+.3f} over {shown(best)} ({value[best]:.3f})"
    check = f"better on {better} of {len(known[best].each)}; our best other one: {own} ({value[own]:.3f})"
    bar = "none set" if least is None else f">= best single PyOD + {least}"
    report.add(f"{what}, against PyOD", told, bar, holds=least is None or margin >= least, check=check)


def equals_pipeline(table: Table) -> bool:
    """Whether what is measured here is what a user gets from a pipeline."""
    return np.array_equal(Pipeline("auto").fit_detect(table.frame).score, our_scores("auto", task_of(table, "own"))[0])


def shown(name: str) -> str:
    """An algorithm's name in tables and pictures."""
    return PEERS[name].shown if name in PEERS else name


def points(known: dict[str, Means]) -> list[Point]:
    """What the picture shows."""
    return [Point(shown(name), name in OURS, one.seconds, one.auroc, one.precision) for name, one in known.items()]


def listed(found: Found, n_tables: int) -> str:
    """The means of every algorithm, the best first."""
    own, new = found["own"], found["new"]
    complete = sorted(own.keys() & new.keys(), key=lambda name: -own[name].auroc)
    rows = [f"| {named(name, own[name], new[name])} | {cells(own[name])} | {cells(new[name])} |" for name in complete]
    head = "| algorithm |" + "".join(f" AUROC, {one} | AP | CPU |" for one in PROTOCOLS.values())
    return "\n".join([BELOW.format(n_tables=n_tables), "", head, "|---|---|---|---|---|---|---|", *rows])


def named(name: str, own: Means, new: Means) -> str:
    """The name of an algorithm, and what has to be known about its row."""
    most = PEERS[name].most_rows if name in PEERS else None
    sampled = f"fitted on at most {most:,} rows" if most else ""
    failed = f"failed on {own.failed} and {new.failed} tables" if own.failed or new.failed else ""
    remarks = ", ".join(filter(None, (sampled, failed)))
    bold = "**" if name == "auto" else ""
    return f"{bold}{shown(name)}{bold}{f' ({remarks})' if remarks else ''}"


def cells(one: Means) -> str:
    """Three cells."""
    return f"{one.auroc:.3f} | {one.precision:.3f} | {one.seconds:.1f} s"


BELOW = """\
Means over {n_tables} labelled tables, and the CPU seconds of all of them together for features, fitting and scoring;
calibration, which PyOD does not have, and making numbers of its columns are not counted. Every algorithm has its
defaults and one seed for all tables. Where one fails, it ranks no row above another. PyOD's other detectors need
further packages or take too long on the larger tables. `make bench BENCH=tables DATA=folder` measures it all again."""

if __name__ == "__main__":
    sys.exit(main())
