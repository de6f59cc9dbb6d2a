"""The kernels that find fields, join lines and put pieces together do what plain Python does."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.sources.logs import LogColumns
from anomaly_detection.sources.logs._lines_kernels import chained, cri_parts, owners_of
from anomaly_detection.sources.logs._spans import Lines, Spans
from anomaly_detection.sources.logs.joining import joined
from anomaly_detection.sources.logs.logfmt import Logfmt

patient = settings(deadline=None, max_examples=300)
COLUMNS = LogColumns.of({"level": ["level", "l"], "message": "msg", "service": "a.b"})
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def logfmt_pairs(line):
    """The pairs of a line, None where it does not begin with one or a quote is not closed."""
    pairs, at = {}, 0
    while True:
        at = re.compile(r"[ \t]*").match(line, at).end()
        if at == len(line):
            return pairs or None
        name = re.compile(r"([A-Za-z_@][0-9A-Za-z_@:./-]*)=").match(line, at)
        if name is None:
            if not pairs:
                return None
            at = re.compile(r"[^ \t]*").match(line, at).end()
            continue
        at = name.end()
        quoted = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(line, at)
        if quoted is None and line[at : at + 1] == '"':
            return None
        bare = quoted or re.compile(r"([^ \t]*)").match(line, at)
        pairs[name[1]] = unescaped(bare[1]) if quoted else bare[1]
        at = bare.end()


def unescaped(text):
    def plain(found):
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else SIMPLE.get(code, code)

    text = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", plain, text, flags=re.DOTALL)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


PIECES = [
    "level=",
    "l=",
    "msg=",
    "a.b=",
    "x=1",
    '"',
    "\\",
    '\\"',
    "\\n",
    "\\u00e9",
    " ",
    "\t",
    "é",
    "=",
    "warn",
    "[",
    '"a b"',
]


@patient
@given(
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join).map(lambda x: x + "."), max_size=4)
)
def test_logfmt(texts):
    lines = Lines.of("\n".join(texts).encode(), 1)
    ok, fields = Logfmt(COLUMNS).decode(lines)
    columns = {name: found.spans.series().to_list() for name, found in fields.items()}
    for i, text in enumerate(texts):
        pairs = logfmt_pairs(text)
        assert ok[i] == (pairs is not None)
        if pairs is not None:
            assert columns["level"][i] == (pairs.get("level") or pairs.get("l") or None)
            assert columns["message"][i] == pairs.get("msg")
            assert columns["service"][i] == (pairs.get("a.b") or None)


def naive_owners(kinds, numbers, lengths, most_lines, most_bytes):
    owners, head, taken = [], None, 0
    for i, kind in enumerate(kinds):
        if kind == "head":
            head, taken = i, 0
            owners.append(i)
            continue
        taken += lengths[i]
        near = head is not None and numbers[i] - numbers[head] <= most_lines and taken <= most_bytes
        if kind == "more" and near:
            owners.append(head)
        else:
            head = None
            owners.append(-1)
    return owners, -1 if head is None else head


@patient
@given(
    st.lists(st.tuples(st.sampled_from(["head", "more", "other"]), st.integers(1, 4), st.integers(0, 9)), max_size=30),
    st.integers(0, 8),
    st.integers(0, 30),
)
def test_which_lines_belong_together(lines, most_lines, most_bytes):
    kinds = [kind for kind, _, _ in lines]
    numbers = np.cumsum([step for _, step, _ in lines], dtype=np.int64)
    lengths = np.array([length for _, _, length in lines], np.int64)
    owners = np.empty(len(lines), np.int64)
    heads, more = np.array([kind == "head" for kind in kinds], bool), np.array([kind == "more" for kind in kinds], bool)
    last = owners_of(heads, more, numbers, lengths, most_lines, most_bytes, owners)
    assert (owners.tolist(), last) == naive_owners(kinds, numbers, lengths, most_lines, most_bytes)


def naive_chains(partial, streams, numbers, lengths, most_lines, most_bytes):
    chains = []
    for i in range(len(partial)):
        last = chains[-1] if chains else None
        fits = (
            last is not None
            and partial[last[-1]]
            and streams[last[0]] == streams[i]
            and numbers[i] - numbers[last[0]] <= most_lines
            and sum(lengths[j] for j in last) + lengths[i] <= most_bytes
        )
        if fits:
            last.append(i)
        else:
            chains.append([i])
    owners = [chain[0] for chain in chains for _ in chain]
    return owners, chains[-1][0] if chains and partial[chains[-1][-1]] else -1


@patient
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 2), st.integers(1, 3), st.integers(0, 9)), max_size=30),
    st.integers(0, 6),
    st.integers(0, 30),
)
def test_which_pieces_belong_together(lines, most_lines, most_bytes):
    partial = np.array([each[0] for each in lines], bool)
    streams = np.array([each[1] for each in lines], np.int64)
    numbers = np.cumsum([each[2] for each in lines], dtype=np.int64)
    lengths = np.array([each[3] for each in lines], np.int64)
    owners = np.empty(len(lines), np.int64)
    last = chained(partial, streams, numbers, lengths, most_lines, most_bytes, owners)
    assert (owners.tolist(), last) == naive_chains(partial, streams, numbers, lengths, most_lines, most_bytes)


CRI = re.compile(r"([^ ]{20,40}) (stdout|stderr) ([FP])[^ ]*(?: (.*))?", re.DOTALL)


@patient
@given(
    st.lists(
        st.builds(
            lambda time, rest: f"{time}{rest}",
            st.sampled_from(["2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00Z", "2024-05-01", "x" * 25, ""]),
            st.lists(
                st.sampled_from([" stdout", " stderr", " F", " P", " F:x", " ", "hello", "é", " stdin"]), max_size=5
            ).map("".join),
        ).filter(lambda text: text.strip()),
        min_size=1,
        max_size=4,
    )
)
def test_lines_of_container_runtimes(texts):
    spans = Spans.of(texts)
    parts = np.zeros((len(texts), 4), np.int64)
    cri_parts(spans.text, spans.starts, spans.ends, parts)
    for i, text in enumerate(texts):
        found = CRI.fullmatch(text)
        fits = found is not None and text[4] == "-" and text[10] == "T"
        assert (parts[i, 2] > 0) == fits
        if fits:
            message = spans.text[parts[i, 1] : spans.ends[i]].tobytes().decode()
            assert message == (found[4] or "")
            assert parts[i, 2] == {"stdout": 1, "stderr": 2}[found[2]]
            assert parts[i, 3] == (found[3] == "P")


@patient
@given(
    st.lists(
        st.tuples(st.none() | st.text("ab", max_size=3), st.lists(st.text("cd", max_size=3), max_size=3)), max_size=5
    )
)
def test_messages_with_the_lines_that_belong_to_them(records):
    owners = np.array([i for i, (_, more) in enumerate(records) for _ in more], np.int64)
    texts = joined(
        Spans.of([text for text, _ in records]), owners, Spans.of([line for _, more in records for line in more])
    )
    expected = []
    for text, more in records:
        whole = text
        for line in more:
            whole = f"{whole}\n{line}" if whole else line
        expected.append(whole)
    assert texts.series().to_list() == expected


@patient
@given(
    st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5),
    st.booleans(),
)
def test_texts_to_places_and_back(texts, many):
    texts = texts * (200 if many else 1)
    assert Spans.of(texts).series().to_list() == texts
    odd = np.arange(len(texts)) % 2 == 1
    changed = Spans.of(texts).replaced(
        np.flatnonzero(odd), [None if i % 4 == 1 else b"new" for i in np.flatnonzero(odd)]
    )
    assert changed.series().to_list() == [
        (None if i % 4 == 1 else "new") if i % 2 else text for i, text in enumerate(texts)
    ]
