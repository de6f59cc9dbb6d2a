import json
from itertools import chain, pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError, InputError, ParameterError
from anomaly_detection.features.templates import TemplateMiner, mine
from anomaly_detection.features.templates._store import text_of
from features.templates.naive_miner import NaiveMiner

TEXT = (
    "user file node disk Started Stopped root cyrus news admin Alice ERROR WARN isOpen a.b x_y 'on' (ok) by=ann by=bob "
    "by= state:up 10.0.0.1 7 f() a::b - : key= closed opened"
)
WORDS = TEXT.split(" ")
lines = st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)
logs = st.lists(lines, max_size=60)
TEMPLATES = [
    "session opened for user {} by (uid={})",
    "Failed password for {} from 10.0.0.{} port {}",
    "mapping {} to {} in the cluster failed {}",
    "{} service Started",
    "state {} reached",
]
NAMES = ["root", "cyrus", "news", "admin", "boot", "Alice", "a.b", "isOpen", "'x y'", "by=7", "disk0"]
statements = st.tuples(st.sampled_from(TEMPLATES), *[st.sampled_from(NAMES)] * 3).map(lambda t: t[0].format(*t[1:]))
busy = st.lists(st.one_of(statements, lines), max_size=80)


def saved(miner):
    """The state as it comes back from a file."""
    spec, arrays = miner.state()
    return json.loads(json.dumps(spec)), {name: array.copy() for name, array in arrays.items()}


@settings(max_examples=200, deadline=None)
@given(st.one_of(logs, busy))
def test_ids_are_those_of_the_naive_twin(messages):
    naive = NaiveMiner()
    expected = [naive.id_of(message.encode()) for message in messages]
    miner = TemplateMiner()
    assert miner.update(messages).tolist() == expected
    assert miner.canonical(expected).tolist() == [naive.canonical(number) for number in expected]
    texts = {each.number: b" ".join(each.tokens).replace(b"\x01", b"<*>").decode() for each in naive.live}
    assert miner.templates() == [texts[naive.canonical(number)] for number in sorted(naive.into)]


@settings(max_examples=100, deadline=None)
@given(busy, st.lists(st.integers(0, 80), max_size=6), st.integers(3, 12))
def test_any_chunking_gives_the_same_ids_and_the_same_state(messages, cuts, most):
    whole, parts = TemplateMiner(max_templates=most), TemplateMiner(max_templates=most)
    expected = whole.update(messages).tolist()
    bounds = sorted({0, len(messages), *(cut for cut in cuts if cut < len(messages))})
    found = [parts.update(messages[a:b]).tolist() for a, b in pairwise(bounds)]
    assert list(chain.from_iterable(found)) == expected
    assert saved(parts)[0] == saved(whole)[0]
    assert all(np.array_equal(a, b) for a, b in zip(saved(parts)[1].values(), saved(whole)[1].values(), strict=True))


@settings(max_examples=100, deadline=None)
@given(busy, busy, st.integers(3, 12))
def test_a_restored_miner_goes_on_as_if_nothing_had_been(before, after, most):
    miner = TemplateMiner(max_templates=most)
    miner.update(before)
    again = TemplateMiner.from_state(*saved(miner))
    assert again.templates() == miner.templates()
    assert again.assign(before + after).tolist() == miner.assign(before + after).tolist()
    assert again.update(after).tolist() == miner.update(after).tolist()
    assert again.templates() == miner.templates()
    assert again.counts().tolist() == miner.counts().tolist()


@settings(max_examples=100, deadline=None)
@given(busy)
def test_assigning_learns_nothing_and_knows_what_was_learned(messages):
    miner = TemplateMiner()
    assert set(miner.assign(messages).tolist()) <= {-1, 0}
    ids = miner.update(messages)
    before = saved(miner)[1]
    assert miner.canonical(ids).tolist() == miner.canonical(miner.assign(messages)).tolist()
    after = saved(miner)[1]
    assert all(np.array_equal(before[name], after[name]) for name in before)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=80), st.text(max_size=40), st.none()), max_size=30))
def test_no_bytes_make_it_fail(messages):
    miner = TemplateMiner(max_templates=4)
    ids = miner.update(messages)
    assert len(ids) == len(messages)
    assert miner.counts().sum() == miner.lines == len(messages)
    texts = [text_of(miner._store, i).tobytes().count(1) for i in miner.canonical(range(len(miner.templates())))]
    assert [len(each) for each in miner.parameters(messages)] == [
        texts[i] if i >= 0 else 0 for i in miner.assign(messages)
    ]
    assert len(mine(messages)[0]) == len(messages)


