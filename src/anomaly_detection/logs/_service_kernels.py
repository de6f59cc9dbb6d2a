"""Array loops of responses.py and traffic.py: what is remembered of each service, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.kernels import lean
from anomaly_detection.logs._table_kernels import place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs.tables import Table

KEEP = 0.8
"""What is left of a service's latest distance after a line."""

SPREAD = math.sqrt((1.0 - KEEP) / (1.0 + KEEP))
"""The spread of the decayed mean of independent distances of spread 1."""

FARTHEST = 6.0
"""No single line moves the mean as if it were farther than this."""

SHORT, LONG = 10.0, 1800.0
"""Seconds over which a service's lines are counted, and over which its usual rate is."""

TRUST = 60.0
"""The rate of training weighs as much as so many seconds of a service that was not seen before."""

LULL = 0.7
"""What is left of a silence after a line."""

FAST, SLOW, SPAN, SEEN, SILENCE = range(5)
"""Columns of what is remembered of a service's traffic.

Two decayed counts, the decayed seconds of the second one, the latest time, the latest silence.
"""


@lean
def slowness(
    templates: NDArray[np.int32],
    services: NDArray[np.uint64],
    response_times: NDArray[np.float32],
    usual: NDArray[np.float32],
    owners: NDArray[np.uint64],
    latest: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with how slow a line is, or its service lately: the larger distance in spreads, at least 0.

    Parameters
    ----------
    usual : (t + 1, 2) median and spread of ``ln(1 + milliseconds)`` for each template, those of others last.
    owners, latest : (2 ** k,) which service is at a place, and the decayed mean of its distances; where two fall on
        the same place, the one that comes begins anew. Changed in place.
    """
    last = np.uint64(len(owners) - 1)
    for i in range(len(templates)):
        out[i] = 0.0
        took = np.float64(response_times[i])
        if not 0.0 <= took < np.inf:
            continue
        k = templates[i]
        row = usual[k] if 0 <= k < len(usual) - 1 else usual[len(usual) - 1]
        far = (math.log1p(took) - row[0]) / row[1]
        place = np.int64(services[i] & last)
        if owners[place] != services[i]:
            owners[place] = services[i]
            latest[place] = 0.0
        latest[place] = KEEP * latest[place] + (1.0 - KEEP) * min(max(far, -FARTHEST), FARTHEST)
        out[i] = max(far, latest[place] / SPREAD, 0.0)


@lean
def unusual_traffic(
    times: NDArray[np.int64],
    clock: NDArray[np.float64],
    services: NDArray[np.uint64],
    known: Table,
    rates: NDArray[np.float64],
    owners: NDArray[np.uint64],
    memory: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with how unusual a surge of a service is, or the silence that a line ended; 0 without a time.

    Parameters
    ----------
    clock : (n,) seconds, never going back.
    known, rates : services, and (s + 1,) lines a second of each in training, those of others last.
    owners, memory : (2 ** k,) which service is at a place, and (2 ** k, 5) what is remembered of it; where two fall
        on the same place, the one that comes begins anew. Changed in place.
    """
    last = np.uint64(len(owners) - 1)
    for i in range(len(clock)):
        out[i] = 0.0
        if times[i] == NO_TIME:
            continue
        place = np.int64(services[i] & last)
        of = memory[place]
        if owners[place] != services[i] or of[SEEN] == -np.inf:
            owners[place] = services[i]
            rate = rates[place_of(known.keys, known.slots, services[i])]
            of[FAST], of[SLOW], of[SPAN] = rate * SHORT, rate * TRUST, TRUST
            of[SEEN], of[SILENCE] = clock[i], 0.0
        rate, gap = of[SLOW] / of[SPAN], clock[i] - of[SEEN]
        count, expected = of[FAST] * math.exp(-gap / SHORT) + 1.0, rate * SHORT + 1.0
        of[SILENCE] = max(rate * gap, LULL * of[SILENCE])
        left = math.exp(-gap / LONG)
        of[SLOW], of[SPAN] = of[SLOW] * left + 1.0, LONG + (of[SPAN] - LONG) * left
        of[FAST], of[SEEN] = count, clock[i]
        surge = 2.0 * (count * math.log(count / expected) - (count - expected)) if count > expected else 0.0
        out[i] = max(surge, of[SILENCE])
