"""Each format, decoded, detected, and with stack traces."""

import datetime as dt

import pytest

from anomaly_detection.errors import ParameterError, SourceError, UnknownNameError
from anomaly_detection.sources.logs import LogColumns, LogFormat, decode_lines, decode_one

NEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def rows(lines, *names, **options):
    frame = decode_lines(lines, reference=NEAR, **options).frame
    return frame.select(names or ("level", "service", "message")).rows()


def at(line, **options):
    return decode_lines([line], reference=NEAR, **options).frame["time"][0].isoformat()


LINES = {
    "python": ("2024-05-01 10:00:00,250 - shop.cart - WARNING - Slow", ("WARN", "shop.cart", "Slow")),
    "spring": ("2024-05-01T10:00:00.250Z  INFO 12 --- [main] c.e.App  : Up in 3 s", ("INFO", "c.e.App", "Up in 3 s")),
    "logback": ("2024-05-01 10:00:00.250 [main] DEBUG c.e.App - Up", ("DEBUG", "c.e.App", "Up")),
    "log4j": ("2024-05-01 10:00:00,250 ERROR [main] c.e.App: Down", ("ERROR", "c.e.App", "Down")),
    "hyphens": (
        "2024-05-01 10:00:00,250 - INFO  [Peer[id=1]/0:0:2181:F@774] - Time out: 3",
        ("INFO", None, "Time out: 3"),
    ),
    "process": ("2024-05-01 10:00:00.250 25746 INFO nova.api [req-1 - -] GET", ("INFO", "nova.api", "GET")),
    "hadoop": ("24/05/01 10:00:00 INFO storage.Block: Kept", ("INFO", "storage.Block", "Kept")),
    "logcat": ("05-01 10:00:00.250  1702  2395 D WindowManager: x", ("DEBUG", "WindowManager", "x")),
    "klog": ("E0501 10:00:00.250000    1234 file.go:12] bad", ("ERROR", None, "bad")),
    "apache": ("[Wed May 01 10:00:00.25 2024] [core:error] [pid 1:tid 2] x", ("ERROR", "core", "x")),
    "gunicorn": ("[2024-05-01 10:00:00 +0000] [7] [INFO] Booting", ("INFO", None, "Booting")),
    "nginx": ("2024/05/01 10:00:00 [error] 12#34: *1 open failed", ("ERROR", None, "*1 open failed")),
    "level": ("[2024-05-01 10:00:00] ERROR it broke", ("ERROR", None, "it broke")),
    "colons": ("WARNING:shop.cart:Slow", ("WARN", "shop.cart", "Slow")),
    "word": ("INFO:     1.2.3.4 - GET /", ("INFO", None, "1.2.3.4 - GET /")),
    "rsyslog": ("2024-05-01T10:00:00.25+00:00 web sshd[12]: Bye", (None, "sshd", "Bye")),
    "stamp": ("2024-05-01 10:00:00 it went FATAL here", ("CRITICAL", None, "it went FATAL here")),
}


@pytest.mark.parametrize("layout", LINES)
def test_layouts_of_text(layout):
    line, expected = LINES[layout]
    assert rows([line]) == [expected]
    assert decode_lines([line]).format.name == "text"
    if layout not in ("colons", "word"):
        assert at(line).startswith(("2024-05-01T10:00:00", "2025-05-01T10:00:00"))


def test_old_syslog():
    lines = [
        "Oct 11 22:14:15 web su: failed",
        "<34>Oct  1 22:14:15 web app[12]: x: y",
        "Oct 11 22:14:16 web last message",
    ]
    assert rows(lines) == [(None, "su", "failed"), ("CRITICAL", "app", "x: y"), (None, None, "last message")]
    assert at(lines[0]) == "2025-10-11T22:14:15+00:00"
    assert decode_lines(lines).format.name == "syslog"


def test_new_syslog():
    line = '<165>1 2003-10-11T22:14:15.003-07:00 web app 12 ID47 [a@1 k="v \\"]"][b@2] \ufeffAn event'
    assert rows([line]) == [("INFO", "app", "An event")]
    assert at(line) == "2003-10-12T05:14:15.003000+00:00"
    assert rows(["<11>1 - - - - - -"]) == [("ERROR", None, None)]
    assert decode_lines([line]).format.name == "syslog5424"