@pytest.mark.parametrize(
    "pair",
    [
        ("Started", "Stopped"),
        ("enabled", "disabled"),
        ("connected", "disconnected"),
        ("Accepted", "Rejected"),
        ("up", "down"),
        ("'Active'", "'Inactive'"),
        ("succeeded", "failed"),
        ("opened", "closed"),
    ],
)
def test_opposites_stay_apart(pair):
    others = ["waiting", "idle", "sleepy", "stuck", "warm", "new", "old", "odd", "even"]
    messages = [f"the service is now {state} on this machine of ours" for state in [*others, *pair, *others]]
    ids, templates = mine(messages)
    started, stopped = ids[len(others)], ids[len(others) + 1]
    assert started != stopped
    assert pair[0] in templates[started]
    assert len(set(ids.tolist())) == 3


def test_different_numbers_of_words_stay_apart():
    ids, _ = mine(["connection from ann lost", "connection from ann lost again", "connection lost"])
    assert len(set(ids.tolist())) == 3


def test_lists_of_any_length_are_one_template():
    ids, templates = mine([f"ask node7 to delete {' '.join(f'blk_{i}' for i in range(n))}" for n in range(1, 9)])
    assert templates == ["ask <*> to delete <*>"]
    assert set(ids.tolist()) == {0}


def test_an_id_never_changes_though_templates_are_merged():
    miner = TemplateMiner()
    first = miner.update([f"session closed for user {name}" for name in ("ann", "bob", "cy")])
    assert first.tolist() == [1, 2, 3]
    assert miner.update(["session closed for user dee", "session closed for user ann"]).tolist() == [1, 1]
    assert miner.templates()[1:] == ["session closed for user <*>"] * 4
    assert miner.canonical([3, 2, 1, 0, -1]).tolist() == [1, 1, 1, 0, -1]
    assert miner.counts().tolist() == [0, 5, 0, 0, 0]


def test_random_text_is_bounded():
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    messages = [" ".join("".join(rng.choice(letters, 7)) for _ in range(9)) for _ in range(2000)]
    miner = TemplateMiner(max_templates=50)
    miner.update(messages)
    spec, arrays = miner.state()
    assert len(arrays["lengths"]) <= 50
    assert len(arrays["into"]) == 16 * 50
    assert miner.lines == miner.counts().sum() == 2000
    assert sum(array.nbytes for array in miner._store) < 1_000_000
    assert miner.update(["one more of these"]).tolist() == [0]
    assert TemplateMiner.from_state(spec, arrays).update(["one more of these"]).tolist() == [0]


def test_the_bytes_of_templates_are_bounded():
    miner = TemplateMiner(max_bytes=4096, max_line_bytes=1024)
    miner.update([f"{letter * 300} is {letter * 300} long {letter * 300}" for letter in "ghijklmnopqr"])
    assert miner._store.sizes[1] <= 4096
    assert len(miner.templates()) == 13


def test_the_rarest_and_oldest_are_folded_into_the_catch_all():
    miner = TemplateMiner(max_templates=5)
    miner.update(["first alone", "second twice", "third alone", "second twice", "fourth alone"])
    assert miner.update(["fifth alone"]).tolist() == [5]
    assert miner.canonical(range(6)).tolist() == [0, 0, 2, 3, 4, 5]
    assert miner.templates()[:2] == ["<*>", "<*>"]
    assert miner.update(["first alone"]).tolist() == [6]
    assert miner.counts().sum() == 7


def test_long_lines_are_cut():
    miner = TemplateMiner(max_line_bytes=64)
    start = "word " * 12
    long = [start + "x" * 10_000_000, start + "y"]
    assert len(set(miner.canonical(miner.update(long)).tolist())) == 2
    assert miner.templates()[1].endswith("<*>")
    assert miner.parameters(long[:1])[0][0].endswith("xxx")


def test_nul_bytes_and_broken_utf8_are_shown_as_something():
    miner = TemplateMiner()
    ids = miner.update([b"a\x00b \xff\xfe end", None, "", "\ud800 x"])
    assert ids.tolist() == [1, 2, 2, 3]
    assert miner.templates()[1] == "a?b \ufffd\ufffd end"


def test_more_than_64_words():
    miner = TemplateMiner()
    line = " ".join(["word"] * 100)
    assert miner.update([line, line, line + " 7", line + " 8"]).tolist() == [1, 1, 2, 2]
    assert miner.parameters([line + " 9"]) == [["9"]]


