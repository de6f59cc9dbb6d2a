"""Days unlike others, given one by one or as those of a country."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.series.calendar import civil
from anomaly_detection.forecasters._peers import holidays_of_countries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.features.series.series import Series


def read_holidays(wanted: Any, series: Series) -> tuple[int, ...]:
    """Days since 1970 of holidays, given by dates (``"2026-01-01"``) or as a country (``"DE"``, ``"US-CA"``).

    Raises
    ------
    ParameterError
        for what is neither.
    MissingDependencyError
        for a country, where the package ``holidays`` is not installed.
    """
    if wanted is None:
        return ()
    if isinstance(wanted, str) and not wanted[:1].isdigit():
        return days_of_country(wanted, _years(series))
    texts = wanted.replace(",", " ").split() if isinstance(wanted, str) else [str(one)[:10] for one in wanted]
    return tuple(sorted(_day(text) for text in texts))


def _day(text: str) -> int:
    try:
        return int(np.datetime64(text, "D").astype(np.int64))
    except ValueError:
        raise ParameterError(
            f"holidays={text!r} is no date. Give dates like 2026-12-25, or a country like DE or US-CA."
        ) from None


def days_of_country(code: str, years: Iterable[int]) -> tuple[int, ...]:
    """Days since 1970 of the holidays of a country (``"DE"``), or a part of one (``"US-CA"``).

    Raises
    ------
    ParameterError
        for a country of which none are known.
    MissingDependencyError
        where the package ``holidays`` is not installed.
    """
    country_holidays = holidays_of_countries()
    country, _, region = code.partition("-")
    try:
        found: Iterable[Any] = country_holidays(country.upper(), subdiv=region or None, years=years)
    except NotImplementedError:
        raise ParameterError(f"holidays={code!r}: no holidays of that country are known. Give the dates.") from None
    return tuple(sorted(int(np.datetime64(one, "D").astype(np.int64)) for one in found))


def _years(series: Series) -> range:
    """The years of a series, and as many after it."""
    local = pl.Series(civil(series.time[[0, -1]], series.zone)).cast(pl.Datetime("us")).dt.year()
    first, last = int(local[0]), int(local[1])
    return range(first, last + max(2, last - first) + 1)
