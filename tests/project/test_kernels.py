"""Kernels compile wherever the package is put."""

import os
import subprocess
import sys

CODE = "from anomaly_detection import detect; print(detect([[float(i % 7), float(i % 11)] for i in range(60)], 'ecod'))"


def test_without_a_place_for_a_cache_everything_still_works():
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Result(")
