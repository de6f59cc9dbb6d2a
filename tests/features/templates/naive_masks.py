"""The masks once more, for one line, with regular expressions and no care for speed."""

import re

from anomaly_detection.features.templates import _alphabet as alphabet

W, D, H, S, J = rb"[A-Za-z0-9_\x80-\xff]", rb"[0-9]", rb"[0-9a-fA-F]", rb"[ \t\n\r\v\f]", rb"[.\-/@\\+~%#$]"
SIGNS, SEPARATORS, OPENERS = b"-+#$*~<>@", b" ,:.-/+;", b" \t\n\r\v\f=:\"'([{,>|;"
VALUE, TIME, MASKED = 1, 2, 3
FIRST = re.compile(W + rb"+")
JOINED = re.compile(J + rb"{1,4}(" + W + rb"+)")
BEHIND_SIGN = re.compile(rb"[:,](" + D + W + rb"*)")
PATH = re.compile(rb"[^ \t\n\r\v\f\"'<>(),;|]*")
PATH_START = re.compile(rb"[.~]{0,2}[/\\][A-Za-z0-9_\x80-\xff.\\]")
TIME_OF_DAY = re.compile(rb"(?<=[0-9]):[0-9][0-9](?!" + W + rb")")
DATES = (
    re.compile(rb"[0-9]{4}([\-/.])[0-9]{2}\1[0-9]{2}"),
    re.compile(rb"[0-9]{2}([\-/])[0-9]{2}\1[0-9]{2}"),
)


def words(names):
    return {name.encode() for name in names.split() if len(name) <= 10}


DATE, ZONE, UNIT = words(f"{alphabet.DAYS} {alphabet.MONTHS}"), words(alphabet.ZONE_NAMES), words(alphabet.UNIT_NAMES)
DOMAIN, COUNTRY, SAID = words(alphabet.DOMAIN_NAMES), words(alphabet.COUNTRY_NAMES), words(alphabet.VALUE_NAMES)


def opened(line, at):
    return at == 0 or line[at - 1] in OPENERS


def hex_chain(line, at):
    """The end of a MAC or IPv6 address, or ``at``."""
    found = re.compile(H + rb"{0,4}(?:::?" + H + rb"{1,4})*(?:::)?").match(line, at)
    text = found[0]
    groups, doubled = len(re.findall(H + rb"+", text)), b"::" in text
    if FIRST.match(line, found.end()) or not re.search(D, text):
        return at
    return found.end() if groups >= 4 or (doubled and groups >= 2) else at


def compound(line, at):
    """The end of a word with its joined parts, and whether a digit is in it."""
    end = FIRST.match(line, at).end()
    while True:
        digits = re.search(D, line[at:end]) is not None
        found = JOINED.match(line, end)
        if not found and (line[end : end + 1] == b":" and digits):
            found = BEHIND_SIGN.match(line, end)
        if not found and line[end : end + 1] == b"," and line[end - 1 : end].isdigit():
            found = BEHIND_SIGN.match(line, end)
        if not found:
            return end, digits
        end = found.end()


def is_time(text):
    if TIME_OF_DAY.search(text) and text[1:-2].count(b".") < 3:
        return True
    return 8 <= len(text) <= 40 and any(date.match(text) for date in DATES)


def unit_end(line, at):
    found = re.compile(rb" ?(" + W + rb"+)").match(line, at)
    return found.end() if found and found[1] in UNIT else at


def is_host(text, behind):
    if re.search(rb"[/$\\]", text) or behind in {b"=", b"("}:
        return False
    last = text.rpartition(b"@")[2]
    _, dot, top = last.rpartition(b".")
    if not dot:
        return False
    if text.rfind(b"@") > 0 or top in DOMAIN:
        return True
    return top in COUNTRY and last.count(b".") >= 2 and not re.search(rb"[A-Z]", text)


def path_end(line, at):
    return at + len(PATH.match(line, at)[0].rstrip(b".:!?"))


def word(line, at):
    """Where a word ends and what it is."""
    first = FIRST.match(line, at).end()
    part, behind = line[at:first], line[first : first + 1]
    alone = not behind or re.match(S, behind) is not None
    if alone and re.search(D, part):
        return unit_end(line, first), VALUE
    if not alone and behind == b":":
        if re.fullmatch(H + rb"{1,4}", part) and hex_chain(line, at) > at:
            return hex_chain(line, at), VALUE
        if len(part) == 1 and line[first + 1 : first + 2] == b"\\" and opened(line, at):
            return path_end(line, at), VALUE
    end, digits = (first, False) if alone else compound(line, at)
    text = line[at:end]
    if not alone and line[end : end + 3] == b"://":
        return path_end(line, end + 1), VALUE
    if digits:
        return (end, TIME) if is_time(text) else (unit_end(line, end), VALUE)
    if end > first:
        return end, VALUE if is_host(text, line[end : end + 1]) else 0
    said = at > 0 and line[at - 1 : at] == b"=" and text in SAID
    return end, VALUE if said or re.fullmatch(H + rb"{8,}", text) else 0


