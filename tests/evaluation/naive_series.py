"""The slow twins of the measures for series: each definition, read out aloud."""

import math

import numpy as np


def runs(flags):
    out, start = [], None
    for row, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = row
        if not flag and start is not None:
            out.append((start, row - 1))
            start = None
    return out


def vus(label, score, buffer):
    """Every threshold and every buffer, one by one: (VUS-PR, VUS-ROC)."""
    areas = [_areas(np.asarray(label, float), np.asarray(score, float), width) for width in range(buffer + 1)]
    return tuple(np.mean(areas, axis=0))


def _areas(label, score, width):
    half, soft = width // 2, label.copy()
    for start, end in runs(label > 0):
        for away in range(1, half + 1):
            for row in (start - away, end + away):
                if 0 <= row < len(label):
                    soft[row] += math.sqrt(1 - away / width)
    soft = np.minimum(soft, 1)
    wide = np.zeros(len(label), bool)
    for start, end in runs(label > 0):
        wide[max(start - half, 0) : end + half + 1] = True
    joined = []
    for start, end in runs(label > 0):
        if joined and joined[-1][1] >= max(start - half, 0):
            joined[-1][1] = end + half
        else:
            joined.append([max(start - half, 0), end + half])
    area, curve, last = 0.0, [(0.0, 0.0)], 0.0
    for threshold in np.unique(score)[::-1]:
        flags = score >= threshold
        hit = (soft * flags).sum()
        wanted = (label.sum() + label.sum() + (soft - label)[flags].sum()) / 2
        existence = np.mean([flags[a : b + 1].any() for a, b in joined])
        recall = min(hit / wanted, 1) * existence
        area += (recall - last) * hit / flags.sum()
        curve.append(((flags.sum() - hit) / (len(label) - wanted), recall))
        last = recall
    x, y = np.array([*curve, (1.0, 1.0)]).T
    return area, float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())


def event_recall(label, score, tolerance, per, share):
    """Every threshold from the top until the budget is used up: (recall, delay, false alarms)."""
    label = np.asarray(label) > 0
    normal, best = (~label).sum(), (0.0, math.nan, 0)
    for threshold in np.unique(score)[::-1]:
        flags = score >= threshold
        near = [
            any(a <= end + tolerance and b >= start - tolerance for start, end in runs(label)) for a, b in runs(flags)
        ]
        if near.count(False) > normal // per or (flags & ~label).sum() > share * normal:
            break
        first = [
            [row for row in range(max(start - tolerance, 0), min(end + tolerance, len(label) - 1) + 1) if flags[row]]
            for start, end in runs(label)
        ]
        delays = [max(rows[0] - start, 0) for rows, (start, _) in zip(first, runs(label), strict=True) if rows]
        best = len(delays) / len(first), np.mean(delays) if delays else math.nan, near.count(False)
    return best


def range_precision_recall(label, flags, alpha, bias):
    """The functions of the paper: overlap size by position, cardinality one over the number of overlaps."""
    real, predicted = runs(label), runs(flags)

    def delta(i, length):
        return {"flat": 1, "front": length - i + 1, "back": i, "middle": min(i, length - i + 1)}[bias]

    def omega(own, other):
        mine = total = 0
        length = own[1] - own[0] + 1
        for i in range(1, length + 1):
            total += delta(i, length)
            mine += delta(i, length) * (other[0] <= own[0] + i - 1 <= other[1])
        return mine / total

    def overlap(own, others):
        parts = [omega(own, other) for other in others]
        touched = sum(part > 0 for part in parts)
        return sum(parts) / max(touched, 1), touched > 0

    precision = [overlap(run, real)[0] for run in predicted]
    recall = [alpha * hit + (1 - alpha) * size for size, hit in (overlap(run, predicted) for run in real)]
    return np.mean(precision) if precision else math.nan, np.mean(recall) if recall else math.nan


def affiliation(label, flags, fine=40):
    """Means over a fine grid of places, each held against all other places of its zone."""
    real = [(a, b + 1) for a, b in runs(label)]
    flagged = [(a, b + 1) for a, b in runs(flags)]
    grid = (np.arange(len(label) * fine) + 0.5) / fine

    def distance(x, ranges):
        return min(max(a - x, x - b, 0.0) for a, b in ranges)

    precision, recall = [], []
    for k, event in enumerate(real):
        low = 0.0 if k == 0 else (real[k - 1][1] + event[0]) / 2
        high = len(label) if k == len(real) - 1 else (event[1] + real[k + 1][0]) / 2
        zone = grid[(grid > low) & (grid < high)]
        parts = [(max(a, low), min(b, high)) for a, b in flagged if max(a, low) < min(b, high)]
        if not parts:
            recall.append(0.0)
            continue
        away = np.array([distance(x, [event]) for x in zone])
        inside = [x for x in zone if distance(x, parts) == 0]
        precision.append(np.mean([np.mean(away >= distance(x, [event])) for x in inside]))
        recall.append(
            np.mean([np.mean(abs(zone - x) >= distance(x, parts)) for x in zone if event[0] <= x <= event[1]])
        )
    return np.mean(precision) if precision else math.nan, np.mean(recall) if recall else math.nan


def nab(label, flags, found, false, missed):
    """The benchmark's sweep: the best flag of each window, all flags outside."""

    def sigmoid(x):
        return -1.0 if x > 3 else 2 / (1 + math.exp(5 * x)) - 1

    windows, total = runs(label), 0.0
    for left, right in windows:
        scores = [sigmoid(-(right - row + 1) / (right - left + 1)) for row in range(left, right + 1) if flags[row]]
        total += max(scores) / sigmoid(-1) * found if scores else -missed
    for row in range(len(label)):
        if flags[row] and not label[row]:
            before = [(left, right) for left, right in windows if right < row]
            past = (row - before[-1][1]) / (before[-1][1] - before[-1][0]) if before and np.diff(before[-1])[0] else 9
            total += false * sigmoid(past if before else 9)
    perfect, null = found * len(windows), -missed * len(windows)
    return 100 * (total - null) / (perfect - null)
