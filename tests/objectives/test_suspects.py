"""What in the data explains a failure at the start: rows that are not finite, text, keys that are not there."""

import functools
import re

import numpy as np
import pandas as pd
import pytest

from autoopt import grad, minimize, objective
from autoopt.errors import DataError, ObjectiveError
from autoopt.objectives.suspects import MissingKeyError, TextError


def squares(w, X, y):
    return np.sum((X @ w - y) ** 2)


def column(w, table):
    return np.sum((table["dose"] * w[0] - 1.0) ** 2)


def test_rows_and_columns_that_are_not_finite_are_named():
    X, y = np.ones((20, 3)), np.ones(20)
    X[4, 1], X[7, 2], y[3] = np.nan, np.inf, np.nan
    with pytest.raises(ObjectiveError) as caught, np.errstate(invalid="ignore"):
        minimize(squares, np.zeros(3), (X, y))
    said = str(caught.value)
    assert "  X: nan at row 4, column 1, inf at row 7, column 2\n  y: nan at row 3\n" in said
    assert "start from" not in said and "leave these rows out" in said


@pytest.mark.parametrize("verify", ["start", "off"])
@pytest.mark.parametrize("jac", [None, "finite-difference"])
def test_they_are_named_whoever_evaluates(jac, verify):
    y = np.full(8, np.nan)
    with pytest.raises(ObjectiveError, match="y: nan at row 0, nan at row 1, nan at row 2, and 5 more"):
        minimize(lambda w, y: np.sum((w[0] - y) ** 2), [0.0], (y,), jac=jac, verify=verify)


def test_arrays_from_outside_and_in_dicts_are_looked_at():
    outside = np.array([1.0, np.nan])
    with pytest.raises(ObjectiveError, match="outside: nan at row 1"):
        minimize(lambda w: np.sum((w[0] - outside) ** 2), [0.0])
    with pytest.raises(ObjectiveError, match=r"d\['y'\]: inf at row 1"):
        minimize(lambda w, d: np.sum((w[0] - d["y"]) ** 2), [0.0], ({"y": np.array([1.0, np.inf])},))


class Model:
    def __init__(self, y):
        self.y = y

    def __call__(self, w):
        return np.sum((w[0] - self.y) ** 2)

    def loss(self, w):
        return np.sum((w[0] - self.y) ** 2)


@pytest.mark.parametrize(
    ("of", "place"),
    [
        (lambda y: Model(y), r"self\.y"),
        (lambda y: Model(y).loss, r"self\.y"),
        (lambda y: functools.partial(lambda w, y: np.sum((w[0] - y) ** 2), y=y), "y"),
        (lambda y: functools.partial(lambda y, w: np.sum((w[0] - y) ** 2), y), r"args\[0\]"),
        (lambda y: functools.partial(Model(y).loss), r"self\.y"),
    ],
)
def test_data_that_the_objective_itself_holds_are_looked_at(of, place):
    with pytest.raises(ObjectiveError, match=f"{place}: nan at row 2"):
        minimize(of(np.array([1.0, 2.0, np.nan])), [0.0])
    assert minimize(of(np.array([1.0, 2.0, 3.0])), [0.0]).success


def test_finite_data_are_not_blamed():
    with pytest.raises(ObjectiveError) as caught, np.errstate(all="ignore"):
        minimize(lambda w, y: np.sum(np.log(w) * y), np.zeros(2), (np.ones(2),))
    assert "data" not in caught.value.happened and "np.log of 0 is -inf" in caught.value.happened
    assert "keep its argument above 0" in caught.value.remedy


TEXT = {
    "array": (lambda w, a: np.sum((a * w[0]) ** 2), np.array(["1", "x"]), "a: '1' at row 0"),
    "matrix": (lambda w, a: np.sum((a @ w) ** 2), np.array([["1", "2"]]), "a: '1' at row 0, column 0"),
    "dict": (column, {"dose": np.array(["1", "x"])}, r"table\['dose'\]: '1' at row 0"),
    "frame": (column, pd.DataFrame({"dose": ["low", "high"]}), r"table\['dose'\]: 'low' at row 0"),
    "list": (lambda w, a: np.sum((np.array(a) * w[0]) ** 2), ["1", "x"], "a: '1' at row 0"),
    "conversion": (lambda w, a: np.sum(np.array(a, float) * w[0]), ["1", "x"], "a: '1' at row 0"),
}