def mark(line, at):
    """Where a parameter that is no word ends and what it is."""
    sign = line[at : at + 1]
    if sign in {b"\x01", b"\x02"}:
        return at + 1, MASKED if sign == b"\x01" else VALUE
    if not opened(line, at):
        return at, 0
    end = at
    if PATH_START.match(line, at):
        end = path_end(line, at)
    elif sign == b":":
        end = hex_chain(line, at)
    elif sign == b"*":
        stars = re.compile(rb"\*+").match(line, at).end()
        end = stars if stars - at >= 3 else at
    elif sign in {b"'", b'"'} and line[at - 1 : at] == b"=" and at > 0:
        close = line.find(sign, at + 1, at + 256)
        end = close + 1 if close > at and line.count(b" ", at, close) < 2 else at
    return end, VALUE if end > at else 0


EMPTY = re.compile(rb"\(\)|\[-?\]|\"\"(?!\")|''(?!')")


class Shape:
    """What was written so far, and what has to be known of it."""

    def __init__(self):
        self.out, self.mask, self.kind, self.dates = b"", None, 0, None

    @property
    def tail(self):
        """What was written behind the last parameter."""
        return self.out[self.mask + 1 :]

    @property
    def in_list(self):
        return self.mask is not None and not self.tail.strip(SEPARATORS)

    def put_word(self, text):
        kind = DATE if text in DATE else ZONE if text in ZONE else None
        if self.in_list and kind and (self.kind == TIME or (kind is DATE and len(text) == 3)):
            self.out, self.kind = self.out[: self.mask + 1], TIME
            return
        if kind is not DATE:
            self.dates = None
        elif self.dates is None:
            self.dates = len(self.out)
        self.out += text

    def put_mark(self, sign):
        if self.in_list and sign in b")]}":
            self.out = self.out[: self.mask + 1]
        if sign not in SEPARATORS:
            self.dates = None
        self.out += sign if sign >= b" " and sign != b"\x7f" else b"?"

    def put_parameter(self, text, before, kind, digit):
        found = re.match(rb"[A-Za-z_\x80-\xff]*", text)[0] if kind[1] else b""
        if found:
            self.out, self.mask, self.kind = self.out + found, None, 0
        kind, begin = kind[0], len(self.out)
        if digit:
            begin = len(self.out.rstrip(SIGNS))
            if begin and self.out[begin - 1] not in OPENERS:
                begin = len(self.out)
        listed = self.mask is not None and not self.out[self.mask + 1 : begin].strip(SEPARATORS)
        spaced = b" " in self.tail if self.mask is not None else False
        if self.dates is not None and kind != MASKED:
            begin, kind = self.dates, TIME
        elif kind == VALUE and self.kind == TIME and listed and spaced and zone_shift(text, before):
            kind = TIME
        if listed and (not spaced or (self.kind == kind and kind != MASKED)):
            self.out, self.kind = self.out[: self.mask + 1], max(self.kind, kind)
        else:
            self.mask, self.kind, self.out = begin, kind, self.out[:begin] + b"\x01"
        self.dates = None


def zone_shift(text, before):
    return len(text) == 4 and (before in b"+-" or text[:2] in {b"19", b"20"})


def shape_of(line):
    """The shape of a line, as bytes."""
    shape, at = Shape(), 0
    while at < len(line):
        sign = line[at : at + 1]
        if re.match(S, sign):
            if shape.out and not shape.out.endswith(b" "):
                shape.out += b" "
            at += 1
            continue
        is_word = FIRST.match(line, at) is not None
        end, kind = word(line, at) if is_word else mark(line, at)
        empty = EMPTY.match(line, at) if not is_word and not kind and opened(line, at) else None
        if empty:
            shape.mask, shape.kind, shape.dates = len(shape.out) + 1, VALUE, None
            shape.out += empty[0][:1] + b"\x01" + empty[0][-1:]
            at = empty.end()
        elif kind:
            keyed = is_word and line[end : end + 1] == b"="
            shape.put_parameter(line[at:end], line[at - 1 : at], (kind, keyed), sign.isdigit())
            at = re.compile(rb"[+#$*~>@]*").match(line, end).end()
        elif is_word:
            shape.put_word(line[at:end])
            at = end
        else:
            shape.put_mark(sign)
            at += 1
    return shape.out.removesuffix(b" ")
