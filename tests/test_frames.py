"""Whatever Python users hold becomes a frame, names and types kept."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.frames import as_frame

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")


def test_polars_is_taken_as_it_is():
    frame = pl.DataFrame({"a": [1], "b": ["x"]})
    assert as_frame(frame) is frame
    assert as_frame(frame.lazy()).equals(frame)
    assert as_frame(frame["a"]).equals(frame.select("a"))


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u2", "i1", "?", ">f8", "M8[us]", "M8[ns]", "g", "f2"])
def test_numpy_columns_keep_their_values(dtype):
    matrix = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    frame = as_frame(matrix)
    assert frame.columns == ["f0", "f1"]
    assert frame.height == 3
    assert frame["f1"].cast(pl.Int64).to_list() == matrix[:, 1].astype("i8").tolist()


def test_numpy_float_types_are_kept_and_vectors_are_one_column():
    assert as_frame(np.zeros((2, 2), np.float32)).dtypes == [pl.Float32, pl.Float32]
    assert as_frame(np.arange(3)).to_dict(as_series=False) == {"f0": [0, 1, 2]}


def test_structured_and_masked_arrays_and_objects_of_mixed_values():
    structured = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("s", "U3")])
    assert as_frame(structured).equals(pl.DataFrame({"n": pl.Series([1, 2], dtype=pl.Int32), "s": ["x", "y"]}))
    masked = np.ma.array([[1.0, 2.0]], mask=[[True, False]])
    assert np.isnan(as_frame(masked)["f0"][0])
    mixed = as_frame(np.array([[1, "x", None], [2.5, 3, True]], dtype=object))
    assert mixed.rows() == [(1.0, "x", None), (2.5, "3", True)]


def test_pandas_keeps_names_and_types_and_drops_the_index():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int32"),
            "x": [1.5, float("nan")],
            "c": pd.Categorical(["a", None], categories=["b", "a"]),
            "t": pd.to_datetime(["2024-01-01", None]),
            "z": pd.to_datetime(["2024-01-01", None]).tz_localize("Europe/Berlin"),
            "b": pd.array([True, None], dtype="boolean"),
            "s": ["x", None],
            "o": np.array([1, "y"], dtype=object),
            3: [1, 2],
        },
        index=[7, 9],
    )
    read = as_frame(frame)
    assert read.columns == ["n", "x", "c", "t", "z", "b", "s", "o", "3"]
    assert read["n"].dtype == pl.Int32
    assert read["c"].dtype == pl.Categorical
    assert read["t"].dtype.base_type() == pl.Datetime
    assert read["z"].dtype.time_zone == "Europe/Berlin"
    assert read["b"].dtype == pl.Boolean
    assert read["o"].to_list() == ["1", "y"]
    for name in ("n", "c", "t", "z", "b", "s"):
        assert read[name].null_count() == 1, name
    assert as_frame(frame["n"]).columns == ["n"]
    assert as_frame(pd.Series([1.0])).columns == ["f0"]


def test_pandas_backed_by_arrow_and_a_string_column():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]"), "s": pd.array(["x", None], dtype="string")})
    assert as_frame(frame).rows() == [(1, "x"), (None, None)]


def test_arrow_tables_and_whatever_speaks_arrow():
    table = pa.table({"a": [1, None], "s": pa.array(["x", "y"]).dictionary_encode()})

    class Speaks:
        def __arrow_c_stream__(self, requested_schema=None):
            return table.__arrow_c_stream__(requested_schema)

    assert as_frame(table)["a"].to_list() == [1, None]
    assert as_frame(Speaks()).columns == ["a", "s"]


def test_records_have_the_union_of_their_keys():
    records = [{"a": 1}] * 500 + [{"a": 2.5, "late": "x"}]
    frame = as_frame(records)
    assert frame.schema == {"a": pl.Float64, "late": pl.String}
    assert frame["late"].null_count() == 500


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_records_of_plain_values_become_a_frame_of_as_many_rows(records):
    names = list(dict.fromkeys(key for record in records for key in record))
    if not names:
        with pytest.raises(InputError, match="no columns"):
            as_frame(records)
        return
    frame = as_frame(records)
    assert frame.columns == names
    assert frame.height == len(records)


def test_columns_and_rows():
    assert as_frame({"a": [1, 2.5], "b": np.array([1, 2]), "c": ("x", None)}).rows() == [(1.0, 1, "x"), (2.5, 2, None)]
    assert as_frame([[1, "x"], (2, None)]).rows() == [(1, "x"), (2, None)]
    assert as_frame([np.array([1.0, 2.0])]).rows() == [(1.0, 2.0)]
    assert as_frame([1, 2.5]).to_dict(as_series=False) == {"f0": [1.0, 2.5]}
    assert as_frame([[2**70, 1]]).rows() == [(float(2**70), 1)]


def test_names_are_given_to_the_columns():
    assert as_frame(np.zeros((1, 2)), ["u", "v"]).columns == ["u", "v"]
    with pytest.raises(InputError, match="1 feature name for 2 columns"):
        as_frame(np.zeros((1, 2)), ["u"])
    with pytest.raises(InputError, match="'u'"):
        as_frame(np.zeros((1, 2)), ["u", "u"])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (3.5, "'3.5'"),
        ("data.csv", "str"),
        (None, "NoneType"),
        (np.zeros((1, 2, 3)), r"\(1, 2, 3\)"),
        (np.float64(3), "0 dimensions"),
        (np.array(3), "0 dimensions"),
        ([], "empty"),
        ({}, "no columns"),
        ([{}], "no columns"),
        ([[]], "no columns"),
        ([[1, 2], [3]], "Row 1 has 1 value where row 0 has 2"),
        ([[[1]]], "two dimensions"),
        ([{"a": 1}, [1]], "different kinds"),
        ({"a": [1], "b": [1, 2]}, "different lengths"),
        ({"a": 1}, "list with one dict"),
        ({1: [1], "1": [2]}, "'1'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a'"),
        (pa.table([[1], [2]], names=["a", "a"]), "'a'"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_by_name(data, told):
    with pytest.raises(InputError, match=told):
        as_frame(data)


def test_neither_pandas_nor_pyarrow_is_imported_for_the_user():
    code = (
        "import sys\nfrom anomaly_detection.frames import as_frame\nimport numpy as np\n"
        "as_frame([{'a': 1, 'b': 'x'}]); as_frame(np.zeros((2, 2))); as_frame({'a': [1]})\n"
        "print(sorted({'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("value", "words"), [(10**400, "whole number"), ("\ud800", "not Unicode")], ids=["huge", "surrogate"]
)
def test_values_that_no_table_holds_are_refused_by_column(value, words):
    with pytest.raises(InputError, match=f"'odd'.*{words}"):
        as_frame([{"odd": value}, {"odd": None}])
