"""The fields of JSON lines, found in one pass over the bytes without building anything.

A line that is anything but plain JSON (see ``scan_json``) is left to the general parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT, NULL, PLAIN, ESCAPED, WHOLE, DECIMAL, TRUTH, HOLDER = 0, 1, 2, 3, 4, 5, 6, 7
"""What a value is: not there; null; text without and with escapes; numbers; true or false; an object or array."""

DEEPEST = 32

MEMBERS = 64
"""Members of an object whose place in the tree is remembered from line to line: most lines have them in one order."""

_EACH = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES, _BACKSLASHES, _BLANKS = np.uint64(34) * _EACH, np.uint64(92) * _EACH, np.uint64(32) * _EACH


@inlined
def byte_at(text: NDArray[np.uint8], at: int) -> Any:
    """One byte; the index is never negative, and saying so spares a test for each byte."""
    return text[np.uintp(at)]


@inlined
def word_at(text: NDArray[np.uint8], at: int) -> np.uint64:
    """Eight bytes as a number, the first one lowest; the compiler makes one load of it."""
    word = np.uint64(0)
    for i in range(8):
        word |= np.uint64(text[np.uintp(at + i)]) << np.uint64(8 * i)
    return word


@inlined
def plain_bytes(text: NDArray[np.uint8], at: int) -> Any:
    """How many of eight bytes come before a quote, a backslash or a control character."""
    word = word_at(text, at)
    quotes, slashes = word ^ _QUOTES, word ^ _BACKSLASHES
    odd = ((quotes - _EACH) & ~quotes) | ((slashes - _EACH) & ~slashes) | ((word - _BLANKS) & ~word)
    odd = (odd & _HIGH) >> np.uint64(7)  # the lowest one is right, and those above it do not matter
    below = ((odd & (~odd + np.uint64(1))) - np.uint64(1)) & _EACH
    return 8 if odd == 0 else np.int64((below * _EACH) >> np.uint64(56))


@inlined
def past_blanks(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The position after blanks."""
    while at < end and byte_at(text, at) in (32, 9, 13):
        at += 1
    return at


@inlined
def is_hex(byte: int) -> bool:
    """Whether a byte is a hexadecimal digit."""
    return 48 <= byte <= 57 or 97 <= (byte | 32) <= 102


@inlined
def is_escape(byte: int) -> bool:
    r"""Whether a byte may follow a backslash, but for ``u``."""
    return byte in (34, 92, 47, 98, 102, 110, 114, 116)


