"""What a detector promises, in the words that lists use, and the doors that need a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.detectors import create, name_of
from anomaly_detection.detectors._ensemble_base import Ensemble
from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.detectors.base import Detector, Tags
    from anomaly_detection.entries import Entry


def labels_of(entry: Entry) -> tuple[str, ...]:
    """The labels of an algorithm: those of the catalog, else what the tags of its class say.

    >>> from anomaly_detection.catalog import DETECTORS
    >>> labels_of(DETECTORS.resolve("knn"))
    ('streaming', 'no missing values')
    """
    return entry.labels or from_tags(entry.load()().tags)


def from_tags(tags: Tags) -> tuple[str, ...]:
    """Tags in words.

    >>> from anomaly_detection.detectors import Tags
    >>> from_tags(Tags(missing=True, categories=True))
    ('streaming', 'missing values', 'categories')
    """
    labels = ["streaming" if tags.batch_invariant and tags.one_row else "batch only"]
    labels.append("missing values" if tags.missing else "no missing values")
    labels += ["categories"] if tags.categories else []
    labels += ["online"] if tags.online else []
    labels += [] if tags.saved else ["not saved"]
    return tuple(labels)


WHOLE_TABLE = "give it a whole table to fit and judge at once (detection run)"
"""The way out that leaves the algorithm as it is."""


def need_streaming(algorithm: str | Detector, purpose: str, otherwise: str = WHOLE_TABLE) -> None:
    """Make sure that a row's score does not depend on the rows beside it.

    Parameters
    ----------
    algorithm : its name, or a detector.
    purpose : what needs it, such as ``"Judging one record"``.
    otherwise : the way out for who wants to keep the algorithm.

    Raises
    ------
    InputError
        naming what needs it, the member of an ensemble that is in the way, and the algorithm to use instead.
    """
    detector = create(algorithm) if isinstance(algorithm, str) else algorithm
    if not _streaming(detector.tags):
        who, instead = _in_the_way(detector, _streaming, "batch only")
        raise InputError(
            f"{purpose} needs scores that do not depend on the batch, and {who}. Use {instead}, or {otherwise}."
        )


def need_saved(algorithm: str | Detector, purpose: str, otherwise: str = WHOLE_TABLE) -> None:
    """Make sure that what a detector learns can be written; the parameters are those of :func:`need_streaming`.

    Raises
    ------
    InputError
        naming what needs it, the member of an ensemble that is in the way, and the algorithm to use instead.
    """
    detector = create(algorithm) if isinstance(algorithm, str) else algorithm
    if not detector.tags.saved:
        who, instead = _in_the_way(detector, lambda tags: tags.saved, "not saved")
        raise InputError(
            f"{purpose} needs a model that can be saved, and {who}: it can only be written as a pickle. Use {instead}, "
            f"or {otherwise}."
        )


def _streaming(tags: Tags) -> bool:
    return tags.batch_invariant and tags.one_row


def _in_the_way(detector: Detector, able: Callable[[Tags], bool], label: str) -> tuple[str, str]:
    """Who has a label, in words, and what to use instead; the member that an ensemble has it from."""
    name, culprit = name_of(detector), detector
    while isinstance(culprit, Ensemble):
        culprit = next(member for member in culprit.members() if not able(member.tags))
    if culprit is detector:
        return f"{name} is labelled {label}", detector.instead
    member = name_of(culprit)
    return f"{name} is labelled {label} because of its member {member}", f"{culprit.instead} in place of {member}"
