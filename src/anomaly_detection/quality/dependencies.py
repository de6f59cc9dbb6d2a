"""Soft functional dependencies: what the other columns of a row say about its value.

A rule X -> Y predicts a value from the other rows with the same X: ``P(y | x) = (c + a q(y)) / (n + a)``, where c of
the n other rows of the group have y, q is the column's own distribution and the concentration a is the one under
which the rows predict each other best. Rules are weighed by how much better they predict than the column alone, so that
one that holds loosely counts for little.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

    Left = tuple[tuple[int, ...], "Rows"]
    Rows = NDArray[np.int64]
    Shares = NDArray[np.float64]

CONCENTRATIONS = (0.05, 0.2, 1.0, 5.0, 25.0)
SAMPLE = 5_000
MOST_RULES = 6
LEAST_GAIN = 0.05
"""Nats a row by which a rule has to predict better than the column alone."""

SHARPNESS = 3
"""The power of its gain that a rule weighs; the higher, the more the best rule decides alone."""

FIRM = 0.25
"""The share of its usual agreement from which on a rule holds in a group."""

PAIRED, PAIR_GAIN = 4, 0.1
"""How many of the best rules are paired, and the nats by which a pair has to be better than both."""

SEARCHED, LEAST_ROWS = 20_000, 50
"""The first rows, in which pairs are looked for, and the fewest."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A soft dependency of one column on others.

    Parameters
    ----------
    left : the columns on the left, by number.
    groups : (n,) which group of equal left sides a row is in.
    concentration : how little the group is trusted.
    gain : nats a row by which it predicts better than the column alone.
    """

    left: tuple[int, ...]
    groups: Rows
    concentration: float
    gain: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the rules say of one column.

    Parameters
    ----------
    rules : those that are mixed, the best first.
    surprise : (n,) log q(y) - log P(y | the other columns): above 0 speaks against a value, below 0 for it.
    each : (n, rules) the same by each rule alone.
    known : (n,) for missing cells the probability that the others know the value, 0 elsewhere.
    """

    rules: tuple[Rule, ...]
    surprise: Shares
    each: NDArray[np.float32]
    known: Shares


def left_side(column: CodedColumn) -> Rows:
    """(n,) the groups of rows with the same value; a row without a value is a group of its own."""
    missing = column.missing[column.codes]
    return np.where(missing, len(column.counts) + np.cumsum(missing), column.codes)


def joint(left: Rows, right: Rows) -> tuple[Rows, Rows]:
    """The pairs of two columns of codes: (n,) code of each row's pair, and how often each pair occurs."""
    width = int(right.max()) + 1
    keys = left * width + right
    if (int(left.max()) + 1) * width <= 4 * len(keys) + 65_536:
        counts = np.bincount(keys)
        return keys, counts
    _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return codes, counts


def own_shares(column: CodedColumn) -> Shares:
    """(u,) the column's own distribution seen from one of its rows: the others, and room for what is new."""
    singles = int((column.counts[~column.missing] == 1).sum())
    fresh = (singles + 0.5) / (column.filled + 1.0)
    others = np.maximum(column.counts - 1.0, 0.0) / max(column.filled - 1.0, 1.0)
    return np.asarray(others * (1 - fresh) + fresh / max(column.distinct, 1))


def votes(groups: Rows, target: CodedColumn) -> tuple[Shares, Shares]:
    """(n,) how many other rows of the group have this value, and how many have any; missing values do not vote."""
    present = ~target.missing[target.codes]
    pairs, counts = joint(groups, target.codes)
    members = np.bincount(groups, weights=present)
    return np.maximum(counts[pairs] - 1.0, 0.0), np.asarray(members[groups] - present, dtype=np.float64)


def predict(target: CodedColumn, lefts: Sequence[Left], rng: np.random.Generator) -> Prediction | None:
    """Find the rules for a column among left sides of one and two columns, mix them, and say what they say.

    Parameters
    ----------
    target : the column.
    lefts : the left sides, without those that hold the column itself.
    rng : draws the rows from which rules are judged.
    """
    own = own_shares(target)[target.codes]
    present = np.flatnonzero(~target.missing[target.codes])
    sample = present if len(present) <= SAMPLE else rng.choice(present, SAMPLE, replace=False)
    single = [judged(left, target, own, sample) for left in lefts]
    best = sorted((one for one in single if one[0].gain > LEAST_GAIN), key=lambda one: -one[0].gain)[:MOST_RULES]
    both = [judged(left, target, own, sample) for left in pairs([one[0] for one in best], target, own, sample)]
    found = sorted(best + both, key=lambda one: -one[0].gain)[:MOST_RULES]
    return mixed(target, found, own) if found else None


