"""Events reach those who listen, in order; who is slow is told what is missing; nothing grows."""

from __future__ import annotations

import asyncio

from anomaly_detection.workflows.events import MOST_BEHIND, MOST_REMEMBERED, Events


def test_a_listener_gets_what_it_missed_and_what_comes() -> None:
    events = Events()
    events.publish("alert", {"n": 0})
    last = events.since(None)[0].id
    events.publish("alert", {"n": 1})

    async def heard() -> list[int]:
        found = []
        async for event in events.listen(last):
            assert event is not None
            found.append(event.data["n"])
            if len(found) == 1:
                await asyncio.to_thread(events.publish, "alert", {"n": 2})
            else:
                break
        return found

    assert asyncio.run(heard()) == [1, 2]


def test_a_slow_listener_is_told_that_something_is_missing() -> None:
    events = Events()

    async def heard() -> tuple[str, int]:
        listening = events.listen()
        waiting = asyncio.ensure_future(anext(listening))
        await asyncio.sleep(0)
        for n in range(MOST_BEHIND + 50):
            events.publish("tick", {"n": n})
        first = await waiting
        assert first is not None
        rest = [await anext(listening) for _ in range(MOST_BEHIND - 1)]
        await listening.aclose()  # type: ignore[attr-defined]
        assert rest[-1] is not None
        return first.kind, rest[-1].data["n"]

    assert asyncio.run(heard()) == ("missed", MOST_BEHIND + 49)


def test_the_past_is_bounded_and_says_when_it_is_gone() -> None:
    events = Events()
    events.publish("tick", {"n": -1})
    first = events.since(None)[0].id
    for n in range(MOST_REMEMBERED + 10):
        events.publish("tick", {"n": n})
    found = events.since(first)
    assert (found[0].kind, found[1].data["n"], len(found)) == ("missed", 10, MOST_REMEMBERED + 1)
    assert events.since(found[-1].id) == []
    assert events.since("another-7")[0].kind == "missed"