@pytest.mark.parametrize("name", TEXT)
def test_text_in_the_data_is_named(name):
    f, data, said = TEXT[name]
    x0 = np.zeros(2 if name == "matrix" else 1)
    for run in (lambda: minimize(f, x0, (data,)), lambda: objective(f, x0, data), lambda: grad(f)(x0, data)):
        with pytest.raises(DataError, match=said) as caught:
            run()
        assert isinstance(caught.value, TextError | TypeError)
        assert caught.value.where[-1].file == __file__


@pytest.mark.parametrize("data", [pd.DataFrame({"doses": [1.0, 2.0]}), {"doses": np.ones(2)}], ids=["frame", "dict"])
def test_missing_column_is_named_with_what_there_is(data):
    with pytest.raises(MissingKeyError) as caught:
        minimize(column, np.zeros(1), (data,))
    said = str(caught.value)
    assert "'dose', which table does not have. Did you mean doses?" in said and "use one of what it has: doses." in said
    assert isinstance(caught.value, KeyError) and caught.value.where[-1].line == column.__code__.co_firstlineno + 1


def test_missing_column_of_groups_is_named_as_it_is():
    table = pd.DataFrame({"g": list("aab"), "dose": [1.0, 2.0, 3.0]})
    with pytest.raises(MissingKeyError, match=r"the column .doses., which table does not have\. Did you mean dose\?"):
        minimize(lambda w, table: w[0] * table.groupby("g")["doses"].sum().sum(), np.zeros(1), (table,))


def test_other_exceptions_stay_the_users_own():
    with pytest.raises(TypeError) as caught:
        minimize(lambda w, a: np.sum(w) + len(3), np.zeros(1), (np.array(["x"]),))
    assert not isinstance(caught.value, DataError)
    with pytest.raises(KeyError) as caught:
        minimize(lambda w, a: np.sum(w) * {}["k"], np.zeros(1), ({"k": 1.0},))
    assert not isinstance(caught.value, DataError)


def test_what_the_objective_makes_itself_is_not_told_of_the_data() -> None:
    """The data do not have that key either, but were not asked for it."""

    def misspelt(w, a):
        made = {"top": w[0] * a["k"]}
        return made["tpo"]

    with pytest.raises(KeyError, match="tpo") as caught:
        minimize(misspelt, np.zeros(1), ({"k": 1.0},))
    assert not isinstance(caught.value, DataError)


TABLE = pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.5]})


def of_parameters(p, table):
    return np.sum((table["y"] - p["a"] * table["x"]) ** 2) + p["bb"] ** 2


def of_inner_parameters(p, table):
    return np.sum((table["y"] - p["a"] * table["x"]) ** 2) + p["in"]["bb"] ** 2


@pytest.mark.parametrize(
    ("f", "x0", "said"),
    [
        (of_parameters, {"a": 1.0, "b": 0.0}, r"the parameter 'bb', which x0 does not have\..*of what it has: a, b\."),
        (
            of_inner_parameters,
            {"a": 1.0, "in": {"b": 1.0}},
            r"the parameter 'bb', which p\['in'\] does not have\..* b\.",
        ),
        (lambda p, table: p["a"] + np.sum(table["z"]), {"a": 1.0}, r"the column 'z', which table does not .*: x, y\."),
    ],
)
def test_a_key_that_parameters_lack_is_told_of_them(f, x0, said) -> None:
    with pytest.raises(MissingKeyError) as caught:
        minimize(f, x0, (TABLE,))
    assert re.search(said, str(caught.value), re.DOTALL)


def test_of_what_no_parameter_has_a_part_in_the_data_are_to_be_corrected():
    def objective(p, distance, y):
        return np.sum((y - p[0] * np.log(distance - 3.0)) ** 2)

    with (
        pytest.raises(ObjectiveError, match="of -1, which is negative, is nan at row 1") as caught,
        np.errstate(all="ignore"),
    ):
        minimize(objective, [1.0], (np.array([9.0, 2.0, 7.0]), np.ones(3)))
    assert "leave their rows out" in caught.value.remedy and "bounds" not in caught.value.remedy
