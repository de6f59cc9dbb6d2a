"""Logs of services that do not exist, with incidents that are known: for demonstrations, tests and benchmarks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.sources.logs._generated_words import NEW, PATHS, SERVICES, Service, Step, Words
from anomaly_detection.sources.logs._incidents import INCIDENTS, Rows, strike
from anomaly_detection.sources.logs.levels import LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

STYLES = ("json", "logfmt", "text")
"""The ways to write a generated log."""

MOST_SHARE = 0.4

_START = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HOUR = 3_600_000_000
_REPEATED = 0.15
_BETWEEN = 0.25
_RARE = 0.003
_FAILING = 0.002


def generate_logs(
    rows: int = 50_000,
    *,
    anomaly_share: float = 0.1,
    services: int = 6,
    hours: float = 24.0,
    quiet_share: float = 0.3,
    kinds: tuple[str, ...] = INCIDENTS,
    start: dt.datetime = _START,
    seed: int = 0,
) -> pl.DataFrame:
    """Make up a log.

    Services talk in sessions, of steps in order, and in between; more by day than by night. Then incidents strike:

    - ``error_burst``: a service fails again and again.
    - ``latency_spike``: it answers 6 to 20 times as slowly.
    - ``new_template``: it says what it never said.
    - ``volume_surge``: it says far more than usual, within a minute.
    - ``service_silence``: it says nothing for a while; the first lines after it are the anomalous ones.
    - ``rare_flood``: a line that is rare comes again and again.
    - ``parameter``: a number in its messages is 50 to 500 times as large as usual.
    - ``broken_sequence``: the steps of its sessions come in the wrong order.
    - ``level_escalation``: the usual lines come as WARN, then ERROR, then CRITICAL.
    - ``slow_drift``: it answers ever more slowly, up to 8 times; from twice the usual on the lines are anomalous.

    Parameters
    ----------
    rows : lines.
    anomaly_share : of the lines, at most 0.4.
    services : how many there are.
    hours : that the log spans, more or less; it begins at midnight, and the most is said at 14 h.
    quiet_share : of the lines, from the first on, without incidents.
    kinds : of incidents, which take turns.
    start : of the log, a midnight.
    seed : of the random numbers; the same one gives the same log.

    Returns
    -------
    A log frame with ``label`` (whether a line is anomalous) and ``kind`` (of the incident, else null).

    Raises
    ------
    ParameterError, UnknownNameError
        for a parameter outside its range.

    >>> frame = generate_logs(1000, seed=7)
    >>> frame.height, frame["label"].sum()
    (1000, 100)
    """
    _check(rows, anomaly_share, services, hours, quiet_share, kinds)
    random = np.random.default_rng(seed)
    told = [_service(i) for i in range(services)]
    words = _words(told)
    spare = round(rows * (1.3 + anomaly_share)) + 400
    made = _normal(spare, words, hours * spare / rows, random)
    made = strike(made, words, rows, anomaly_share, quiet_share, kinds, random)
    return _frame(made, words, told, start, random)


def lines_of(frame: pl.DataFrame, style: str = "json") -> pl.Series:
    """A log frame as the lines of a file.

    Parameters
    ----------
    frame : time, level, service, message, session, response_time, status_code; labels are not written.
    style : ``json``, ``logfmt`` or ``text``; in text there is no session, response time or status code.

    Raises
    ------
    UnknownNameError
        for another style.
    """
    if style not in STYLES:
        raise UnknownNameError("style of a log", style, STYLES)
    time = pl.col("time").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    if style == "text":
        line = pl.format("{} - {} - {} - {}", time.str.replace("T", " "), "service", "level", "message")
        return frame.select(line=line).to_series()
    fields = [
        name for name in ("level", "service", "message", "session", "response_time", "status_code") if name in frame
    ]
    if style == "json":
        return frame.select(line=pl.struct(time.alias("timestamp"), *fields).struct.json_encode()).to_series()
    quoted = pl.col("message").str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    names = {"response_time": "response_time_ms", "status_code": "status"}
    pairs = [pl.format("ts={}", time)]
    for name in fields:
        value = pl.format('"{}"', quoted) if name == "message" else pl.col(name)
        pairs.append(pl.format(names.get(name, name).replace("message", "msg") + "={}", value))
    return frame.select(line=pl.concat_str(pairs, separator=" ", ignore_nulls=True)).to_series()


def _check(
    rows: int, share: float, services: int, hours: float, quiet: float, kinds: tuple[str, ...]
) -> None:  # fmt: skip
    if rows < 1 or services < 1 or hours <= 0:
        raise ParameterError(
            f"A log has at least 1 line, 1 service and a length, not {rows}, {services} and {hours} h."
        )
    if not 0 <= share <= MOST_SHARE or not 0 <= quiet < 1:
        raise ParameterError(
            f"The share of anomalous lines is from 0 to {MOST_SHARE}, the quiet share from 0 to below 1, "
            f"not {share} and {quiet}."
        )
    for kind in kinds:
        if kind not in INCIDENTS:
            raise UnknownNameError("kind of incident", kind, INCIDENTS)


def _service(place: int) -> Service:
    service = SERVICES[place % len(SERVICES)]
    again = place // len(SERVICES)
    return service._replace(name=f"{service.name}-{again + 1}") if again else service


def _words(services: list[Service]) -> Words:
    steps: list[Step] = []

    def places(of: tuple[Step, ...]) -> NDArray[np.int64]:
        steps.extend(of)
        return np.arange(len(steps) - len(of), len(steps))

    parts = [[places(part) for part in (each.session, each.between, each.rare, each.failing)] for each in services]
    session, between, rare, failing = ([each[i] for each in parts] for i in range(4))
    return Words(steps, session, between, rare, failing, places(NEW))


def _normal(rows: int, words: Words, hours: float, random: np.random.Generator) -> Rows:
    """Lines of all services while all is well, in the order of time."""
    count = len(words.session)
    weights = random.uniform(0.6, 1.4, count)
    shares = np.maximum(1, np.round(rows * weights / weights.sum())).astype(np.int64)
    parts = [_of_service(i, int(shares[i]), words, hours, random) for i in range(count)]
    return Rows.joined(parts)


def _of_service(service: int, rows: int, words: Words, hours: float, random: np.random.Generator) -> Rows:
    steps = words.session[service]
    sessions = max(1, round(rows * (1 - _BETWEEN) / (steps.size * (1 + _REPEATED))))
    times = 1 + (random.random((sessions, steps.size)) < _REPEATED)
    flat = times.ravel()
    of_session = np.repeat(np.repeat(np.arange(sessions), steps.size), flat)
    template = np.repeat(np.tile(steps, sessions), flat)
    begun = _moments(sessions, hours, random)
    gaps = np.cumsum(random.exponential(0.8e6, template.size))
    firsts = np.concatenate([[0], np.cumsum(times.sum(axis=1))[:-1]])
    time = begun[of_session] + gaps - gaps[firsts][of_session]
    between = max(1, rows - template.size)
    more = random.choice(words.between[service], between)
    odd = random.random(between)
    more = np.where(odd < _RARE / _BETWEEN, random.choice(words.rare[service], between), more)
    failing = odd > 1 - _FAILING / _BETWEEN
    more = np.where(failing, random.choice(words.failing[service], between), more)
    template = np.concatenate([template, more])
    session = np.concatenate([of_session + (service << 32), np.full(between, -1)])
    time = np.concatenate([time, _moments(between, hours, random)]).astype(np.int64)
    return Rows.new(time, np.full(time.size, service), template, session, words.steps, random)


def _moments(count: int, hours: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Microseconds since the start: more by day, with the peak at 14 h, than by night."""
    grid = np.linspace(0, hours, 1000)
    rate = 1 + 0.6 * np.cos((grid - 14) / 24 * 2 * np.pi)
    total = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    return np.asarray(np.interp(random.random(count) * total[-1], total, grid) * _HOUR)


