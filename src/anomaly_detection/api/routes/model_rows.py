"""What trained models say about rows: explanations, counterfactuals, evaluation, comparison."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.large_json import LargeJson, answer, heavy
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas import models as m
from anomaly_detection.workflows import model_rows

router = APIRouter(prefix="/api/v1", tags=["models"], route_class=LargeJson)

Reads = Annotated[Principal, Depends(needs("read"))]
Scores = Annotated[Principal, Depends(needs("score"))]
Reference = Annotated[
    str, Path(max_length=200, description="`orders`, `orders@production` or `orders@3`.", examples=["orders"])
]


@router.post("/models/{name}/explain", response_model=m.ExplainAnswer)
async def explain(name: Reference, asked: m.ExplainRequest, here: Here, _: Scores) -> Response:
    """Say why rows score as they do: contributing columns, a recommendation, the smallest change to normal."""
    folder = here.settings.registry_folder

    def work() -> Response:
        found = model_rows.explain_rows(name, asked.data, folder, most=asked.most, actionable=asked.actionable)
        return answer({"items": found})

    return await heavy(work)


@router.post("/models/{name}/counterfactual", response_model=m.CounterfactualAnswer)
async def counterfactual(name: Reference, asked: m.CounterfactualRequest, here: Here, _: Scores) -> Response:
    """Find the smallest change that makes a record normal."""
    folder = here.settings.registry_folder
    return await heavy(
        lambda: answer(model_rows.counterfactual(name, asked.record, folder, actionable=asked.actionable))
    )


@router.post("/models/{name}/evaluate", response_model=m.Evaluation)
async def evaluate(name: Reference, asked: m.EvaluateRequest, here: Here, _: Scores) -> Response:
    """Hold a model's verdicts against labels: precision, recall, AUC and the others, with intervals."""
    folder = here.settings.registry_folder
    return await heavy(lambda: answer(model_rows.evaluate_rows(name, asked.data, asked.label, here.bounds, folder)))


@router.post("/compare", response_model=m.Compared)
async def compare(asked: m.CompareRequest, here: Here, _: Reads) -> Response:
    """Put two versions side by side; with labelled rows, judge these with both."""
    if (asked.data is None) != (asked.label is None):
        raise ProblemError(422, "data and label belong together: rows, and the column that says which are anomalies.")
    rows = None if asked.data is None or asked.label is None else (asked.data, asked.label)
    folder = here.settings.registry_folder
    return await heavy(lambda: answer(model_rows.compare_rows(asked.a, asked.b, rows, here.bounds, folder)))
