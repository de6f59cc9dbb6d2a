"""Names of models and aliases, and references to versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anomaly_detection.errors import InputError

LATEST = "latest"
"""In a reference, the newest version; no alias can have this name."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A model, and perhaps a version number or an alias of it.

    >>> parse_reference("orders@production"), parse_reference("orders:3").version
    (Reference(name='orders', version=None, alias='production'), 3)
    """

    name: str
    version: int | None = None
    alias: str | None = None


def parse_reference(text: str) -> Reference:
    """Read ``name``, ``name@alias``, ``name@3`` or ``name:3``.

    Raises
    ------
    InputError
        with the rule, if it is none of these.
    """
    name, at, selector = text.replace(":", "@", 1).partition("@")
    check_name(name)
    if not at:
        return Reference(name)
    if _VERSION.fullmatch(selector):
        return Reference(name, version=int(selector))
    if selector != LATEST:
        check_alias(selector)
    return Reference(name, alias=selector)


def is_name(name: object) -> bool:
    """Whether a model can have this name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_name(name: object) -> None:
    """Make sure a model can have this name.

    Raises
    ------
    InputError
        with the rule, if it cannot.
    """
    if not is_name(name):
        raise InputError(
            f"A model cannot be named {name!r:.120}. Use 1 to 100 letters, digits, '.', '_' and '-', with no leading "
            f"'.'."
        )


def check_alias(alias: object) -> None:
    """Make sure an alias can have this name.

    Raises
    ------
    InputError
        with the rule, if it cannot.
    """
    if not is_name(alias) or str(alias).isdigit() or alias == LATEST:
        raise InputError(
            f"An alias cannot be named {alias!r:.120}. Use 1 to 100 letters, digits, '.', '_' and '-', with no leading "
            f"'.'; only digits would be a version, and {LATEST!r} is always the newest version."
        )
