"""Which version each alias points to, and pointed to before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from anomaly_detection.registry.base import AliasChange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


@dataclass(frozen=True, slots=True)
class State:
    """What a model remembers beside its versions.

    Parameters
    ----------
    next_version : no version at or above this was ever deleted, so that numbers never come back.
    aliases : alias to version.
    history : every move of an alias, oldest first.
    """

    next_version: int = 1
    aliases: dict[str, int] = field(default_factory=dict)
    history: tuple[AliasChange, ...] = ()

    def moved(self, alias: str, version: int, action: str, at: str) -> State:
        """The alias points to ``version`` now; pointing it where it points already is no move."""
        previous = self.aliases.get(alias)
        if previous == version:
            return self
        change = AliasChange(alias, version, previous, action, at)
        return replace(self, aliases={**self.aliases, alias: version}, history=(*self.history, change))

    def dropped(self, alias: str, at: str) -> State:
        """Without an alias."""
        change = AliasChange(alias, None, self.aliases[alias], "delete", at)
        kept = {name: version for name, version in self.aliases.items() if name != alias}
        return replace(self, aliases=kept, history=(*self.history, change))

    def limited_to(self, exists: Callable[[int], bool]) -> State:
        """Without the aliases of versions that do not exist; a deletion may have been cut short."""
        return replace(self, aliases={alias: version for alias, version in self.aliases.items() if exists(version)})

    def without(self, versions: Collection[int], at: str) -> State:
        """The versions are gone, and the aliases that pointed at them."""
        gone = tuple(
            AliasChange(alias, None, version, "delete", at)
            for alias, version in self.aliases.items()
            if version in versions
        )
        kept = {alias: version for alias, version in self.aliases.items() if version not in versions}
        after = max(self.next_version, max(versions) + 1)
        return State(after, kept, (*self.history, *gone))

    def target_before(self, alias: str, existing: Collection[int]) -> int | None:
        """Where a rollback leads: the version before the current one, of those that still exist."""
        stack = [version for version in self._stack(alias) if version in existing]
        while stack and stack[-1] == self.aliases.get(alias):
            stack.pop()
        return stack[-1] if stack else None

    def _stack(self, alias: str) -> list[int]:
        """The versions the alias was promoted to and not rolled back from."""
        stack: list[int] = []
        for change in self.history:
            if change.alias != alias or change.version is None:
                continue
            if change.action == "rollback":
                while stack and stack[-1] != change.version:
                    stack.pop()
            else:
                stack.append(change.version)
        return stack

    def pointing_at(self, version: int) -> tuple[str, ...]:
        """The aliases of a version, by name."""
        return tuple(sorted(alias for alias, target in self.aliases.items() if target == version))
