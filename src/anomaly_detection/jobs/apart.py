"""Work in a process of its own, which takes its memory with it and does not outlive the one that started it."""

from __future__ import annotations

import os
import threading
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PARENT_GONE = 75

STEPS_BACK = 10
"""Of niceness: a process that learns gets a tenth of a processor that others want, and all of one that nobody does."""


def do_apart(work: Callable[..., None], *arguments: Any, ends: threading.Event | None = None) -> None:
    """Do some work in a new process, and wait for it.

    Parameters
    ----------
    work : a function of a module, with arguments that can be pickled.
    ends : set when nobody needs it any more; then the process is ended.
    """
    process = get_context("spawn").Process(target=_with_parent, args=(work, arguments), daemon=True)
    process.start()
    while process.is_alive() and not (ends is not None and ends.is_set()):
        process.join(0.1)
    process.terminate()
    process.join()


def serve_parent() -> None:
    """End this process at once when the one that started it is gone, even if that was killed; until then, step back.

    Where both want the processor, whoever answers requests goes first.
    """
    threading.Thread(target=_wait, daemon=True).start()
    os.nice(STEPS_BACK)


def _with_parent(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    serve_parent()
    work(*arguments)


def _wait() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(PARENT_GONE)
