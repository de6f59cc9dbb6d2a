"""A file's bytes as UTF-8 text, with the byte at fault where they are none."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.sources._bytes import Bytes

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

_ESCAPES = ("punycode", "raw-unicode-escape", "unicode-escape", "utf-7")
"""Encodings of Python for other ends than tables, which can yield what is no text."""


def encoding_of(head: bytes, wanted: str) -> str:
    """The encoding to read with: what a byte order mark says, else what the user says.

    Raises
    ------
    ParameterError
        if the encoding is unknown.
    """
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    try:
        b"a".decode(wanted, errors="replace")
        found = codecs.lookup(wanted).name
    except (LookupError, ValueError):
        found = None
    if found is None or found in _ESCAPES:
        raise ParameterError(f"Unknown encoding {wanted!r:.80}. Usual ones are utf-8, latin-1, cp1252 and utf-16.")
    return found


def decoded_head(head: bytes, encoding: str) -> str:
    """The first characters of a file, what does not decode replaced; without a byte order mark."""
    return head.decode(encoding, errors="replace").removeprefix("\ufeff")


def utf8_blocks(file: Bytes, encoding: str) -> Iterator[bytes]:
    """The text of a file as UTF-8, without a byte order mark, in blocks that do not split a character.

    Raises
    ------
    SourceError
        naming the first byte that is not text in this encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = encoding == "utf-8"
    position = 0
    first = True
    carried = b""
    for block in file.blocks():
        if is_utf8 and not carried and block.isascii():
            position += len(block)
            first = False
            yield block
            continue
        text = _decoded(decoder, block, position - len(carried), file.name, encoding)
        carried = decoder.getstate()[0]
        position += len(block)
        yield (text.removeprefix("\ufeff") if first else text).encode()
        first = False
    _decoded(decoder, b"", position - len(carried), file.name, encoding, final=True)


def _decoded(
    decoder: codecs.IncrementalDecoder, block: bytes, position: int, name: str, encoding: str, *, final: bool = False
) -> str:
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError as error:
        at = position + error.start
        byte = f" (0x{error.object[error.start]:02x})" if error.start < len(error.object) else ""
        other = "utf-8" if encoding != "utf-8" else "latin-1"
        raise SourceError(
            f"{name} is not {encoding} text: byte {at:,}{byte} does not fit. If it was written in another encoding, "
            f"name it, for example --encoding {other}."
        ) from None
    except UnicodeError as error:
        raise SourceError(
            f"{name} is not {encoding} text ({error}). Name another encoding, such as utf-16-le."
        ) from None
