"""One promise held against one thing, and all that apply: what the contract suites of algorithms share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from anomaly_detection.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class PromiseCheck(Generic[Made]):
    """One promise, held against one algorithm. Call it to check: it raises AssertionError when the promise is broken.

    Parameters
    ----------
    subject : what is checked, for the identifier.
    promise : the check itself.
    make : makes an unfitted one.
    exempt : why it cannot keep the promise. The check then fails when the promise *is* kept.
    """

    subject: str
    promise: Callable[[Callable[[], Made]], None]
    make: Callable[[], Made]
    exempt: str | None = None

    @property
    def name(self) -> str:
        """The promise, in words."""
        return self.promise.__name__

    def __str__(self) -> str:
        return f"{self.subject}:{self.name}"

    def __call__(self) -> None:
        """Check; an exemption turns the outcome round.

        Raises
        ------
        AssertionError
            saying how the promise is broken, or that the exemption is no longer needed.
        """
        if self.exempt is None:
            self.promise(self.make)
            return
        try:
            self.promise(self.make)
        except AssertionError:
            return
        raise AssertionError(f"{self} holds; take back the exemption {self.exempt!r}.")


def known_reasons(
    promises: Sequence[Callable[[Callable[[], Made]], None]], exempt: Mapping[str, str] | None
) -> dict[str, str]:
    """The exemptions by promise.

    Raises
    ------
    UnknownNameError
        for an exemption from a promise that does not exist or does not apply.
    """
    reasons, known = dict(exempt or {}), [one.__name__ for one in promises]
    for promise in reasons:
        if promise not in known:
            raise UnknownNameError("promise", promise, known)
    return reasons