def _frame(
    rows: Rows, words: Words, services: list[Service], start: dt.datetime, random: np.random.Generator
) -> pl.DataFrame:
    aware = start if start.tzinfo is not None else start.replace(tzinfo=dt.UTC)
    offset = (aware - _EPOCH) // dt.timedelta(microseconds=1)
    names = pl.Series([service.name for service in services])
    kinds = pl.Series([*INCIDENTS, None], dtype=pl.String)
    number = np.arange(rows.time.size)
    service, session = names.gather(rows.service), pl.Series(rows.session)
    number_in_service = session & 0xFFFFFFFF
    return pl.DataFrame(
        {
            "time": pl.Series(rows.time + offset).cast(pl.Datetime("us", "UTC")),
            "level": pl.Series(LEVELS).gather(rows.level),
            "service": service,
            "message": _messages(rows, words, random),
            "session": pl.select(
                pl.when(session >= 0).then(pl.format("{}-{}", service, number_in_service))
            ).to_series(),
            "response_time": pl.Series(np.round(rows.took, 3)).fill_nan(None),
            "status_code": pl.Series(rows.status).set(pl.Series(rows.status < 0), None),
            "line": pl.Series(number + 1).cast(pl.UInt64),
            "label": pl.Series(rows.kind >= 0),
            "kind": kinds.gather(np.where(rows.kind < 0, len(INCIDENTS), rows.kind)),
        }
    )


