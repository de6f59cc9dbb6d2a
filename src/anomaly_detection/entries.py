"""Names that users type, mapped to classes that are imported on first use.

A catalog knows its built-in entries by ``"module:Class"``, finds those of other packages by entry point, and takes
more by :meth:`Catalog.register`. Listing names imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import MissingDependencyError, ParameterError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a catalog.

    Parameters
    ----------
    name : the name in the catalog, in lower case.
    target : ``"module:Class"``, or the class itself for a registered one.
    summary : one line for lists.
    aliases : other names users type for the same thing.
    extra : the extra of this package that has to be installed, if any.
    labels : what it promises, where that is known without importing it.
    """

    name: str
    target: str | type
    summary: str = ""
    aliases: tuple[str, ...] = ()
    extra: str | None = None
    labels: tuple[str, ...] = ()

    def load(self) -> type[Any]:
        """Import the class.

        Raises
        ------
        MissingDependencyError
            if the extra it needs is not installed.
        """
        if isinstance(self.target, type):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            found: type[Any] = getattr(import_module(module), attribute)
        except MissingDependencyError:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingDependencyError(error.name or module, self.extra, self.name) from error
        return found


class Catalog:
    """A set of named classes of one kind.

    >>> shapes = Catalog("shape", [Entry("round", "fractions:Fraction", aliases=("circle",))])
    >>> shapes.resolve("Circle").name
    'round'
    >>> shapes.load("round").__name__
    'Fraction'
    """

    def __init__(
        self,
        kind: str,
        entries: Iterable[Entry] = (),
        group: str | None = None,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._left_out = left_out or {}
        self._entries = {entry.name: entry for entry in entries}
        self._aliases = {alias: entry.name for entry in self._entries.values() for alias in entry.aliases}
        self._plugins_read = group is None

    def entries(self) -> tuple[Entry, ...]:
        """All entries, sorted by name, those of installed plug-ins included."""
        self._read_plugins()
        return tuple(self._entries[name] for name in sorted(self._entries))

    def names(self) -> tuple[str, ...]:
        """All names and aliases, sorted."""
        self._read_plugins()
        return tuple(sorted([*self._entries, *self._aliases]))

    def built_in(self) -> tuple[str, ...]:
        """Names and aliases of the entries known without looking for plug-ins."""
        return (*self._entries, *self._aliases)

    def knows(self, entry: Entry) -> bool:
        """Whether this is one of its entries."""
        return self._entries.get(entry.name) is entry

    def resolve(self, name: str) -> Entry:
        """Find the entry for a name or alias; case, spaces and hyphens do not matter.

        Raises
        ------
        UnknownNameError
            with the nearest known names.
        ParameterError
            for a name that was left out on purpose, with the reason.
        """
        wanted = plain_name(name)
        if wanted not in self._entries and wanted not in self._aliases:
            self._read_plugins()
        entry = self._entries.get(self._aliases.get(wanted, wanted))
        if entry is None and wanted in self._left_out:
            raise ParameterError(f"There is no {self.kind} {str(name)!r} here: {self._left_out[wanted]}")
        if entry is None:
            raise UnknownNameError(self.kind, str(name), self.names())
        return entry

    def load(self, name: str) -> type[Any]:
        """Import and return the class behind a name or alias."""
        return self.resolve(name).load()

    def name_of(self, made: object) -> str:
        """The name under which the class of an object is found.

        Raises
        ------
        UnknownNameError
            if the class was never registered.
        """
        of = type(made)
        for entry in self.entries():
            if entry.target in (f"{of.__module__}:{of.__qualname__}", of):
                return entry.name
        return self.resolve(of.__name__).name

    def register(self, name: str, target: type, *, summary: str = "", aliases: Iterable[str] = ()) -> None:
        """Add a class under a name, for this process.

        Raises
        ------
        ParameterError
            if the name or an alias already stands for another class.
        """
        entry = Entry(plain_name(name), target, summary, tuple(map(plain_name, aliases)))
        for taken in (entry.name, *entry.aliases):
            self._refuse_if_taken(taken, target)
        self._add(entry)

    def _refuse_if_taken(self, name: str, target: type) -> None:
        holder = self._entries.get(self._aliases.get(name, name))
        if holder is not None and holder.target is not target:
            raise ParameterError(
                f"The {self.kind} name {name!r} already stands for {holder.target}. Choose another name."
            )

    def _add(self, entry: Entry) -> None:
        self._entries[entry.name] = entry
        self._aliases.update(dict.fromkeys(entry.aliases, entry.name))

    def _read_plugins(self) -> None:
        if self._plugins_read:
            return
        self._plugins_read = True
        for point in entry_points(group=self.group or ""):
            if plain_name(point.name) not in self._entries:
                self._add(
                    Entry(
                        plain_name(point.name),
                        point.value,
                        f"from {point.dist.name if point.dist else 'a plug-in'}",
                    )
                )


def plain_name(name: str) -> str:
    """A name as the catalog writes it."""
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")
