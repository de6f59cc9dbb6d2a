"""What a report says: the right counts, groups and places in time, from full results and from bare ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.reports.charts import bars, count_levels, even_levels, polyline
from anomaly_detection.reports.document import Row
from anomaly_detection.reports.groups import MOST_GROUPS, groups_of
from anomaly_detection.reports.making import View, how_made
from anomaly_detection.reports.marks import Mark, weights
from anomaly_detection.reports.pages import WRITERS, html, markdown
from anomaly_detection.reports.report import MOST_LISTED, report_of
from anomaly_detection.reports.timeline import MOST_BUCKETS, timeline_of
from anomaly_detection.results import SEVERITIES
from reports.documents import MADE, decoded, document, explained, rows


def row(i, score=0.65, **more):
    return Row(row=i, anomaly_score=score, is_anomaly=True, severity="low", **more)


def test_a_report_has_the_counts_and_the_anomalies_in_order():
    report = report_of(decoded(document()), most=5)
    assert report.title == "Anomalies in orders.csv"
    assert report.rows == 300
    assert report.anomaly_count == 12
    assert sum(report.severities.values()) == 300
    assert report.lead.startswith("12 of 300 rows (4.0 %) are anomalies: 2 critical, 3 high, 3 medium and 4 low.")
    scores = [one.row.anomaly_score for one in report.anomalies]
    assert scores == sorted(scores, reverse=True)
    assert (len(report.anomalies), len(report.further), report.left_out) == (5, 7, 0)
    assert report.anomalies[0].cells[0].mark == "high"
    assert [cell.mark for cell in report.anomalies[0].cells] == ["high", "rare"]


def test_the_score_chart_counts_every_row_and_the_line_parts_the_anomalies():
    found = decoded(document())
    chart = report_of(found).scores
    counts = [int(cells[1]) for cells in chart.cells]
    assert sum(counts) == 300
    assert sum(counts[30:]) == 12
    assert chart.lines[0].at == 600 == chart.edges[30]


@pytest.mark.parametrize("score", [0.0, 0.599999, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_a_score_on_an_edge_is_on_the_right_side_of_the_line(score):
    one = [{**rows(24)[0], "anomaly_score": score, "is_anomaly": score >= 0.6, "severity": "normal"}]
    chart = report_of(decoded(document(one, summary=None))).scores
    place = next(i for i, cells in enumerate(chart.cells) if cells[1] == "1")
    assert (place >= 30) == (score >= 0.6)


def test_time_charts_count_every_row_once():
    alarms, scores = report_of(decoded(document())).times
    assert alarms.title == "Anomalies over time"
    assert sum(int(cells[1]) for cells in alarms.cells) == 300
    assert sum(int(cells[2]) for cells in alarms.cells) == 12
    assert [sum(int(cells[j]) for cells in alarms.cells) for j in range(3, 7)] == [4, 3, 3, 2]
    assert len(alarms.cells) == len(scores.cells) == len(alarms.edges) - 1
    assert sum(shape.path.count("h0") for shape in scores.shapes if shape.style.startswith("dot")) == 12


def test_without_times_the_rows_are_in_order():
    report = report_of(decoded(document(rows(time=False))))
    assert report.times[0].title == "Anomalies by row"
    assert report.times[0].cells[0][0] == "0 to 4"
    assert not any("times" in note for note in report.quality)


@pytest.mark.parametrize("time", ["soon", "12:30", 1.5, True])
def test_times_that_are_no_dates_are_noted(time):
    found = [{**each, "time": time} for each in rows(40)]
    report = report_of(decoded(document(found)))
    assert report.times[0].title == "Anomalies by row"
    assert "could not be read as dates" in report.quality[-1]


@given(st.lists(st.datetimes(), min_size=1, max_size=40), st.sampled_from(["isoformat", "date"]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_times_fall_into_few_buckets(moments, form, gap):
    found = [row(i, time=str(getattr(moment, form)())) for i, moment in enumerate(moments)]
    line, note = timeline_of([*found, row(99)] if gap else found)
    assert note is None
    bucket = line.bucket()
    assert line.buckets <= MOST_BUCKETS + 1
    assert bucket[: len(found)].min() >= 0
    assert bucket.max() < line.buckets
    assert not gap or bucket[-1] == -1
    assert all(b > a for a, b in zip(line.edges(), line.edges()[1:], strict=False))
    assert all(line.words(i) for i in range(line.buckets + 1))
    order = np.argsort(line.place[: len(found)], kind="stable")
    assert (np.diff(bucket[: len(found)][order]) >= 0).all()


def test_anomalies_with_the_same_reasons_are_a_group_with_their_name():
    high, low = {Mark("total", "high"): 0.75, Mark("shop", "= b"): 0.25}, {Mark("total", "low"): 1.0}
    found = groups_of([*((row(i), high) for i in range(5)), (row(7), low), (row(8), {}), (row(9, 0.9), high)])
    assert [(group.name, [one.row for one in group.rows]) for group in found] == [
        ("high total and shop b", [9, 0, 1, 2, 3, 4]),
        ("low total", [7]),
    ]


def test_reasons_of_one_kind_share_a_word_in_the_name():
    marks = [Mark("b", "unusual"), Mark("a", "high"), Mark("c", "high")]
    found = groups_of([(row(0), dict(zip(marks, (0.3, 0.4, 0.3), strict=True)))])
    assert found[0].name == "high a, c and unusual b"


def test_many_small_groups_become_the_others():
    found = groups_of((row(i), {Mark(f"c{i}", "high"): 1.0}) for i in range(40))
    assert len(found) == MOST_GROUPS + 1
    assert found[-1].name == "31 smaller groups"
    assert sum(len(group.rows) for group in found) == 40


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1), min_size=1, max_size=4), max_size=40))
@settings(max_examples=60, deadline=None)
def test_every_anomaly_with_a_reason_is_in_one_group(drawn):
    found = groups_of((row(i), {Mark(name, "high"): w for name, w in one.items()}) for i, one in enumerate(drawn))
    assert sorted(one.row for group in found for one in group.rows) == list(range(len(drawn)))
    assert len({group.name for group in found}) == len(found)


def test_reasons_weigh_by_share_then_by_contribution_then_by_the_record():
    known = {column.name: column for column in decoded(document()).summary.columns}
    shares = decoded(document(rows(40, anomalies=1))).results[0]
    assert weights(shares, {}, known) == {Mark("amount", "low"): 0.7, Mark("shop", "= b"): pytest.approx(0.3)}
    why = explained("amount", 90.0)
    for reason in why["columns"]:
        reason["share"] = None
    by_size = decoded(document([{**rows(24)[0], "explanation": why}], summary=None)).results[0]
    assert weights(by_size, {}, known)[Mark("amount", "high")] == pytest.approx(0.1 / 0.12)
    record = {"amount": 90.0, "shop": "a", "other": 1}
    assert weights(row(0), record, known) == {Mark("amount", "high"): 1.0}


def test_columns_that_explain_most_come_first_and_share_out_every_row():
    report = report_of(decoded(document()))
    assert [view.name for view in report.columns] == ["amount", "shop"]
    assert "The strongest reason for 12 of the explained anomalies." in report.columns[0].facts
    assert report.columns[0].chart.cells[0] == ("below 0", "0 %", "50 %")
    assert report.columns[1].bars[1].anomalies == pytest.approx(1)


@pytest.mark.parametrize("left_out", [("summary",), ("made",), ("summary", "made")])
@pytest.mark.parametrize("explain", [True, False])
def test_a_report_is_made_of_what_there_is(left_out, explain):
    plain = document(rows(explain=explain), **dict.fromkeys(left_out))
    report = report_of(decoded(plain))
    assert report.explained == explain
    for write in WRITERS.values():
        assert "12" in write(report)


def test_results_as_python_writes_them_are_enough():
    found = [{name: one[name] for name in ("row", "anomaly_score", "is_anomaly", "severity")} for one in rows()]
    report = report_of(decoded({"results": found}))
    assert report.anomaly_count == 12
    assert not report.groups
    assert all(write(report) for write in WRITERS.values())


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "p ≤ 0.01; found in the scores (contamination auto); raw scores from 1.2 on"),
        ({"parameters": {"contamination": 0.05}}, "p ≤ 0.01; as asked for; raw scores from 1.2 on"),
        ({"parameters": {"threshold": "static:upper_limit=4"}}, "drawn by the estimator static:upper_limit=4;"),
        ({"fdr": 0.1}, "so that at most 10 % of the alarms are false"),
    ],
)
def test_the_alarm_line_says_who_drew_it_and_at_which_score(parts, words):
    report = report_of(decoded(document(made={**MADE, **parts})))
    assert words in report.alarm
    assert ("Alarm line α", report.alarm) in how_made(report.made, report.alarm)


def test_views_that_were_combined_are_listed_with_their_weights():
    report = report_of(decoded(document()))
    assert report.views == (View("ecod", "", 1.25, 0.5), View("knn", "n_neighbors = 2", 0.75, 0.875))
    assert "| knn | 0.75 | 0.88 | n\\_neighbors = 2 |" in markdown(report)
    assert "<td>n_neighbors = 2</td>" in html(report)
    assert json.loads(WRITERS["json"](report))["views"][0]["weight"] == 1.25


@pytest.mark.parametrize("evidence", [{}, {"members": 3}, {"members": [1, {}, {"name": 2}]}, {"judged": [1]}])
def test_evidence_of_another_form_is_no_view(evidence):
    report = report_of(decoded(document(made={**MADE, "evidence": evidence})))
    assert report.views == ()
    assert "Several views" not in markdown(report)


def test_where_no_column_stands_out_it_is_said_once():
    found = rows(24, anomalies=1)
    none = {"sentence": "no column stands out", "recommendation": "Compare it as a whole: no column stands out."}
    found[0]["explanation"] = none
    for page in (html, markdown):
        assert page(report_of(decoded(document(found)))).count("no column stands out") == 1


def test_no_anomalies_are_good_news():
    report = report_of(decoded(document(rows(anomalies=0))))
    assert report.lead == "None of 300 rows is an anomaly."
    page = WRITERS["html"](report)
    assert "Most anomalous" not in page
    assert "None of 300 rows" in WRITERS["md"](report)


def test_one_anomaly_is_told_in_the_singular():
    assert "is an anomaly, of low severity." in report_of(decoded(document(rows(anomalies=1)))).lead


def test_no_rows_are_nothing_to_report_on():
    with pytest.raises(InputError, match="no rows"):
        report_of(decoded(document([], summary=None)))


def test_more_anomalies_than_are_listed_are_counted():
    found = [{**rows(24)[0], "row": i} for i in range(MOST_LISTED + 60)]
    report = report_of(decoded(document(found, summary=None)), most=50)
    assert (len(report.further), report.left_out) == (MOST_LISTED, 10)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_bars_and_lines_stay_in_their_square(heights):
    edges = [round(1000 * i / len(heights)) for i in range(len(heights) + 1)]
    for path in (bars(edges, heights), polyline(list(zip(edges, heights, strict=False)))):
        numbers = [float(part) for part in "".join(c if c in "0123456789.-e" else " " for c in path).split()]
        assert all(-4 <= number <= 1000 for number in numbers)


@given(st.integers(1, 10**9), st.floats(1e-3, 1e9))
def test_scales_hold_what_is_drawn_on_them(count, most):
    assert all(0 <= level.at <= 1000 for level in count_levels(count))
    top, levels = even_levels(most)
    assert top >= most * (1 - 1e-9)
    assert 1 <= len(levels) <= 7
    assert len({level.words for level in levels}) == len(levels)


def test_every_severity_has_a_colour():
    page = WRITERS["html"](report_of(decoded(document())))
    for name in SEVERITIES:
        assert f".mark.{name} " in page
        assert f".badge.{name} " in page
