"""Detection on rows that come with the request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.large_json import LargeJson, answer, heavy
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.schemas.detection import DetectionAnswer, DetectionRequest
from anomaly_detection.workflows.detect_rows import RowsRequest, detect_rows
from anomaly_detection.workflows.fitting import Fitting

router = APIRouter(prefix="/api/v1", tags=["detection"], route_class=LargeJson)

Scores = Annotated[Principal, Depends(needs("score"))]


@router.post("/detection/run", response_model=DetectionAnswer)
async def run(asked: DetectionRequest, here: Here, _: Scores) -> Response:
    """Fit on the rows, judge them, and explain the anomalies.

    Nothing is kept. For rows of a trained model use `POST /api/v1/models/{name}/score`; for large files a job.
    """
    fitting = Fitting(
        asked.algorithm,
        asked.parameters,
        "auto" if asked.contamination is None else asked.contamination,
        random_state=asked.random_state,
    )
    request = RowsRequest(asked.data, fitting, asked.feature_names, asked.explain)
    return await heavy(lambda: answer(detect_rows(request, here.bounds)))
