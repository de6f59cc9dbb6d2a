"""The API in this process, asked as whoever a test wants to be."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from unittest.mock import patch

import httpx

from anomaly_detection.api import Context, create_api
from anomaly_detection.api.principal import Principal
from anomaly_detection.settings import Settings
from anomaly_detection.workflows.api_keys import create_key

ADA = Principal("ada", frozenset({"read", "score", "train"}))


class Service:
    """Settings, context, and ``ask``, which gives the response."""

    def __init__(self, context, runner):
        self.context, self.settings, self.queue = context, context.settings, context.queue
        self._app, self._runner, self._keys = create_api(context), runner, {None: {}}

    def ask(self, method, path, caller=ADA, **request):
        if caller not in self._keys:
            _, secret = create_key(self.context.database, caller.name, sorted(caller.scopes), asked_by="test")
            self.context.keys.look()
            self._keys[caller] = {"Authorization": f"Bearer {secret}"}

        async def send():
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=self._keys[caller], **request)

        return self._runner.run(send())


@contextmanager
def service(home, **settings):
    """A service with a home of its own, without the models of log entries that others have on their first day."""
    with patch("anomaly_detection.api.context.prepare_logs"), asyncio.Runner() as runner:
        context = Context.open(Settings(home=home, workers=0, **settings))
        try:
            yield Service(context, runner)
        finally:
            context.close()
