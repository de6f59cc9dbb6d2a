"""Stumpy in an interpreter of its own: prints the CPU seconds of one warm run, and writes what it found.

The benchmark that starts it has set numeric libraries to one thread.

python _stumpy_peer.py VALUES.npy FOUND.npz WINDOW
"""

from __future__ import annotations

import sys
import time

import numpy as np
import stumpy

values, window = np.load(sys.argv[1]), int(sys.argv[3])
stumpy.stump(values[:1_000], window)
start = time.process_time()
profile = stumpy.stump(values, window)
print(time.process_time() - start)
columns = {name: profile[:, k].astype(np.int64) for k, name in enumerate(("place", "left", "right"), start=1)}
np.savez(sys.argv[2], distance=profile[:, 0].astype(float), **columns)
