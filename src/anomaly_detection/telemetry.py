"""Every metric of the service, declared once; ``GET /metrics`` shows them to Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

METRICS = CollectorRegistry()

REQUESTS = Counter(
    "anomaly_detection_requests_total", "Requests answered.", ("method", "route", "status"), registry=METRICS
)
REQUEST_SECONDS = Histogram(
    "anomaly_detection_request_seconds",
    "From the last byte of a request to the first of its answer.",
    ("route",),
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=METRICS,
)
RECORDS = Counter("anomaly_detection_records_total", "Records that were judged.", ("model",), registry=METRICS)
ALARMS = Counter(
    "anomaly_detection_alarms_total", "Records above the alarm line.", ("model", "severity"), registry=METRICS
)
JOBS = Counter("anomaly_detection_jobs_total", "Jobs that ended.", ("kind", "state"), registry=METRICS)
JOBS_WAITING = Gauge("anomaly_detection_jobs_waiting", "Jobs that wait for a worker.", registry=METRICS)
REFUSED = Counter(
    "anomaly_detection_refused_total", "Requests refused before any work was done.", ("reason",), registry=METRICS
)
