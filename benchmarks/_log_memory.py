"""Resident memory of a fresh process that judges log lines.

    python benchmarks/_log_memory.py FOLDER

FOLDER has a model as ``log_speed.py`` saves it. Prints bytes, as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import numpy as np
import psutil

from _log_traffic import traffic
from anomaly_detection.logs import LogPipeline

SERVICES, CHUNK, SOME = 1_000_000, 20_000, 20_000


def resident() -> int:
    """Bytes."""
    gc.collect()
    found: int = psutil.Process().memory_info().rss
    return found


def held(pipeline: LogPipeline) -> int:
    """Bytes of all that is learned and remembered."""
    return sum(array.nbytes for array in pipeline.state()[1].values())


def main() -> None:
    """Load, judge lines of fifty services, then those of a million."""
    imported = resident()
    folder = Path(sys.argv[1])
    arrays = dict(np.load(folder / "arrays.npz"))
    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    pipeline = LogPipeline.from_state(spec, arrays)
    lines = traffic(CHUNK)
    for record in lines[:1_000].to_dicts():
        pipeline.detect_one(record)
    for at in range(1_000, CHUNK, 1_000):
        pipeline.detect(lines[at : at + 1_000])
    told = {"imported": imported, "serving": resident()}
    for first in range(0, SERVICES, CHUNK):
        names = [f"instance-{first + i}" for i in range(CHUNK)]
        pipeline.detect(lines.with_columns(service=np.array(names)))
        if first + CHUNK == SOME:
            told |= {"some": resident(), "state_some": held(pipeline)}
    print(json.dumps({**told, "many": resident(), "state_many": held(pipeline)}))


main()
