"""Levels and numbers of every dialect."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs.levels import LEVELS, WORDS, level_codes, level_column
from anomaly_detection.sources.logs.numbers import MISSING_WHOLE, POWERS, durations, unit_of, wholes

patient = settings(deadline=None)  # a kernel may have to be compiled


def levels(texts, scale=0):
    return level_column(level_codes(Spans.of(texts), np.full(len(texts), scale))).to_list()


@patient
@given(st.sampled_from([(level, word) for level, words in WORDS.items() for word in words]), st.booleans())
def test_every_word_in_letters_of_any_case(pair, small):
    level, word = pair
    text = word.lower() if small else word
    assert levels([text, f" [{text}]", f"{text}: "]) == [level] * 3


@patient
@given(st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_other_words_are_unknown(text):
    known = {word for words in WORDS.values() for word in words}
    plain = text.strip(" \t[]:").upper()
    code = int(level_codes(Spans.of([text]))[0])
    if code >= 0 and not plain.isdigit():
        assert plain in known or not text.isascii()
    assert code in range(-2, len(LEVELS))


def test_numbers():
    assert levels([str(i) for i in range(9)]) == [
        "CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG", None,
    ]  # fmt: skip
    tens = ["10", "20", "30", "40", "50", "60"]
    assert levels(tens) == ["DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]
    assert levels(tens, scale=1) == ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", None]
    assert levels(["1", "5", "9", "13", "17", "21"], scale=2) == ["DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]
    assert level_codes(Spans.of(["61", "-1", "", None, "x"])).tolist() == [-2, -2, -1, -1, -2]


NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


@patient
@given(
    st.floats().map(repr)
    | st.from_regex(NUMBER, fullmatch=True)
    | st.tuples(st.integers(0, 10**25), st.integers(0, 10**25)).map(lambda pair: f"{pair[0]}.{pair[1]}")
)
def test_durations_are_exact_to_the_last_bit(text):
    if not text.isascii():
        return
    value = durations(Spans.of([text]), np.zeros(1, np.int64))[0][0]
    expected = float(text)
    if math.isfinite(expected) and expected >= 0:
        assert value == expected
    else:
        assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1.5", 1.5), ("12ms", 12.0), ("1.5 s", 1500.0), ("250us", 0.25), ("250µs", 0.25), ("5000000ns", 5.0),
     ("2m", 120_000.0), ("1h", 3_600_000.0), ("2 sec", 2000.0), ("-", None), ("", None), ("-5", None), ("fast", None)],
)  # fmt: skip
def test_units_in_the_text(text, milliseconds):
    value = durations(Spans.of([text]), np.zeros(1, np.int64))[0][0]
    assert value == milliseconds if milliseconds is not None else math.isnan(value)


@pytest.mark.parametrize(
    ("name", "unit"),
    [("latency_ms", "ms"), ("latencyMs", "ms"), ("elapsed_us", "us"), ("took_ns", "ns"), ("duration_seconds", "s"),
     ("timeSec", "s"), ("request_time", "s"), ("event.duration", "ns"), ("duration", "ms"), ("http.duration_s", "s")],
)  # fmt: skip
def test_units_of_fields(name, unit):
    assert unit_of(name) == unit
    value = durations(Spans.of(["1000"]), np.array([POWERS[unit]]))[0][0]
    assert value == {"ms": 1000.0, "us": 1.0, "ns": 0.001, "s": 1_000_000.0}[unit]


def test_whole_numbers():
    values, unread = wholes(Spans.of(["200", " 404 ", "500.0", "5e2", "2.5", "ok", "", None, "-", "1e20"]))
    assert values[:4].tolist() == [200, 404, 500, 500]
    assert (values[4:] == MISSING_WHOLE).all()
    assert unread.tolist() == [False] * 4 + [True, True, False, False, False, True]
