import math

import numpy as np
import pytest

from anomaly_detection.features.templates import TemplateMiner
from anomaly_detection.features.templates._value_kernels import number_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7.25", -7.25),
        ("+7", 7),
        ("#7", 7),
        ("<1 sec", 1),
        ("91%", 91),
        ("512 B", 512),
        ("512 bytes", 512),
        ("2KB", 2048),
        ("2 KiB", 2048),
        ("1.5 MB", 1.5 * 1024**2),
        ("1 GB", 1024**3),
        ("30 s", 30),
        ("30 seconds", 30),
        ("3 ms", 3e-3),
        ("3us", 3e-6),
        ("3 ns", 3e-9),
        ("2 min", 120),
        ("2 minutes", 120),
        ("2 hours", 7200),
        ("2 hrs", 7200),
        ("3 days", 3 * 86400),
        ("10.0.0.1", math.nan),
        ("07:07:00", math.nan),
        ("blk_7", math.nan),
        ("7 apples", math.nan),
        ("1,024", math.nan),
        ("", math.nan),
        ("-", math.nan),
    ],
)
def test_numbers_and_their_units(text, expected):
    data = np.frombuffer(f"x{text}9".encode(), np.uint8)
    np.testing.assert_allclose(number_of(data, 1, len(data) - 1), expected)


def test_many_blocks_give_the_same_as_one_line_at_a_time():
    miner = TemplateMiner()
    messages = [f"took {i % 97} ms on node{i % 7}" for i in range(9000)] + ["idle"]
    miner.update(messages)
    assert miner.parameters(messages) == [[f"{i % 97} ms", f"node{i % 7}"] for i in range(9000)] + [[]]
    rows, values = miner.numbers(messages)[1]
    assert rows.tolist() == list(range(9000))
    np.testing.assert_allclose(values[:, 0], [i % 97 / 1000 for i in range(9000)])
