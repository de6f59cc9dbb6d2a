"""What only the start needed is given back, so that a service that waits is small and is not interrupted."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGE = ("libllvmlite", "_polars_runtime")
"""Libraries that are large, and of which little runs once kernels are compiled."""

MAPS = Path("/proc/self/smaps")

DONT_NEED = 4
"""``MADV_DONTNEED`` of Linux: pages of a file that were only read are read again when they are needed."""


def settle_down() -> None:
    """Collect garbage once, leave what stays out of later rounds (a tenth of a second each), and give memory back.

    Back go pages of large libraries, and what the allocator of glibc holds although it is free.
    """
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # no Linux, or one that does not tell
        give_back(MAPS.read_text().splitlines())
        ctypes.CDLL(None).malloc_trim(0)


def give_back(maps: Iterable[str]) -> int:
    """Let the system have the pages of large libraries that were only read; says how many bytes they span.

    The compiler of kernels takes 70 MB of memory for as long as the process lives, and is idle after the start. Pages
    that this process has changed are left alone.
    """
    advise = ctypes.CDLL(None).madvise
    return sum(
        end - begin
        for begin, end in unchanged(maps)
        if advise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), DONT_NEED) == 0
    )


def unchanged(maps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """First and last address of the parts of large libraries that nobody may write and this process has not written.

    >>> maps = [
    ...     "7f00-8000 r-xp 00365000 fe:00 1604 /lib/libllvmlite.so", "Rss: 49 kB", "Anonymous: 0 kB",
    ...     "8000-9000 r--p 09677000 fe:00 1604 /lib/libllvmlite.so", "Rss: 2 kB", "Anonymous: 2 kB",
    ...     "9000-a000 r-xp 00000000 fe:00 1605 /lib/libm.so.6", "Rss: 4 kB", "Anonymous: 0 kB",
    ... ]
    >>> list(unchanged(maps))
    [(32512, 32768)]
    """
    place: tuple[int, int] | None = None
    for line in maps:
        words = line.split()
        if not words[0].endswith(":"):
            begin, end = (int(address, 16) for address in words[0].split("-"))
            known = len(words) > 5 and any(name in words[5] for name in LARGE)
            place = (begin, end) if known and words[1] in {"r-xp", "r--p"} else None
        elif words[0] == "Anonymous:" and words[1] == "0" and place is not None:
            yield place
