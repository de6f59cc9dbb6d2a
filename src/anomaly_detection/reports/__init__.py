"""Results into a page for people: what was found, why, where and when, and how it was made.

A document (:mod:`~anomaly_detection.reports.document`) becomes a :class:`~anomaly_detection.reports.report.Report`,
and that becomes HTML, Markdown or JSON. Nothing here reads or writes a file.
"""
