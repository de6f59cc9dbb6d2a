"""The model that sparse keys share, as the model of one of them: the same scores of rows as they are, not moved."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.tabular import TabularFeatures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.explain import Background
    from anomaly_detection.keyed.peers import Usual
    from anomaly_detection.pipeline import Pipeline


def translated(pipeline: Pipeline, usual: Usual, key: int) -> Pipeline:
    """A model of rows less what is usual for their key, as a model of the rows of one key.

    It explains in the units of the user: what is moved is not the row but the middle of each number.

    Parameters
    ----------
    pipeline : a model of moved rows.
    usual : what they were moved by.
    key : which of the keys.
    """
    if not usual.columns:
        return pipeline
    offsets = dict(zip(usual.columns, usual.offsets[key].tolist(), strict=True))
    found = copy.copy(pipeline)
    found.scorer_ = copy.copy(pipeline.scorer_)
    found.scorer_.tabular = _moved(pipeline.scorer_.tabular, offsets)
    if pipeline.background_ is not None:
        found.background_ = _background(pipeline.background_, offsets, usual, key)
    return found


def thinned(pipeline: Pipeline, most: int) -> Pipeline:
    """The pipeline with at most so many of the normal rows that explanations need: there are many like it."""
    background = pipeline.background_
    if background is not None:
        kept = np.linspace(0, len(background.rows) - 1, min(most, len(background.rows))).round().astype(np.int64)
        values = {name: [known[i] for i in kept.tolist()] for name, known in background.values.items()}
        pipeline.background_ = replace(background, rows=background.rows[kept], values=values)
    return pipeline


def _background(background: Background, offsets: Mapping[str, float], usual: Usual, key: int) -> Background:
    """The normal rows as they would be if they were of the key."""
    moved = {
        name: [None if value is None else value + offsets[name] for value in values]
        for name, values in background.values.items()
        if name in offsets
    }
    normal = {name: usual.normal(name, key) for name in usual.columns}
    return replace(background, values={**background.values, **moved}, normal={**background.normal, **normal})


def _moved(tabular: TabularFeatures | None, offsets: dict[str, float]) -> TabularFeatures:
    """Features of rows as they are that equal those of rows less the offsets."""
    assert tabular is not None, "a fitted scorer has features"  # noqa: S101
    state = tabular.state()
    encodings = [
        {**one, "centre": one["centre"] + offsets[one["column"]]} if one["column"] in offsets else one
        for one in state["encodings"]
    ]
    return TabularFeatures().restore({**state, "encodings": encodings})
