"""The demonstration: from a file to verdicts, to a registered model, to one record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.pipeline import silent
from anomaly_detection.workflows.detect import DetectOutcome, DetectRequest, detect_file
from anomaly_detection.workflows.models import TrainRequest, load_pipeline, train_model
from anomaly_detection.workflows.orders import orders
from anomaly_detection.workflows.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.explain.explanation import Explanation
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.results import Verdict

SUSPICIOUS: dict[str, Any] = {
    "created": "2026-03-02T03:12:00",
    "country": "NL",
    "channel": "web",
    "product": "desk",
    "quantity": 40,
    "unit_price": 2.5,
    "total": 100.0,
    "new_customer": True,
    "note": None,
}
"""An order that the demonstration scores by itself."""


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What the demonstration found."""

    data: Path
    outcome: DetectOutcome
    model: ModelVersion
    verdict: Verdict
    explanation: Explanation
    microseconds: float


def demonstrate(folder: Path, rows: int = 2_000, progress: Progress = silent) -> DemoOutcome:
    """Make orders with planted frauds in ``folder``, find them, register a model, score one order with it."""
    data = folder / "orders.csv"
    orders(rows).write_csv(data)
    reading = Reading(str(data), key="order_id", label="fraud")
    outcome = detect_file(DetectRequest(reading, output=folder / "verdicts.json", explain=True), progress)
    trained = train_model(TrainRequest(reading, name="orders", registry=folder / "registry"), progress)
    pipeline = load_pipeline("orders", folder / "registry")
    verdict = pipeline.detect_one(SUSPICIOUS)
    return DemoOutcome(data, outcome, trained.version, verdict, pipeline.explain_record(SUSPICIOUS), _time(pipeline))


def _time(pipeline: Any, repeats: int = 500) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        pipeline.detect_one(SUSPICIOUS)
    return (time.perf_counter() - began) / repeats * 1e6
