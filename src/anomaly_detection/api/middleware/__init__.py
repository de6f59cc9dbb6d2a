"""What stands before every route, one file each; plain ASGI, so that a small request costs microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware import Middleware

from anomaly_detection.api.middleware.access import Access
from anomaly_detection.api.middleware.body_limits import BodyLimits
from anomaly_detection.api.middleware.compression import Compression
from anomaly_detection.api.middleware.failures import Failures
from anomaly_detection.api.middleware.idempotency import Idempotency
from anomaly_detection.api.middleware.measured import Measured
from anomaly_detection.api.middleware.rates import Rates
from anomaly_detection.api.middleware.request_ids import RequestIds
from anomaly_detection.api.middleware.security_headers import SecurityHeaders
from anomaly_detection.api.middleware.time_limits import TimeLimits
from anomaly_detection.api.oidc import Either, OidcTokens

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context


def stack(context: Context) -> list[Middleware]:
    """All of them, the outermost first; the API and a dashboard alone have the same."""
    settings = context.settings
    tokens = OidcTokens.of(settings)
    keys = context.keys if tokens is None else Either(context.keys, tokens)
    return [
        Middleware(RequestIds),
        Middleware(SecurityHeaders),
        Middleware(Measured),
        Middleware(TimeLimits, settings.request_seconds),
        Middleware(Failures),
        Middleware(Compression),
        Middleware(Access, keys, open_access=settings.open_access),
        Middleware(Rates, settings.rate, settings.rate_store.get_secret_value()),
        Middleware(BodyLimits, settings.max_body),
        Middleware(Idempotency, context.database, settings.request_seconds),
    ]
