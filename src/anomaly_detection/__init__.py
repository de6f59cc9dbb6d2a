"""From any stream of records to calibrated, explained anomaly verdicts."""

__version__ = "0.1.0"
