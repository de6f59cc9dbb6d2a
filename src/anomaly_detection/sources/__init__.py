"""Where records come from."""

from anomaly_detection.sources.files import FileSource, Limits, open_source

__all__ = ["FileSource", "Limits", "open_source"]