def test_access_logs():
    lines = [
        '1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326',
        '::1 - - [10/Oct/2000:13:55:36 -0700] "GET /\\"b\\" HTTP/1.0" 404 -',
    ]
    expected = [("INFO", "GET /a HTTP/1.0", 200), ("WARN", 'GET /\\"b\\" HTTP/1.0', 404)]
    assert rows(lines, "level", "message", "status_code") == expected
    combined = [f'{line} "http://x" "Agent \\"q\\""{end}' for line, end in zip(lines, [" 0.250", " 1500"], strict=True)]
    assert rows(combined, "message", "response_time") == [(expected[0][1], 250.0), (expected[1][1], 1.5)]
    assert decode_lines(lines).format.name == "common"
    assert decode_lines(combined).format.name == "combined"
    assert rows([combined[0] + " upstream=x"], "status_code", "response_time") == [(200, None)]
    clients = decode_lines(combined, columns={"session": "client"}).frame["session"].to_list()
    assert clients == ["1.2.3.4", "::1"]
    assert rows(["shop.example:443 " + lines[0]], "service") == [("shop.example",)]


def test_logfmt():
    lines = [
        'ts=2024-05-01T10:00:00Z level=warn msg="a \\"b\\" c\\\\d" svc.name=x duration=15ms status=404 flag',
        "level=info message=plain duration=1.5s",
    ]
    frame = decode_lines(lines).frame
    assert frame["message"].to_list() == ['a "b" c\\d', "plain"]
    assert frame["response_time"].to_list() == [15.0, 1500.0]
    assert decode_lines(['a=1 msg="open'], "logfmt").counts.aside == 1
    assert decode_lines(["msg=a msg=b"]).frame["message"].to_list() == ["b"]


def test_kubernetes():
    lines = [
        '2024-05-01T10:00:00.123456789Z stdout P {"level":"warn","ms',
        '2024-05-01T10:00:00.123456789Z stdout F g":"in pieces"}',
        '2024-05-01T10:00:01.5Z stderr F {"level":"error","msg":"bad","time":"2024-05-01T09:59:59Z"}',
        "2024-05-01T10:00:01.6Z stderr F \tat x.y(z)",
        "2024-05-01T10:00:01.7Z stderr F ",
        "not of the runtime",
    ]
    batch = decode_lines(lines)
    assert (batch.format.name, batch.format.innermost.name) == ("cri", "json")
    assert batch.frame.select("level", "message", "line").rows() == [
        ("WARN", "in pieces", 1),
        ("ERROR", "bad\n\tat x.y(z)", 3),
    ]
    assert batch.frame["time"].dt.to_string("%H:%M:%S%.6f").to_list() == ["10:00:00.123456", "09:59:59.000000"]
    counts = batch.counts
    assert (counts.lines, counts.decoded, counts.joined, counts.blank, counts.aside) == (6, 2, 2, 1, 1)
    assert counts.first_aside == ((6, "not of the runtime"),)


def test_docker():
    line = '{{"log":"{}","stream":"{}","time":"2024-05-01T10:00:00.5Z"}}'
    lines = [
        line.format('level=info msg=\\"a', "stdout"),
        line.format(' b\\"\\r\\n', "stdout"),
        line.format("level=warn msg=c\\n", "stderr"),
    ]
    batch = decode_lines(lines)
    assert (batch.format.name, batch.format.innermost.name) == ("docker", "logfmt")
    assert batch.frame.select("level", "message", "line").rows() == [("INFO", "a b", 1), ("WARN", "c", 3)]
    assert batch.frame["time"].dt.millisecond().to_list() == [500, 500]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("2024-05-01 10:00:00,250 - shop - ERROR - Slow", ("ERROR", "shop", "Slow")),
        ("it is fine", (None, None, "it is fine")),
    ],
)
def test_any_format_may_be_wrapped(inner, expected):
    assert rows([f"2024-05-01T10:00:00.1Z stdout F {inner}"] * 3) == [expected] * 3


def test_a_regular_expression_of_the_user():
    pattern = r"^(?<when>\S+)\|(?<sev>\w+)\|(?<who>\w*)\|(?<took_ms>\d+)\|(?<message>.*)$"
    lines = ["2024-05-01T10:00:00Z|W|shop|15|Slow", "  more", "2024-05-01T10:00:01Z|E||16|Bad"]
    frame = decode_lines(lines, pattern=pattern, columns={"time": "when", "level": "sev", "service": "who"}).frame
    assert frame["message"].to_list() == ["Slow\n  more", "Bad"]
    assert frame["level"].to_list() == ["WARN", "ERROR"]
    assert frame["service"].to_list() == ["shop", None]
    assert frame["response_time"].to_list() == [15.0, 16.0]


def test_no_regular_expression_takes_long():
    batch = decode_lines(["a" * 50_000 + "!"], pattern=r"^(?<message>(a+)+)$")
    assert batch.counts.aside == 1


@pytest.mark.parametrize("pattern", ["(", r"(?<a>x)(?=y)", r"(?<a>x)\1", "no groups", "(?<a>[0-9]{1000}){1000}"])
def test_expressions_that_are_none(pattern):
    with pytest.raises(ParameterError):
        decode_lines(["x"], pattern=pattern)