@inlined
def past_string(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """The position of the closing quote of a string whose first byte stands here, -1 if it is odd; any escapes."""
    escaped = False
    while at < end:
        if at + 8 <= end:
            ahead = plain_bytes(text, at)
            at += ahead
            if ahead == 8:
                continue
        byte = byte_at(text, at)
        if byte == 34:
            return at, escaped
        if byte < 32:
            return -1, escaped
        if byte == 92:
            escaped = True
            at += 1
            if at >= end:
                return -1, escaped
            if byte_at(text, at) == 117:
                if at + 4 >= end:
                    return -1, escaped
                for i in range(at + 1, at + 5):
                    if not is_hex(byte_at(text, i)):
                        return -1, escaped
                at += 4
            elif not is_escape(byte_at(text, at)):
                return -1, escaped
        at += 1
    return -1, escaped


@inlined
def past_digits(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The position after digits."""
    while at < end and 48 <= byte_at(text, at) <= 57:
        at += 1
    return at


@inlined
def past_number(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """The position after a number and its kind; -1 for one that is odd, has an exponent or many digits."""
    begin = at
    if byte_at(text, at) == 45:
        at += 1
    first = at
    at = past_digits(text, at, end)
    whole = at - first
    if whole == 0 or (whole > 1 and byte_at(text, first) == 48):
        return -1, WHOLE
    if begin < first and byte_at(text, first) == 48:  # -0 and -0.0 are written as 0 elsewhere
        return -1, WHOLE
    if at >= end or byte_at(text, at) not in (46, 101, 69):
        return (-1 if whole > 18 else at), WHOLE
    if byte_at(text, at) != 46:
        return -1, DECIMAL
    after = past_digits(text, at + 1, end)
    count = after - at - 1
    if count == 0 or whole + count > 15 or (after < end and byte_at(text, after) in (101, 69)):
        return -1, DECIMAL
    return after, DECIMAL


@inlined
def past_word(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """The position after ``true``, ``false`` or ``null`` and its kind; -1 for another word."""
    if at + 4 > end:
        return -1, NULL
    a, b, c, d = byte_at(text, at), byte_at(text, at + 1), byte_at(text, at + 2), byte_at(text, at + 3)
    if a == 116 and b == 114 and c == 117 and d == 101:
        return at + 4, TRUTH
    if a == 110 and b == 117 and c == 108 and d == 108:
        return at + 4, NULL
    if a == 102 and b == 97 and c == 108 and d == 115 and at + 5 <= end and byte_at(text, at + 4) == 101:
        return at + 5, TRUTH
    return -1, NULL


@inlined
def child_of(
    text: NDArray[np.uint8], at: int, end: int, node: int, nodes: NDArray[np.int64], keys: NDArray[np.int64],
    names: NDArray[np.uint8],
) -> int:  # fmt: skip
    """The child of a node that has this name, -1 for none."""
    for child in range(nodes[node, 0], nodes[node, 1]):
        if has_name(text, at, end, child, keys, names):
            return child
    return -1


@inlined
def has_name(
    text: NDArray[np.uint8], at: int, end: int, child: int, keys: NDArray[np.int64], names: NDArray[np.uint8]
) -> bool:
    """Whether this is the name of a child."""
    first = keys[child, 0]
    if keys[child, 1] - first != end - at:
        return False
    while at + 8 <= end:
        if word_at(text, at) != word_at(names, first):
            return False
        at, first = at + 8, first + 8
    while at < end:
        if byte_at(text, at) != byte_at(names, first):
            return False
        at, first = at + 1, first + 1
    return True


@lean
def scan_line(
    text: NDArray[np.uint8], at: int, end: int, nodes: NDArray[np.int64], keys: NDArray[np.int64],
    names: NDArray[np.uint8], stack: NDArray[np.int64], seen: NDArray[np.bool_], usual: NDArray[np.int64],
    spans: NDArray[np.int64], kinds: NDArray[np.uint8],
) -> bool:  # fmt: skip
    """Find the wanted fields of one object; False for what the general parser has to look at."""
    seen[:] = False
    member = 0
    at = past_blanks(text, at, end)
    if at >= end or byte_at(text, at) != 123:
        return False
    depth = 0
    stack[0] = 0  # the node of an object, -1 in one that holds nothing wanted, -2 in an array
    at = past_blanks(text, at + 1, end)
    fresh = True
    while True:
        if at >= end:
            return False
        node = stack[depth]
        if byte_at(text, at) == (93 if node == -2 else 125):
            depth -= 1
            at = past_blanks(text, at + 1, end)
            if depth < 0:
                return at == end
            fresh = False
        else:
            if not fresh:
                if byte_at(text, at) != 44:
                    return False
                at = past_blanks(text, at + 1, end)
                if at >= end:
                    return False
            child = -1
            if node != -2:
                if byte_at(text, at) != 34:
                    return False
                after, escaped = past_string(text, at + 1, end)
                if after < 0 or escaped:
                    return False
                if node >= 0:
                    child = usual[member]
                    mine = nodes[node, 0] <= child < nodes[node, 1]
                    if not (mine and has_name(text, at + 1, after, child, keys, names)):
                        child = child_of(text, at + 1, after, node, nodes, keys, names)
                        usual[member] = child
                    member += member + 1 < len(usual)
                at = past_blanks(text, after + 1, end)
                if at >= end or byte_at(text, at) != 58:
                    return False
                at = past_blanks(text, at + 1, end)
                if at >= end:
                    return False
                if child >= 0:
                    if seen[child]:
                        return False
                    seen[child] = True
            slot = keys[child, 3] if child >= 0 else -1
            byte = byte_at(text, at)
            begin = at
            if byte in (123, 91):
                if slot >= 0:
                    kinds[slot] = HOLDER
                depth += 1
                if depth >= DEEPEST:
                    return False
                stack[depth] = -2 if byte == 91 else (keys[child, 2] if child >= 0 else -1)
                at = past_blanks(text, at + 1, end)
                fresh = True
                continue
            if byte == 34:
                after, escaped = past_string(text, at + 1, end)
                begin = at + 1
                kind = ESCAPED if escaped else PLAIN
                at = after
            elif byte == 45 or 48 <= byte <= 57:
                at, kind = past_number(text, at, end)
                after = at
            else:
                at, kind = past_word(text, at, end)
                after = at
            if at < 0:
                return False
            if slot >= 0:
                kinds[slot] = kind
                spans[slot, 0] = begin
                spans[slot, 1] = after
            at = past_blanks(text, after + 1 if byte == 34 else after, end)
            fresh = False


@lean
def scan_json(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], nodes: NDArray[np.int64],
    keys: NDArray[np.int64], names: NDArray[np.uint8], stack: NDArray[np.int64], seen: NDArray[np.bool_],
    usual: NDArray[np.int64], spans: NDArray[np.int64], kinds: NDArray[np.uint8], plain: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Find the wanted fields of JSON objects, one a line.

    Parameters
    ----------
    text : the bytes, valid UTF-8.
    starts, ends : (lines,) where each line stands.
    nodes : (nodes, 2) the children of each node of the tree of wanted names, first and last + 1; node 0 is the root.
    keys : (children, 4) where each child's name stands in ``names``, its node or -1, its slot or -1.
    names : the bytes of the names.
    stack : (DEEPEST + 1,) for the objects that are open.
    seen : (children,) for the names that occurred in a line.
    usual : (MEMBERS,) the child that each member was in the line before, -1 for none: it is looked at first.
    spans : (lines, slots, 2) filled with where each wanted value stands, without quotes.
    kinds : (lines, slots) filled with what it is.
    plain : (lines,) filled; False for a line that the general parser has to look at: one that is no JSON object, is
        nested deeply, has a wanted name twice, an escape in a name, or a number that is long or has an exponent.
    """
    for i in range(starts.shape[0]):
        kinds[i, :] = ABSENT
        plain[i] = scan_line(text, starts[i], ends[i], nodes, keys, names, stack, seen, usual, spans[i], kinds[i])


@inlined
def hex_value(text: NDArray[np.uint8], at: int) -> int:
    """The value of four hexadecimal digits."""
    value = 0
    for i in range(at, at + 4):
        byte = text[i]
        value = value * 16 + (byte - 48 if byte <= 57 else (byte | 32) - 87)
    return value


@inlined
def put_character(code: int, out: NDArray[np.uint8], to: int) -> int:
    """Write a character as UTF-8; NUL and halves of characters as U+FFFD. The position after it."""
    if code == 0 or 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD
    if code < 0x80:
        out[to] = code
        return to + 1
    if code < 0x800:
        out[to] = 0xC0 | (code >> 6)
        out[to + 1] = 0x80 | (code & 63)
        return to + 2
    if code < 0x10000:
        out[to] = 0xE0 | (code >> 12)
        out[to + 1] = 0x80 | ((code >> 6) & 63)
        out[to + 2] = 0x80 | (code & 63)
        return to + 3
    out[to] = 0xF0 | (code >> 18)
    out[to + 1] = 0x80 | ((code >> 12) & 63)
    out[to + 2] = 0x80 | ((code >> 6) & 63)
    out[to + 3] = 0x80 | (code & 63)
    return to + 4


@lean
def unescape(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], out: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> int:  # fmt: skip
    r"""Write strings without their escapes, which are valid or stand for the byte behind the backslash.

    Parameters
    ----------
    text : the bytes.
    starts, ends : (strings,) where each stands.
    out : filled; as many bytes as the strings have suffice.
    places : (strings, 2) filled with where each stands in ``out``.

    Returns
    -------
    The number of bytes written.
    """
    to = 0
    for i in range(starts.shape[0]):
        places[i, 0] = to
        at, end = starts[i], ends[i]
        while at < end:
            byte = text[at]
            at += 1
            if byte != 92 or at == end:
                out[to] = byte
                to += 1
                continue
            byte = text[at]
            at += 1
            if byte == 117 and at + 4 <= end and all_hex(text, at):
                code = hex_value(text, at)
                at += 4
                pair = 0xD800 <= code < 0xDC00 and at + 6 <= end and text[at] == 92 and text[at + 1] == 117
                if pair and all_hex(text, at + 2):
                    low = hex_value(text, at + 2)
                    if 0xDC00 <= low < 0xE000:
                        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
                        at += 6
                to = put_character(code, out, to)
            else:
                out[to] = control(byte)
                to += 1
        places[i, 1] = to
    return to


@inlined
def control(byte: int) -> int:
    """The control character that a letter behind a backslash stands for, else the byte itself."""
    if byte == 110:
        return 10
    if byte == 116:
        return 9
    if byte == 114:
        return 13
    if byte == 98:
        return 8
    if byte == 102:
        return 12
    return byte


@inlined
def all_hex(text: NDArray[np.uint8], at: int) -> bool:
    """Whether four hexadecimal digits stand here."""
    return is_hex(text[at]) and is_hex(text[at + 1]) and is_hex(text[at + 2]) and is_hex(text[at + 3])
