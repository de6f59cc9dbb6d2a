"""Find the anomalies among rows that came with a request: fit on them, judge them, explain them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.calibration.held_out import FEWEST_ROWS
from anomaly_detection.pipeline import silent
from anomaly_detection.workflows.explaining import Explaining
from anomaly_detection.workflows.fitting import blank_pipeline
from anomaly_detection.workflows.plain_rows import Bounds, schema_of_rows, table_of_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.results import Result
    from anomaly_detection.workflows.fitting import Fitting


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """What to do.

    Parameters
    ----------
    data : rows, each a list of values or an object.
    fitting : how to fit.
    feature_names : a name for each column of rows that are lists.
    explain : add the reasons for each anomaly.
    """

    data: Sequence[Any]
    fitting: Fitting
    feature_names: Sequence[str] | None = None
    explain: bool = False


def detect_rows(request: RowsRequest, bounds: Bounds) -> dict[str, Any]:
    """The verdicts in columns, in the order of the rows.

    With fewer than eight rows nothing can be said about what is normal: no row is called anomalous, and a note says so.

    Raises
    ------
    InputError
        if the rows, the algorithm or a parameter is off.
    """
    pipeline = blank_pipeline(request.fitting)
    frame = table_of_rows(request.data, request.feature_names, bounds)
    schema = schema_of_rows(frame, named=isinstance(request.data[0], dict))
    said = {"algorithm": request.fitting.algorithm, "feature_names": list(schema.feature_names)}
    if len(frame) < FEWEST_ROWS:
        return said | _nothing_said(len(frame))
    result = pipeline.fit_detect(frame, schema)
    explained = {}
    if request.explain:
        column = Explaining(pipeline, silent).column(result, frame, as_objects=True)
        explained = {"explanations": [{"row": row, **one} for row, one in enumerate(column) if one is not None]}
    return said | _in_columns(result) | explained


def _in_columns(result: Result) -> dict[str, Any]:
    """Verdicts as plain values."""
    columns = result.to_polars()
    return {
        "anomaly_count": result.anomaly_count,
        "alpha": result.alpha,
        "predictions": result.is_anomaly.astype(int).tolist(),
        "scores": result.score.tolist(),
        "anomaly_scores": result.anomaly_score.tolist(),
        "p_values": result.p_value.tolist(),
        "severities": columns["severity"].to_list(),
        "confidence": result.confidence.tolist(),
        "notes": [],
    }


def _nothing_said(rows: int) -> dict[str, Any]:
    note = f"{rows} rows are too few to learn what is normal, which takes {FEWEST_ROWS}; none is called anomalous."
    return {
        "anomaly_count": 0,
        "alpha": None,
        "predictions": [0] * rows,
        "scores": [0.0] * rows,
        "anomaly_scores": [0.0] * rows,
        "p_values": [1.0] * rows,
        "severities": ["normal"] * rows,
        "confidence": [0.0] * rows,
        "notes": [note],
    }
