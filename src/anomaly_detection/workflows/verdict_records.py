"""Verdicts as they are kept: what the history has of each record, and more of those that are alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.store.journal import VerdictRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ODD = 0.05
"""Methods with a p-value up to this are named in a reason."""

MOST_NAMED = 3


def reason_of(methods: Sequence[str], p_values: Iterable[float]) -> str:
    """Which methods found a record odd, in words.

    >>> reason_of(["rare_templates", "pca", "parameters"], [0.0004, 0.3, 0.01])
    'rare templates (p = 0.0004), parameters (p = 0.01)'
    """
    ranked = sorted(zip(p_values, methods, strict=True))
    odd = [one for one in ranked if one[0] <= ODD][:MOST_NAMED] or ranked[:1]
    return ", ".join(f"{name.replace('_', ' ')} (p = {p_value:.1g})" for p_value, name in odd)


__all__ = ["VerdictRecord", "reason_of"]
