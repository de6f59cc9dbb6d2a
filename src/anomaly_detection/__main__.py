"""``python -m anomaly_detection``: the command line where the program is not on the path."""

from __future__ import annotations

from anomaly_detection.cli import main

if __name__ == "__main__":
    main()
