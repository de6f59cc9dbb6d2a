"""PyOD at work: without a word, and the same each time."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

TROUBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What PyOD raises for rows, parameters or parts that it cannot take."""


class _Nowhere:
    """Takes what is printed and drops it."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, prints or progress bars of a library."""
    nowhere: Any = _Nowhere()
    with catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere), np.errstate(all="ignore"):
        simplefilter("ignore")
        yield


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The generators that a process shares begin at a seed, and are put back afterwards."""
    before = np.random.get_state()  # noqa: NPY002 - PyOD draws from it
    torch = sys.modules.get("torch")
    try:
        with torch.random.fork_rng() if torch else nullcontext():
            np.random.seed(seed)  # noqa: NPY002
            if torch:
                torch.manual_seed(seed)
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
