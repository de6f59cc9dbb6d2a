"""Where results go."""

from anomaly_detection.sinks.files import FileSink

__all__ = ["FileSink"]
