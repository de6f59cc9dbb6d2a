"""The array loops of logs, slowly: dictionaries, strings and plain loops."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

import numpy as np

BEGIN, MISSED = "begin", "missed"


class NaiveMarkov:
    """Counts of what comes after each context of up to three symbols."""

    def __init__(self) -> None:
        self.counts: defaultdict[tuple[object, ...], Counter[object]] = defaultdict(Counter)

    def fit(self, sessions: list[list[int]]) -> NaiveMarkov:
        """Learn from sessions one by one."""
        for session in sessions:
            past: list[object] = [BEGIN] * 3
            for symbol in session:
                for k in range(4):
                    self.counts[tuple(past[3 - k :])][symbol] += 1
                past = [*past[1:], symbol]
        return self

    def surprises(self, session: list[int], before: str = BEGIN) -> list[tuple[float, float, float]]:
        """Of each symbol, of each pair, and of each symbol and those before it, half as much with each."""
        past: list[object] = [before] * 3
        carried = 0.0
        found = []
        for symbol in session:
            p = 1.0 / (len(self.counts[()]) + 10.0)
            for k in range(4):
                after = self.counts.get(tuple(past[3 - k :]))
                if not after:
                    break
                p = (after[symbol] + len(after) * p) / (sum(after.values()) + len(after))
            pair = self.counts[(past[2],)][symbol]
            carried = 0.0 if past[2] == MISSED else 0.5 * carried - math.log(p)
            found.append((-math.log(p), -math.log((pair + 0.5) / (sum(self.counts[()].values()) + 1.0)), carried))
            past = [*past[1:], symbol]
        return found


def naive_tokens(message: str) -> list[tuple[str, float]]:
    """Words with their value, NaN where they are no number."""
    of = "[0-9A-Za-z_\u0080-\uffff]"
    words = re.findall(rf"[0-9]+\.[0-9]{of}*|{of}+", message)
    return [(word, float(word) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", word) else math.nan) for word in words[:24]]


def naive_rates(templates: list[int], clock: list[float], seconds: float) -> list[tuple[float, float]]:
    """``ln`` of the decayed count of each line's template, and of the gap since its last line."""
    seen: defaultdict[int, list[float]] = defaultdict(list)
    found = []
    for template, now in zip(templates, clock, strict=True):
        gap = now - seen[template][-1] if seen[template] else math.nan
        seen[template].append(now)
        found.append((math.log(sum(math.exp((t - now) / seconds) for t in seen[template])), math.log(gap + 0.001)))
    return found


def naive_density(row: list[float], known: list[list[float]], shares: list[float]) -> float:
    """``-ln`` of the density at a row."""
    return -math.log(sum(s * math.exp(-math.dist(row, one)) for one, s in zip(known, shares, strict=True)))


def naive_slowness(lines: list[tuple[str, float]], middle: float, spread: float) -> list[float]:
    """How slow each line is, or its service lately; lines are service and milliseconds."""
    latest: defaultdict[str, float] = defaultdict(float)
    found = []
    for service, took in lines:
        if not 0 <= took < math.inf:
            found.append(0.0)
            continue
        far = (math.log(1 + took) - middle) / spread
        latest[service] = 0.8 * latest[service] + 0.2 * max(-6.0, min(6.0, far))
        found.append(max(0.0, far, 3.0 * latest[service]))
    return found


def naive_traffic(lines: list[tuple[str, float]], rate: float) -> list[float]:
    """How unusual the traffic of each line's service is; lines are service and seconds, rates in training alike."""
    past: defaultdict[str, list[float]] = defaultdict(list)
    silence: defaultdict[str, float] = defaultdict(float)
    found = []
    for service, now in lines:
        seen = past[service]
        first, before = (seen[0], seen[-1]) if seen else (now, now)
        lines_before, left = sum(math.exp((t - before) / 1800) for t in seen), math.exp((first - before) / 1800)
        usual = (rate * 60 * left + lines_before) / (60 * left + 1800 * (1 - left))
        lately = rate * 10 * math.exp((first - now) / 10) + sum(math.exp((t - now) / 10) for t in seen) + 1
        expected = usual * 10 + 1
        surge = 2 * (lately * math.log(lately / expected) - lately + expected) if lately > expected else 0.0
        silence[service] = max(usual * (now - before), 0.7 * silence[service])
        seen.append(now)
        found.append(max(surge, silence[service]))
    return found


def naive_attributes(lines: list[tuple[int, str, int]], known: list[tuple[int, str, int]]) -> list[float]:
    """The oddest of level, service and status code of each line among known ones of one template, mostly alike."""
    found = []
    half = len(known) // 2
    for line in lines:
        surprises = [0.0]
        for k in range(3):
            counts = Counter(one[k] for one in known)
            new = len({one[k] for one in known[half:]} - {one[k] for one in known[:half]})
            chance = (new + 1) / (len(known) - half + 2)
            usual = -sum(c / len(known) * math.log(c / len(known)) for c in counts.values())
            there = counts[line[k]]
            rare = math.log(len(known) / there) if there else -math.log(chance)
            surprises.append(rare - usual - 1.0 if chance <= 0.05 else 0.0)
        found.append(max(surprises))
    return found


def naive_sums(
    p_values: list[list[float]], weights: list[float], keep: float, share: float, power: int = 1
) -> list[float]:
    """Surprises added up, with a share of their decayed mean."""
    recent, found = 0.0, []
    for row in p_values:
        powers = [w * (-math.log(p)) ** power for w, p in zip(weights, row, strict=True)]
        total = sum(powers) ** (1 / power)
        found.append(total + share * recent)
        recent = keep * recent + (1 - keep) * total
    return found


def naive_means(templates, measured, last, usual, lean, most):
    """What is usual for each line: for unseen templates, the mean of what there was of them, leaning on training."""
    told, means, counts = [], list(usual), [0, 0]
    for template, values in zip(templates, measured, strict=True):
        unseen = template < 0 or template >= last
        told.append(list(means) if unseen else list(usual))
        for side in (0, 1):
            if unseen and not math.isnan(values[side]):
                share = 1.0 / min(counts[side] + lean + 1.0, most)
                means[side] = (1.0 - share) * means[side] + share * values[side]
                counts[side] += 1
    return np.array(told)
