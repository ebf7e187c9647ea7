"""Tables in several files, named by a pattern or a folder, are one table in all that takes a file."""

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import DataError
from autoopt.tables.readers import load

FRAME = pd.DataFrame(
    {
        "y": np.arange(12) % 3,
        "age": np.linspace(20, 60, 12),
        "town": list("abcabcabcabc"),
        "code": ["1"] * 6 + ["x"] * 6,
    }
)
FITTED = {"formula": "y ~ age", "kind": "negative log-likelihood"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(kind, frame=FRAME):
    for number in range(3):
        part = frame.iloc[4 * number : 4 * number + 4].reset_index(drop=True)
        getattr(part, f"to_{kind}")(f"part-{number + 9}.{kind}", **{} if kind == "feather" else {"index": False})


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
@pytest.mark.parametrize("place", ["part-*.{}", "."])
def test_files_are_one_table_in_the_order_of_their_numbers(kind, place):
    pytest.importorskip("pyarrow")
    write(kind)
    data = load(place.format(kind))
    assert data.rows == 12 and list(data.names) == list(FRAME)
    assert all(data.arrays[name].tolist() == FRAME[name].tolist() for name in ("town", "code", "y"))
    np.testing.assert_allclose(data.take(["age"])["age"], FRAME["age"], rtol=1e-15)


def test_a_fit_of_several_files_is_that_of_one():
    write("csv")
    FRAME.to_csv("all.csv", index=False)

    def count(beta, X, y):
        eta = X @ beta
        return np.sum(np.exp(eta) - y * eta)

    one, several = (autoopt.fit(count, data=path, **FITTED) for path in ("all.csv", "part-*.csv"))
    np.testing.assert_allclose(one.params, several.params, rtol=1e-8)
    assert several.names == one.names and several.nobs == one.nobs == 12


def test_faults_are_told_with_the_file_and_its_line():
    frame = FRAME.astype({"age": object})
    frame.loc[9, "age"] = None
    frame.loc[10, "age"] = "old"
    write("csv", frame)
    with pytest.raises(DataError) as told:
        load("part-*.csv").take(["age"])
    said = str(told.value)
    assert said.startswith("part-*.csv has 2 missing or non-numeric values:")
    assert "part-11.csv, line 3, column age: missing\n  part-11.csv, line 4, column age: 'old' is not a number" in said


def test_names_of_folders_are_columns(folder):
    for town in "abc":
        (folder / "all" / f"town={town}" / "year=2020").mkdir(parents=True)
        FRAME[FRAME["town"] == town].drop(columns="town").to_csv(f"all/town={town}/year=2020/d.csv", index=False)
    data = load("all")
    assert data.arrays["town"].tolist() == sorted(FRAME["town"]) and set(data.take(["year"])["year"]) == {2020}


def test_files_that_are_no_tables_or_have_other_columns_are_refused():
    np.savez("a1.npz", a=np.ones(3))
    np.savez("a2.npz", a=np.ones(4))
    with pytest.raises(DataError, match=r"a1\.npz has arrays of lengths of their own"):
        load("a*.npz")
    write("csv")
    FRAME.drop(columns="age").to_csv("part-12.csv", index=False)
    with pytest.raises(DataError, match=r"part-12\.csv has other columns than part-9\.csv: it has no age\."):
        load("part-*.csv")
    with pytest.raises(DataError, match=r"No file is called nothing-\*\.csv"):
        load("nothing-*.csv")
