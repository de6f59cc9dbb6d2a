"""The array loops of logs, slowly: dictionaries, strings and plain loops."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

BEGIN = "begin"


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

    def surprises(self, session: list[int]) -> list[tuple[float, float]]:
        """Of each symbol, and of each pair."""
        past: list[object] = [BEGIN] * 3
        found = []
        for symbol in session:
            p = 1.0 / (len(self.counts[()]) + 10.0)
            for k in range(4):
                after = self.counts.get(tuple(past[3 - k :]))
                if not after:
                    break
                p = (after[symbol] + len(after) * p) / (sum(after.values()) + len(after))
            pair = self.counts[(past[2],)][symbol]
            found.append((-math.log(p), -math.log((pair + 0.5) / (sum(self.counts[()].values()) + 1.0))))
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


def naive_sums(p_values: list[list[float]], weights: list[float], keep: float, share: float) -> list[float]:
    """Surprises added up, with a share of their decayed mean."""
    recent, found = 0.0, []
    for row in p_values:
        total = sum(-w * math.log(p) for w, p in zip(weights, row, strict=True))
        found.append(total + share * recent)
        recent = keep * recent + (1 - keep) * total
    return found