def _messages(rows: Rows, words: Words, random: np.random.Generator) -> pl.Series:
    """The texts of lines, each with values of its own; a session keeps its own throughout."""
    count = rows.time.size
    about = np.where(rows.session >= 0, rows.session, random.integers(1 << 40, 1 << 41, count)).astype(np.uint64)
    mixed = about * np.uint64(0x9E3779B97F4A7C15) ^ (about >> np.uint64(29))
    frame = pl.DataFrame(
        {
            "n": np.maximum(1, (random.integers(1, 50, count) * rows.scale)).astype(np.int64),
            "id": (mixed % np.uint64(90_000) + np.uint64(10_000)).astype(np.int64),
            "number": (mixed >> np.uint64(24)) % np.uint64(500),
            "a": (mixed >> np.uint64(8)) % np.uint64(256),
            "b": (mixed >> np.uint64(16)) % np.uint64(256),
            "path": pl.Series(PATHS).gather((mixed >> np.uint64(32)) % np.uint64(len(PATHS))),
            "hex": pl.Series((mixed >> np.uint64(20)) & np.uint64(0xFFFFFFFF)),
        }
    ).with_columns(
        user=pl.format("user{}", "number"),
        ip=pl.format("10.0.{}.{}", "a", "b"),
        host=pl.format("node-{}", pl.col("b") % 24),
        hex=_hexadecimal(pl.col("hex")),
        template=pl.Series(rows.template),
    )
    used = np.unique(rows.template).tolist()
    parts = frame.with_row_index("row").partition_by("template", as_dict=True)
    texts = [parts[(template,)].select("row", text=_text(words.steps[template].text)) for template in used]
    return pl.concat(texts).sort("row")["text"]


def _hexadecimal(value: pl.Expr) -> pl.Expr:
    digits = pl.Series(list("0123456789abcdef"))
    return pl.concat_str([pl.lit(digits).gather((value // 16**i) % 16) for i in range(7, -1, -1)])


def _text(template: str) -> pl.Expr:
    parts: list[pl.Expr] = []
    for part in template.split("{"):
        name, closed, rest = part.partition("}")
        parts.extend([pl.col(name).cast(pl.String), pl.lit(rest)] if closed else [pl.lit(part)])
    return pl.concat_str(parts)
