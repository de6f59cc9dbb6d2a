"""Every error this package raises on purpose.

::

    AnomalyDetectionError
    ├── InputError (ValueError)          the caller's data or words are off; a command exits with 2
    │   ├── SourceError                  a file or stream that cannot be read as records
    │   │   └── NoRecordsError           one that could be, and has none
    │   ├── SchemaError                  records whose columns are not what is needed
    │   ├── ParameterError               a parameter outside its range
    │   └── UnknownNameError             a name nobody knows; carries the nearest ones
    ├── NotFittedError (ValueError, AttributeError)
    ├── MissingDependencyError (ImportError)   an extra that is not installed; names it
    ├── SinkError (OSError)              results that could not be written
    ├── StoreError (OSError)             the service's database does not answer
    ├── JobNotFoundError (InputError)    no such job, schedule or upload
    ├── JobConflictError                 a job is not in a state for that
    └── RegistryError
        ├── ModelNotFoundError (InputError)
        ├── ModelConflictError           somebody else changed the same thing first
        └── ArtifactError                a model that must not be loaded: changed, cut short, foreign

A message names the thing, its value, and the way out.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AnomalyDetectionError(Exception):
    r"""The root of every error raised on purpose.

    The message is safe to show: control characters, from a file's name or content, come out as escapes.

    >>> str(AnomalyDetectionError("orders\x1b[2J.csv"))
    'orders\\x1b[2J.csv'
    """

    def __str__(self) -> str:
        text = super().__str__()
        if text.isprintable():
            return text
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class InputError(AnomalyDetectionError, ValueError):
    """Bad data or bad usage: nothing was written; the message says what to change."""


class SourceError(InputError):
    """A file or stream that cannot be read as records."""


class NoRecordsError(SourceError):
    """A file or stream without a record: no bytes, a header alone, an empty list."""


class SchemaError(InputError):
    """Records whose columns are not the ones needed."""


class ParameterError(InputError):
    """A parameter that is unknown or outside its range."""


class UnknownNameError(InputError):
    """A name that is not in a catalog, with the nearest known names."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.nearest = tuple(get_close_matches(name.lower(), self.known, n=3, cutoff=0.5))
        super().__init__(f"Unknown {kind} {name!r}. {self._way_out()}")

    def _way_out(self) -> str:
        if self.nearest:
            return f"Did you mean {' or '.join(map(repr, self.nearest))}?"
        shown = ", ".join(sorted(self.known)[:20])
        return f"Known: {shown}{', …' if len(self.known) > 20 else ''}." if shown else "None is known."


class NotFittedError(AnomalyDetectionError, ValueError, AttributeError):
    """Something that has to be fitted first was not."""


class MissingDependencyError(AnomalyDetectionError, ImportError):
    """An optional dependency is not installed; ``extra`` is None for one that no extra of ours brings."""

    def __init__(self, package: str, extra: str | None, purpose: str) -> None:
        self.package = package
        self.extra = extra
        what = package if extra is None else f"'anomaly-detection[{extra}]'"
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. Install it with: pip install {what}"
        )


class SinkError(AnomalyDetectionError, OSError):
    """Results that could not be written; what was there before is untouched."""


class RegistryError(AnomalyDetectionError):
    """The model registry could not do what was asked; nothing was changed."""


class ModelNotFoundError(RegistryError, InputError):
    """No such model, version or alias."""


class ModelConflictError(RegistryError):
    """Somebody else changed the same model first; nothing of theirs was overwritten."""


class ArtifactError(RegistryError):
    """A saved model that must not be loaded: changed, cut short, foreign, or reaching outside its folder."""


class StoreError(AnomalyDetectionError, OSError):
    """The service's database does not answer, or could not keep something; then it kept nothing."""


class JobNotFoundError(InputError):
    """No such job, schedule or upload."""


class JobConflictError(AnomalyDetectionError):
    """A job that is not in a state for what was asked; nothing was changed."""
