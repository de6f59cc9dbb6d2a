"""How array loops are compiled: the same everywhere, and cached where that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Loop = TypeVar("Loop", bound="Callable[..., object]")


def kernel(loop: Loop) -> Loop:
    """Compile a loop over arrays on its first call.

    Division by zero gives infinite or NaN as NumPy does, the lock of the interpreter is released, and the machine code
    is kept beside the module or in the user's cache. Where neither can be written (a read-only image without a home)
    it is compiled anew in each process.
    """
    return _compiled(loop, {})


def lean(loop: Loop) -> Loop:
    """The same for a loop that makes no array of its own, other than views.

    Then nothing has to count who holds the arrays: that is atomic, costs 5 ns each time, and a loop with views or calls
    does it in every round.
    """
    return _compiled(loop, {"_nrt": False})


def inlined(loop: Loop) -> Loop:
    """The same for a small loop that the compiler puts into those that call it."""
    return _compiled(loop, {"_nrt": False, "forceinline": True})


def _compiled(loop: Loop, options: dict[str, Any]) -> Loop:
    try:
        return cast("Loop", numba.njit(cache=True, nogil=True, error_model="numpy", **options)(loop))
    except RuntimeError:  # numba's word for: no place for a cache
        return cast("Loop", numba.njit(nogil=True, error_model="numpy", **options)(loop))
