"""What a user of pandas and scikit-learn writes to judge log lines: the same 78 columns and an isolation forest.

Everything is vectorised: rolling windows by pandas, terms by scikit-learn, masks by ``re``. It judges one batch;
between batches it would have to carry the windows over by itself.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer

try:
    import orjson as decoder
except ImportError:
    import json as decoder  # type: ignore[no-redef]

NAME = f"{decoder.__name__} + pandas + scikit-learn"
MASKED = re.compile(r"\w*\d\w*")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
SERVICES, TERMS, WINDOW = 10, 50, "5min"


class Peer:
    """Fitted on lines that are bytes; judges others."""

    def fit(self, lines: list[bytes]) -> Peer:
        """Learn services, terms and the forest."""
        table = table_of(lines)
        counts = table["service"].value_counts()
        self.services = sorted(counts.index, key=lambda name: (-counts[name], name))[:SERVICES]
        self.terms = TfidfVectorizer(ngram_range=(1, 2), max_features=TERMS, min_df=2, max_df=0.8)
        self.terms.fit(masked(table["message"]))
        columns = self.features(table)
        self.middle = np.nanmedian(columns, axis=0)
        self.middle[np.isnan(self.middle)] = 0.0
        self.forest = IsolationForest(random_state=0).fit(self.filled(columns))
        scores = -self.forest.score_samples(self.filled(columns))
        self.line = float(np.quantile(scores, 0.99))
        return self

    def detect(self, lines: list[bytes]) -> tuple[Any, Any]:
        """Scores, and whether each line is an anomaly."""
        scores = -self.forest.score_samples(self.filled(self.features(table_of(lines))))
        return scores, scores > self.line

    def filled(self, columns: Any) -> Any:
        """Missing values by medians: the forest would take them, but slower."""
        return np.where(np.isnan(columns), self.middle, columns)

    def features(self, table: pd.DataFrame) -> Any:
        """(n, 78) float32."""
        day = table["time"].dt.normalize()
        turn = 2 * np.pi * (table["time"] - day).dt.total_seconds() / 86_400
        week = 2 * np.pi * table["time"].dt.dayofweek / 7
        error = table["level"].isin(["ERROR", "CRITICAL"]) | (table["status_code"] >= 500)
        whole = pd.DataFrame({"rt": table["response_time"], "error": error.astype(float), "one": 1.0})
        whole.index = table["time"]
        rolled = of_services(whole, table["service"])
        first = [table["response_time"], table["status_code"], np.sin(turn), np.cos(turn), np.sin(week), np.cos(week)]
        since = table.groupby("service")["time"].diff().dt.total_seconds()
        volume = whole["one"].rolling(WINDOW).sum().to_numpy()
        levels = [table["level"] == level for level in LEVELS]
        services = [table["service"] == name for name in self.services]
        services += [np.zeros(len(table))] * (SERVICES - len(services))
        numbers = np.column_stack([*first, since, volume, *levels, *services, rolled]).astype(np.float32)
        words = self.terms.transform(masked(table["message"])).toarray().astype(np.float32)
        return np.hstack([numbers, words, np.zeros((len(table), TERMS - words.shape[1]), np.float32)])


def table_of(lines: list[bytes]) -> pd.DataFrame:
    """Lines to a table."""
    table = pd.DataFrame.from_records([decoder.loads(line) for line in lines])
    table["time"] = pd.to_datetime(table["timestamp"], format="ISO8601")
    for name in ("response_time", "status_code"):
        table[name] = table[name].astype(float)
    return table


def masked(messages: pd.Series) -> list[str]:
    """Messages without what has digits in it."""
    return [MASKED.sub("<*>", message) for message in messages]


def of_services(whole: pd.DataFrame, services: pd.Series) -> Any:
    """(n, 5): mean, deviation and median of response times, share of errors, and lines, in the service's window."""
    out = np.empty((len(whole), 5))
    for rows in services.groupby(services).indices.values():
        window = whole.iloc[rows].rolling(WINDOW)
        times = window["rt"]
        out[rows, 0], out[rows, 2] = times.mean(), times.median()
        out[rows, 1] = np.where(np.isnan(out[rows, 0]), np.nan, times.std().fillna(0.0))
        out[rows, 3], out[rows, 4] = window["error"].mean(), window["one"].sum()
    return out
