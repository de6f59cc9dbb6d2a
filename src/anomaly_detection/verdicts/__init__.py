"""p-value and alarm line → verdict."""

from anomaly_detection.verdicts.judgement import judge, judge_one

__all__ = ["judge", "judge_one"]
