"""What is said of values by themselves."""

import numpy as np
import polars as pl
import pytest

from anomaly_detection.quality.columns import coded
from anomaly_detection.quality.notation import notation_odds
from anomaly_detection.quality.rarity import (
    NOTHING,
    character_odds,
    missing_odds,
    number_odds,
    placeholder_odds,
    shape_odds,
    tail_odds,
    value_odds,
)
from anomaly_detection.quality.shapes import KINDS, exact, kinds, runs, words
from anomaly_detection.quality.typos import near_duplicates, slip, typo_odds


def column(values):
    return coded(pl.Series("c", values, dtype=pl.String))


def odds_of(look, values, value):
    made = column(values)
    return look(made)[made.values.to_list().index(value)]


def test_shapes_at_four_levels():
    text = pl.Series(["Dec 1, 6:55 a.m."])
    assert exact(text)[0] == "Aaa 9, 9:99 a.a."
    assert runs(text)[0] == "A+a+ 9+, 9+:9+ a+.a+."
    assert words(text)[0] == "w 9, 9:9 w.w."
    assert runs(pl.Series(["Ωmega ß9"]))[0] == "A+a+ a+9+"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12.5", "number"),
        ("1,234", "number with commas"),
        ("$ 12.50", "amount of money"),
        ("5 %", "percentage"),
        ("31/12/2024", "date"),
        ("Dec 1, 2024", "date with a month's name"),
        ("6:55 a.m.", "time"),
        ("2024-01-31T10:00:00", "date and time"),
        ("ann@example.org", "e-mail"),
        ("https://example.org/a", "address"),
        ("+49 30 555-0199", "phone"),
        ("12.0 oz", "number with a unit"),
        ("AB-12/7", "identifier"),
        ("O'Brien", "word"),
        ("two words", "text"),
    ],
)
def test_kinds(value, kind):
    assert kinds(pl.Series([value]))[0] == kind
    assert kind in KINDS or kind == "text"


def test_a_single_value_is_odd_where_the_others_repeat_and_not_among_names():
    repeating = ["red", "blue"] * 50 + ["rde"]
    names = [f"name {i}" for i in range(101)]
    assert odds_of(value_odds, repeating, "rde") > NOTHING + 2
    assert odds_of(value_odds, names, "name 7") < NOTHING + 0.2


def test_the_end_of_a_taper_is_less_odd_than_what_stands_apart():
    taper = np.array([1, 2, 4, 8, 16, 32, 64, 128])
    apart = np.array([1, 127, 127])
    assert tail_odds(apart, apart)[0] > tail_odds(taper, taper)[0] + 0.5


def test_another_shape_is_odd_and_more_digits_of_a_quantity_are_not():
    assert odds_of(shape_odds, [f"A-{i}" for i in range(100, 200)] + ["A_150"], "A_150") > NOTHING + 2
    assert odds_of(shape_odds, [str(i) for i in range(10, 110)] + ["7"], "7") < NOTHING + 0.1
    assert odds_of(shape_odds, [f"v{i}" for i in range(500)], "v7") < NOTHING + 0.1
    assert odds_of(shape_odds, [f"v{i:03}" for i in range(500)] + ["v7"], "v7") > NOTHING + 2


def test_damaged_characters_are_odd():
    assert odds_of(character_odds, [f"word{i}" for i in range(100)] + ["w\ufffdrd"], "w\ufffdrd") > 0


def test_a_far_number_is_odd_on_both_scales():
    assert odds_of(number_odds, [str(i) for i in range(100)] + ["90000"], "90000") > 0
    assert odds_of(number_odds, [str(2**i) for i in range(30)], str(2**29)) < NOTHING + 1


def test_missing_is_odd_where_the_column_is_filled_and_a_written_marker_more_so():
    filled = ["x", "y"] * 200
    assert odds_of(missing_odds, [*filled, ""], "") > 0
    assert odds_of(missing_odds, [*filled, *[""] * 400], "") < -2
    assert odds_of(missing_odds, [*filled, "N/A"], "N/A") > odds_of(missing_odds, [*filled, ""], "")


def test_placeholders_are_odd_where_they_lie_apart():
    ages = [str(20 + i % 60) for i in range(300)]
    assert odds_of(placeholder_odds, [*ages, "999", "999"], "999") > 0
    assert odds_of(placeholder_odds, [str(900 + i) for i in range(200)], "999") == NOTHING
    assert (
        odds_of(placeholder_odds, [f"2024-01-{1 + i % 28:02d}" for i in range(99)] + ["1900-01-01"], "1900-01-01") > 0
    )


def test_slips():
    assert slip("birminxham", "birmingham")
    assert slip("form", "from")
    assert slip("acute cre", "acute care")
    assert not slip("room 12", "room 13")
    assert not slip("heart", "lungs")


def test_a_slip_is_odd_unless_the_column_is_full_of_near_values():
    cities = ["aldford", "brackwell", "corstead", "dunmere"] * 20
    assert odds_of(typo_odds, [*cities, "aldfird"], "aldfird") > 0
    near = [f"{a}{b}nes" for a in "abcdefghij" for b in "aeiou" for _ in range(8)]
    assert odds_of(typo_odds, [*near, "kanes"], "kanes") < odds_of(typo_odds, [*cities, "aldfird"], "aldfird")


def test_a_slip_names_the_value_that_is_meant():
    made = column(["aldford"] * 9 + ["aldfird"])
    assert near_duplicates(made).found == {1: 0}


@pytest.mark.parametrize(
    ("values", "odd", "fine"),
    [
        (["5.25", "3.125", "7.0", "4.5"] * 5, "7.0", "5.25"),
        (["12 oz", "12 OZ.", "16 OZ.", "16 oz"] * 5, "12 OZ.", None),
        (["0.05"] * 20 + ["0.07"] * 20 + ["0.05%", "0.06%"], "0.05%", "0.05"),
        (["1234", "56789", "1,234", "2,345"] * 5, "1,234", "1234"),
        (["01/02/03", "01/02/75"] * 5, "01/02/03", "01/02/75"),
    ],
)
def test_notations(values, odd, fine):
    assert odds_of(notation_odds, values, odd) > NOTHING
    assert fine is None or odds_of(notation_odds, values, fine) == -np.inf


STREETS = [f"{7 * i} {name} st." for i, name in enumerate("abcdefghijklmnopqrstuvwxyz")]


@pytest.mark.parametrize(
    "values",
    [["01907", "30375", "02893"] * 5, ["1.50", "2.75", "3.20"] * 5, ["12 oz"] * 20, [*STREETS, "9 a st.", "8 b st."]],
)
def test_one_notation_for_all_is_none_too_many(values):
    assert notation_odds(column(values)).max() < NOTHING + 0.1
