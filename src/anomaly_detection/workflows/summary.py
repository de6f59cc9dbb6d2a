"""What JSON results say about all rows together: enough for a report, and bounded however large the file is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.features.nesting import flatten
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.explaining import SeriesResult
from anomaly_detection.workflows.profiles import Profile, profile_of
from anomaly_detection.workflows.series_summary import series_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.records import Schema
    from anomaly_detection.results import Result
    from anomaly_detection.workflows.tally import Tally

MOST_RECORDS = 100
"""So many anomalies are written with the values of their columns, the most anomalous ones."""

MOST_COLUMNS = 200
"""So many columns are looked at, the first ones."""

WRITTEN_COLUMNS = 40
"""So many of them are written, those in which the anomalies differ most."""

RECORD_COLUMNS = 60
"""The most columns of a written record."""

LONGEST = 300
"""The most characters of a value of a written record."""

MOST_HASHES = 1_000_000
"""Rows that repeat others are looked for among so many, the first ones."""


class Summary:
    """Gathers what the rows of a file have in common while their verdicts pass by.

    Parameters
    ----------
    pipeline : fitted; says which column is what.
    ignored : columns that are not shown with a record unless they are features; those of the key never are.
    """

    def __init__(self, pipeline: Pipeline | SeriesPipeline, ignored: Iterable[str] = ()) -> None:
        self._schema = pipeline.schema_
        self._profiles: dict[str, Profile] = {
            column.name: profile_of(column.kind) for column in self._schema.features[:MOST_COLUMNS]
        }
        self._hidden = frozenset(ignored)
        self._records: list[tuple[float, int, dict[str, Any]]] = []
        self._hashes = np.empty(0, dtype=np.uint64)
        self._hashed_rows = 0
        self._pipeline = pipeline
        self._series: dict[str, Any] | None = None

    def add(self, result: Result, frame: pl.DataFrame) -> None:
        """Take note of the verdicts on the rows of a frame."""
        flat = flatten(frame)
        for name, profile in self._profiles.items():
            profile.add(flat[name], result.is_anomaly)
        if isinstance(self._pipeline, SeriesPipeline) and isinstance(result, SeriesResult):
            self._series = series_summary(self._pipeline, result, flat)
        self._keep_records(result, flat)
        self._keep_hashes(flat)

    def to_dict(self, tally: Tally, evaluation: Evaluation | None, notes: Iterable[str]) -> dict[str, Any]:
        """Plain values, for JSON; ``tally`` has the counts, ``notes`` say how the file was read."""
        return {
            "rows": tally.rows,
            "anomaly_count": tally.anomaly_count,
            "severities": tally.severity_counts(),
            "alpha": tally.alpha,
            "evaluation": evaluation.to_dict() if evaluation else None,
            "notes": list(notes),
            "repeated_rows": self._hashed_rows - len(self._hashes),
            "repeated_among": self._hashed_rows,
            "columns": self._columns(),
            "columns_in_all": len(self._schema.features),
            "anomalies": [{"row": row, "record": record} for _, row, record in self._records],
            **({} if self._series is None else {"series": self._series}),
        }

    def _columns(self) -> list[dict[str, Any]]:
        order = sorted(self._profiles.items(), key=lambda one: -one[1].difference())
        kept = {name for name, _ in order[:WRITTEN_COLUMNS]}
        return [
            {
                "name": column.name,
                "kind": column.kind,
                "difference": self._profiles[column.name].difference(),
                **self._profiles[column.name].to_dict(),
            }
            for column in self._schema.features
            if column.name in kept
        ]

    def _keep_records(self, result: Result, flat: pl.DataFrame) -> None:
        worst = result.top(min(MOST_RECORDS, result.anomaly_count)).tolist()
        part = flat.select(_columns_of_records(self._schema, flat, self._hidden))[worst]
        found = [
            (float(result.score[i]), int(result.rows[i]), {name: _short(value) for name, value in record.items()})
            for i, record in zip(worst, part.iter_rows(named=True), strict=True)
        ]
        self._records = sorted([*self._records, *found], key=lambda one: (-one[0], one[1]))[:MOST_RECORDS]

    def _keep_hashes(self, flat: pl.DataFrame) -> None:
        names = [name for name in self._schema.feature_names if not flat[name].dtype.is_nested()]
        room = MOST_HASHES - self._hashed_rows
        if room <= 0:
            return
        new: NDArray[np.uint64] = flat.head(room).select(names).hash_rows().to_numpy()
        self._hashed_rows += len(new)
        self._hashes = np.union1d(self._hashes, new)


def _columns_of_records(schema: Schema, flat: pl.DataFrame, hidden: frozenset[str]) -> list[str]:
    """The features and the label first, then the others that are written in plain values; key and time stand apart."""
    apart = {*schema.key_columns, schema.timestamp, *hidden}
    first = [name for name in (*schema.feature_names, schema.label) if name is not None]
    others = [name for name in flat.columns if name not in (*first, *apart)]
    known = [name for name in (*first, *others) if name in flat.columns]
    return [name for name in known if not flat[name].dtype.is_nested() and flat[name].dtype != pl.Binary][
        :RECORD_COLUMNS
    ]


def _short(value: Any) -> Any:
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    words = str(value)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
