"""What a job sees of the world: its payload, and a way to say how far it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EVERY_SECONDS = 0.1
"""Progress within one step is passed on at most so often."""


class Cancelled(BaseException):
    """The job is to end. No ``Exception``, so that nobody who goes on after a failed part goes on after this."""


class Task:
    """A job at work.

    Parameters
    ----------
    id, payload : of the job.
    tell : takes what is said, as plain values.
    cancel_asked : says whether the job is to end.
    """

    def __init__(
        self,
        id: str,
        payload: Mapping[str, Any],
        tell: Callable[[dict[str, Any]], None],
        cancel_asked: Callable[[], bool],
    ) -> None:
        self.id = id
        self.payload = payload
        self._tell = tell
        self._cancel_asked = cancel_asked
        self._step = ""
        self._told = float("-inf")

    def progress(self, share: float, step: str) -> None:
        """Say how far it is.

        Parameters
        ----------
        share : of the step, in [0, 1].
        step : what is being done.

        Raises
        ------
        Cancelled
            if the job is to end.
        """
        if self._cancel_asked():
            raise Cancelled
        now = time.monotonic()
        if step == self._step and now - self._told < EVERY_SECONDS:
            return
        self._step, self._told = step, now
        self._tell({"share": share, "step": _told(step)})

    def log(self, text: str) -> None:
        """Keep a line with the job."""
        self._tell({"line": _told(text)})


def _told(text: str) -> str:
    """A text as it can be told: what is no character is replaced."""
    return text.encode("utf-8", "replace").decode()
