import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.templates import MASKS, TemplateMiner
from anomaly_detection.features.templates._shape_kernels import hash_of, shape_of
from features.templates import naive_masks

TEXT = (
    "a b up Started user root - -1 +5 #7 <1 5 17 2005 1e5 4.5 0x1f deadbeef facade cafe:: fe80::1 ::1 "
    "00:1b:44:11:3a:b7 10.0.0.1 10.0.0.1:80 Jan Jul July Fri Sun UTC PM 07:07:00 12:01 2005-06-17 17/06/2005 +0200 "
    "ms KB seconds sec. /etc/hosts / ~/x ./y C:\\a\\b \\\\s\\d http://a/b?c=d a@b.org www.example.org a.b.uk x.py "
    "key= k=v k1=v1 k:v a=true a='b c' "
    'a="" () [] [-] \'\' "" (x) [1] {2} <3> , ; : . :: .. ... = == | * ** *** **** '
    "_ __ a_1 a-b a-1 1,2 1, (1, 2) x.y.z a/b a//b a....b a.....b 1::2 é 日本 % 5% $5 @ @1 \\ \x00 \x01 \x02 \x7f"
)
PIECES = TEXT.split(" ")


def shape(line):
    data = np.frombuffer(line, np.uint8)
    out, where = np.full(2 * len(data) + 64, 255, np.uint8), np.zeros(2 * len(data) + 64, np.int32)
    n = shape_of(data, 0, len(data), out, where)
    return out[:n].tobytes()


def shown(line):
    return shape(line.encode()).replace(b"\x01", b"<*>").decode()


lines = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " ", " ", "  ", "\t", ","])), max_size=14).map(
    lambda pairs: "".join(a + b for a, b in pairs).encode()
)


@pytest.mark.parametrize("name", MASKS)
def test_each_mask_does_what_its_example_says(name):
    assert shown(MASKS[name].line) == MASKS[name].shape


@settings(max_examples=600, deadline=None)
@given(st.one_of(lines, st.binary(max_size=60), st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))))
@example(b"abcdefgh1=2")
@example(b"Fri 5 x")
def test_the_kernel_is_its_naive_twin_on_any_bytes(line):
    assert shape(line) == naive_masks.shape_of(line)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_the_shape_of_a_shape_is_the_shape(pieces):
    line = " ".join(pieces).encode()
    assert shape(shape(line)) == shape(line)


@settings(max_examples=200, deadline=None)
@given(lines, st.binary(max_size=20), st.binary(max_size=20))
def test_a_line_does_not_see_its_neighbours(line, before, after):
    data = np.frombuffer(before + line + after, np.uint8)
    out, where = np.zeros(2 * len(data) + 64, np.uint8), np.zeros(2 * len(data) + 64, np.int32)
    n = shape_of(data, len(before), len(before) + len(line), out, where)
    assert out[:n].tobytes() == shape(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Started worker", "Started worker"),
        ("r16=0x18 fpr0=1 2 3", "r<*>=<*> fpr<*>=<*>"),
        ("lifetime <1 sec", "lifetime <*>"),
        ("(stack @0x7f @0x8f)", "(stack <*>)"),
        ("speeds ( 3552 **** 3375 )", "speeds ( <*>)"),
        ("10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] x", "<*> - - [<*>] x"),
        ("[req-1a - - -] done", "[<*>] done"),
        ("12:01:02 node7 up", "<*> <*> up"),
        ("may Sun shine", "may Sun shine"),
        ("java.io.IOException: broken", "java.io.IOException: broken"),
        ("jk2_init() ok", "<*>() ok"),
        ('a="b c" d="e f g"', 'a=<*> d="e f g"'),
        ("", ""),
    ],
)
def test_what_lines_look_like(line, expected):
    assert shown(line) == expected


def test_the_hash_sees_the_length_and_nothing_behind_the_end():
    out = np.zeros(64, np.uint8)
    out[:4] = [1, 2, 3, 4]
    first = hash_of(out, out.view(np.uint64), 3)
    out[3] = 9
    assert hash_of(out, out.view(np.uint64), 3) == first
    assert hash_of(out, out.view(np.uint64), 4) != first


def test_own_masks_come_first_and_give_their_values_back():
    miner = TemplateMiner(masks={"order": r"ORD/[A-Z]+", "colour": "red|green"})
    messages = ["lamp red of ORD/AB is on", "lamp green of ORD/XY is on"]
    assert miner.update(messages).tolist() == [1, 1]
    assert miner.templates()[1] == "lamp <*> of <*> is on"
    assert miner.parameters(messages) == [["red", "ORD/AB"], ["green", "ORD/XY"]]
    assert miner.assign(pl.Series([m.encode() for m in messages])).tolist() == [1, 1]


@pytest.mark.parametrize("pattern", ["(", "(?=a)", "a*", 7])
def test_a_mask_that_cannot_be_used_is_refused_by_name(pattern):
    with pytest.raises(ParameterError, match="'mine'"):
        TemplateMiner(masks={"mine": pattern})
