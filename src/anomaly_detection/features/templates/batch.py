"""All messages of a file at once: the best grouping, with ids in order of appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates.miner import TemplateMiner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_TEMPLATES, MOST_BYTES = 50_000, 1 << 25


def mine(messages: Any, masks: Mapping[str, str] | None = None) -> tuple[NDArray[np.int64], list[str]]:
    """The template of each message, and the templates.

    Lines that were read before a template became more general get its id all the same, so the grouping is that of the
    end. At most 50,000 templates are kept; what is rarer gets the catch-all, ``<*>``.

    Parameters
    ----------
    messages : a polars or Arrow column, or a sequence, of strings or bytes.
    masks : further masks by name, as for :class:`TemplateMiner`.

    Returns
    -------
    Ids (n,), which are places in the list of templates, in order of appearance.

    Raises
    ------
    InputError
        if these are no messages.
    ParameterError
        for a mask that is no regular expression.

    >>> ids, templates = mine(["user 7 in", "disk full", "user 8 in"])
    >>> ids.tolist(), templates
    ([0, 1, 0], ['user <*> in', 'disk full'])
    """
    miner = TemplateMiner(MOST_TEMPLATES, MOST_BYTES, masks=masks)
    ids = miner.canonical(miner.update(messages))
    used, first, places = np.unique(ids, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    texts = miner.templates()
    return rank[places.reshape(-1)], [texts[i] for i in used[order].tolist()]
