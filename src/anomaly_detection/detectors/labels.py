"""What a detector promises, in the words that lists use, and the doors that need a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.detectors import create, name_of
from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from anomaly_detection.catalog import Entry
    from anomaly_detection.detectors.base import Detector, Tags


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


def need_streaming(algorithm: str | Detector, purpose: str) -> None:
    """Make sure that a row's score does not depend on the rows beside it.

    Raises
    ------
    InputError
        naming what needs it, and the algorithm to use instead.
    """
    detector = create(algorithm) if isinstance(algorithm, str) else algorithm
    if not (detector.tags.batch_invariant and detector.tags.one_row):
        raise InputError(
            f"{purpose} needs scores that do not depend on the batch, and {name_of(detector)} is labelled batch only. "
            f"Use {detector.instead}, or give it a whole table to fit and judge at once (detection run)."
        )


def need_saved(algorithm: str | Detector, purpose: str) -> None:
    """Make sure that what a detector learns can be written.

    Raises
    ------
    InputError
        naming what needs it, and the algorithm to use instead.
    """
    detector = create(algorithm) if isinstance(algorithm, str) else algorithm
    if not detector.tags.saved:
        raise InputError(
            f"{purpose} needs a model that can be saved, and {name_of(detector)} is labelled not saved: it can only be "
            f"written as a pickle. Use {detector.instead}, or give it a whole table to fit and judge at once "
            "(detection run)."
        )
