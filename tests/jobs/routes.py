"""The API in this process, asked as whoever a test wants to be."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import httpx

from anomaly_detection.api import Context, create_api
from anomaly_detection.api.principal import Principal
from anomaly_detection.settings import Settings

ADA = Principal("ada", frozenset({"read", "score", "train"}))


class Service:
    """Settings, context, and ``ask``, which gives the response."""

    def __init__(self, context, runner):
        self.context, self.settings, self.queue = context, context.settings, context.queue
        self._app, self._runner = create_api(context), runner

    def ask(self, method, path, caller=ADA, **request):
        async def app(scope, receive, send):
            await self._app({**scope, "principal": caller}, receive, send)

        async def send():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
                return await client.request(method, path, **request)

        return self._runner.run(send())


@contextmanager
def service(home, **settings):
    context = Context.open(Settings(home=home, open_access=True, workers=0, **settings))
    try:
        with asyncio.Runner() as runner:
            yield Service(context, runner)
    finally:
        context.close()
