"""Templates of log messages: what a statement of the program wrote, with ``<*>`` where its parameters are.

A template has an id that never changes. ``TemplateMiner`` learns line by line, in bounded memory; ``mine`` takes all
lines of a file at once.
"""

from anomaly_detection.features.templates.batch import mine
from anomaly_detection.features.templates.masks import MASKS, Mask
from anomaly_detection.features.templates.miner import TemplateMiner

__all__ = ["MASKS", "Mask", "TemplateMiner", "mine"]
