"""Names of parameters from the columns of frames, and estimates by name."""

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import AutooptError, UsageError

RNG = np.random.default_rng(2)
X = RNG.normal(size=(30, 3))
Y = X @ [1.0, 2.0, -1.0] + RNG.normal(size=30)
COLUMNS = ["age", "height", "log dose"]


def residuals(b, X, y):
    return y - X @ b


def frames():
    yield pd.DataFrame(X, columns=COLUMNS)
    yield pytest.importorskip("polars").DataFrame(X, schema=COLUMNS)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_columns_of_a_frame_name_the_parameters(kind):
    frame = next(one for one in frames() if type(one).__module__.startswith(kind))
    found = autoopt.fit(residuals, np.zeros(3), (frame, Y), kind="least squares")
    assert found.names == tuple(COLUMNS)
    np.testing.assert_allclose(found.params, np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-8)


def test_columns_name_the_part_that_has_as_many_entries():
    def objective(p, X, y):
        return y - p["a"] - X @ p["beta"]

    frame = pd.DataFrame(X, columns=COLUMNS)
    found = autoopt.fit(objective, {"a": 0.0, "beta": np.zeros(3)}, {"X": frame, "y": Y}, kind="least squares")
    assert found.names == ("a", "beta[age]", "beta[height]", "beta[log dose]")


@pytest.mark.parametrize("width", [2, 3])
def test_a_frame_of_its_own_and_frames_that_are_alike_name_nothing(width):
    frame = pd.DataFrame({"y": Y, "a": X[:, 0]})
    alone = autoopt.fit(
        lambda b, data: data["y"] - b[0] - b[1] * data["a"], np.zeros(2), (frame,), kind="least squares"
    )
    two = pd.DataFrame(X, columns=COLUMNS), pd.DataFrame(X**2, columns=["a", "b", "c"])
    both = autoopt.fit(lambda b, X, Z, y: y - X @ b - Z @ b, np.zeros(3), (*two, Y), kind="least squares")
    assert alone.names == ("b[0]", "b[1]") and both.names == ("b[0]", "b[1]", "b[2]")


def shifted(theta, *args):
    return (theta - 1.0) ** 2


@pytest.mark.parametrize(
    ("objective", "x0", "names"),
    [
        (lambda w: np.sum((w - 1.0) ** 2), [0.0, 0.0], ("w[0]", "w[1]")),
        (lambda t: (t - 1.0) ** 2, 0.0, ("t",)),
        (lambda M: np.sum((M - 1.0) ** 2), np.zeros((2, 2)), ("M[0, 0]", "M[0, 1]", "M[1, 0]", "M[1, 1]")),
        (lambda p: np.sum((p["x"] - 1.0) ** 2), {"x": np.zeros(2)}, ("x[0]", "x[1]")),
        (shifted, [0.0], ("theta[0]",)),
        (lambda *all: np.sum((all[0] - 1.0) ** 2), [0.0], ("x[0]",)),
    ],
)
def test_an_array_has_the_name_that_the_objective_gives_it(objective, x0, names):
    assert autoopt.fit(objective, x0).names == names


@pytest.mark.parametrize("name", ["w[1]", "x[1]", 1])
def test_what_is_fixed_goes_by_that_name_by_x_or_by_number(name):
    found = autoopt.fit(lambda w: np.sum((w - 1.0) ** 2), np.zeros(3), fixed={name: 5.0})
    np.testing.assert_allclose(found.params, [1, 5, 1])


def test_messages_have_that_name_too():
    with pytest.raises(AutooptError, match=r"w\[1\]"):
        autoopt.fit(lambda w: np.sum(w**2) + np.sqrt(w[1]), np.zeros(3))


def test_estimates_by_name():
    found = autoopt.fit(residuals, np.zeros(3), (X, Y), kind="least squares", names=COLUMNS, level=0.9)
    assert found["log dose"] == found.params[2]
    with pytest.raises(KeyError, match=r"no parameter 'hight'\. Did you mean height"):
        found["hight"]
    with pytest.raises(UsageError):
        found["hight"]


def test_a_table_of_estimates():
    found = autoopt.fit(residuals, np.zeros(3), (X, Y), kind="least squares", names=COLUMNS, level=0.9)
    table = found.table()
    assert table.columns.tolist() == ["estimate", "std. error", "t", "P>|t|", "5 %", "95 %"]
    assert table.loc["height", "std. error"] == found.bse[1]
    np.testing.assert_array_equal(found.table(0.99).iloc[:, -2:], found.conf_int(0.99))


def test_ties_are_by_the_names_of_the_parameters():
    options = {"kind": "least squares", "names": COLUMNS}
    by_name = autoopt.fit(residuals, np.zeros(3), (X, Y), fixed={"log dose": "-2 * height"}, **options)
    plain = autoopt.fit(residuals, np.zeros(3), (X, Y), fixed={"x[2]": "-2 * x[1]"}, kind="least squares")
    np.testing.assert_array_equal(by_name.params, plain.params)
    np.testing.assert_array_equal(by_name.bse, plain.bse)


def test_notes_of_the_run_have_the_names_of_the_parameters():
    wide = np.column_stack([X, X[:, 1] + X[:, 2]])
    found = autoopt.fit(residuals, np.zeros(4), (wide, Y), kind="least squares", names=[*COLUMNS, "sum"])
    assert found.status == "not identified"
    assert "height + log dose - sum" in " ".join(str(found).split()) and "x[" not in str(found)
