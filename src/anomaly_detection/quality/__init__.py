"""Checks of whole tables: is what arrived what usually arrives, and which cells are wrong.

``pattern`` is the door to what is said of the cells: ``columns`` codes a table, ``rarity``, ``shapes``, ``typos`` and
``notation`` look at values by themselves, ``dependencies``, ``guilt`` and ``relations`` at what the columns say of each
other, ``cells`` adds the evidence up, ``findings`` puts it into words; ``profile``, of ``column_profile``, remembers
earlier tables.

``volume`` judges row counts: ``arrivals`` reads histories, ``seasonal`` foretells, ``expectation`` makes a band of
the errors of the past. ``timeliness`` judges arrivals, which ``cadence`` lays into slots. ``distribution`` judges the
values of columns: ``table_profile`` keeps what a run was like, ``segments`` its parts, ``changes`` tests them,
``moved`` names rows. ``rules`` are written down, and ``suite`` puts checks together.
"""

from anomaly_detection.quality.answer import Answer, Finding
from anomaly_detection.quality.cells import CellScores, score_cells
from anomaly_detection.quality.distribution import ColumnChange, DistributionAnswer, check_distribution
from anomaly_detection.quality.pattern import PatternAnswer, check_pattern
from anomaly_detection.quality.profile import PatternProfile
from anomaly_detection.quality.table_profile import TableProfile, merge_profiles, profile_table
from anomaly_detection.quality.timeliness import TimelinessAnswer, check_timeliness
from anomaly_detection.quality.volume import VolumeAnswer, VolumeRules, check_volume

__all__ = [
    "Answer",
    "CellScores",
    "ColumnChange",
    "DistributionAnswer",
    "Finding",
    "PatternAnswer",
    "PatternProfile",
    "TableProfile",
    "TimelinessAnswer",
    "VolumeAnswer",
    "VolumeRules",
    "check_distribution",
    "check_pattern",
    "check_timeliness",
    "check_volume",
    "merge_profiles",
    "profile_table",
    "score_cells",
]
