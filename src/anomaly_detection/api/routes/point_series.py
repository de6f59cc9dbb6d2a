"""The paths and shapes of Azure's Anomaly Detector, which was retired: its clients move by changing the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError

from anomaly_detection.api.large_json import LargeJson, answer, heavy
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.schemas import point_series as p
from anomaly_detection.errors import InputError
from anomaly_detection.workflows.point_series import (
    PointSeries,
    SeriesProblemError,
    judge_changes,
    judge_entire,
    judge_last,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CODES = {
    "series": "InvalidSeries",
    "granularity": "InvalidGranularity",
    "customInterval": "InvalidCustomInterval",
    "period": "InvalidPeriod",
    "maxAnomalyRatio": "InvalidModelArgument",
    "sensitivity": "InvalidModelArgument",
    "threshold": "InvalidModelArgument",
    "stableTrendWindow": "InvalidModelArgument",
    "imputeMode": "InvalidImputeMode",
    "imputeFixedValue": "InvalidImputeFixedValue",
}
REQUIRED = {"series": "RequiredSeries", "granularity": "RequiredGranularity"}


class _Route(LargeJson):
    """Errors have Azure's shape, too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"][1:])
                return _error(_code(first), f"{where}: {first['msg']}" if where else str(first["msg"]))
            except InputError as error:
                return _error(getattr(error, "code", "BadArgument"), str(error))

        return handle


router = APIRouter(
    prefix="/anomalydetector/{version}/timeseries",
    tags=["series"],
    route_class=_Route,
    responses={400: {"model": p.SeriesError, "description": "The series or an argument is off."}},
)

Scores = Annotated[Principal, Depends(needs("score"))]
Api = Literal["v1.0", "v1.1"]


@router.post("/entire/detect", response_model=p.EntireAnswer)
async def entire(version: Api, asked: p.DetectionRequest, _: Scores) -> Response:  # noqa: ARG001
    """Judge every point of a series."""
    series = _series(asked)
    return await heavy(lambda: answer(judge_entire(series)))


@router.post("/last/detect", response_model=p.LastAnswer)
async def last(version: Api, asked: p.DetectionRequest, _: Scores) -> Response:  # noqa: ARG001
    """Judge the last point of a series by those before it."""
    series = _series(asked)
    return await heavy(lambda: answer(judge_last(series)))


@router.post("/changepoint/detect", response_model=p.ChangeAnswer)
async def changes(version: Api, asked: p.ChangeRequest, _: Scores) -> Response:  # noqa: ARG001
    """Find the points from which on a series is another one."""
    series = _series(asked)
    threshold = 0.75 if asked.threshold is None else asked.threshold
    return await heavy(lambda: answer(judge_changes(series, threshold, asked.stableTrendWindow or 1)))


def _series(asked: p.DetectionRequest | p.ChangeRequest) -> PointSeries:
    times = [point.timestamp for point in asked.series]
    known = [time for time in times if time is not None]
    if known and len(known) < len(times):
        raise SeriesProblemError(
            "InvalidSeries", f"{len(times) - len(known)} points have no timestamp, and others have."
        )
    wishes: dict[str, Any] = {}
    if isinstance(asked, p.DetectionRequest):
        if asked.imputeMode == "fixed" and asked.imputeFixedValue is None:
            raise SeriesProblemError("InvalidImputeFixedValue", "imputeMode fixed needs imputeFixedValue.")
        wishes = {
            "sensitivity": asked.sensitivity,
            "most_anomalous": asked.maxAnomalyRatio,
            "fill": asked.imputeMode,
            "fill_value": asked.imputeFixedValue,
        }
    given = {name: value for name, value in wishes.items() if value is not None}
    values = [point.value for point in asked.series]
    return PointSeries(known or None, values, asked.granularity, asked.customInterval or 1, asked.period, **given)


def _code(error: dict[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "InvalidJsonFormat"
    field = next((str(part) for part in error["loc"][1:]), "")
    return REQUIRED.get(field, "BadArgument") if error["type"] == "missing" else CODES.get(field, "BadArgument")


def _error(code: str, message: str) -> Response:
    found = answer({"code": code, "message": message})
    found.status_code = 400
    found.headers["x-ms-error-code"] = code
    return found
