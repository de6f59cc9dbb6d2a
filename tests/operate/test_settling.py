"""Memory that only the start needed."""

from __future__ import annotations

import gc
import subprocess
import sys

from anomaly_detection.server import settling
from anomaly_detection.server.settling import unchanged

PROGRAM = """
import gc
from pathlib import Path
import llvmlite.binding, numba, polars
from anomaly_detection.server.settling import MAPS, give_back, settle_down

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

@numba.njit
def added(a, b):
    return a + b

added(1, 2)
before = resident()
assert give_back(MAPS.read_text().splitlines()) > 50e6
assert resident() < before - 20e6, (before, resident())
assert added(1, 2) == 3
assert added(1.5, 2.0) == 3.5
assert polars.DataFrame({"a": [1, 2]}).sum().item() == 3
settle_down()
assert gc.isenabled() and gc.get_freeze_count() > 100_000
"""


def test_what_was_given_back_comes_back_when_it_is_needed():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_system_that_does_not_tell_keeps_its_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(settling, "MAPS", tmp_path / "smaps")
    frozen = gc.get_freeze_count()
    try:
        settling.settle_down()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_what_this_process_has_written_stays():
    maps = [
        "1000-2000 rw-p 00000000 00:00 0 /lib/libllvmlite.so",
        "Anonymous:             0 kB",
        "2000-3000 r--p 00000000 00:00 0 /lib/libllvmlite.so",
        "Anonymous:             4 kB",
        "3000-4000 r-xp 00000000 00:00 0 [vdso]",
        "Anonymous:             0 kB",
        "4000-5000 r--p 00000000 00:00 0 /lib/libllvmlite.so",
        "Anonymous:             0 kB",
    ]
    assert list(unchanged(maps)) == [(0x4000, 0x5000)]
