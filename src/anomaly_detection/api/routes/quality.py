"""Checks of tables; what they see is remembered for the checks to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Response

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.large_json import LargeJson, answer, heavy
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.schemas import quality as q
from anomaly_detection.workflows import remembered_tables as tables
from anomaly_detection.workflows.plain_rows import check_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.api.context import Context
    from anomaly_detection.store import Database

router = APIRouter(prefix="/api/v1/detect", tags=["tables"], route_class=LargeJson)

Scores = Annotated[Principal, Depends(needs("score"))]


@router.post("/volume", response_model=q.CheckAnswer)
async def volume(asked: q.VolumeCheck, here: Here, _: Scores) -> Response:
    """Say whether a table has about as many rows as usual."""
    options = asked.model_dump(include={"alpha", "direction", "minimum_relative", "holidays", "country", "zone"})
    run = tables.Run(asked.table_id, asked.current_row_count, asked.historical_data, asked.timestamp, options)
    return await _checked(tables.check_volume, here, run)


@router.post("/distribution", response_model=q.CheckAnswer)
async def distribution(asked: q.DistributionCheck, here: Here, _: Scores) -> Response:
    """Say which columns of a table have other values than in earlier runs."""
    options = {"segments": tuple(asked.segments), "alpha": asked.alpha}
    run = tables.Run(asked.table_id, asked.current_data, asked.historical_data, asked.timestamp, options)
    return await _checked(tables.check_distribution, here, run)


@router.post("/pattern", response_model=q.CheckAnswer)
async def pattern(asked: q.PatternCheck, here: Here, _: Scores) -> Response:
    """Say whether the cells of a table are written as they should be: by itself, or as in earlier tables."""
    options = asked.model_dump(include={"key", "segments", "tolerance", "cell_scores"})
    run = tables.Run(asked.table_id, asked.current_data, asked.historical_data, asked.timestamp, options)
    return await _checked(tables.check_pattern, here, run)


@router.post("/timeliness", response_model=q.CheckAnswer)
async def timeliness(asked: q.TimelinessCheck, here: Here, _: Scores) -> Response:
    """Say whether a table came when it usually does, or is late."""
    options = {"now": asked.now, "zone": asked.zone, "alpha": asked.alpha}
    run = tables.Run(asked.table_id, None, asked.historical_data, asked.timestamp, options)
    return await _checked(tables.check_timeliness, here, run)


async def _checked(check: Callable[[Database, tables.Run], dict[str, Any]], here: Context, run: tables.Run) -> Response:
    def work() -> Response:
        for one in [run.data, *(run.history or ())]:
            check_size(one, here.bounds)
        return answer(check(here.database, run))

    return await heavy(work)
