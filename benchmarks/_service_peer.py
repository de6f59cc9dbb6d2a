"""What a user of FastAPI and scikit-learn writes to judge log entries over HTTP: 78 columns and an isolation forest.

python benchmarks/_service_peer.py PORT

Windows need a memory and are left empty, which is in its favour; so is that one entry is a row of NumPy, not a table of
pandas.
"""

from __future__ import annotations

import math
import re
import sys
from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer

from anomaly_detection.sources.logs.generated import generate_logs

MASKED = re.compile(r"\w*\d\w*")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
SERVICES, TERMS, COLUMNS = 10, 50, 78


class Entry(BaseModel):
    """A log entry."""

    timestamp: datetime
    level: str
    service: str
    message: str
    response_time: float | None = None
    status_code: int | None = None


class Judge:
    """The model, fitted on a generated log."""

    def __init__(self) -> None:
        frame = generate_logs(4_000, anomaly_share=0.0, seed=1).rename({"time": "timestamp"})
        entries = [Entry.model_construct(**row) for row in frame.to_dicts()]
        self.services = sorted({entry.service for entry in entries})[:SERVICES]
        self.terms = TfidfVectorizer(ngram_range=(1, 2), max_features=TERMS, min_df=2, max_df=0.8)
        self.terms.fit([MASKED.sub("<*>", entry.message) for entry in entries])
        self.forest = IsolationForest(n_estimators=100, random_state=0).fit(self.features(entries))

    def judge(self, entries: list[Entry]) -> list[dict[str, Any]]:
        """Verdicts."""
        scores = self.forest.decision_function(self.features(entries))
        return [{"is_anomaly": bool(score < 0), "anomaly_score": float(0.5 - score)} for score in scores]

    def features(self, entries: list[Entry]) -> np.ndarray:
        """(n, 78) float32."""
        out = np.zeros((len(entries), COLUMNS), np.float32)
        for row, entry in zip(out, entries, strict=True):
            hour = 2 * math.pi * (entry.timestamp.hour + entry.timestamp.minute / 60) / 24
            day = 2 * math.pi * entry.timestamp.weekday() / 7
            row[:6] = (
                entry.response_time or 0.0, entry.status_code or 0, math.sin(hour), math.cos(hour), math.sin(day),
                math.cos(day),
            )  # fmt: skip
            if entry.level in LEVELS:
                row[8 + LEVELS.index(entry.level)] = 1.0
            if entry.service in self.services:
                row[13 + self.services.index(entry.service)] = 1.0
        words = self.terms.transform([MASKED.sub("<*>", entry.message) for entry in entries])
        out[:, 28 : 28 + words.shape[1]] = words.toarray()
        return out


def create() -> FastAPI:
    """The service."""
    app, judge = FastAPI(), Judge()

    @app.post("/detect")
    async def detect(entry: Entry) -> dict[str, Any]:
        return judge.judge([entry])[0]

    @app.post("/detect-many")
    async def detect_many(entries: list[Entry]) -> list[dict[str, Any]]:
        return judge.judge(entries)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    uvicorn.run(create(), port=int(sys.argv[1]), log_level="warning")
