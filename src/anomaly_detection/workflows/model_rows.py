"""Trained models and rows that came with a request: explain, find what would be normal, evaluate, compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import InputError, UnknownNameError
from anomaly_detection.evaluation.compare import compare
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import evaluate
from anomaly_detection.features.inference import check_finite
from anomaly_detection.workflows.models import compare_models, load_any
from anomaly_detection.workflows.plain_rows import Bounds, table_of_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.results import Result
    from anomaly_detection.series import SeriesPipeline

MOST_EXPLAINED = 200


def explain_rows(
    reference: str,
    data: Sequence[Any],
    registry: Path | None = None,
    *,
    most: int = 3,
    actionable: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """The verdict on each row with its explanation, whether it is an anomaly or not.

    Raises
    ------
    ModelNotFoundError
        if there is no such model.
    InputError
        for rows that do not fit it, more than 200 of them, or an unknown column.
    """
    pipeline = load_any(reference, registry)
    frame = _fitting_rows(pipeline, data, Bounds(MOST_EXPLAINED, 10_000))
    result = pipeline.detect(frame)
    explanations = pipeline.explain(frame, None, most, actionable)
    return [
        {"row": i, **result.verdict(i).to_dict(), "explanation": one.to_dict() | {"why_not": one.no_counterfactual}}
        for i, one in enumerate(explanations)
    ]


def counterfactual(
    reference: str, record: Mapping[str, Any], registry: Path | None = None, *, actionable: Sequence[str] | None = None
) -> dict[str, Any]:
    """The smallest change that makes a record normal, or why there is none; raises as :func:`explain_rows` does."""
    (found,) = explain_rows(reference, [dict(record)], registry, actionable=actionable)
    explanation = found.pop("explanation")
    return {
        "verdict": {name: value for name, value in found.items() if name != "row"},
        "counterfactual": explanation["counterfactual"],
        "why_not": explanation["why_not"],
    }


def evaluate_rows(
    reference: str, data: Sequence[Any], label: str, bounds: Bounds, registry: Path | None = None
) -> dict[str, Any]:
    """How good a model's verdicts are on rows with labels.

    Raises
    ------
    InputError
        for rows that do not fit the model, or labels that are not understood.
    """
    pipeline = load_any(reference, registry)
    frame, result = _judged(pipeline, data, label, bounds)
    return evaluate(parse_labels(frame[label]), result.score, result.is_anomaly).to_dict()


def compare_rows(
    a: str, b: str, rows: tuple[Sequence[Any], str] | None, bounds: Bounds, registry: Path | None = None
) -> dict[str, Any]:
    """Two versions side by side; with labelled rows, their verdicts on these; raises as :func:`evaluate_rows`."""
    stored = compare_models(a, b, registry=registry).to_dict()
    if rows is None:
        return stored
    data, label = rows
    (frame, first), (_, second) = (_judged(load_any(one, registry), data, label, bounds) for one in (a, b))
    paired = compare(parse_labels(frame[label]), first, second)
    return stored | {"paired": {name: one.to_dict() for name, one in paired.items()}}


def _judged(
    pipeline: Pipeline | SeriesPipeline, data: Sequence[Any], label: str, bounds: Bounds
) -> tuple[pl.DataFrame, Result]:
    frame = _fitting_rows(pipeline, data, bounds)
    if label not in frame.columns:
        raise UnknownNameError("label column", label, frame.columns)
    return frame, pipeline.detect(frame)


def _fitting_rows(pipeline: Pipeline | SeriesPipeline, data: Sequence[Any], bounds: Bounds) -> pl.DataFrame:
    """The rows as a table with the columns of the model; lists have them in the model's order."""
    names = pipeline.schema_.feature_names
    listed = bool(data) and isinstance(data[0], list)
    if listed and len(data[0]) != len(names):
        raise InputError(
            f"Row 0 has {len(data[0])} values, and the model takes {len(names)}: {', '.join(names[:20])}. Send them in "
            "this order, or objects with these names."
        )
    frame = table_of_rows(data, names if listed else None, bounds)
    pipeline.schema_.check_names(frame.columns)
    check_finite(frame, pipeline.schema_)
    return frame
