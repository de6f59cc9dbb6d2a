"""The kernel that splits records does what a plain reading of RFC 4180 does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.sources._records_kernels import split_records


def naive(text, delimiter, final):
    records, start, fields, place, odd, nul = [], 0, 1, "start", False, False
    for i, byte in enumerate(text):
        character = chr(byte)
        nul = nul or byte == 0
        if place == "quoted":
            place = "after" if character == '"' else "quoted"
        elif character == '"':
            odd = odd or place == "plain"
            place = "plain" if place == "plain" else "quoted"
        elif character == "\n":
            blank = text[start:i] in (b"", b"\r")
            records.append((i + 1, -1 if nul else 0 if blank else fields, odd))
            start, fields, place, odd, nul = i + 1, 1, "start", False, False
        elif byte == delimiter:
            fields, place = fields + 1, "start"
        elif place == "after" and character == "\r":
            continue
        else:
            odd = odd or place == "after"
            place = "plain"
    if final and start < len(text):
        records.append((len(text), -2 if place == "quoted" else -1 if nul else fields, odd))
    return records


@given(st.lists(st.sampled_from(list(b'a1,;"\n\r\0 ')), max_size=60).map(bytes), st.sampled_from(b",;"), st.booleans())
def test_records_are_split_as_a_plain_reading_splits_them(text, delimiter, final):
    most = text.count(b"\n") + 1
    ends, fields, stray = np.empty(most, np.int64), np.empty(most, np.int64), np.zeros(most, np.bool_)
    count = split_records(np.frombuffer(text, np.uint8), delimiter, final, ends, fields, stray)
    found = list(zip(ends[:count].tolist(), fields[:count].tolist(), stray[:count].tolist(), strict=True))
    assert found == naive(text, delimiter, final)
