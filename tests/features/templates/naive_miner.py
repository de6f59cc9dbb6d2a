"""The miner once more, with a list of templates and comparisons of all with all."""

import re

from anomaly_detection.features.templates import _polar
from features.templates.naive_masks import shape_of

POLAR = {form for stem in _polar.STEMS.split() for form in _polar._forms(stem)} | set(_polar.WORDS.split())
LETTER = rb"[A-Za-z\x80-\xff]"
NAMES = {"keyed", "quoted", "name", "pure"}


def key_of(token):
    """The key of key=value or key:value, with the sign."""
    for i in range(1, len(token)):
        if token[i : i + 1] == b"=":
            return token[: i + 1]
        if token[i : i + 1] == b":":
            named = re.match(LETTER, token[i - 1 : i]) and token[i + 1 : i + 2] not in {b"", b":"}
            return token[: i + 1] if named else b""
    return b""


def kind_of(token, assigned):
    key, token = key_of(token), token.rstrip(b",.:;")
    letters = re.findall(LETTER, token)
    if b"\x01" in token and not letters:
        return "pure"
    if key:
        return "pure" if token == key + b"\x01" else "keyed"
    if not letters:
        return "mark"
    if assigned:
        return "keyed"
    core = re.fullmatch(rb"[^A-Za-z\x80-\xff]*(" + LETTER + rb"+)[^A-Za-z\x80-\xff]*", token)
    if core and core[1].lower().decode("latin-1") in POLAR:
        return "pole"
    if b"()" in token[:-2] + b"?" * 2 or re.search(rb"(?<!^)::(?!$)", token) or b"()" in token:
        return "code"
    if token[:1] in b"\"'(<[{" and token[-1:] in b"\"')>]}":
        return "quoted"
    mixed = re.search(rb"[a-z\x80-\xff][A-Z]", token) or re.search(rb"(?<!^)[./@\\_$](?!$)", token)
    lower = re.search(rb"[a-z\x80-\xff]", token)
    if b"\x01" in token or (mixed and lower):
        return "name"
    return "capital" if re.search(rb"[A-Z]", token) else "plain"


def kinds_of(tokens):
    return [kind_of(token, i > 0 and tokens[i - 1].endswith(b"=")) for i, token in enumerate(tokens)]


def needed(context, leading, kinds):
    """How many values it takes; None for never."""
    if context == 0:
        return None
    if "pure" in kinds:
        return 3 if leading and context < 2 else 2
    least = (3 if context >= 6 else 4 if context >= 3 else 5 if context == 2 else 6) + 3 * leading
    if not set(kinds) & {"plain", "capital", "code"}:
        return max(least - 1, 3 if "name" in kinds else 2)
    return least if set(kinds) & {"keyed", "quoted", "name", "plain"} else least + 4


class Template:
    def __init__(self, number, tokens):
        self.number, self.tokens, self.opened = number, tokens, set()


class NaiveMiner:
    def __init__(self):
        self.live, self.into = [Template(0, [b"\x01"])], {0: 0}

    def id_of(self, line):
        """The id of a line, learned from."""
        text = shape_of(line)
        tokens = text.split(b" ") if text else []
        template = self.found(tokens)
        if template is None:
            template = Template(len(self.into), tokens)
            self.into[template.number] = template.number
            self.live.append(template)
            template = self.settled(template)
        return template.number

    def found(self, tokens):
        kinds, matching = kinds_of(tokens), []
        for each in self.live:
            if each.tokens == tokens:
                return each
            if len(each.tokens) == len(tokens) and each.opened and self.matches(each, tokens, kinds):
                matching.append(each)
        return min(matching, key=lambda each: (len(each.opened), each.number), default=None)

    @staticmethod
    def matches(template, tokens, kinds):
        for i, (own, token) in enumerate(zip(template.tokens, tokens, strict=True)):
            if i in template.opened:
                if kinds[i] in {"pole", "mark"} or key_of(own) != key_of(token):
                    return False
            elif own != token:
                return False
        return True

    def settled(self, template):
        """Merge as long as there is something to merge."""
        while True:
            group, opened = self.mergeable(template)
            if not group:
                return template
            template = self.merged([template, *group], opened)

    def mergeable(self, template):
        tokens, kinds = template.tokens, kinds_of(template.tokens)
        same = [each for each in self.live if each is not template and len(each.tokens) == len(tokens)]
        for i, key in enumerate(map(key_of, tokens)):
            if kinds[i] in {"pole", "mark"} or len(tokens) == 1:
                continue
            rest = tokens[:i] + tokens[i + 1 :]
            group = [each for each in same if each.tokens[:i] + each.tokens[i + 1 :] == rest]
            group = [each for each in group if key_of(each.tokens[i]) == key]
            group = [each for each in group if kinds_of(each.tokens)[i] not in {"pole", "mark"}]
            words = [j for j, token in enumerate(tokens) if j != i and len(re.findall(LETTER, token)) >= 2]
            values = [kinds[i], *(kinds_of(each.tokens)[i] for each in group)]
            least = needed(len(words), not any(j < i for j in words), values)
            if group and least is not None and len(group) + 1 >= least:
                return group, {i}
        return self.framed(template, same)

    @staticmethod
    def framed(template, same):
        frame = frame_of(template.tokens)
        group = [each for each in same if frame and frame_of(each.tokens) == frame]
        if len(group) < 3:
            return [], set()
        return group, {i for i, token in enumerate(template.tokens) if any(each.tokens[i] != token for each in group)}

    def merged(self, group, opened):
        oldest = min(group, key=lambda each: each.number)
        for each in group:
            self.into[each.number] = oldest.number
            self.live.remove(each)
        oldest.opened = oldest.opened.union(opened, *(each.opened for each in group))
        oldest.tokens = [
            key_of(token) + b"\x01" if i in oldest.opened else token for i, token in enumerate(oldest.tokens)
        ]
        self.live.append(oldest)
        return oldest

    def canonical(self, number):
        while self.into[number] != number:
            number = self.into[number]
        return number


def frame_of(tokens):
    """The tokens with names left out; None with fewer than two names or three words and keys."""
    kinds = kinds_of(tokens)
    names = sum(kind in NAMES - {"pure"} for kind in kinds)
    words = sum(
        bool(key_of(token)) if kind in NAMES else kind != "mark" for token, kind in zip(tokens, kinds, strict=True)
    )
    if names < 2 or words < 3:
        return None
    return [key_of(token) + b"\x01" if kind in NAMES else token for token, kind in zip(tokens, kinds, strict=True)]
