"""Files -> named arrays -> the objective's arguments, and every way in which a file can be wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

import autoopt
from autoopt.designs.data import bind, dataset, load
from autoopt.errors import DataError, ObjectiveError

TABLE = "y,a,b,name\n1,0.5,1,foo\n0,1.5,2,bar\n1,-0.25,3,baz\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="d.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def message(call, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    assert caught.value.remedy
    return caught.value.happened


def test_columns_bind_to_arguments_of_their_name(file):
    bound = bind(load(file(TABLE)), ["a", "y"])
    assert list(bound) == ["a", "y"]
    np.testing.assert_array_equal(bound["a"], [0.5, 1.5, -0.25])
    assert bound["a"].dtype == np.float64 and bound["y"].dtype == np.int64


def test_target_takes_the_other_numeric_columns_in_file_order(file):
    data = load(file(TABLE))
    bound = bind(data, ["X", "response"], target="y")
    np.testing.assert_array_equal(bound["X"], [[0.5, 1], [1.5, 2], [-0.25, 3]])
    np.testing.assert_array_equal(bound["response"], [1, 0, 1])
    assert data.text == ["name"]


def test_arguments_between_are_columns_and_leave_the_matrix(file):
    bound = bind(load(file(TABLE)), ["X", "b", "count"], target="y")
    assert bound["X"].shape == (3, 1) and list(bound) == ["X", "b", "count"]


def test_argument_with_default_may_be_missing(file):
    assert list(bind(load(file(TABLE)), ["a", "weight"], optional=["weight"])) == ["a"]


def test_booleans_of_a_table_are_integers(file):
    assert load(file("a\nTrue\nFalse\n")).take(["a"])["a"].tolist() == [1, 0]


def test_tabs_byte_order_mark_and_blank_lines_are_read(file):
    assert load(file("\ufeffa\tb\n1\t2\n\n3\t4\n", "d.tsv")).take(["a"])["a"].tolist() == [1, 3]


def test_missing_and_non_numeric_values_are_named_by_line_and_column(file):
    text = "y,a,b\n1,0.5,1\n0,,2\n\n1,x,NA\n0,1,2\n0,1,2\n"
    said = message(bind, load(file(text)), ["X", "y_"], target="y")
    assert "3 missing or non-numeric values" in said
    assert "line 3, column a: missing" in said
    assert "line 5, column a: 'x' is not a number" in said
    assert "line 5, column b: missing" in said


def test_many_faults_are_counted_and_the_first_shown(file):
    said = message(load(file("a,b\n1,1\n" + ",2\n" * 20)).take, ["a"])
    assert "20 missing" in said and said.count("line") == 5 and "and 15 more" in said


def test_faults_of_unused_columns_do_not_matter(file):
    assert bind(load(file("a,b\n1,\n2,x\n")), ["a"])["a"].tolist() == [1, 2]


def test_text_column_is_refused_if_asked_for(file):
    assert "text in the column name" in message(bind, load(file(TABLE)), ["name"])


def test_missing_column_says_what_there_is_and_what_is_wanted(file):
    said = message(bind, load(file(TABLE)), ["X", "y"])
    assert "takes the data X, y" in said and "has y, a, b, name" in said and "called X" in said
    assert "Did you mean name?" in message(bind, load(file(TABLE)), ["X", "z"], target="Name")


def test_ambiguous_target_is_refused(file):
    assert "argument a" in message(bind, load(file(TABLE)), ["a", "b"], target="y")


def test_target_needs_a_table_and_two_arguments(file, tmp_path):
    assert "two at least" in message(bind, load(file(TABLE)), ["X"], target="y")
    np.savez(tmp_path / "d.npz", y=np.ones(2))
    assert "is no table" in message(bind, load(tmp_path / "d.npz"), ["X", "y"], target="y")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n3,4,5\n6\n", "line 3: 3 values\n  line 4: 1 values"),
        ("a,b\n1,2,3\n4,5,6\n", "2 lines of another length"),
        ("a,b,a\n1,2,3\n", "more than one column a"),
        ("1,2\n3,4\n", "first line of"),
        ("a;b\n3;4\n", "separated by ';'"),
        (",\n3,4\n", "have no names"),
    ],
)
def test_broken_tables_are_refused(file, text, said):
    assert said in message(lambda: load(file(text)).arrays)


def test_missing_file_suggests_a_near_name(file, tmp_path):
    file(TABLE, "houses.csv")
    assert "Did you mean houses.csv?" in message(load, tmp_path / "house.csv")
    assert "Did you mean" not in message(load, tmp_path / "zebra.npz")


def test_unknown_kinds_and_folders_are_refused(file, tmp_path):
    assert "ends in '.xls'" in message(load, file("x", "d.xls"))
    (tmp_path / "none").mkdir()
    assert "none has no data files" in message(load, tmp_path / "none")


def test_arrays_bind_by_name(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.ones((3, 2)), y=np.arange(3), mask=np.array([True, False, True]), scale=2.0)
    bound = bind(load(tmp_path / "d.npz"), ["X", "mask", "scale"])
    assert bound["X"].shape == (3, 2) and bound["mask"].dtype == bool and bound["scale"].shape == ()


def test_single_array_binds_to_a_single_argument(tmp_path):
    np.save(tmp_path / "d.npy", np.arange(3.0))
    assert bind(load(tmp_path / "d.npy"), ["y"])["y"].tolist() == [0, 1, 2]


def test_missing_values_in_arrays_are_named_by_index(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.array([[1, np.nan], [3, 4]]))
    assert "array X, index (0, 1): missing" in message(bind, load(tmp_path / "d.npz"), ["X"])


def test_objects_and_damaged_files_are_refused(file, tmp_path):
    np.savez(tmp_path / "o.npz", X=np.array([{}], dtype=object))
    assert "cannot be read" in message(load, tmp_path / "o.npz")
    assert "cannot be read" in message(load, file("nonsense", "bad.npz"))


def test_data_frames_and_dicts_are_data_sets():
    frame = pd.DataFrame({"a": [1.0, 2.0], "t": ["u", "v"]})
    assert bind(dataset(frame), ["a"])["a"].tolist() == [1, 2]
    assert dataset(frame).text == ["t"]
    assert bind(dataset({"a": [1, 2]}), ["a"])["a"].tolist() == [1, 2]
    assert "of type int" in message(dataset, 3)


def test_what_a_dict_of_data_holds_by_names_stays_what_it_is():
    frame, sparse = pd.DataFrame({"x": [1.0, 2.0], "g": ["a", "b"]}), csr_array(np.eye(2))
    given = {"df": frame, "lam": 0.5, "more": {"k": 1.0}, "S": sparse, "y": [1, 2]}
    bound = bind(dataset(given), list(given))
    assert bound["df"] is frame and bound["more"] is given["more"] and bound["S"] is sparse
    assert bound["lam"] == 0.5 and bound["y"].dtype == np.int64
    assert dataset(given).text == []


def test_arrays_without_entries_are_refused(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.zeros(0), y=np.zeros(0))
    assert "no entries in the arrays x, y" in message(bind, load(tmp_path / "d.npz"), ["x", "y"])
    assert list(bind(dataset({"prior": [], "y": [1.0]}), ["prior", "y"])["y"]) == [1]
    with pytest.raises(ObjectiveError, match="which does not depend on the parameters"):
        autoopt.minimize(lambda p, x: np.sum((x - p[0]) ** 2), [0.0], (np.zeros(0),))
