"""Parameters that were given to the wrong algorithm: which algorithms of our own have them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.base import Configurable

FIRST = "isolation_forest"
"""The algorithm that is named first among those that have a parameter."""

NAMED = 2
"""So many algorithms are named."""


def refuse_strangers(cls: type[Configurable], name: str, parameters: Iterable[str]) -> None:
    """Refuse a parameter that an algorithm lacks and others have, naming those.

    Names that resemble one of the algorithm's own, and names that nobody knows, are left to
    :func:`~anomaly_detection.base.build`.

    Raises
    ------
    ParameterError
        naming the parameter and the algorithms to name instead.
    """
    own = cls.parameter_names()
    for parameter in parameters:
        if parameter in own or get_close_matches(parameter, own, n=1, cutoff=0.8):
            continue
        owners = _owners()
        meant = next(iter(get_close_matches(parameter, owners, n=1, cutoff=0.8)), None)
        if meant is not None:
            raise ParameterError(_message(name, parameter, meant, owners[meant], own))


def _message(name: str, parameter: str, meant: str, owners: list[str], own: Iterable[str]) -> str:
    lacks = f"{name} has no parameter {parameter!r}"
    if meant != parameter:
        lacks += f". Did you mean {meant!r}? {name} does not have that either"
    others = " and ".join(owners[:NAMED])
    return (
        f"{lacks}; {others} {'has' if len(owners) == 1 else 'have'} it. Name the algorithm with --algorithm "
        f"{owners[0]} (in Python: algorithm={owners[0]!r}). The parameters of {name} are: {', '.join(own) or 'none'}."
    )


def _owners() -> dict[str, list[str]]:
    """The algorithms of our own that have each parameter, the usual one first."""
    found: dict[str, list[str]] = {}
    ours = [entry for entry in DETECTORS.entries() if entry.extra is None and _is_ours(entry.target)]
    for entry in sorted(ours, key=lambda entry: (entry.name != FIRST, entry.name)):
        for parameter in entry.load().parameter_names():
            found.setdefault(parameter, []).append(entry.name)
    return found


def _is_ours(target: str | type) -> bool:
    return isinstance(target, str) and target.startswith("anomaly_detection.")
