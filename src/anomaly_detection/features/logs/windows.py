"""What happened in the last minutes: response times, errors and volume per service, exact, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.logs._window_kernels import FIRST, LINES, NO_TIME, Rings, place_of, roll
from anomaly_detection.features.logs._window_state import empty_rings, packed, services_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

NAMES = ("time_since_last", "logs_in_window", "rt_mean", "rt_std", "rt_median", "error_rate", "log_volume")
"""What is measured: seconds since the service's last line, lines of all services, and the service's own window."""


FEW = 256
"""Lines whose services are looked up one by one, to see whether all of them have had a place."""


class ServiceWindows(Configurable):
    """Rolling windows per service, exact, in bounded memory; any chunking of the lines gives the same bits.

    A line's window holds the lines of its service in the ``minutes`` up to it, itself included. Times only go on: a
    line that comes late counts as of its service's latest time, one without a time as of the latest time of all lines,
    or of long ago where none is known yet. Response times below zero and infinite ones count as missing.

    At most ``most_lines`` lines of a service are kept: in a busier window, the last so many. At most ``most_services``
    services are kept: of more, the one that was unseen the longest gives up its place, and begins anew when it comes
    back. The count of all services' lines stops at ``16 * most_lines``.

    Parameters
    ----------
    minutes : the length of a window.
    most_lines : lines kept of each service; a line takes 17 bytes.
    most_services : services kept.

    Examples
    --------
    >>> windows = ServiceWindows(minutes=1)
    >>> second = 1_000_000
    >>> names, times = np.uint64([7, 7, 7]), np.int64([0, 30, 70]) * second
    >>> found = windows.update(names, times, np.float32([10, 20, 60]), np.array([False, True, False]))
    >>> found[:, NAMES.index("rt_mean")].tolist()
    [10.0, 15.0, 40.0]
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "minutes": Range(0, 60 * 24 * 7, open_low=True),
        "most_lines": Range(2, 1_000_000, integer=True),
        "most_services": Range(1, 100_000, integer=True),
    }

    def __init__(self, minutes: float = 5.0, most_lines: int = 4_096, most_services: int = 1_000) -> None:
        self.minutes = minutes
        self.most_lines = most_lines
        self.most_services = most_services
        self.validate()
        self.lines = 0
        self._rings = empty_rings(0, int(most_lines))
        self._overall = empty_rings(1, 16 * int(most_lines))
        self._services = services_of(np.empty(0, np.uint64), np.empty(0, np.int64))
        self._had_room: set[int] = set()

    def update(
        self,
        names: NDArray[np.uint64],
        times: NDArray[np.int64],
        values: NDArray[np.float32],
        errors: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Take in lines and return what the windows hold after each.

        Parameters
        ----------
        names : (n,) hashes of the services' names.
        times : (n,) microseconds, or the smallest int64 where there is none.
        values : (n,) response times, NaN where there is none.
        errors : (n,) whether a line is an error.

        Returns
        -------
        (n, 7) float32 in the order of :data:`NAMES`; NaN where there is nothing to measure.
        """
        self._make_room(names)
        out = np.empty((len(names), len(NAMES)), dtype=np.float32)
        roll(self._rings, self._services, self._overall, names, times, values, errors, self._length, self.lines, out)
        self.lines += len(names)
        return out

    def of_service(self, name: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The (k,) response times, NaN where there is none, and whether each is an error, of the lines in the window.

        The window ends with the last line of all services; empty for a service that is not known.

        Parameters
        ----------
        name : the hash of the service's name.
        """
        k = place_of(self._services, np.uint64(name))
        if k < 0:
            return np.empty(0, np.float32), np.empty(0, np.bool_)
        first, lines = self._rings.counts[k, FIRST], self._rings.counts[k, LINES]
        at = (first + np.arange(lines)) % self._rings.times.shape[1]
        latest = int(self._overall.clocks[0])
        if latest != NO_TIME:
            at = at[self._rings.times[k, at] > latest - self._length]
        return self._rings.values[k, at], self._rings.errors[k, at]

    def knows(self, name: int) -> bool:
        """Whether a service, by the hash of its name, came and has a place."""
        return bool(place_of(self._services, np.uint64(name)) >= 0)

    def state(self) -> dict[str, NDArray[Any]]:
        """All there is to know, as arrays by name, without room for more; enough for :meth:`restore`."""
        rings = {f"rings/{name}": array for name, array in packed(self._rings).items()}
        overall = {f"overall/{name}": array for name, array in packed(self._overall).items()}
        names, seen, _ = self._services
        return {**rings, **overall, "names": names.copy(), "seen": seen.copy(), "lines": np.array(self.lines)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Go on where :meth:`state` was taken.

        Raises
        ------
        ArtifactError
            if the arrays do not belong together: kernels trust them.
        """
        try:
            names, seen = np.asarray(state["names"], np.uint64), np.asarray(state["seen"], np.int64)
            rings = unpacked(state, "rings/", len(seen), int(self.most_lines))
            overall = unpacked(state, "overall/", 1, 16 * int(self.most_lines))
            lines = int(state["lines"])
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign() from error
        if names.shape != seen.shape or seen.ndim != 1 or len(seen) > self.most_services or lines < 0:
            raise _foreign()
        self._rings, self._overall, self.lines = rings, overall, lines
        self._services = services_of(names, seen)
        self._had_room = set()
        return self

    @property
    def _length(self) -> int:
        """Of the windows, in microseconds."""
        return int(float(self.minutes) * 60e6)

    def _make_room(self, names: NDArray[np.uint64]) -> None:
        """Have places for all the services that may come, up to the limit."""
        if len(names) <= FEW and self._had_room.issuperset(names.tolist()):
            return
        self._had_room = set(names.tolist()) | (self._had_room if len(self._had_room) < self.most_services else set())
        taken = int((self._services.seen >= 0).sum())
        wanted = min(int(self.most_services), taken + len(np.unique(names)))
        have = len(self._services.seen)
        if wanted <= have:
            return
        places = min(int(self.most_services), max(wanted, 2 * have))
        grown = empty_rings(places, int(self.most_lines))._asdict()
        old = self._rings._asdict()
        self._rings = Rings(**{name: _grown(old[name], array) for name, array in grown.items()})
        self._services = services_of(
            _grown(self._services.names, np.zeros(places, np.uint64)),
            _grown(self._services.seen, np.full(places, -1, np.int64)),
        )


def _grown(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """The larger array with the smaller one at its beginning."""
    new[: len(old)] = old
    return new


def _foreign() -> ArtifactError:
    return ArtifactError(
        "These arrays are not the state of ServiceWindows with these parameters. Load the model from an unchanged copy."
    )
