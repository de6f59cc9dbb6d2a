"""The levels of a keyed pipeline as plain values and a handful of arrays, and back.

A thousand models are thousands of small arrays that look alike. They are laid end to end, one array for each type, so
that they are read in one go; a description of a level says only where it differs from the one of all rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.calibration import Calibrator
from anomaly_detection.errors import ArtifactError
from anomaly_detection.keyed.judge import Band, Judge, Past, Shared
from anomaly_detection.keyed.peers import Usual
from anomaly_detection.keyed.routes import Routes
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.scorer import under

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Layout = list[list[Any]]
"""Name, type and shape of each array of one level, in the order in which they are laid out."""

MOST_SHOWN = 20
"""How many models, and how many of the keys that share one, are named."""


def packed(judges: Sequence[Judge], routes: Routes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Plain values for JSON, and the arrays."""
    base = judges[0].pipeline.state()[0]
    keys = routes.past_keys()
    levels: list[dict[str, Any]] = []
    every: list[NDArray[Any]] = []
    for number, judge in enumerate(judges):
        spec, arrays = _packed_judge(judge, base)
        layout = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
        levels.append({**spec, "keys": keys.get(number, []), "layout": layout})
        every.extend(arrays.values())
    return {"scorer": {"detector": base["scorer"]["detector"]}, "base": base, "judges": levels}, _end_to_end(every)


def unpacked(spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> tuple[list[Judge], Routes]:
    """The inverse of :func:`packed`.

    Raises
    ------
    ArtifactError
        if the arrays are not those that the description lays out.
    """
    judges: list[Judge] = []
    routes = Routes()
    cut = _cut(arrays, [level["layout"] for level in spec["judges"]])
    for number, (level, found) in enumerate(zip(spec["judges"], cut, strict=True)):
        judges.append(_judge(level, found, spec["base"]))
        if level["key"] is not None:
            routes.add_judge(level["key"], number)
        routes.add_past(number, level["keys"])
    return judges, routes


def described(judges: Sequence[Judge], routes: Routes, names: Sequence[str]) -> dict[str, Any]:
    """How a keyed pipeline is made up: each level, the models with the most rows, and what each weighs."""
    keys = routes.past_keys()
    sharing = {number: keys.get(number, []) for number in range(len(judges))}
    most_rows = sorted(judges[1:], key=lambda judge: -judge.pipeline.rows_)
    return {
        "own_models": len(judges) - 1,
        "keys": routes.known,
        "levels": [_level(name, at, judges, sharing) for at, name in enumerate(names)],
        "models": [_model(judge, names) for judge in most_rows[:MOST_SHOWN]],
    }


def less(spec: Any, base: Any) -> Any:
    """What is to be said of a description if another is known: dictionaries hold what differs, lists of one the rest.

    >>> less({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 4}})
    {'b': {'d': [3]}}
    """
    if isinstance(spec, dict) and isinstance(base, dict) and spec.keys() == base.keys():
        return {name: less(value, base[name]) for name, value in spec.items() if value != base[name]}
    return [spec]


def more(said: Any, base: Any) -> Any:
    """The inverse of :func:`less`.

    >>> more({"b": {"d": [3]}}, {"a": 1, "b": {"c": 2, "d": 4}})
    {'a': 1, 'b': {'c': 2, 'd': 3}}
    """
    if isinstance(said, dict):
        return {**base, **{name: more(value, base[name]) for name, value in said.items()}}
    return said[0]


def _packed_judge(judge: Judge, base: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    spec, arrays = judge.pipeline.state()
    packed = {**_under("pipeline", arrays), **_under("pool", judge.pool.state())}
    told = {name: getattr(judge, name) for name in ("level", "key", "weight", "difference", "answered")}
    shared = judge.shared
    told |= {"pipeline": less(spec, base), "shared": None}
    if shared is not None:
        own = None if shared.pipeline is judge.pipeline else shared.pipeline.state()
        told["shared"] = {
            "columns": list(shared.usual.columns),
            "share": shared.past.share,
            "bands": len(shared.bands),
            "pipeline": None if own is None else less(own[0], base),
        }
        packed |= _under("moved", own[1] if own is not None else {})
        for number, band in enumerate(shared.bands):
            packed |= _under(f"band{number}/among", band.among.state())
            packed |= _under(f"band{number}/final", band.final.state())
        packed |= {f"past/{name}": getattr(shared.past, name) for name in ("surprises", "starts")}
        packed["past/bands"] = shared.band_of
        packed |= {f"usual/{name}": getattr(shared.usual, name) for name in ("middles", "shares", "spans", "offsets")}
    return told, packed


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _judge(level: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], base: Mapping[str, Any]) -> Judge:
    pipeline = Pipeline.from_state(more(level["pipeline"], base), under("pipeline/", arrays))
    return Judge(
        level=level["level"],
        key=level["key"],
        pipeline=pipeline,
        weight=level["weight"],
        difference=level["difference"],
        answered=level["answered"],
        pool=_calibrator(pipeline, "pool/", arrays),
        shared=None if level["shared"] is None else _shared(level, arrays, base, pipeline),
    )


def _shared(
    level: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], base: Mapping[str, Any], pipeline: Pipeline
) -> Shared:
    told, n_keys = level["shared"], len(level["keys"])
    moved = pipeline
    if told["pipeline"] is not None:
        moved = Pipeline.from_state(more(told["pipeline"], base), under("moved/", arrays))
    usual, past = under("usual/", arrays), under("past/", arrays)
    _check_keys(n_keys, len(told["columns"]), told["bands"], usual, past)
    return Shared(
        usual=Usual(tuple(told["columns"]), usual["middles"], usual["shares"], usual["spans"], usual["offsets"]),
        pipeline=moved,
        band_of=past["bands"],
        past=Past(past["surprises"], past["starts"], told["share"]),
        bands=[
            Band(*(_calibrator(pipeline, f"band{number}/{part}/", arrays) for part in ("among", "final")))
            for number in range(told["bands"])
        ],
    )


