"""Rolling windows per service: exact, the same however the lines are cut, bounded, restored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.features.logs._window_kernels import LONG_AGO, NO_TIME
from anomaly_detection.features.logs.windows import NAMES, ServiceWindows

SECOND = 1_000_000


def lines_of(n, seed=0, services=4, gap=20.0, late=0.1, untimed=0.1):
    """Names, times, values, errors of n lines; some late, some without time or response time."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(gap, n) * SECOND).astype(np.int64)
    times -= np.where(rng.random(n) < late, rng.integers(0, 400 * SECOND, n), 0)
    times = np.where(rng.random(n) < untimed, NO_TIME, times)
    values = rng.gamma(2, 50, n).round(1).astype(np.float32)
    values[rng.random(n) < 0.1] = rng.choice(np.float32([np.nan, -1, np.inf]), (rng.random(n) < 0.1).sum() or 1)[0]
    return rng.integers(1, services + 1, n).astype(np.uint64), times, values, rng.random(n) < 0.2


def naive(names, times, values, errors, minutes, most_lines):
    """The same by looking at all earlier lines."""
    window, clocks, latest, past, everything, out = int(minutes * 60e6), {}, None, {}, [], []
    for name, time, value, error in zip(names, times, values, errors, strict=True):
        if time != NO_TIME and (latest is None or time > latest):
            latest = int(time)
        now = LONG_AGO if latest is None else latest
        everything = [*(one for one in everything if one > now - window), now][-16 * most_lines :]
        before, own = clocks.get(name), now if time == NO_TIME else int(time)
        own = own if before is None else max(before, own)
        if own != LONG_AGO:
            clocks[name] = own
        kept = [one for one in past.get(name, []) if one[0] > own - window]
        past[name] = [*kept, (own, value, error)][-most_lines:]
        timed = [float(v) for _, v, _ in past[name] if 0 <= v < np.inf]
        out.append(
            [
                np.nan if before is None else (own - before) / 1e6,
                len(everything),
                np.mean(timed) if timed else np.nan,
                (np.std(timed, ddof=1) if len(timed) > 1 else 0.0) if timed else np.nan,
                np.median(timed) if timed else np.nan,
                np.mean([e for _, _, e in past[name]]),
                len(past[name]),
            ]
        )
    return np.array(out, dtype=np.float64).reshape(-1, len(NAMES))


@given(st.integers(0, 300), st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([2, 5, 4096]))
def test_windows_equal_their_naive_twin(n, seed, services, most_lines):
    lines = lines_of(n, seed, services)
    found = ServiceWindows(most_lines=most_lines).update(*lines)
    np.testing.assert_allclose(found, naive(*lines, 5.0, most_lines), rtol=2e-5, atol=2e-3)


@given(st.integers(0, 1_000), st.lists(st.integers(0, 200), max_size=5))
def test_any_chunking_gives_the_same_bits(seed, cuts):
    lines = lines_of(200, seed)
    whole = ServiceWindows(most_lines=8, most_services=3).update(*lines)
    parts, windows = [], ServiceWindows(most_lines=8, most_services=3)
    for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), 200], strict=True):
        parts.append(windows.update(*(one[low:high] for one in lines)))
        windows = ServiceWindows(most_lines=8, most_services=3).restore(windows.state())
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_sums_do_not_keep_what_a_huge_value_left_behind():
    n, windows = 5_000, ServiceWindows(minutes=1, most_lines=64)
    values = np.full(n, 10.0, np.float32)
    values[100] = 1e12
    found = windows.update(np.ones(n, np.uint64), np.arange(n) * SECOND, values, np.zeros(n, bool))
    assert found[-1, NAMES.index("rt_mean")] == 10.0
    assert found[-1, NAMES.index("rt_std")] == 0.0


def test_memory_is_bounded_however_many_services_there_are():
    n = 20_000
    windows = ServiceWindows(most_lines=4, most_services=10)
    found = windows.update(np.arange(n, dtype=np.uint64), np.arange(n), np.ones(n, np.float32), np.zeros(n, bool))
    assert len(windows.state()["seen"]) == 10
    assert (found[:, NAMES.index("log_volume")] == 1).all()
    assert np.isnan(found[:, NAMES.index("time_since_last")]).all()
    again = windows.update(np.uint64([n - 1, 0]), np.int64([n, n]), np.ones(2, np.float32), np.zeros(2, bool))
    assert again[:, NAMES.index("log_volume")].tolist() == [2, 1]


@pytest.mark.parametrize(
    "damage",
    [
        {"lines": np.array(-1)},
        {"names": np.zeros(1, np.uint64)},
        {"rings/counts": np.full((4, 4), 99)},
        {"rings/values": np.zeros(1, np.float32)},
        {"rings/times": None},
        {"overall/clocks": np.zeros(2, np.int64)},
        {"rings/counts": np.zeros((4, 4))},
    ],
)
def test_foreign_state_is_refused(damage):
    windows = ServiceWindows(most_lines=8)
    windows.update(*lines_of(50))
    with pytest.raises(ArtifactError, match="not the state of ServiceWindows"):
        ServiceWindows(most_lines=8).restore({**windows.state(), **damage})


def test_a_window_needs_a_length():
    with pytest.raises(ParameterError, match="minutes"):
        ServiceWindows(minutes=0)
