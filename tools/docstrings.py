"""Numpydoc docstrings as Markdown."""

from __future__ import annotations

import inspect
import re

ROLE = re.compile(r":\w+:`~?([^`]+)`")
LITERAL = re.compile(r"``([^`]+)``")
ENTRY = re.compile(r"^(?P<name>[^\s:][^:]*?) : (?P<rest>.*)$")
EXAMPLES = "Examples"


def sections(docstring: str) -> dict[str, str]:
    """The text under each underlined heading; what comes before the first one is under ``""``."""
    found: dict[str, list[str]] = {"": []}
    lines = inspect.cleandoc(docstring).splitlines()
    current = ""
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line and re.fullmatch(r"-{3,}", below):
            current = line.strip()
            found[current] = []
        elif not (re.fullmatch(r"-{3,}", line) and number and lines[number - 1].strip() == current):
            found[current].append(line)
    return {name: "\n".join(text).strip("\n") for name, text in found.items()}


def entries(text: str) -> dict[str, str]:
    """``name : meaning`` entries, continuation lines joined."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        match = ENTRY.match(line)
        if match:
            name = match["name"]
            found[name] = match["rest"]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def markdown(docstring: str) -> str:
    """A whole docstring: prose, then each section under a bold word."""
    parts = []
    for name, text in sections(docstring).items():
        if not text.strip():
            continue
        listed = entries(text) if name in ("Parameters", "Attributes") else {}
        body = (
            "\n".join(f"- `{word}`: {inline(rest)}" for word, rest in listed.items()) if listed else blocks(text, name)
        )
        parts.append(f"**{name}**\n\n{body}" if name else body)
    return "\n\n".join(parts)


def summary(docstring: str | None) -> str:
    """The first paragraph, on one line."""
    return inline(" ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split()))


def blocks(text: str, section: str = "") -> str:
    """Paragraphs; doctests and literal blocks are fenced, entries of an error become a list."""
    said = []
    literal = False
    for part in re.split(r"\n\s*\n", text):
        if part.lstrip().startswith(">>>"):
            said.append(f"```pycon\n{inspect.cleandoc(part)}\n```")
        elif literal and part.startswith(" "):
            said.append(f"```text\n{inspect.cleandoc(part)}\n```")
        elif section == "Raises":
            said.append(raises(part))
        else:
            said.append(inline(part))
        literal = part.rstrip().endswith("::")
    return "\n\n".join(said).replace("::\n\n```", ":\n\n```")


def raises(text: str) -> str:
    """Names at the margin, the reason indented below each."""
    said: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and said:
            said[-1] += (": " if said[-1].endswith("`") else " ") + inline(line.strip())
        else:
            said.append(f"- `{line.strip()}`")
    return "\n".join(said)


def inline(text: str) -> str:
    """References and literals in Markdown's own marks."""
    plain = ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", text)
    return LITERAL.sub(r"`\1`", plain)
