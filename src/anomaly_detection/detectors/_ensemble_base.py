"""What ensembles share: their members, how these are named, seeded, saved and restored."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors import create
from anomaly_detection.detectors.base import Detector, Tags
from anomaly_detection.detectors.spec import from_spec
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.space import FeatureSpace

Member: TypeAlias = str | Detector | Mapping[str, Any]
"""How a member is given: a name, a detector, or ``{"name": …, "parameters": {…}}``."""

DEFAULT_MEMBERS: tuple[Member, ...] = ("isolation_forest", "ecod", "hbos")
"""Joint structure, tails and densities: three views, all with missing values and categories of their own."""


class _Members:
    """The rule for ``detectors``."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value):
            strangers = [one for one in value if not isinstance(one, str | Detector | Mapping)]
            return None if not strangers else f"must hold names, detectors or specs, not {strangers[0]!r}"
        return "must be a list of one or more names, detectors or specs"


class Ensemble(Detector):
    """The base of ensembles: members are fitted on the same rows, and their scores made comparable and combined.

    Attributes
    ----------
    members_ : the fitted members.
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "detectors": _Members(),
        "random_state": Range(0, 2**63 - 1, integer=True, or_none=True),
    }

    members_: tuple[Detector, ...]

    def __init__(self, detectors: Sequence[Member] = DEFAULT_MEMBERS, random_state: int | None = None) -> None:
        self.detectors = detectors
        self.random_state = random_state

    @property
    def tags(self) -> Tags:  # type: ignore[override]
        """What all members can do: missing values and categories only where every member takes them; never online.

        Raises
        ------
        ParameterError, UnknownNameError
            if the members cannot be made.
        """
        if not self.is_fitted:
            self.validate()
        members = self.members_ if self.is_fitted else self.members()
        shared = Tags(*(all(able) for able in zip(*(astuple(member.tags) for member in members), strict=True)))
        return replace(shared, online=False)  # what makes the members' scores comparable is learned once

    def validate(self) -> None:
        """Check the parameters, those of the members included.

        Raises
        ------
        ParameterError, UnknownNameError
            naming what is wrong.
        """
        super().validate()
        for member in self.members():
            with self._named(member):
                member.validate()

    def members(self) -> tuple[Detector, ...]:
        """New, unfitted members; with seeds of their own where the ensemble has one."""
        return tuple(self._seeded(self._member(member), place) for place, member in enumerate(self.detectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned; that of member i under ``"i/…"``."""
        nested = (
            (f"{place}/{name}", array)
            for place, member in enumerate(self.members_)
            for name, array in member.state().items()
        )
        return {**super().state(), **dict(nested)}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace) -> Self:
        """Take back what :meth:`state` handed out; scores are equal afterwards."""
        self.members_ = tuple(
            member.restore(part_of(state, f"{place}/"), features) for place, member in enumerate(self.members())
        )
        return super().restore(state, features)

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row through the members' own ways in for one row."""
        return float(self._combined([member.score_row(row) for member in self.members_]))

    @abstractmethod
    def _learn(self, scores: list[NDArray[np.float64]]) -> None:
        """Learn from the members' scores of the training rows what makes them comparable."""

    @abstractmethod
    def _combined(self, scores: Sequence[Any]) -> Any:
        """One score from the members' scores, each an array or a float; only element by element."""

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.members_ = tuple(member.fit(X, self.features_) for member in self.members())
        self._learn([member.score(X) for member in self.members_])
        self._restored()

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._combined([member.score(X) for member in self.members_])
        return scores

    def _member(self, member: Member) -> Detector:
        with self._named(member):
            return _made(member)

    @contextmanager
    def _named(self, member: Member) -> Iterator[None]:
        """Say which member it is whose parameters are refused."""
        try:
            yield
        except ParameterError as error:
            name = member["name"] if isinstance(member, Mapping) and "name" in member else member
            words = name if isinstance(name, str) else type(name).__name__
            raise ParameterError(f"{type(self).__name__}, member {words}: {error}") from error

    def _seeded(self, member: Detector, place: int) -> Detector:
        if self.random_state is None or "random_state" not in member.parameter_names():
            return member
        seed = np.random.SeedSequence((int(self.random_state), place)).generate_state(1)[0]
        return member.clone(random_state=int(seed))


def _made(member: Member) -> Detector:
    if isinstance(member, Detector):
        return member.clone()
    return create(member) if isinstance(member, str) else from_spec(member)


def part_of(state: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
