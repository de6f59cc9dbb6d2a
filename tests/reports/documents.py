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
