"""OpenTelemetry, where a collector is named: spans of requests and jobs, sent as OTLP over HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import MissingDependencyError
from anomaly_detection.telemetry import use_tracer
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Traces:
    """Where spans go; close it, so that the last ones leave.

    Parameters
    ----------
    endpoint : a collector, such as ``http://collector:4318``; headers it wants come from
        ``OTEL_EXPORTER_OTLP_HEADERS``, which the exporter reads.
    share : the share of traces that are kept, unless whoever asks has decided.
    exporter : an exporter of OpenTelemetry to use instead.

    Raises
    ------
    MissingDependencyError
        if the extra ``otel`` is not installed.
    """

    def __init__(self, endpoint: str = "", share: float = 1.0, exporter: Any = None) -> None:
        trace, export = _needed("opentelemetry.sdk.trace"), _needed("opentelemetry.sdk.trace.export")
        sampling = _needed("opentelemetry.sdk.trace.sampling")
        resource = _needed("opentelemetry.sdk.resources").Resource.create(
            {"service.name": "anomaly-detection", "service.version": __version__}
        )
        out = exporter or _otlp(endpoint)
        self._provider = trace.TracerProvider(
            resource=resource, sampler=sampling.ParentBased(sampling.TraceIdRatioBased(share)), shutdown_on_exit=False
        )
        one_by_one = exporter is not None
        self._provider.add_span_processor(
            (export.SimpleSpanProcessor if one_by_one else export.BatchSpanProcessor)(out)
        )
        use_tracer(self._provider.get_tracer("anomaly_detection", __version__))

    def close(self) -> None:
        """Send what is left; make no spans from now on."""
        use_tracer(None)
        self._provider.shutdown()


def parent_of(headers: Iterable[tuple[bytes, bytes]]) -> Any:
    """The span that a request belongs to, by its W3C ``traceparent`` header; a new trace without one."""
    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name.startswith(b"trace")}
    return extracted(carrier)


def server_kind() -> Any:
    """The kind of a span that answers somebody."""
    return _needed("opentelemetry.trace").SpanKind.SERVER


def extracted(carrier: Mapping[str, str]) -> Any:
    """The span that was named in a mapping by :func:`carried`."""
    return _propagator().extract(dict(carrier))


def carried() -> dict[str, str]:
    """The span of now as plain values, for work that another process will do."""
    found: dict[str, str] = {}
    _propagator().inject(found)
    return found


def _propagator() -> Any:
    return _needed("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()


def _otlp(endpoint: str) -> Any:
    exporter = _needed("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    return exporter.OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(str(error.name), "otel", "Sending traces") from None
