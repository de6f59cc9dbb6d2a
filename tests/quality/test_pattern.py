"""The answer on a table: by itself, against earlier ones, and what a profile remembers."""

import json

import polars as pl
import pytest

from anomaly_detection.errors import InputError, ParameterError, SchemaError
from anomaly_detection.quality import PatternProfile, check_pattern, score_cells
from quality.tables import ERRORS, sites, spoilt


def kinds(answer):
    return {(one.column, one.kind) for one in answer.findings if one.is_anomaly}


def test_the_findings_name_column_kind_rows_and_what_was_expected():
    frame, _ = spoilt(sites(), ERRORS)
    answer = check_pattern(frame)
    assert answer.is_anomaly
    assert answer.severity in {"low", "medium", "high", "critical"}
    typo = next(one for one in answer.findings if any(each.value == "Aldfxrd" for each in one.examples))
    example = next(each for each in typo.examples if each.value == "Aldfxrd")
    assert (typo.column, example.row, example.expected) == ("city", 3, "Aldford")
    assert typo.message.startswith("city: ")
    assert answer.rows == 400
    assert answer.columns == 7


def test_the_answer_has_the_fields_that_all_checks_have():
    answer = check_pattern(sites()).to_dict()
    assert list(answer)[:5] == ["is_anomaly", "severity", "confidence", "expected_range", "message"]
    assert answer["is_anomaly"] is False
    assert answer["severity"] == "normal"
    assert answer["expected_range"] == [0.0, 0.002]
    assert json.loads(json.dumps(answer))["findings"] == []


def test_the_tolerance_says_from_when_on_it_is_an_anomaly():
    frame, _ = spoilt(sites(), ERRORS)
    assert not check_pattern(frame, tolerance=0.5).is_anomaly
    with pytest.raises(ParameterError, match="tolerance is 2"):
        check_pattern(frame, tolerance=2)


def test_scores_that_were_made_before_are_taken():
    frame, _ = spoilt(sites(), ERRORS)
    assert check_pattern(score_cells(frame), frame=frame) == check_pattern(frame)


def test_rows_that_are_there_twice_are_a_note():
    frame = sites(100)
    answer = check_pattern(pl.concat([frame, frame.head(7)]))
    note = next(one for one in answer.findings if one.kind == "duplicate rows")
    assert (note.rows, note.is_anomaly) == (7, False)


@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame({"a": []}), pl.DataFrame({"a": [1]})])
def test_tables_with_next_to_nothing_are_normal(frame):
    assert not check_pattern(frame).is_anomaly


def test_a_table_like_the_earlier_ones_is_normal():
    earlier = [sites(seed=seed) for seed in range(3)]
    assert kinds(check_pattern(sites(seed=9), earlier)) == set()


def test_what_differs_from_earlier_tables_is_named():
    now = sites(seed=9).with_columns(
        city=pl.when(pl.col("city") == "Gisby").then(pl.lit("GISBY")).otherwise("city"),
        area=pl.col("area") * 100,
        phone=pl.col("phone").str.replace("-", "/"),
        opened=pl.lit(None, dtype=pl.String),
    )
    found = kinds(check_pattern(now, sites()))
    assert {("city", "new value"), ("city", "lost value"), ("area", "out of range")} <= found
    assert {("phone", "new shape"), ("opened", "missing")} <= found


def test_columns_that_are_added_lost_or_of_another_type_are_stated():
    now = sites().drop("phone").with_columns(pl.col("zip").cast(pl.Int64), extra=pl.lit(1))
    answer = check_pattern(now, sites())
    said = {one.column: one.message for one in answer.findings if one.kind.split()[-1] in {"column", "type"}}
    assert said == {
        "phone": "The column 'phone' is gone.",
        "extra": "The column 'extra' is new.",
        "zip": "The column 'zip' holds number, and held text.",
    }
    assert answer.severity == "critical"


def orders(wrong):
    """Codes by country; those of some rows are written otherwise."""
    country = ["DE" if i % 10 == 0 else "FR" if i % 3 else None for i in range(2_000)]
    code = [f"x{i % 90}!" if i in wrong else f"AB-{i % 90 + 10}" for i in range(2_000)]
    return pl.DataFrame({"country": country, "n": ["a", "b"] * 1_000, "code": code})


@pytest.mark.parametrize("history", [None, orders(set())], ids=["by itself", "against an earlier table"])
@pytest.mark.parametrize(
    ("wrong", "guilty"),
    [
        (range(0, 120, 10), "100% of them have country = 'DE' (10.0% of the rows)"),
        ([i for i in range(60) if i % 3 == 0 and i % 10], "100% of them have country = '' (30.0% of the rows)"),
        (range(1, 100, 7), ""),
        (range(1, 31, 3), ""),
    ],
    ids=["one value", "where it is missing", "everywhere", "too few to tell"],
)
def test_the_part_of_the_table_that_most_wrong_rows_are_in_is_named(wrong, guilty, history):
    answer = check_pattern(orders(set(wrong)), history, tolerance=0.0, segments=["country", "n"])
    found = [one for one in answer.findings if one.column == "code"]
    assert found
    assert {one.guilty for one in found} == {guilty}
    assert all(one.message.endswith(f"; {guilty}.") for one in found if guilty)


def test_a_part_by_a_column_that_is_not_there_is_refused():
    with pytest.raises(SchemaError, match="'planet' to part the table by; there are 'country', 'n', 'code'"):
        check_pattern(orders(set()), segments=["planet"])


def test_an_empty_run_is_held_against_the_columns_only():
    assert kinds(check_pattern(sites().head(0), sites())) == set()


def test_a_profile_is_small_and_comes_back_the_same():
    profile = PatternProfile.fit([sites(5_000, seed) for seed in range(3)])
    text = json.dumps(profile.state())
    assert len(text) < 20_000
    assert PatternProfile.from_state(json.loads(text)) == profile


@pytest.mark.parametrize(
    "state", [{}, {"version": 9}, {"version": 1, "tables": 1, "columns": {"a": {"type": "text"}}}, {"version": 1}]
)
def test_what_is_no_profile_is_refused(state):
    with pytest.raises(InputError, match="Learn it again"):
        PatternProfile.from_state(state)


def test_no_earlier_table_is_refused():
    with pytest.raises(InputError, match="no earlier table"):
        PatternProfile.fit([])
