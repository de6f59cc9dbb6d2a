"""Time stamps of the usual kinds, with zones, without, and without a year."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import UnknownNameError
from anomaly_detection.sources.logs import LogFormat
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs._times_kernels import read_time, read_times
from anomaly_detection.sources.logs.times import instants, time_column

UTC = dt.UTC
NEAR = dt.datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
patient = settings(deadline=None)  # a kernel may have to be compiled

moments = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2068, 12, 30), timezones=st.just(UTC))
zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


def read(texts, zone="UTC", near=NEAR):
    found, unread = instants(Spans.of(texts), zone, (near - EPOCH) // dt.timedelta(microseconds=1))
    return time_column(found).to_list(), unread.tolist()


def one(text, **options):
    return read([text], **options)[0][0]


@patient
@given(moments, zones, st.sampled_from(["seconds", "milliseconds", "microseconds"]), st.sampled_from("T "))
def test_iso_8601(moment, zone, precision, between):
    local = moment.astimezone(zone)
    cut = {"seconds": 10**6, "milliseconds": 1000, "microseconds": 1}[precision]
    expected = moment.replace(microsecond=moment.microsecond // cut * cut)
    assert one(local.isoformat(between, precision)) == expected
    assert one(local.isoformat(between, precision).replace(".", ",")) == expected
    assert one(local.replace(tzinfo=None).isoformat(between, precision)) == expected + (
        local.replace(tzinfo=UTC) - moment
    )


@patient
@given(moments, zones)
@pytest.mark.parametrize(
    "pattern",
    [
        "%d/%b/%Y:%H:%M:%S %z",
        "%a, %d %b %Y %H:%M:%S %z",
        "%Y/%m/%d %H:%M:%S%z",
        "%Y%m%dT%H%M%S%z",
        "%Y.%m.%d %H:%M:%S %z",
        "%m/%d/%Y %H:%M:%S %z",
        "%d-%m-%Y %H:%M:%S %z",
        "[%Y-%m-%d %H:%M:%S %z]",
    ],
)
def test_with_a_zone(pattern, moment, zone):
    assert one(moment.astimezone(zone).strftime(pattern)) == moment.replace(microsecond=0)


@patient
@given(moments)
@pytest.mark.parametrize(
    "pattern",
    ["%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S.%f %Y", "%y/%m/%d %H:%M:%S", "%y%m%d %H%M%S", "%b %d %Y %H:%M:%S",
     "%Y-%m-%d-%H:%M:%S:%f", "%Y%m%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%d %H:%M"],
)  # fmt: skip
def test_without_a_zone_it_is_utc(pattern, moment):
    text = moment.strftime(pattern)
    assert one(text) == dt.datetime.strptime(text, pattern).replace(tzinfo=UTC)


@patient
@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2100, 1, 1)), st.sampled_from([0, 3, 6, 9]))
def test_numbers_since_1970(moment, digits):
    micros = (moment.replace(tzinfo=UTC) - EPOCH) // dt.timedelta(microseconds=1)
    if micros * 10**digits // 10**6 < {0: 0, 3: 10**11, 6: 10**14, 9: 10**17}[digits]:
        return
    kept = micros // 10 ** max(0, 6 - digits) * 10 ** max(0, 6 - digits)
    assert one(str(micros * 10**digits // 10**6)) == EPOCH + dt.timedelta(microseconds=kept)


@patient
@given(moments)
def test_fractions_of_seconds_since_1970(moment):
    micros = (moment - EPOCH) // dt.timedelta(microseconds=1)
    assert one(f"{micros // 10**6}.{micros % 10**6:06}") == moment


@patient
@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2060, 1, 1), timezones=st.just(UTC)), st.integers(-364, 1))
def test_without_a_year_it_is_the_latest_that_is_at_most_a_day_ahead(near, days):
    moment = (near + dt.timedelta(days=days)).replace(microsecond=0)
    found = one(moment.strftime("%b %d %H:%M:%S"), near=near)
    assert found == moment or (moment.month, moment.day) == (2, 29) or found.year > moment.year
    assert found <= near + dt.timedelta(days=1)
    assert one(moment.strftime("%m-%d %H:%M:%S"), near=near) == found
    assert one(moment.strftime("%m%d %H:%M:%S"), near=near) == found


def test_the_last_of_february_is_in_a_leap_year():
    assert one("Feb 29 10:00:00") == dt.datetime(2024, 2, 29, 10, tzinfo=UTC)


def test_a_missing_zone_is_the_one_that_is_named():
    summer, winter, twice, never = read(
        ["2024-07-01 12:00:00", "2024-01-01 12:00:00", "2024-10-27 02:30:00", "2024-03-31 02:30:00"], "Europe/Berlin"
    )[0]
    assert (summer.hour, winter.hour) == (10, 11)
    assert twice == dt.datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert never is None
    assert one("2024-07-01 12:00:00Z", zone="Europe/Berlin").hour == 12


def test_an_unknown_zone_is_refused():
    with pytest.raises(UnknownNameError, match="Europe/Berlin"):
        LogFormat("plain", zone="Europe/Berlim")


def test_what_is_missing_and_what_cannot_be_read():
    times, unread = read(
        [None, "", "-", "yesterday", "2024-02-30", "2024-01-01 25:00", "10:00:00", "2024-01-01 CEST", "9" * 40]
    )
    assert times == [None] * 9
    assert unread == [False] * 3 + [True] * 6


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("0123456789-/:., TZJanFebMonUTC+[]", max_size=30) | st.text(max_size=10)))
def test_any_text_is_a_time_or_none(texts):
    times, unread = read([text.replace("\0", "") for text in texts])
    assert all(not (time is not None and bad) for time, bad in zip(times, unread, strict=True))


@patient
@given(
    st.lists(
        st.builds(
            lambda moment, between, digits, end: moment.strftime(f"%Y-%m-%d{between}%H:%M:%S") + digits + end,
            st.datetimes(dt.datetime(1999, 12, 30), dt.datetime(2000, 1, 2)) | st.datetimes(),
            st.sampled_from("T _t"),
            st.text("0123456789.,", max_size=11),
            st.sampled_from(["Z", "z", "", "+01:00", "ZZ"]),
        ).flatmap(
            lambda text: st.just(text) | st.integers(0, len(text)).map(lambda at: text[:at] + "x" + text[at + 1 :])
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_quick_path_reads_what_the_general_one_reads(texts):
    spans = Spans.of(texts)
    expected = [read_time(spans.text, start, end, 0) for start, end in zip(spans.starts, spans.ends, strict=True)]
    times, states = np.empty(len(texts), np.int64), np.empty(len(texts), np.uint8)
    read_times(spans.text, spans.starts, spans.ends, 0, times, states)
    assert list(zip(times.tolist(), states.tolist(), strict=True)) == expected
