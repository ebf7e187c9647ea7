"""What cannot be read in batches is refused with the file, the row and the column."""

from __future__ import annotations

import os
import sys

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import AutooptError, DataError, UsageError

FRAME = pd.DataFrame({"a": np.arange(1000.0), "y": np.arange(1000) % 2, "name": "n"})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(call, kind=DataError) -> str:
    """Return what is said as a whole."""
    with pytest.raises(kind) as told:
        call()
    return str(told.value)


def write(frame, kind, names=("part-1", "part-2")):
    for number, name in enumerate(names):
        half = frame.iloc[number * 500 : number * 500 + 500]
        getattr(half, "to_" + kind)(f"{name}.{kind}", index=False)
    return f"part-*.{kind}"


def test_missing_values_are_counted_over_all_files_and_told_with_their_rows():
    pytest.importorskip("pyarrow")
    holes = FRAME.astype({"y": "Int64"})
    holes.loc[[503, 700], "a"] = np.nan
    holes.loc[[504, 700, 800, 900], "y"] = [None, None, None, None]
    data = autoopt.batches(write(holes, "parquet"), {"X": ["a"], "y": "y"}, size=1600)
    assert refused(lambda: list(data)) == (
        "part-*.parquet has 6 missing, infinite or non-numeric values:\n"
        "  part-2.parquet, row 3, column a: missing\n"
        "  part-2.parquet, row 4, column y: missing\n"
        "  part-2.parquet, row 200, column a: missing\n"
        "  part-2.parquet, row 200, column y: missing\n"
        "  part-2.parquet, row 300, column y: missing\n"
        "  ... and 1 more\n"
        "To fix this: correct these values, or leave their rows out: missing='drop'."
    )
    assert data.passes == 0


def test_missing_values_of_text_are_told_with_their_lines():
    (lines := FRAME.to_csv(index=False).splitlines())[10] = "9.0,NA,n"
    lines[700] = "abc,1,n"
    with open("d.csv", "w") as file:
        file.write("\n".join([lines[0], "", *lines[1:]]) + "\n")
    said = refused(lambda: list(autoopt.batches("d.csv", {"X": ["a"], "y": "y"}, size=1600)))
    assert "d.csv has 2 missing" in said
    assert "d.csv, line 12, column y: missing\n  d.csv, line 702, column a: 'abc' is not a number" in said


def test_what_is_no_number_is_refused_where_missing_values_are_left_out():
    (lines := FRAME.to_csv(index=False).splitlines())[10] = "9.0,,n"
    lines[700] = "abc,1,n"
    with open("d.csv", "w") as file:
        file.write("\n".join(lines) + "\n")
    said = refused(lambda: list(autoopt.batches("d.csv", {"X": ["a"], "y": "y"}, size=1600, missing="drop")))
    assert said.startswith("d.csv has 1 non-numeric value:\n  d.csv, line 701, column a: 'abc' is not a number\nTo fix")


def test_infinite_values_are_faults_in_tables_alone():
    frame = FRAME.assign(a=np.inf)
    assert "row 0, column a: infinite" in refused(lambda: list(autoopt.batches(frame, {"X": ["a"]})))
    (batch,) = autoopt.batches({"a": np.full(3, np.inf), "is": np.array([True, False, True])})
    assert np.isinf(batch["a"]).all() and batch["is"].dtype == bool


def test_text_is_refused_where_numbers_are_needed():
    said = refused(lambda: list(autoopt.batches(FRAME, {"X": ["a"], "y": "name"})))
    assert said.startswith("The data frame has text in the column name, where numbers are needed.")


def test_dates_are_refused():
    frame = FRAME.assign(day=pd.to_datetime("2020-01-01"))
    assert "has dates in the column day" in refused(lambda: list(autoopt.batches(frame, {"X": ["day"]})))


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_file_that_changes_between_passes_is_refused(kind):
    pytest.importorskip("pyarrow")
    getattr(FRAME, "to_" + kind)(f"d.{kind}")
    data = autoopt.batches(f"d.{kind}", {"y": "y"})
    assert data.rows == sum(len(batch["y"]) for batch in data)
    os.utime(f"d.{kind}", (1.0, 1.0))
    assert f"d.{kind} has changed since it was opened" in refused(lambda: list(data))
    os.remove(f"d.{kind}")
    assert f"d.{kind} cannot be read any more: No such file" in refused(lambda: list(data))


