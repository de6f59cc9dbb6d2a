"""Every metric of the service, declared once; ``GET /metrics`` shows them to Prometheus.

Counters and histograms are counted where something happens. Gauges that stand for what is stored, such as waiting jobs,
are filled when somebody asks (``monitoring/gauges.py``), so that each process of a service says the same.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

METRICS = CollectorRegistry()
ProcessCollector(namespace="anomaly_detection", registry=METRICS)

QUICK = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter(
    "anomaly_detection_requests_total", "Requests answered.", ("method", "route", "status"), registry=METRICS
)
REQUEST_SECONDS = Histogram(
    "anomaly_detection_request_seconds",
    "From the last byte of a request to the first of its answer.",
    ("route",),
    buckets=QUICK,
    registry=METRICS,
)
REFUSED = Counter(
    "anomaly_detection_refused_total", "Requests refused before any work was done.", ("reason",), registry=METRICS
)
CONNECTIONS = Gauge("anomaly_detection_connections", "Connections that are open.", registry=METRICS)
CONNECTIONS_ENDED = Counter(
    "anomaly_detection_connections_ended_total",
    "Connections that the service ended because of what they did or did not send.",
    ("reason",),
    registry=METRICS,
)

RECORDS = Counter("anomaly_detection_records_total", "Records that were judged.", ("model",), registry=METRICS)
ALARMS = Counter(
    "anomaly_detection_alarms_total", "Records above the alarm line.", ("model", "severity"), registry=METRICS
)
SCORE_SECONDS = Histogram(
    "anomaly_detection_score_seconds",
    "How long the records of a request took to be judged.",
    ("model",),
    buckets=QUICK,
    registry=METRICS,
)
STREAMS = Gauge("anomaly_detection_streams", "Live streams that are open.", ("model",), registry=METRICS)

JOBS = Gauge(
    "anomaly_detection_jobs",
    "Jobs by state; those that ended until they are deleted.",
    ("kind", "state"),
    registry=METRICS,
)
JOBS_WAITING = Gauge("anomaly_detection_jobs_waiting", "Jobs that wait for a worker.", registry=METRICS)
JOBS_OLDEST_SECONDS = Gauge(
    "anomaly_detection_jobs_oldest_seconds",
    "How long the job that is due and waits longest has waited.",
    registry=METRICS,
)
JOB_SECONDS = Gauge(
    "anomaly_detection_job_seconds",
    "How long jobs took that were done within a day, on average.",
    ("kind",),
    registry=METRICS,
)

MODELS = Gauge("anomaly_detection_models", "Models in the registry.", registry=METRICS)
MODEL_AGE_SECONDS = Gauge(
    "anomaly_detection_model_age_seconds",
    "Since the newest version of a model was registered.",
    ("model",),
    registry=METRICS,
)
MODEL_DRIFT = Gauge(
    "anomaly_detection_model_drift",
    "Share of alarms in the last hour over that of the day before it; 1: as usual, missing below 100 records.",
    ("model", "version"),
    registry=METRICS,
)
MODEL_QUALITY = Gauge(
    "anomaly_detection_model_quality",
    "Share of people's labels of alarms that say they were right (precision).",
    ("model", "version"),
    registry=METRICS,
)
ALERTS = Gauge("anomaly_detection_alerts", "Alarms that are kept.", ("state", "severity"), registry=METRICS)

UP = Gauge(
    "anomaly_detection_up",
    "1 where a part that the service needs does its work, 0 where not.",
    ("part",),
    registry=METRICS,
)
DISK_FREE_BYTES = Gauge(
    "anomaly_detection_disk_free_bytes", "Free bytes where the service keeps things.", registry=METRICS
)
BUILD = Gauge(
    "anomaly_detection_build", "Always 1; the labels are the versions.", ("version", "python"), registry=METRICS
)
