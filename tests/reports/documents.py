"""Results to report on, as ``detection run`` writes them, and as somebody with bad intentions would."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np

from anomaly_detection.reports.document import Document

HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a|b\n# heading\r\n| c |",
    "{{ 7 * 7 }}{% raw %}",
    "`code` *bold* [link](javascript:alert(1)) <b>&amp;",
    "\x00\x1b[31m\u202eetatis\u2028",
    "]]><!--",
)
"""Names and values that would be markup, code or a new line if they were not text."""


def explained(column, value, share=0.7):
    """An explanation that names one column, in the shape of the explanations of ``detection run``."""
    return {
        "sentence": f"{column} is {value}.",
        "recommendation": f"Check {column}.",
        "columns": [
            {"column": column, "value": value, "contribution": 0.1, "share": share, "normal": "1 to 3"},
            {"column": "shop", "value": "b", "contribution": 0.02, "share": 1 - share, "normal": "'a' 90 %"},
        ],
        "removed": 0.9,
        "counterfactual": {
            "changes": [{"column": column, "from": value, "to": 2}],
            "p_value": 0.4,
            "sentence": f"With {column} 2 it would be normal.",
        },
        "similar": [3, 4],
    }


def rows(n=300, *, key=True, time=True, explain=True, anomalies=12):
    """Verdicts, the anomalies among them at even distances."""
    rng = np.random.default_rng(5)
    found = []
    start = datetime(2026, 1, 1)
    for i in range(n):
        odd = anomalies and i % (n // anomalies) == 0 and i // (n // anomalies) < anomalies
        score = 0.6 + 0.39 * (i / n) if odd else float(rng.beta(1, 4) * 0.59)
        name = ["normal", "low", "medium", "high", "critical"][0 if not odd else min(4, int((score - 0.5) * 10 + 1e-9))]
        column, value = ("amount", 90.0) if i % 2 else ("amount", -5.0)
        found.append(
            {
                "row": i,
                **({"key": f"K{i}"} if key else {}),
                **({"time": (start + timedelta(hours=i)).isoformat()} if time else {}),
                "score": score * 2,
                "p_value": max(1e-4, 1 - score),
                "anomaly_score": score,
                "is_anomaly": bool(odd),
                "severity": name,
                "confidence": 0.99,
                "explanation": explained(column, value) if odd and explain else None,
            }
        )
    return found


def summary(found):
    """A summary that fits the rows."""
    odd = [row for row in found if row["is_anomaly"]]
    n, m = len(found), len(odd)
    return {
        "alpha": 0.01,
        "evaluation": {
            "rows": n,
            "anomalies": m,
            "precision": 0.8,
            "auroc": None,
            "intervals": {"precision": [0.5, 0.9], "auroc": None},
        },
        "notes": ["Two lines were read as one."],
        "repeated_rows": 3,
        "repeated_among": n,
        "columns": [
            {
                "name": "amount",
                "kind": "number",
                "difference": 0.8,
                "missing": 5,
                "missing_anomalies": 0,
                "lowest": -5.0,
                "highest": 90.0,
                "usual": [1.0, 80.0],
                "bins": {
                    "edges": [0.0, 20.0, 40.0, 60.0, 80.0],
                    "rows": [m // 2, n - m - 13, 4, 2, 2, m - m // 2],
                    "anomalies": [m // 2, 0, 0, 0, 0, m - m // 2],
                },
            },
            {
                "name": "shop",
                "kind": "category",
                "difference": 0.1,
                "missing": 0,
                "values": [{"value": "a", "rows": n - 4, "anomalies": 0}, {"value": "b", "rows": 4, "anomalies": 4}],
            },
        ],
        "columns_in_all": 2,
        "anomalies": [{"row": row["row"], "record": {"amount": 90.0, "shop": "b"}} for row in odd[:100]],
    }


MADE = {
    "algorithm": {"name": "isolation_forest", "parameters": {"n_estimators": 100}},
    "evidence": {
        "judged": "own",
        "members": [
            {"name": "ecod", "parameters": {}, "weight": 1.25, "agreement": 0.5},
            {"name": "knn", "parameters": {"n_neighbors": 2}, "weight": 0.75, "agreement": 0.875},
        ],
    },
    "parameters": {"contamination": "auto"},
    "alpha": 0.01,
    "trained_on_rows": 300,
    "calibration_rows": 300,
    "schema": {"set_aside": [{"name": "empty", "reason": "empty: every value is missing"}]},
    "data": {"name": "folder/orders.csv", "sha256": "ab" * 32},
    "versions": {"anomaly-detection": "0.1.0", "numpy": "2.4"},
    "command": "anomaly-detection detection run --data folder/orders.csv --output results.json",
    "created": "2026-11-21T02:48:55Z",
}


def document(found=None, **parts):
    """A document of plain values; parts that are None are left out."""
    found = rows() if found is None else found
    whole = {"results": found, "summary": summary(found), "made": MADE, **parts}
    return {name: part for name, part in whole.items() if part is not None}


def hostile():
    """A document in which everything that comes from a user is hostile."""
    found = rows(60, anomalies=7)
    whole = document(found)
    shown = whole["summary"]
    for row, words in zip((row for row in found if row["is_anomaly"]), HOSTILE, strict=False):
        row["key"] = words
        row["explanation"] = explained(words, words)
    for record in shown["anomalies"]:
        record["record"] = {words: words for words in HOSTILE}
    shown["notes"] = list(HOSTILE)
    shown["columns"][1]["values"] = [{"value": words, "rows": 9, "anomalies": 1} for words in HOSTILE]
    shown["columns"] = [{**column, "name": words} for words in HOSTILE for column in shown["columns"]]
    whole["made"] = {
        **MADE,
        "model": HOSTILE[0],
        "algorithm": {"name": HOSTILE[1], "parameters": {HOSTILE[2]: HOSTILE[3]}},
        "evidence": {"members": [{"name": words, "parameters": {words: words}} for words in HOSTILE]},
        "schema": {"set_aside": [{"name": words, "reason": words} for words in HOSTILE]},
        "data": {"name": HOSTILE[0].replace("/", ""), "sha256": HOSTILE[1]},
        "versions": {HOSTILE[4]: HOSTILE[5]},
        "command": " ".join(HOSTILE),
        "created": HOSTILE[6],
    }
    return whole


def decoded(plain):
    """A document as it is read."""
    return msgspec.json.decode(msgspec.json.encode(plain), type=Document)


def series_document(*, keys=("a", "b"), timed=True):
    """Results of time series in plain values, as ``detection run`` writes them."""
    found = rows(200)
    for row in found:
        row["reason"] = "cpu 93 is above the expected 41 (34 to 48)" if row["is_anomaly"] else None
        row["explanation"] = None
    start, end = (1.7e9, 1.7e9 + 199 * 3600) if timed else (0.0, 199.0)
    high = [40.0 + (k % 7) for k in range(50)]
    high[30] = 93.0
    plots = [
        {
            "key": key,
            "channel": "cpu",
            "rows": 200,
            "anomalies": 2,
            "start": start,
            "end": end,
            "low": [None if k in (10, 11) else 38.0 + (k % 3) for k in range(50)],
            "high": [None if k in (10, 11) else value for k, value in enumerate(high)],
            "expected": [None, *[41.0] * 49],
            "lower": [None, *[34.0] * 49],
            "upper": [None, *[48.0] * 49],
            "odd": [2 if k == 30 else 0 for k in range(50)],
            "dots": [{"place": start + 0.61 * (end - start), "value": 93.0, "severity": "critical"}],
        }
        for key in keys or (None,)
    ]
    lanes = [
        {"key": key, "rows": 200, "severity": [0] * 90 + [2 + i % 3] + [0] * 29, "anomalies": [0] * 90 + [2] + [0] * 29}
        for i, key in enumerate(keys)
    ]
    shown = {
        "timed": timed,
        "keys_in_all": 60,
        "channels_in_all": 1,
        "plots": plots,
        "lanes": {"start": start, "end": end, "keys": lanes} if keys else None,
    }
    return document(found, summary={**summary(found), "series": shown})


def log_document(unit="line", *, timed=True):
    """Results of a log in plain values, as ``logs score`` writes them."""
    anomalies = [
        {
            "line": 70 + i,
            "time": f"2026-01-01T10:0{i}:00.250Z" if timed else None,
            "service": "shop",
            "level": "ERROR",
            "message": f"disk {i} lost",
            "template": "disk <*> lost" if unit == "line" else None,
            "session": f"s-{i}" if unit == "session" else None,
            "anomaly_score": 0.95 - i / 50,
            "severity": "critical" if i < 3 else "high",
            "p_value": 1e-4,
            "confidence": 0.99,
            "score": 40.0 - i,
            "reason": "a rare or new template",
            "methods": {"rare_templates": 2e-4, "pca": 0.5},
            "lines": [
                {"line": 70 + i, "message": "disk lost", "oddness": 1.0, "lines": 20, "level": "ERROR"},
                {"line": 71 + i, "message": None, "oddness": None, "lines": 20},
            ]
            if unit == "session"
            else [],
        }
        for i in range(5)
    ]
    template = {
        "template": "disk <*> lost",
        "lines": 5,
        "anomalies": 5,
        "new": True,
        "first": "2026-01-01T10:00:00.250Z",
        "last": "2026-01-01T10:05:00.250Z",
        "first_line": 70,
        "last_line": 74,
        "example": "disk 0 lost",
        "p_value": 2e-4,
        "anomaly_score": 0.9,
        "severity": "critical",
        "is_anomaly": True,
        "reason": "new since training",
        "counts": [0, 0, 5, 0],
    }
    window = {
        "service": "shop",
        "start": "2026-01-01T10:00:00.000Z",
        "end": "2026-01-01T10:05:00.000Z",
        "lines": 12,
        "errors": 5,
        "error_rate": 5 / 12,
        "latency": 350.0,
        "usual_lines": 10.0,
        "usual_error_rate": 0.0,
        "usual_latency": 20.0,
        "anomalies": 5,
        "p_value": 1e-6,
        "anomaly_score": 1.0,
        "severity": "critical",
        "is_anomaly": True,
        "reason": "42 % errors (usually 0 %)",
    }
    found = {
        "unit": unit,
        "judged": 200,
        "learned": 100,
        "reading": {"format": "json (message: msg)", "lines": 310, "decoded": 300, "joined": 7, "aside": 3},
        "scores": {"normal": [195] + 49 * [0], "high": 40 * [0] + [2] + 9 * [0], "critical": 47 * [0] + [3, 0, 0]},
        "timeline": {"start": 1767261600.0 if timed else 1.0, "step": 300.0, "buckets": 4, "timed": timed},
        "severities": {"normal": [50, 50, 45, 50], "high": [0, 0, 2, 0], "critical": [0, 0, 3, 0]},
        "services": [
            {"service": "shop", "judged": [25, 25, 25, 25], "anomalies": [0, 0, 5, 0]},
            {"service": None, "judged": [25, 25, 25, 25], "anomalies": [0, 0, 0, 0]},
        ],
        "templates": [template, {**template, "template": "", "new": False, "severity": "normal", "is_anomaly": False}],
        "templates_in_all": 9,
        "new_templates": 1,
        "odd_templates": 1,
        "windows": [window, {**window, "service": None, "latency": None, "reason": None}] if unit == "line" else [],
        "windows_in_all": 30,
        "odd_windows": 2 if unit == "line" else 0,
        "window_minutes": 5.0,
        "anomalies": anomalies,
    }
    summary = {"alpha": 0.01, "notes": ["not decoded: 3 lines (line 9: 'x')"], "log": found}
    made = {**MADE, "algorithm": {"name": f"log_{unit}s"}, "evidence": {}, "schema": {}, "data": {"name": "app.log"}}
    return {"results": [], "summary": summary, "made": made}


def hostile_log():
    """Results of a log in which everything that comes from a user is hostile."""
    whole = log_document("session")
    found = whole["summary"]["log"]
    texts = ("session", "service", "level", "message", "template", "reason", "time")
    found["anomalies"] = [
        {**one, **dict.fromkeys(texts, words), "methods": {words: 0.001}}
        for one in found["anomalies"][:1]
        for words in HOSTILE
    ]
    for one, words in zip(found["anomalies"], HOSTILE, strict=True):
        one["lines"] = [{**line, **dict.fromkeys(("message", "level", "time"), words)} for line in one["lines"]]
    found["templates"] = [
        {
            **found["templates"][0],
            **dict.fromkeys(("template", "example", "first", "last", "reason"), words),
            "new": False,
        }
        for words in HOSTILE
    ]
    windows = log_document()["summary"]["log"]["windows"]
    found["windows"] = [{**windows[0], "service": words, "start": words, "reason": words} for words in HOSTILE]
    found["services"] = [{**found["services"][0], "service": words} for words in HOSTILE]
    found["reading"]["format"] = HOSTILE[0]
    whole["summary"]["notes"] = list(HOSTILE)
    whole["made"] = hostile()["made"]
    return whole
