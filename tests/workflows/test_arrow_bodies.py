"""The size of an Arrow stream is told without unpacking it, and nonsense is refused."""

from __future__ import annotations

import contextlib
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.workflows.arrow_bodies import unpacked_bytes


def stream(frame: pl.DataFrame, compression: str) -> bytes:
    out = io.BytesIO()
    frame.write_ipc_stream(out, compression=compression)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_all_ways_of_packing_have_one_size(compression: str) -> None:
    frame = pl.DataFrame(
        {"a": [0.0] * 50_000, "b": ["same text"] * 50_000, "c": pl.Series(["x"] * 50_000, dtype=pl.Categorical)}
    )
    plain = unpacked_bytes(stream(frame, "uncompressed"))
    assert plain >= 50_000 * 12
    assert abs(unpacked_bytes(stream(frame, compression)) - plain) < 2_000


@given(st.binary(max_size=200), st.integers(0, 600), st.integers(0, 255))
def test_nonsense_is_refused_or_harmless(noise: bytes, place: int, byte: int) -> None:
    whole = bytearray(stream(pl.DataFrame({"a": [1.0, 2.0]}), "zstd"))
    whole[place % len(whole)] = byte
    for body in (noise, bytes(whole)):
        with contextlib.suppress(InputError):
            assert unpacked_bytes(body) >= 0


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(InputError, match="Arrow"):
        unpacked_bytes(b"\xff\xff\xff\xff\x10\x00\x00\x00")