def test_names_that_do_not_fit():
    with pytest.raises(UnknownNameError, match="json"):
        decode_lines(["x"], "jsn")
    with pytest.raises(UnknownNameError, match="message"):
        decode_lines(["x"], columns={"mesage": "x"})
    with pytest.raises(ParameterError, match="client"):
        decode_lines(['1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /" 200 1'], columns={"session": "clint"})
    with pytest.raises(ParameterError, match="regular expression"):
        decode_lines(["x"], "regex")
    with pytest.raises(ParameterError, match="regex"):
        decode_lines(["x"], "json", pattern="(?<a>x)")


def test_lines_of_no_known_format_are_messages():
    batch = decode_lines(["It rained.", "  at noon", "Then an ERROR came.", ""])
    assert batch.format.name == "plain"
    assert batch.frame.select("level", "message").rows() == [
        (None, "It rained.\n  at noon"),
        ("ERROR", "Then an ERROR came."),
    ]
    assert batch.frame["time"].null_count() == 2


TRACE = [
    "Traceback (most recent call last):",
    '  File "x.py", line 1, in <module>',
    "ValueError: bad",
    "",
    "During handling of the above exception, another exception occurred:",
]
JAVA = [
    "java.lang.IllegalStateException: x",
    "\tat a.b.C.d(C.java:1)",
    "Caused by: java.io.IOException",
    "\t... 3 more",
]


@pytest.mark.parametrize(
    "head",
    ['{"level":"error","msg":"It failed"}', 'level=error msg="It failed"', "2024-05-01 10:00:00 ERROR It failed"],
)
@pytest.mark.parametrize("trace", [TRACE, JAVA])
def test_stack_traces_belong_to_their_line(head, trace):
    batch = decode_lines([head, *trace, head])
    assert batch.frame["message"].to_list() == ["\n".join(["It failed", *filter(None, trace)]), "It failed"]
    assert (batch.counts.joined, batch.counts.blank) == (len(list(filter(None, trace))), trace.count(""))
    assert batch.frame["line"].to_list() == [1, len(trace) + 2]


def test_a_record_takes_five_hundred_lines():
    batch = decode_lines(['{"msg":"a"}', *["  x"] * 600, '{"msg":"b"}'], "json")
    assert (batch.counts.decoded, batch.counts.joined, batch.counts.aside) == (2, 500, 100)
    assert batch.counts.first_aside[0][0] == 502


def test_what_follows_an_undecodable_line_is_undecodable_too():
    counts = decode_lines(['{"msg":"a"}', '{"msg":', "  at x", '{"msg":"b"}'], "json").counts
    assert (counts.decoded, counts.joined, counts.aside) == (2, 0, 2)


def test_a_mixture_is_read_as_what_most_lines_are():
    lines = ['{"level":"info","msg":"a"}'] * 7 + ["Starting up"] * 3
    batch = decode_lines(lines)
    assert batch.format.name == "json"
    assert batch.format.share == 0.7
    assert batch.counts.aside == 3


def test_one_line_as_text():
    assert decode_one("2024-05-01 10:00:00,250 - shop - WARNING - Slow")["message"] == "Slow"
    kept = LogFormat("logfmt", LogColumns(level=("lvl",), message=("msg",)))
    assert decode_one("lvl=e msg=x", kept) == {"time": None, "level": "ERROR", "service": None, "message": "x"}
    with pytest.raises(SourceError, match="logfmt"):
        decode_one("no pairs", kept)


def test_one_dict():
    found = decode_one(
        {"timestamp": NEAR, "level": 40, "service": "s", "message": "m", "latency_ms": 2, "status": "500"}
    )
    assert found == {
        "time": NEAR,
        "level": "WARN",
        "service": "s",
        "message": "m",
        "response_time": 2.0,
        "status_code": 500,
    }
    zoned = decode_one({"time": "2024-05-01 12:00", "msg": 5}, zone="Europe/Berlin")
    assert zoned == {"time": dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC), "level": None, "service": None, "message": "5"}
    assert decode_one({"a": {"b": "x"}}, columns={"message": "a.b"})["message"] == "x"
    assert decode_one({}) == {"time": None, "level": None, "service": None, "message": None}


def test_a_format_is_kept_as_json():
    found = decode_lines(['2024-05-01T10:00:00.1Z stdout F {"msg":"a"}'], zone="Europe/Berlin").format
    assert LogFormat.from_json(found.to_json()) == found
    assert found.zone == "Europe/Berlin"
    for broken in ("[]", "{", '{"name":"json","columns":{"message":5}}', "{}"):
        with pytest.raises(ParameterError):
            LogFormat.from_json(broken)
    with pytest.raises(UnknownNameError):
        LogFormat("yaml")
    with pytest.raises(ParameterError, match="regular expression"):
        LogFormat("regex")
