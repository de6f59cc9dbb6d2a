"""Access logs of Apache and nginx: common and combined, also with the response time at the end."""

from __future__ import annotations

import polars as pl

from anomaly_detection.sources.logs._pattern import Patterns
from anomaly_detection.sources.logs.columns import LogColumns

COLUMNS = LogColumns(
    time=("time",),
    level=("level",),
    service=("vhost",),
    message=("request",),
    response_time=("request_time", "request_us"),
    status_code=("status",),
)

_QUOTED = r'(?:[^"\\]|\\.)*'
_TIMES = r"(?: (?:(?<request_time>[0-9]+\.[0-9]+)|(?<request_us>[0-9]+)))?"

_QUICK = (
    r"^(?<client>[^ ]+) (?<identity>[^ ]+) (?<user>[^ ]+) \[(?<time>[^\]]+)\] "
    rf'"(?<request>{_QUOTED})" (?<status>[0-9]{{3}}) (?<bytes>[0-9-]+)'
)
COMMON = (
    r"^(?:(?<vhost>[^\s:]+)(?::[0-9]+)? )?(?<client>\S+) (?<identity>\S+) (?<user>[^\[]*?) \[(?<time>[^\]]+)\] "
    rf'"(?<request>{_QUOTED})" (?<status>[0-9]{{3}}|-) (?<bytes>[0-9]+|-)'
)
_MORE = rf' "(?<referer>{_QUOTED})" "(?<agent>{_QUOTED})"'
COMBINED = COMMON + _MORE


class Access(Patterns):
    """``1.2.3.4 - user [10/Oct/2024:13:55:36 +0000] "GET /a HTTP/1.1" 200 2326``, also with referer and agent.

    The message is the request line; the level follows from the status: 500 and more is ERROR, 400 and more WARN, else
    INFO. A number at the end is the response time: with a decimal point seconds (nginx), else microseconds (Apache).
    The groups are vhost, client, identity, user, time, request, status, bytes, referer, agent, request_time,
    request_us, level.
    """

    needs = ("status",)

    def prepared(self, groups: pl.DataFrame) -> pl.DataFrame:
        """Add the level."""
        status = pl.col("status").cast(pl.Int64, strict=False)
        level = pl.when(status >= 500).then(pl.lit("ERROR")).when(status >= 400).then(pl.lit("WARN"))
        return groups.with_columns(level=level.when(status.is_not_null()).then(pl.lit("INFO")))


def patterns(*, combined: bool) -> tuple[str, ...]:
    """The usual way, without ambiguity and so three times as quick; every way; every way with anything behind it."""
    more = _MORE if combined else ""
    quick = (_QUICK + more + end + "$" for end in (r" (?<request_time>[0-9]+\.[0-9]+)", ""))
    return (*quick, COMMON + more + _TIMES + "$", COMMON + more + r" .*$")