def test_files_with_other_columns_are_refused():
    pytest.importorskip("pyarrow")
    write(FRAME, "parquet")
    FRAME.drop(columns="a").to_parquet("part-3.parquet", index=False)
    said = refused(lambda: autoopt.batches("part-*.parquet"))
    assert said.startswith("part-3.parquet has other columns than part-1.parquet: it has no a.")
    FRAME.assign(z=1).to_parquet("part-3.parquet", index=False)
    assert "it also has z." in refused(lambda: autoopt.batches("part-*.parquet"))


def test_a_column_of_another_type_in_a_later_file_is_refused_unless_it_is_to_be_float():
    pytest.importorskip("pyarrow")
    write(FRAME, "parquet")
    FRAME.assign(y=0.5).to_parquet("part-3.parquet", index=False)
    said = refused(lambda: list(autoopt.batches("part-*.parquet", {"y": "y"})))
    assert said == (
        "part-3.parquet has y as float64 from row 0 on, and it is int64 in what comes before.\n"
        "To fix this: give all rows one type, or say floats=['y']."
    )
    assert autoopt.batches("part-*.parquet", {"y": "y"}, floats=["y"]).whole()["y"].sum() == 1000.0
    assert autoopt.batches("part-*.parquet", {"X": ["a", "y"]}).whole()["X"].shape == (2000, 2)


def test_batches_of_other_shapes_are_refused():
    data = autoopt.batches(lambda: [{"X": np.ones((5, 2))}, {"X": np.ones((5, 3))}])
    assert "has X as float64 of 3 a row from row 5 on, and it is float64 of 2 a row" in refused(lambda: list(data))
    data = autoopt.batches(lambda: [{"X": np.ones((5, 2))}, {"Z": np.ones((5, 2))}])
    assert "has Z; the first one has X" in refused(lambda: list(data))
    data = autoopt.batches(lambda: [(np.ones(5), np.ones(5)), (np.ones(5), np.ones(4))])
    assert "has arrays of different lengths" in refused(lambda: list(data))
    assert "of type float" in refused(lambda: autoopt.batches(lambda: [1.0, 2.0]))


def test_other_numbers_of_rows_in_a_later_pass_are_refused():
    data = autoopt.batches(Growing(), ["y"])
    assert len(list(data)) == 2 and data.rows == 10  # one was begun to see what is there
    assert "has 15 rows in this pass, and had 10 before" in refused(lambda: list(data))


class Growing:
    """Batches that become more each time."""

    def __init__(self):
        self.many = 0

    def __iter__(self):
        self.many += 1
        return iter([np.ones(5)] * self.many)


def test_an_iterator_is_refused_by_its_name():
    def rows():
        yield np.ones(3)

    said = refused(lambda: autoopt.batches(rows()), UsageError)
    assert "rows can be gone through once, and a fit goes through its data many times." in said
    assert "pass what makes it, a function without arguments; or once=True" in said
    assert len(list(autoopt.batches(rows))) == 1
    data = autoopt.batches(rows(), once=True)
    assert "can be gone through once" in refused(lambda: data.sample(1, 0), UsageError)


def test_what_the_users_code_raises_is_told_with_its_line():
    def rows():
        yield np.ones(3)
        raise RuntimeError("the disk is gone")

    said = refused(lambda: list(autoopt.batches(rows)))
    assert "rows raised RuntimeError: the disk is gone" in said and 'raise RuntimeError("the disk is gone")' in said


def test_iterables_have_no_parts():
    said = refused(lambda: autoopt.batches(lambda: [np.ones(3)]).parts(), UsageError)
    assert "makes its rows here" in said