def _calibrator(pipeline: Pipeline, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Calibrator:
    return Calibrator(tail=pipeline.tail).restore(under(prefix, arrays))


def _check_keys(
    n_keys: int, n_columns: int, n_bands: int, usual: Mapping[str, NDArray[Any]], past: Mapping[str, NDArray[Any]]
) -> None:
    """Make sure the kernels can trust where each key begins and ends."""
    starts = past["starts"]
    fits = (
        starts.shape == (n_keys + 1,)
        and starts[0] == 0
        and starts[-1] == len(past["surprises"])
        and bool((np.diff(starts) > 0).all())
        and usual["offsets"].shape == (n_keys, n_columns)
        and past["bands"].shape == (n_keys,)
        and bool(((past["bands"] >= 0) & (past["bands"] < n_bands)).all())
    )
    if not fits:
        raise ArtifactError(
            f"These arrays are not the past of {n_keys} keys. Load the model from an unchanged copy, or fit it again."
        )


def _end_to_end(arrays: Iterable[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    by_type: dict[str, list[NDArray[Any]]] = {}
    for array in arrays:
        by_type.setdefault(array.dtype.str, []).append(array.ravel())
    return {f"judges/{dtype}": np.concatenate(some) for dtype, some in sorted(by_type.items())}


def _cut(arrays: Mapping[str, NDArray[Any]], layouts: Sequence[Layout]) -> list[dict[str, NDArray[Any]]]:
    places = dict.fromkeys(arrays, 0)
    found: list[dict[str, NDArray[Any]]] = []
    for layout in layouts:
        found.append({})
        for name, dtype, shape in layout:
            at, size = places.get(f"judges/{dtype}", 0), math.prod(shape)
            part = arrays.get(f"judges/{dtype}", np.empty(0))[at : at + size]
            if len(part) < size:
                raise _not_laid_out()
            found[-1][name] = part.reshape(shape)
            places[f"judges/{dtype}"] = at + size
    if places != {name: len(array) for name, array in arrays.items()}:
        raise _not_laid_out()
    return found


def _not_laid_out() -> ArtifactError:
    return ArtifactError(
        "The arrays are not those that the model describes. Load the model from an unchanged copy, or fit it again."
    )


def _level(name: str, at: int, judges: Sequence[Judge], sharing: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    here = [number for number, judge in enumerate(judges) if judge.level == at]
    keys = [key for number in here for key in sharing[number]]
    shared_here = [shared for number in here if (shared := judges[number].shared) is not None]
    return {
        "level": name,
        "models": len(here),
        "rows": sum(judges[number].answered for number in here),
        "keys_sharing": len(keys),
        "such_as": keys[:MOST_SHOWN],
        "keys_differ_in": sorted({name for shared in shared_here for name in shared.usual.columns}),
        "between_keys": max((shared.past.share for shared in shared_here), default=0.0),
    }


def _model(judge: Judge, names: Sequence[str]) -> dict[str, Any]:
    return {
        "key": judge.key,
        "level": names[judge.level],
        "rows": judge.pipeline.rows_,
        "weight": judge.weight,
        "difference": judge.difference,
    }