def judged(left: Left, target: CodedColumn, own: Shares, sample: Rows) -> tuple[Rule, Shares, Shares]:
    """A rule, with the votes of its groups."""
    same, others = votes(left[1], target)
    concentration, gain = best_concentration(same[sample], others[sample], own[sample])
    return Rule(*left, concentration, gain), same, others


def pairs(rules: Sequence[Rule], target: CodedColumn, own: Shares, sample: Rows) -> list[Left]:
    """Pairs of left sides that say more together than either alone; looked for among the first rows."""
    found: list[Left] = []
    head = target.head(SEARCHED)
    inside = sample[sample < SEARCHED]
    rows = inside if len(inside) >= LEAST_ROWS else np.flatnonzero(~head.missing[head.codes])
    for a, b in combinations(rules[:PAIRED], 2) if len(rows) >= LEAST_ROWS else ():
        groups = joint(a.groups, b.groups)[0]
        gains = [judged((one.left, one.groups[:SEARCHED]), head, own[:SEARCHED], rows)[0].gain for one in (a, b)]
        left = (*a.left, *b.left)
        if judged((left, groups[:SEARCHED]), head, own[:SEARCHED], rows)[0].gain > max(gains) + PAIR_GAIN:
            found.append((left, groups))
    return found


def mixed(target: CodedColumn, found: list[tuple[Rule, Shares, Shares]], own: Shares) -> Prediction:
    """Mix rules with their votes; a rule whose group is large weighs more than one whose group is small.

    What the rules say is multiplied and not added up, so that a value has to agree with all of them.
    """
    said = []
    for rule, same, others in found:
        firm = firmness(rule.groups, target, same, others)
        said.append(firm * (same + rule.concentration * own) / (others + rule.concentration) + (1 - firm) * own)
    all_said = np.column_stack([*said, own])
    weights = np.array([*(rule.gain**SHARPNESS for rule, _, _ in found), LEAST_GAIN**SHARPNESS])
    weights /= weights.sum()
    support = [np.log1p(others / rule.concentration) for rule, _, others in found]
    local = weights * (0.2 + np.column_stack([*support, np.zeros_like(own)]))
    local /= local.sum(1, keepdims=True)
    present = ~target.missing[target.codes]
    surprise = np.where(present, np.log(own) - (np.log(all_said) * local).sum(1), 0.0)
    each = np.where(present[:, None], np.log(own)[:, None] - np.log(all_said[:, :-1]), 0.0).astype(np.float32)
    known = np.zeros(len(own))
    for rule, _, others in found:
        known = np.maximum(known, knowledge(rule, target, others))
    return Prediction(tuple(rule for rule, _, _ in found), surprise, each, known)


def firmness(groups: Rows, target: CodedColumn, same: Shares, others: Shares) -> Shares:
    """(n,) how far a rule holds in a row's group, told from the other rows of it; 1 where it does as usual.

    A wrong value on the left puts rows into one group that have nothing in common. Such a group agrees on little, and
    then it says little about any of its rows.
    """
    present = ~target.missing[target.codes]
    agreeing = np.bincount(groups, weights=np.where(present, same, 0.0))[groups] - 2 * same
    pairs_of = others * (others - 1)
    usual = np.where(others > 0, same, 0.0).sum() / max(float(others.sum()), 1.0)
    agreement = (np.maximum(agreeing, 0.0) + usual) / (pairs_of + 1.0)
    return np.asarray(np.clip(agreement / (FIRM * max(usual, 1e-9)), 0.0, 1.0))


def knowledge(rule: Rule, target: CodedColumn, others: Shares) -> Shares:
    """(n,) for missing cells, how sure the group is of one value."""
    missing = target.missing[target.codes]
    out = np.zeros(len(missing))
    if not missing.any():
        return out
    pairs, counts = joint(rule.groups, target.codes)
    votes_of_pair = np.where(missing, 0, counts[pairs])
    top = np.zeros(int(rule.groups.max()) + 1)
    np.maximum.at(top, rule.groups, votes_of_pair)
    out[missing] = (top[rule.groups] / (others + rule.concentration + 0.5))[missing]
    return out


def best_concentration(same: Shares, others: Shares, own: Shares) -> tuple[float, float]:
    """The concentration under which rows predict each other best, and the gain over the column alone in nats."""
    plain = np.log(own)
    scores = [float((np.log((same + a * own) / (others + a)) - plain).mean()) for a in CONCENTRATIONS]
    best = int(np.argmax(scores))
    return CONCENTRATIONS[best], scores[best]
