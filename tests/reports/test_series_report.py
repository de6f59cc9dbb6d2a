"""What a report says of time series: drawings that show what the numbers are, small however long the series."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.reports.document import Document
from anomaly_detection.reports.pages import WRITERS, html, markdown
from anomaly_detection.reports.report import report_of
from anomaly_detection.reports.series_charts import MOST_PLOTS
from anomaly_detection.reports.series_document import Plot
from reports.documents import HOSTILE, decoded, series_document

SMALL = series_document()


def plots(document):
    return document["summary"]["series"]["plots"]


def test_each_channel_is_drawn_with_its_numbers_beside_it():
    view = report_of(decoded(SMALL)).series
    assert [chart.title for chart in view.charts] == ["a: cpu", "b: cpu"]
    chart = view.charts[0]
    assert {shape.style for shape in chart.shapes} == {"band", "expected-line", "actual-line", "dot critical"}
    assert chart.header == ("time", "actual", "expected", "band", "anomalies")
    odd = [cells for cells in chart.cells if cells[4] != "0"]
    assert len(odd) == 1
    assert odd[0][1].endswith("to 93")
    assert odd[0][2:] == ("41", "34 to 48", "2")
    assert any(cells[1] == "no value" for cells in chart.cells)
    assert len(chart.edges) == len(chart.cells) + 1


def test_a_missing_part_breaks_the_line():
    drawn = {shape.style: shape.path for shape in report_of(decoded(SMALL)).series.charts[0].shapes}
    assert drawn["actual-line"].count("M") == 2
    assert drawn["band"].endswith("Z")


def test_keys_stand_side_by_side_with_the_worst_first():
    view = report_of(decoded(SMALL)).series
    assert [(lane.key, lane.anomalies, lane.worst) for lane in view.lanes] == [("a", 2, "medium"), ("b", 2, "high")]
    assert view.left_out == 58
    assert view.lanes[0].strips[0].style == "medium"
    assert len(view.lanes[0].cells) == 1


@pytest.mark.parametrize("timed", [True, False])
def test_without_a_key_there_are_no_lanes(timed):
    report = report_of(decoded(series_document(keys=(), timed=timed)))
    assert report.series.lanes == ()
    assert report.series.charts[0].header[0] == ("time" if timed else "rows")
    assert "Anomalies of each key" not in html(report)


def test_the_reason_is_told_without_explanations():
    report = report_of(decoded(SMALL), most=3)
    assert html(report).count("cpu 93 is above the expected 41 (34 to 48)") == report.anomaly_count
    assert "cpu 93 is above the expected" in markdown(report)
    assert "## a: cpu" in markdown(report)
    plain = json.loads(WRITERS["json"](report))
    assert [one["key"] for one in plain["series"]["keys"]] == ["a", "b"]
    assert plain["series"]["charts"][0]["columns"][1] == "actual"


def test_names_are_text_and_never_markup():
    page = html(report_of(decoded(series_document(keys=HOSTILE))))
    assert page.count("<script") == 1
    assert "<img" not in page


def test_flat_and_huge_and_empty_plots_are_drawn():
    odd = series_document(keys=("flat", "huge", "empty", "one"))
    flat, huge, empty, one = plots(odd)
    flat.update(low=[5.0] * 50, high=[5.0] * 50, expected=[None] * 50, lower=[None] * 50, upper=[None] * 50)
    huge.update(low=[-1e308] * 50, high=[1e308] * 50)
    empty.update({name: [None] * 50 for name in ("low", "high", "expected", "lower", "upper")}, dots=[])
    one.update({name: [1.0] for name in ("low", "high", "expected", "lower", "upper")}, odd=[0], end=one["start"])
    charts = report_of(decoded(odd)).series.charts
    assert [chart.title[:3] for chart in charts] == ["fla", "hug", "emp", "one"]
    assert all("nan" not in shape.path and "inf" not in shape.path for chart in charts for shape in chart.shapes)


def test_more_than_can_be_read_is_not_drawn():
    many = series_document(keys=tuple(f"k{i}" for i in range(200)))
    view = report_of(decoded(many)).series
    assert len(view.charts) == MOST_PLOTS
    assert len(view.lanes) == 100


@pytest.mark.parametrize(
    "change",
    [{"low": [1.0]}, {"end": -5.0}, {"start": 1e300, "end": 1e300}, {"odd": []}, {"dots": [{"place": 1, "value": 2}]}],
)
def test_plots_that_do_not_add_up_are_refused(change):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plots(SMALL)[0], **change}, Plot)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))] * 5),
        min_size=1,
        max_size=40,
    ),
    st.floats(-1e16, 1e16),
    st.floats(0, 1e16),
    st.booleans(),
)
@example([(None, None, 9e307, None, None), (None, None, 9e307, None, None)], 0.0, 0.0, False)
def test_any_numbers_are_drawn_or_refused(values, start, length, timed):
    odd = series_document(keys=("a",), timed=timed)
    names = ("low", "high", "expected", "lower", "upper")
    plot = plots(odd)[0]
    plot.update({name: [one[k] for one in values] for k, name in enumerate(names)})
    plot.update(odd=[0] * len(values), start=start, end=start + length, dots=[])
    try:
        document = msgspec.json.decode(msgspec.json.encode(odd), type=Document)
    except (msgspec.ValidationError, InputError):
        return
    for write in WRITERS.values():
        assert write(report_of(document))
