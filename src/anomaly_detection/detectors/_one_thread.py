"""Linear algebra on one thread: as fast for small matrices, and the same bits however many cores a machine has."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import scipy.linalg  # noqa: F401  so that its BLAS is there to be found
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Let BLAS use one thread meanwhile.

    Its threads wait for one another by spinning. On many small products that costs more than it saves, and many times
    as much where other work shares the cores.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
