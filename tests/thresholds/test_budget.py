"""A budget of alarms holds whatever the scores do."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.thresholds import Budget, Spending
from anomaly_detection.thresholds.budget import HOUR, PERIODS

WEEK = PERIODS["week"]


def edge(k):
    return math.expm1(k / 32.0)


def naive_line(bins, share):
    """The line as the text says, from a list of (bin, weight), and nothing clever."""
    total = sum(bins.values())
    wanted = min(max(share * total, 3.0), total)
    above = 0.0
    for place in range(255, -1, -1):
        above += bins.get(place, 0.0)
        if above >= wanted:
            break
    line = edge(place) + (edge(place + 1) - edge(place)) * max(above - wanted, 0.0) / max(bins.get(place, 0.0), 1e-300)
    if share * total < wanted:
        over = {k: weight for k, weight in bins.items() if k >= place}
        excess = sum(w * max(0.5 * (edge(k) + edge(k + 1)) - line, 0.0) for k, w in over.items())
        line += max(excess / max(sum(over.values()), 1e-9), 0.05) * math.log(wanted / (share * total))
    return max(line, 1e-9)


def naive_flags(p_value, share, episodes):
    """The budget without kernels, one key."""
    prior = min(1000.0, 4.0 / share)
    bins = {k: prior * (math.exp(-edge(k)) - (math.exp(-edge(k + 1)) if k < 255 else 0.0)) for k in range(256)}
    raised, due, running, flags = 0.0, 0.0, None, []
    for p in p_value:
        due += share
        surprise = math.inf if p == 0.0 else -math.log(p)
        lasts = episodes and running is not None
        if lasts:
            line = max(running, naive_line(bins, min(2.0 * share, 0.5)))
        elif raised - due + 1.0 > min(max(2.0, 0.15 * due), 5.0):
            line = math.inf
        else:
            line = naive_line(bins, min(share * math.exp(-4.0 * (raised - due)), 0.5))
        flag = surprise >= line and surprise > 0.0
        if flag and not lasts:
            raised, running = raised + 1.0, 0.0 if math.isinf(line) else line
        elif not flag:
            running = None
        flags.append(flag)
        bins = {k: weight * (1.0 - share / 4.0) for k, weight in bins.items()}
        place = min(int(32.0 * math.log1p(min(surprise, 1e4))), 255)
        bins[place] = bins.get(place, 0.0) + 1.0
    return flags


def p_values(kind, n, seed=0):
    """Uniform p-values, and some that are off: too small by and by, from the middle on, for a while, or in bursts."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    power = {
        "as promised": np.ones(n),
        "drifting": np.linspace(1.0, 8.0, n),
        "a step": np.where(np.arange(n) < n // 2, 1.0, 6.0),
        "an episode": np.where(np.abs(np.arange(n) - n // 2) < n // 40, 30.0, 1.0),
        "quieter": np.where(np.arange(n) < n // 3, 1.0, 0.2),
    }[kind]
    return np.maximum(p**power, 1e-300)


def runs(flags):
    return int(np.count_nonzero(np.diff(np.asarray(flags, int), prepend=0) == 1))


@pytest.mark.parametrize("episodes", [False, True])
@pytest.mark.parametrize("kind", ["as promised", "drifting", "an episode"])
def test_the_kernel_is_the_naive_loop(kind, episodes):
    p = p_values(kind, 1500)
    p[[200, 700, 701]] = [1.0, 0.0, 0.0]
    budget = Budget.of("5/week" if episodes else 0.01)
    spending = Spending(budget, 0.01)
    found = spending.spend(p, None) <= 0.01
    assert found.tolist() == naive_flags(p, 0.01, episodes)
    assert found[700]
    assert found[701]


@pytest.mark.parametrize("share", [0.001, 0.005, 0.02])
@pytest.mark.parametrize("kind", ["as promised", "drifting", "a step", "an episode", "quieter"])
@pytest.mark.parametrize("wish", ["share", "5/week"])
def test_the_number_of_alarms_holds(kind, share, wish):
    n = 20_000
    p = p_values(kind, n)
    budget = Budget.of(share if wish == "share" else wish)
    flags = Spending(budget, share).spend(p) <= share
    alarms = runs(flags) if budget.episodes else int(flags.sum())
    assert 0.8 <= alarms / (share * n) <= 1.2
    if kind in ("drifting", "a step"):
        assert (p <= share).sum() > 3 * share * n


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 400), max_size=4),
    st.sampled_from([0.002, 0.01, 0.1]),
    st.booleans(),
)
def test_any_chunks_and_a_saved_state_go_on_alike(seed, cuts, share, episodes):
    rng = np.random.default_rng(seed)
    p = np.maximum(rng.random(400) ** rng.choice([1.0, 5.0, 40.0], 400), 1e-300)
    time = np.cumsum(rng.choice([0, HOUR, HOUR, 50 * HOUR], 400))
    code = rng.integers(0, 2, 400)
    budget = Budget.of("30/week" if episodes else share)
    whole = Spending(budget, share).spend(p, time, HOUR, ("a", "b"), code)
    going, parts = Spending(budget, share), []
    for part in np.split(np.arange(400), sorted(cuts)):
        parts.append(going.spend(p[part], time[part], HOUR, ("a", "b"), code[part]))
        spec, arrays = going.state()
        going = Spending.from_state(json.loads(json.dumps(spec)), arrays)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (whole > 0.0).all()
    assert (whole <= 1.0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 299))
