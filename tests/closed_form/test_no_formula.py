"""What has no formula is refused with the user's line; a formula that is wrong is not handed out."""

import latex_reading
import numpy as np
import pytest
from typeset_models import LOOPS, MODELS, logistic, number, student

import autoopt
from autoopt.closed_form import functions, slopes
from autoopt.closed_form.functions import FUNCTIONS
from autoopt.closed_form.tree import ZERO
from autoopt.errors import UnsupportedFunctionError, UsageError

X = np.array([[1.0, 0.2], [0.3, -0.4], [0.5, 1.1]])


def eigenvalue(x, X):
    S = X * x[0]
    return np.linalg.eigvalsh(S.T @ S)[-1]


def picked(x, X):
    z = X @ x
    return np.sum(z[z > 0] ** 2)


def sorted_values(x, X):
    return np.sort(X @ x)[0] ** 2


def position(x, X):
    k = np.argmax(X @ x)
    return (X @ x)[k] ** 2


def second_digamma(x, X):
    from scipy.special import polygamma

    return np.sum(polygamma(1, x))


def own_factor(x, X):
    K = np.eye(2) + np.outer(x, x)
    L = np.linalg.cholesky(K)
    return L[1, 0] ** 2


def deviation(x, X):
    return np.median(X @ x)


OTHERS = {
    eigenvalue: ("eigvalsh", "np.linalg.eigvalsh(S.T @ S)"),
    picked: ("picked by values", "z[z > 0]"),
    sorted_values: ("sort", "np.sort(X @ x)"),
    second_digamma: ("polygamma", "polygamma(1, x)"),
    own_factor: ("Cholesky factor", "L = np.linalg.cholesky(K)"),
    deviation: ("np.median", "np.median(X @ x)"),
}


@pytest.mark.parametrize("f", OTHERS, ids=lambda f: f.__name__)
def test_what_has_no_formula_is_named_with_its_line(f) -> None:
    what, code = OTHERS[f]
    with pytest.raises(UnsupportedFunctionError) as refused:
        autoopt.latex(f, np.array([0.3, 0.7]), (X,))
    assert what in refused.value.happened
    assert "test_no_formula.py:" in str(refused.value) and code in str(refused.value)


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_loops_that_hand_on_values_are_refused(f) -> None:
    with pytest.raises(UnsupportedFunctionError, match="a loop in which each iteration needs the one") as refused:
        autoopt.latex(f, *LOOPS[f])
    assert "typeset_models.py:" in str(refused.value)


def test_a_wrong_slope_is_not_handed_out(monkeypatch) -> None:
    case = MODELS[number]
    assert r"\sin x" in autoopt.latex(number, case.x0)
    wrong = FUNCTIONS["cos"]._replace(slopes=lambda u: (functions.call("sin", u),))
    monkeypatch.setitem(FUNCTIONS, "cos", wrong)
    with pytest.raises(UnsupportedFunctionError, match="does not agree"):
        autoopt.latex(number, case.x0)


def test_a_wrong_value_is_not_handed_out(monkeypatch) -> None:
    case = MODELS[number]
    monkeypatch.setitem(FUNCTIONS, "cos", FUNCTIONS["cos"]._replace(compute=np.sin))
    with pytest.raises(UnsupportedFunctionError, match="does not agree"):
        autoopt.latex(number, case.x0)


def test_a_term_that_is_lost_is_seen(monkeypatch) -> None:
    case = MODELS[student]
    monkeypatch.setattr(slopes, "grouped", lambda whole: ZERO)
    with pytest.raises(UnsupportedFunctionError, match="does not agree"):
        autoopt.latex(student, case.x0, tuple(case.data.values()))


@pytest.mark.parametrize(
    ("right", "wrong"), [("- y_i", "+ y_i"), (r"X^{\top}", "X"), (r"\sigma(z)", r"\tanh(z)"), ("1 + e", "2 + e")]
)
def test_the_reader_sees_a_wrong_text(right, wrong) -> None:
    case = MODELS[logistic]
    x = np.array([0.2, 0.4, -0.1])
    text = autoopt.latex(logistic, case.x0, tuple(case.data.values()))
    assert right in text
    value, (slope,) = latex_reading.value_and_slopes(text, {**case.data, "w": x}, ["w"])
    assert np.isfinite(value)
    try:
        other, (sloped,) = latex_reading.value_and_slopes(text.replace(right, wrong), {**case.data, "w": x}, ["w"])
    except (ValueError, IndexError):
        return  # matrices that do not go together
    assert abs(other - value) + np.abs(np.nan_to_num(sloped - slope, nan=1.0)).sum() > 0.1


def test_formats_are_named() -> None:
    with pytest.raises(UsageError, match=r"format='html'.*"):
        autoopt.latex(number, 0.3, format="html")


def test_where_a_branch_leads_elsewhere_is_said() -> None:
    def huber(x):
        if x[0] > 1:
            return 2 * x[0] - 1 + x[1] ** 2
        return x[0] ** 2 + x[1] ** 2

    assert "This holds where $x_0 > 1$." in autoopt.latex(huber, np.array([3.0, 1.0]))
    assert r"This holds where $x_0 \le 1$." in autoopt.latex(huber, np.array([0.5, 1.0]))