@pytest.mark.parametrize(
    ("source", "options", "kind", "said"),
    [
        (FRAME, {"arguments": {"X": ["aa"]}}, DataError, "has no column aa."),
        (FRAME, {"arguments": {"X": ["nmae"]}}, DataError, "has no column nmae. Did you mean name?"),
        (FRAME, {"arguments": {"X": ..., "Z": ...}}, UsageError, "X, Z are all to have the rest"),
        (FRAME, {"arguments": {"X": []}}, UsageError, "No column of The data frame is left for X."),
        (FRAME, {"arguments": {}}, UsageError, "arguments is {}"),
        (
            FRAME,
            {"arguments": {"X": ["a"]}, "floats": ["X"]},
            UsageError,
            "floats has 'X', which is no argument of one",
        ),
        (FRAME, {"size": 0}, UsageError, "size is 0"),
        (FRAME, {"read_ahead": -1}, UsageError, "read_ahead is -1"),
        (FRAME, {"missing": "dorp"}, UsageError, "missing is 'dorp'. Did you mean drop?"),
        (FRAME, {"key": "a"}, UsageError, "key= is for files"),
        (FRAME.iloc[:0], {}, DataError, "The data frame has no rows."),
        (
            (np.ones(3), np.ones(3)),
            {"arguments": ["X"]},
            UsageError,
            "The data are 2 arrays, and arguments has 1 names.",
        ),
        ({"X": np.ones(3), "y": np.ones(4)}, {}, DataError, "no common number of rows: X has 3, y has 4"),
        ({"X": np.ones(3), "k": 2.0}, {}, DataError, "k of The data has no rows"),
        (3.0, {}, UsageError, "of type float"),
        ("d.xlsx", {}, DataError, "There is no data file d.xlsx"),
        ("part-*.parquet", {}, DataError, "No file is called part-*.parquet"),
        ("empty", {}, DataError, "The folder empty has no data files"),
        ("mixed", {}, DataError, "files of more than one kind: .csv, .parquet"),
        ("d.json", {}, DataError, "d.json cannot be read in batches"),
        ("mixed/d.parquet", {}, DataError, "cannot be read as a Parquet file"),
        ("mixed/d.parquet", {"reading": {"decimal": ","}}, UsageError, "is read without decimal"),
        ("mixed/d.csv", {"key": "a"}, UsageError, "has no groups, and key is 'a'"),
    ],
)
def test_what_is_no_source_is_refused(source, options, kind, said, folder):
    pytest.importorskip("pyarrow")
    for name in ("empty", "mixed"):
        (folder / name).mkdir()
    (folder / "d.json").write_text("[]")
    (folder / "mixed" / "d.parquet").write_text("no Parquet")
    (folder / "mixed" / "d.csv").write_text("a,y\n1,2\n")
    assert said in refused(lambda: autoopt.batches(source, **options), kind)


@pytest.mark.parametrize(("module", "file"), [("zarr", "d.zarr"), ("h5py", "d.h5"), ("pyarrow", "d.parquet")])
def test_a_missing_package_is_told_with_its_pip_command(monkeypatch, folder, module, file):
    (folder / file).write_text("x")
    monkeypatch.setitem(sys.modules, module, None)
    extra = {"zarr": "zarr", "h5py": "hdf5", "pyarrow": "parquet"}[module]
    assert f'pip install "autoopt[{extra}]"' in refused(lambda: autoopt.batches(file), UsageError)


def test_a_file_that_is_cut_short_is_told(folder):
    pytest.importorskip("pyarrow")
    FRAME.to_parquet("d.parquet")
    whole = (folder / "d.parquet").read_bytes()
    data = autoopt.batches("d.parquet", {"y": "y"})
    (folder / "d.parquet").write_bytes(whole[:200] + b"\0" * 300 + whole[500:])
    assert "has changed" in refused(lambda: list(data))
    with pytest.raises(AutooptError, match=r"d\.parquet cannot be read|d\.parquet has"):
        for _ in range(2):
            list(autoopt.batches("d.parquet"))