def test_later_rows_change_no_verdict_before(seed, cut):
    p = np.random.default_rng(seed).random(300)
    other = np.concatenate([p[:cut], np.random.default_rng(seed + 1).random(300 - cut) ** 9])
    budget = Budget.of(0.02)
    first, second = (Spending(budget, 0.02).spend(each)[:cut] for each in (p, other))
    np.testing.assert_array_equal(first, second)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(1e-300, 1.0), min_size=1, max_size=500), st.sampled_from([0.01, 0.1]))
def test_alarms_never_run_far_ahead(p, share):
    flags = Spending(Budget.of(share), share).spend(np.array(p)) <= share
    due = share * np.arange(1, len(p) + 1)
    assert (np.cumsum(flags) <= due + np.minimum(np.maximum(2.0, 0.15 * due), 5.0)).all()


def test_an_alarm_that_lasts_is_one():
    p = p_values("as promised", 5000)
    p[3000:3006] = 1e-30
    flags = Spending(Budget.of("5/week"), 0.002).spend(p) <= 0.002
    assert flags[3000:3006].all()
    assert 0.8 <= runs(flags) / 10.0 <= 1.2


def test_what_lasts_for_good_becomes_usual():
    p = p_values("as promised", 20_000)
    p[10_000:] = np.maximum(p[10_000:] ** 50, 1e-300)
    flags = Spending(Budget.of("5/week"), 0.005).spend(p) <= 0.005
    assert flags[10_000:].mean() < 0.05
    assert 0.8 <= runs(flags) / 100.0 <= 1.2


def test_nothing_is_flagged_where_nothing_stands_out():
    assert (Spending(Budget.of(0.01), 0.01).spend(np.ones(5000)) > 0.01).all()


def test_a_gap_brings_one_alarm_at_most():
    time = np.arange(2000) * HOUR
    time[1000:] += 52 * WEEK
    flags = Spending(Budget.of("5/week"), 5 / 168).spend(p_values("as promised", 2000), time, HOUR) <= 5 / 168
    assert runs(flags[1000:1050]) <= 5
    assert 0.8 <= runs(flags) / (2000 * 5 / 168 + 1) <= 1.2


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ("5/week", Budget(5.0, "week")),
        (" 2.5 per Day per key ", Budget(2.5, "day", per_key=True)),
        ("0.002", Budget(0.002)),
        (0.002, Budget(0.002)),
        ("1/month/key", Budget(1.0, "month", per_key=True)),
    ],
)
def test_budgets_are_read(wish, meant):
    assert Budget.of(wish) == meant
    assert Budget.of(str(meant)) == meant


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (0, "would leave no alarm at all"),
        ("0/week", "would leave no alarm at all"),
        ("-1/day", "above 0"),
        ("nan", "above 0"),
        ("inf/week", "above 0"),
        (0.7, "a share of rows, at most 0.5"),
        ("many", "'many' is no number"),
        ("5/fortnight", "'fortnight' is none of hour, day, week, month"),
        ("5/week/day", "is none of"),
        ("", "is no number"),
    ],
)
def test_nonsense_is_named_with_a_way_out(wish, said):
    with pytest.raises(ParameterError, match="Write a number of alarms and a time") as caught:
        Budget.of(wish)
    assert said in str(caught.value)
    assert repr(wish) in str(caught.value)


def test_shares_follow_from_step_and_keys():
    assert Budget.of("5/week").share(HOUR, 10) == pytest.approx(5 / 1680)
    assert Budget.of("5/week/key").share(HOUR, 10) == pytest.approx(5 / 168)
    assert Budget.of(0.01).share(HOUR, 10, clock=False) == 0.01
    with pytest.raises(ParameterError, match="a week has 7 rows"):
        Budget.of("5/week").share(24 * HOUR)
    with pytest.raises(ParameterError, match="there is no week"):
        Budget.of("5/week").share(1, clock=False)


def test_a_damaged_state_is_refused():
    spec, arrays = Spending(Budget.of(0.01), 0.01).state()
    with pytest.raises(ArtifactError, match="lacks what was spent"):
        Spending.from_state(spec, {"totals": arrays["totals"]})