def test_parameters_are_in_the_order_of_the_template():
    miner = TemplateMiner()
    names = ("ann", "bob", "cy", "dee", "eve")
    messages = [f"user {name} [pid 1{i}] key=k{i} took 5 ms (1, 2 3)" for i, name in enumerate(names)]
    miner.update(messages)
    template = miner.templates()[miner.assign(messages)[0]]
    assert template == "user <*> [pid <*>] key=<*> took <*> (<*>)"
    assert miner.parameters(messages[1:2]) == [["bob", "11", "k1", "5 ms", "1, 2 3"]]
    assert miner.parameters(["never seen by anyone"]) == [[]]


def test_numbers_have_units():
    miner = TemplateMiner()
    miner.update(["sent 2.5 KB in 31 ms to 10.0.0.1 at -4 of #7 for 2 hours", "idle"])
    rows, values = miner.numbers(["idle", "sent 1 MB in 2 us to 10.0.0.2 at +3 of #8 for 5 min"])[1]
    assert rows.tolist() == [1]
    np.testing.assert_allclose(values, [[1048576.0, 2e-6, np.nan, 3, 8, 300]])


def test_columns_of_any_kind_are_taken():
    texts = [f"user {i} came" for i in range(200)] + [None]
    columns = [texts, pl.Series(texts), pl.Series(texts).cast(pl.Categorical), pl.Series(texts).cast(pl.Binary)]
    columns += [np.array(texts, dtype=object), pl.Series(texts).rechunk().slice(0)]
    found = [TemplateMiner().update(column).tolist() for column in columns]
    assert all(each == [1] * 200 + [2] for each in found)
    assert TemplateMiner().update([]).tolist() == []
    assert TemplateMiner().update(pl.Series([None, None])).tolist() == [1, 1]


@pytest.mark.parametrize("messages", ["one text", b"one text", [1, 2], pl.Series([1.5]), list(range(100))])
def test_what_is_no_message_is_refused(messages):
    with pytest.raises(InputError):
        TemplateMiner().update(messages)


@pytest.mark.parametrize(
    "parameters", [{"max_templates": 1}, {"max_line_bytes": 1}, {"max_bytes": 5000}, {"max_templates": True}]
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    with pytest.raises(ParameterError, match=next(iter(parameters))):
        TemplateMiner(**parameters)


SPECS = [
    {"format": 2},
    {"lines": "7"},
    {"parameters": None},
    {"parameters": {"max_templates": 5}},
    {"parameters": {"max_templates": 0, "max_bytes": 1 << 20, "max_line_bytes": 4096, "masks": None}},
    {"parameters": {"max_templates": "many", "max_bytes": 1 << 20, "max_line_bytes": 4096, "masks": None}},
    {"parameters": {"max_templates": 9, "max_bytes": 1 << 20, "max_line_bytes": 4096, "masks": {"x": "("}}},
]
ARRAYS = [
    ("into", lambda a: a + 1),
    ("into", lambda a: a[:0]),
    ("into", lambda a: a.astype(np.float64)),
    ("into", lambda a: -a),
    ("lengths", lambda a: a[1:]),
    ("lengths", lambda a: a + 1),
    ("lengths", lambda a: -a),
    ("text", lambda a: a[1:]),
    ("text", lambda a: a[::-1].copy()),
    ("opened", lambda a: a + np.uint64(1 << 60)),
    ("counts", lambda a: a - 100),
    ("seen", lambda a: a + 100),
    ("seen", lambda a: a.reshape(1, -1)),
]


def small_state():
    miner = TemplateMiner()
    miner.update(["session closed for user ann", "disk full", "cpu 5 hot"])
    return saved(miner)


@pytest.mark.parametrize("change", SPECS)
def test_a_changed_spec_is_refused(change):
    spec, arrays = small_state()
    with pytest.raises(ArtifactError):
        TemplateMiner.from_state({**spec, **change}, arrays)


@pytest.mark.parametrize(("name", "change"), ARRAYS)
def test_changed_arrays_are_refused(name, change):
    spec, arrays = small_state()
    with pytest.raises(ArtifactError):
        TemplateMiner.from_state(spec, {**arrays, name: change(arrays[name])})


def test_a_missing_array_is_refused():
    spec, arrays = small_state()
    arrays.pop("into")
    with pytest.raises(ArtifactError):
        TemplateMiner.from_state(spec, arrays)
