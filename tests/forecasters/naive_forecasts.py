"""Slow twins of the array loops of forecasters, in plain Python."""

import math

import numpy as np


def lean(ring):
    """Middle of the last three known, middle of all, likeness of neighbours."""
    known = ring[~np.isnan(ring)]
    if not len(known):
        return 0.0, 0.0, 0.0
    alone = float((known[:-1] ** 2).sum())
    alike = float((known[1:] * known[:-1]).sum()) / alone if alone > 0 else 0.0
    return float(np.median(known[-3:])), float(np.median(known)), min(max(alike, 0.0), 1.0)


def one_way(way, level, slope, season, ring, horizon):
    """The forecast of one channel in one way."""
    model, trend, added = way
    latest, usual, alike = lean(ring[model])
    values = []
    for h in range(horizon):
        value = level[model] + trend * slope[model] * (h + 1) + season[model][h]
        old = ring[model][h % len(ring[model])]
        value += [0.0, latest, usual, alike ** (h + 1) * latest, 0.0 if math.isnan(old) else old][added]
        values.append(value)
    return np.array(values)


def smooth(values, rates, state, skip):
    """Exponential smoothing row by row; the state afterwards, and the mean error one row ahead."""
    level, trend, scale, season = state[0], state[1], state[2], list(state[3:])
    alpha, beta, gamma, stays = rates
    sizes = []
    for i, x in enumerate(values):
        expected = level + stays * trend
        if math.isnan(x):
            level, trend = expected, stays * trend
            continue
        error = x - expected - season[i % len(season)]
        reach = 3.0 * 1.2533 * scale
        size = min(abs(error), reach) if scale > 0 else abs(error)
        if i >= skip:
            sizes.append(size)
        moved = math.copysign(size, error)
        scale += 0.05 * (min(abs(error), 2 * reach) - scale) if scale > 0 else 0.05 * abs(error)
        level, trend = expected + alpha * moved, stays * trend + beta * moved
        season[i % len(season)] += gamma * moved
    return np.array([level, trend, scale, *season]), float(np.mean(sizes)) if sizes else 0.0


def carry_on(rates, state, start, horizon):
    """What a state expects from row ``start`` on."""
    season = state[3:]
    growth = np.cumsum(rates[3] ** np.arange(1, horizon + 1)) * state[1]
    return state[0] + growth + season[(start + np.arange(horizon)) % len(season)]


def loess(values, weights, span, place):
    """The local line at one place, by least squares."""
    n = len(values)
    q = min(span, n)
    left = min(max(place - q // 2, 0), n - q)
    near = np.arange(left, left + q)
    reach = max(max(place - left, left + q - 1 - place) * max(1.0, span / n), 1.0) * 1.0001
    share = weights[near] * (1 - (np.abs(near - place) / reach) ** 3) ** 3
    if share.sum() <= 0 or q == 1:
        return values[near].mean()
    root = np.sqrt(share)
    columns = np.column_stack([np.ones(q), near - place]) * root[:, None]
    return np.linalg.lstsq(columns, values[near] * root, rcond=None)[0][0]
