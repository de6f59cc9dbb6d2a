"""The matrix profile against stumpy, all at once and point by point.

    python benchmarks/matrix_profile.py [--stumpy PYTHON] [--json FILE]

Distances and places of all windows of 20,000 points, 100 rows each, on one thread. Stumpy runs in the interpreter that
``--stumpy`` names, turn by turn with ours, on the same numbers; without it, it is left out.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds, duration  # first: it keeps numeric libraries on one thread

# isort: split
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from anomaly_detection.features.series.matrix_profile import matrix_profile
from anomaly_detection.features.series.row_profile import RowProfile

POINTS, WINDOW, REMEMBERED, ROUNDS = 20_000, 100, 5_000, 5
AT_LEAST = 3.0


def walk() -> np.ndarray:
    """A wave on a random walk."""
    rng = np.random.default_rng(1)
    return np.cumsum(rng.standard_normal(POINTS)) * 0.1 + np.sin(np.arange(POINTS) / 30)


def against_stumpy(report: Report, python: str, values: np.ndarray) -> None:
    """CPU seconds of both, turn by turn, and whether they agree."""
    profile = matrix_profile(values, WINDOW)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "values.npy"), Path(folder, "profile.npz")
        np.save(given, values)
        script = Path(__file__).with_name("_stumpy_peer.py")
        for _ in range(ROUNDS):
            ours.append(cpu_seconds({"ours": lambda: matrix_profile(values, WINDOW)}, rounds=1)["ours"])
            done = subprocess.run([python, script, given, found, str(WINDOW)], capture_output=True, check=True)
            theirs.append(float(done.stdout))
        peer = np.load(found)
    away = float(np.abs(profile.distance - peer["distance"]).max())
    places = {"place": profile.place, "left": profile.left_place, "right": profile.right_place}
    different = sum(int((mine != peer[name]).sum()) for name, mine in places.items())
    seconds = {"ours": statistics.median(ours), "stumpy.stump": statistics.median(theirs)}
    check = f"distances within {away:.0e}; {different} of {3 * len(peer['place']):,} places differ"
    bar = AT_LEAST if away < 1e-6 and not different else np.inf
    report.ratio(f"{POINTS:,} points, m = {WINDOW}", seconds, "ours", "stumpy.stump", at_least=bar, check=check)


def point_by_point(report: Report, values: np.ndarray) -> None:
    """A point that is compared with the latest windows, and remembered."""
    memory = RowProfile.empty(WINDOW, REMEMBERED)
    memory.advance(values[:10_000])
    seconds = cpu_seconds({"ours": lambda: memory.advance(values[10_000:11_000])})["ours"] / 1_000
    whole, _ = RowProfile.empty(WINDOW, POINTS).advance(values[:4_000])
    expected = matrix_profile(values[:4_000], WINDOW).left
    away = float(np.nanmax(np.abs(np.sqrt(2 * WINDOW * whole[WINDOW - 1 :]) - expected)))
    check = f"the left profile within {away:.0e}"
    report.add(
        f"one point against {REMEMBERED:,} windows", duration(seconds), "none set", holds=away < 1e-6, check=check
    )


def main() -> int:
    """Measure, and hold against the bar."""
    given = arguments(__doc__, peer="stumpy")
    report, values = Report("Matrix profile"), walk()
    if given.stumpy:
        against_stumpy(report, given.stumpy, values)
    point_by_point(report, values)
    return report.publish(given.json)


if __name__ == "__main__":
    sys.exit(main())
