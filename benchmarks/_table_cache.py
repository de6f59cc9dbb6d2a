"""What ``tables.py`` has measured before: one line a measurement, found again by what it was measured on and with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import anomaly_detection


@dataclass(frozen=True, slots=True)
class Measured:
    """How well one algorithm ranked the rows of one table, and the CPU seconds it took; ``failed`` says why it did not.

    An algorithm that fails ranks no row above another: AUROC 0.5, and as average precision the share of anomalies.
    """

    auroc: float
    precision: float
    seconds: float
    failed: str = ""


class Cache:
    """Measurements in ``FOLDER/measured.jsonl``; each is on disk before the next one starts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "measured.jsonl"
        self._found: dict[str, Measured] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                values = json.loads(line)
                key = values.pop("key")
                self._found[key] = Measured(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> Measured:
        return self._found[key]

    def __setitem__(self, key: str, measured: Measured) -> None:
        self._found[key] = measured
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **asdict(measured)}) + "\n")


def key_of(*parts: str) -> str:
    """A key that changes with any of its parts.

    >>> key_of("a", "b") == key_of("a", "b") != key_of("ab")
    True
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def our_version() -> str:
    """A digest of this package's code from records to scores: what was measured with another one is measured again."""
    root = Path(anomaly_detection.__file__).parent
    files = sorted([*root.glob("*.py"), *(root / "features").rglob("*.py"), *(root / "detectors").rglob("*.py")])
    return key_of(*(path.read_text(encoding="utf-8") for path in files))
