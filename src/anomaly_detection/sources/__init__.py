"""Where records come from."""

from anomaly_detection.sources.files import FileSource, open_source

__all__ = ["FileSource", "open_source"]
