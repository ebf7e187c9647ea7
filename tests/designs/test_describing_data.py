"""What is told of a table before anything is fitted to it, and how far a file has been read."""

import io

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.designs.data import Selection, bound, dataset, describe
from autoopt.stages import listening
from autoopt.tables.readers import load

FRAME = pd.DataFrame(
    {
        "y": [1, 0, 1, 0],
        "age": [30.5, np.nan, np.inf, 66.0],
        "town": ["Ulm", "Bonn", None, "Ulm"],
        "known": [True, False, True, True],
        "size": pd.Categorical(["s", "l", "l", "s"], ["s", "m", "l"]),
        "day": pd.to_datetime(["2020-01-02", "2020-01-01", "2021-05-05", "2020-01-02"]),
        "code": [1, 2, "x", 4],
        "none": [np.nan] * 4,
    }
)

TABLE = """\
The data frame: 4 rows, 8 columns

  column  type           rows  missing  range or categories
  y       whole number      4        0  0 to 1
  age     number            2        2  30.5 to 66
  town    text              3        1  2: Bonn, Ulm
  known   true or false     4        0  0 to 1
  size    categories        4        0  2: s, l
  day     date              4        0  3: 2020-01-01 00:00:00, 2020-01-02 00:00:00, 2021-05-05 00:00:00
  code    mixed             4        0  1 to 4
  none    number            0        4"""


def test_every_type_of_column_has_its_line():
    assert str(describe(FRAME)) == TABLE


def test_what_is_described_is_plain_data_too(tmp_path):
    FRAME[["y", "town"]].to_csv(tmp_path / "d.csv", index=False, encoding="utf-16")
    found = describe(tmp_path / "d.csv").to_dict()
    assert found["rows"] == 4 and found["told"] == [f"{tmp_path / 'd.csv'} was read as UTF-16."]
    assert found["columns"][1] == {
        "name": "town",
        "kind": "text",
        "missing": 1,
        "range": None,
        "levels": ["Bonn", "Ulm"],
    }


class Listener:
    def __init__(self):
        self.said, self.seen = [], []

    def say(self, text):
        self.said.append(text)

    def during(self, stage, far, seconds):
        self.seen.append((stage, far))


def test_the_columns_that_are_used_are_told_before_the_fit():
    def losses(b, X, y):
        return (y - X @ b) ** 2

    listener = Listener()
    with listening(listener):
        autoopt.fit(
            lambda b, X, y: np.sum(losses(b, X, y)), data=FRAME, formula="y ~ age + town", missing="drop",
            progress=lambda event: None,
        )  # fmt: skip
    assert listener.said == ["The data frame: 2 of 4 rows, 3 of 8 columns used: age 30.5 to 66; town 1: Ulm; y 0 to 1"]


def test_many_columns_are_counted():
    wide = pd.DataFrame({f"x{i}": [0.0, 1.0] for i in range(9)})
    found = bound(dataset(wide), ["X", "y"], Selection("x0"))
    assert found.described().endswith(
        "9 of 9 columns used: " + "; ".join(f"x{i} 0 to 1" for i in range(1, 7)) + "; 3 more"
    )


def test_lines_of_progress_stay_on_stderr(capsys):
    with listening(True):
        bound_text = "d.csv: 4 rows"
        from autoopt.stages import say

        say(lambda: bound_text)
    say(lambda: pytest.fail("nobody listens"))
    assert capsys.readouterr().err == "d.csv: 4 rows\n"


def test_how_far_a_file_is_read_is_told(tmp_path, monkeypatch):
    """Asked for as the thread of a listener does, while pieces are read."""
    monkeypatch.setattr("autoopt.tables.text._PIECE", 100_000)
    (tmp_path / "d.csv").write_text("y,x\n" + "1,2.25\n" * 300_000)
    told = []
    monkeypatch.setattr("autoopt.tables.text.stage", lambda name, far: told.append((name, far)) or io.StringIO())
    from autoopt.tables import growing

    before = growing.Growing.add

    def add(self, series, expected):
        told.append(told[0][1]())
        before(self, series, expected)

    monkeypatch.setattr(growing.Growing, "add", add)
    data = load(tmp_path / "d.csv")
    assert data.take(["y"])["y"].sum() == 300_000
    assert told[0][0] == f"reading {tmp_path / 'd.csv'}"
    assert told[1].startswith("50000 rows, ") and told[-1] == "300000 rows, 2 of 2 MB"
