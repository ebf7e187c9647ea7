"""The texts of ordinary models, as a statistician would write them, and what LaTeX and Markdown ask for."""

import re

import numpy as np
import pytest
import typeset_models as models
from scipy.special import logsumexp, softmax
from typeset_models import MODELS

import autoopt
from autoopt.closed_form import text

LINES = {
    models.logistic: [
        r"\ell(w) = \sum_{i} \left( \log\left( 1 + e^{z_i} \right) - y_i z_i \right)",
        r"z = X w",
        r"\nabla_{w} \ell = X^{\top} (\sigma(z) - y)",
    ],
    models.logistic_with_probabilities: [
        r"p = \sigma\left( X \beta \right)",
        r"\nabla_{\beta} \ell = X^{\top} (p - y)",
    ],
    models.poisson: [
        r"\mu_i = \mathrm{exposure}_i e^{(X \beta)_{i}}",
        r"\nabla_{\beta} \ell = X^{\top} (\mu - \mathrm{counts})",
    ],
    models.least_squares: [
        r"\ell(\beta) = \frac{1}{2} \lVert r \rVert^{2}",
        r"r = X \beta - y",
        r"\nabla_{\beta} \ell = X^{\top} r",
    ],
    models.softmax: [
        r"\ell(W) = \sum_{i} \left( \log\left( \sum_{j} e^{z_{i j}} \right) - z_{i, \mathrm{labels}_i} \right)",
        r"\frac{\partial \ell}{\partial W_{i j}} = \sum_{k} X_{k i} \left( \frac{e^{z_{k j}}}{\sum_{l} e^{z_{k l}}}"
        r" - \mathbf{1}[j = \mathrm{labels}_k] \right)",
    ],
    models.weibull: [
        r"r = \frac{\log t - X \beta}{s}",
        r"\nabla_{\beta} \ell = -\frac{X^{\top} \left( e^{r} - d \right)}{s}",
    ],
    models.cox: [
        r"\ell(\beta) = -\sum_{i} d_i \left( \eta_i - \log\left( \sum_{j \le i} e^{\eta_j} \right) \right)",
    ],
    models.gaussian_process: [
        r"L = \operatorname{chol}\left( K \right)",
        r"\nabla_{K} f = \frac{1}{2} K^{-1} - \frac{1}{2} K^{-1} y \left( K^{-1} y \right)^{\top}",
    ],
    models.gaussian: [
        r"\frac{\partial \ell}{\partial \mu} = -\frac{\sum_{i} (y_i - \mu)}{\sigma^{2}}",
    ],
    models.mixture: [
        r"\frac{\partial \ell}{\partial \mathrm{lp}_{i j}} = "
        r"-\frac{e^{\mathrm{lp}_{i j}}}{\sum_{k} e^{\mathrm{lp}_{i k}}}",
    ],
}


def text_of(f, form="latex"):
    case = MODELS[f]
    return autoopt.latex(f, case.x0, tuple(case.data.values()), format=form)


@pytest.mark.parametrize("f", LINES, ids=lambda f: f.__name__)
def test_lines(f) -> None:
    text = text_of(f, "markdown")
    for line in LINES[f]:
        assert f"$$\n{line}\n$$" in text


WORDS = r"""
begin end frac partial nabla sum prod max min left right log exp mathrm operatorname text mathbf top lVert rVert lvert
rvert det odot circ cdot le ge ne wedge vee neg sqrt quad tanh sin cos _ , \ ell alpha beta gamma eta theta lambda mu nu
pi sigma psi Gamma Phi
"""
KNOWN = set(WORDS.split())


@pytest.mark.parametrize("f", MODELS, ids=lambda f: f.__name__)
def test_every_command_is_one_of_latex_with_amsmath(f) -> None:
    """Brackets and environments are closed, no exponent or subscript stands twice."""
    text = text_of(f)
    formulas = re.sub(r"^%.*\n", "", text, flags=re.M)
    assert set(re.findall(r"\\([a-zA-Z]+|.)", formulas)) <= KNOWN
    assert formulas.count("{") == formulas.count("}")
    assert formulas.count(r"\left") - formulas.count(r"\left.") == formulas.count(r"\right")
    assert formulas.count(r"\begin{cases}") == formulas.count(r"\end{cases}")
    assert formulas.count("$") % 2 == 0
    assert not _has_double_scripts(formulas), "a double exponent or subscript, which TeX refuses"


def _has_double_scripts(text):
    """Whether a symbol has two exponents or two subscripts; a prime is an exponent."""
    script = r"(?:\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}|\\[a-zA-Z]+|[^\s\\{}])"
    twice = rf"\^{script}(?:_{script})?\^|_{script}(?:\^{script})?_|'(?:_{script})\^|\^{script}'"
    return re.search(twice, text) is not None


@pytest.mark.parametrize(
    ("text", "is_double"), [("x_i^{2}", False), ("x'_i^{2}", True), ("a^{2}^{3}", True), ("x_i_j", True)]
)
def test_double_scripts_are_seen(text, is_double) -> None:
    assert _has_double_scripts(text) == is_double


def test_what_is_computed_of_data_alone_and_has_no_formula_is_named() -> None:
    def f(x, y):
        ranks = np.sort(y)
        return np.sum((ranks - x[0]) ** 2)

    text = autoopt.latex(f, np.array([0.2]), (np.array([3.0, 1.0, 2.0]),))
    assert r"\mathrm{ranks}_i" in text
    assert re.search(
        r"\$\\mathrm\{ranks\}\$ is computed of the data alone: np.sort\(y\) \(.*test_typeset_texts.py:\d+\)", text
    )


def test_a_column_that_was_changed_on_the_way_is_not_called_by_its_name() -> None:
    pandas = pytest.importorskip("pandas")
    df = pandas.DataFrame({"time": [1.0, 2.0, 3.0], "dose": [0.1, 0.2, 0.3]})

    def f(b, df):
        return np.sum((np.log(df["time"]) - b[0] - b[1] * df["dose"]) ** 2)

    text = autoopt.latex(f, np.ones(2), (df,))
    assert r"\ell(b_0, b_1) &= \sum_{i} (a_i - b_0 - b_1 \mathrm{dose}_i)^{2}" in text
    assert '$a$ is computed of the data alone: np.log(df["time"]).' in text


def test_numbers_in_the_code_are_written_out() -> None:
    text = autoopt.latex(lambda b, y: np.sum((y - b[0] * np.array([1.0, 0.5, 2.0])) ** 2), np.ones(1), (np.ones(3),))
    assert r"(y_i - b a_i)^{2}" in text and r"$a$ is $(1, \frac{1}{2}, 2)$." in text


def test_conditions_stand_in_one_order_in_every_run() -> None:
    def f(w, X, y):
        z = X @ w
        return np.sum(np.where(z > 0, z**2, np.where(z < -1, 3 * z, np.minimum(z, y))))

    text = autoopt.latex(f, np.array([0.3, -0.2]), (np.array([[1.0, 2.0], [3.0, -1.0], [-2.0, 4.0]]), np.ones(3)))
    assert r"3 \mathbf{1}[z_j \le 0] \mathbf{1}[z_j < -1]" in text
    assert r"\mathbf{1}[z_j \le 0] \mathbf{1}[z_j \ge -1] \mathbf{1}[z_j < y_j]" in text


def test_what_was_decided_by_data_is_said() -> None:
    def f(x, y):
        return np.sum((y - x[0]) ** 2) if y[0] > 0 else x[0] ** 2

    assert "What the code decides by its data is as it was for those that were given." in autoopt.latex(
        f, np.ones(1), (np.ones(3),)
    )


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("beta", r"\beta"),
        ("beta_1", r"\beta_1"),
        ("beta1", r"\beta_1"),
        ("beta_hat", r"\hat{\beta}"),
        ("x_max", r"x_{\mathrm{max}}"),
        ("mu_i", r"\mu_{\mathrm{i}}"),
        ("log_sigma", r"\log \sigma"),
        ("log_scale", r"\log \mathrm{scale}"),
        ("lambda_", r"\lambda"),
        ("_a", "a"),
        ("X2", "X_2"),
        ("sum", r"\mathrm{sum}"),
        ("rate", r"\mathrm{rate}"),
    ],
)
def test_names(name, symbol) -> None:
    scope: dict = {}
    exec(f"def f(p):\n    {name} = p['{name}']\n    return {name} ** 2 + p['other'] * {name}", scope)
    assert rf"f({symbol}, \mathrm{{other}})" in autoopt.latex(scope["f"], {name: 0.5, "other": 1.0})


def test_function_keeps_its_name_beside_a_name_that_begins_with_an_underscore() -> None:
    text = autoopt.latex(lambda p: np.log(1 + np.exp(2 * p["_1st"])) + np.log(p["b"]), {"_1st": 0.5, "b": 2.0})
    assert text.count(r"\log") >= 2


def test_names_that_would_look_alike_are_told_apart() -> None:
    def f(p):
        beta, beta_0, beta0 = p["beta"], p["beta_0"], p["beta0"]
        return np.sum(beta**2) * beta_0 + beta0

    text = autoopt.latex(f, {"beta": np.ones(2), "beta_0": 1.0, "beta0": 2.0})
    assert r"f(\beta, \mathrm{beta\_0}, \mathrm{beta0})" in text


def test_data_and_parameters_of_one_name_are_told_apart() -> None:
    def f(params, data):
        return np.sum((data["y"] - params["age"] * data["age"]) ** 2)

    text = autoopt.latex(f, {"age": 0.5}, ({"y": np.ones(3), "age": np.arange(3.0)},))
    assert r"\ell(\mathrm{age}) &= \sum_{i} (\mathrm{data\_y}_i - \mathrm{age} \, \mathrm{data\_age}_i)^{2}" in text


def test_a_column_and_a_parameter_of_one_name_are_told_apart() -> None:
    pandas = pytest.importorskip("pandas")
    df = pandas.DataFrame({"y": [1.0, 2.0, 3.0], "dose": [0.1, 0.2, 0.3]})

    def f(params, df):
        return np.sum((df["y"] - params["dose"] * df["dose"]) ** 2)

    text = autoopt.latex(f, {"dose": 0.5}, (df,))
    assert r"\ell(\mathrm{dose}) &= \sum_{i} (y_i - \mathrm{dose} \, \mathrm{df\_dose}_i)^{2}" in text


def test_an_argument_and_a_parameter_of_one_name_are_told_apart() -> None:
    def f(params, dose, y):
        return np.sum((y - params["dose"] * dose) ** 2)

    def g(params, dose, x_dose):
        return np.sum((x_dose - params["dose"] * dose) ** 2)

    data = np.arange(3.0), np.ones(3)
    assert r"\sum_{i} (y_i - \mathrm{dose} x_{\mathrm{dose}, i})^{2}" in autoopt.latex(f, {"dose": 0.5}, data)
    assert r"\mathrm{dose} \, \mathrm{dose\_dose}_i" in autoopt.latex(g, {"dose": 0.5}, data), "x_dose is another's"


A, B = text.atom("a"), text.atom("b")
SUM = text.plus(A, B)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (text.minus(A, SUM), "a - (a + b)"),
        (text.plus(A, text.negative(SUM)), "a - (a + b)"),
        (text.times(SUM, A), "(a + b) a"),
        (text.times(text.applied_to(r"\log", A), B), r"(\log a) b"),
        (text.power(text.negative(A), text.atom("2")), "(-a)^{2}"),
        (text.transposed(text.times(A, B)), r"(a b)^{\top}"),
        (text.times(text.atom("2"), text.atom("3")), r"2 \cdot 3"),
        (text.over(SUM, B), r"\frac{a + b}{b}"),
        (text.entrywise(SUM, B), r"(a + b) \odot b"),
    ],
)
def test_brackets(made, shown) -> None:
    assert made.text == shown


LISTS = {
    "lists": lambda p, y: -np.sum(logsumexp([p[0] - (y - p[1]) ** 2, -((y - p[2]) ** 2)], axis=0)),
    "tuples": lambda p, y: -np.sum(logsumexp((p[0] * y, p[1] * y, -p[2] * y), axis=0)),
    "numbers": lambda p, y: logsumexp([p[0], p[1] * 2.0, 0.5]) + np.sum(p**2),
    "softmax": lambda p, y: np.sum(softmax([p[0] * y, p[1] * y], axis=0)[0]) + p[2],
    "nested": lambda p, y: logsumexp([[p[0], 1.0], [p[1], p[2]]]),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_array_that_numpy_makes_of_it(name) -> None:
    text = autoopt.latex(LISTS[name], np.array([0.1, 0.2, 0.3]), (np.linspace(-1, 2, 5),))  # which compares both
    assert ("e^{" if name == "softmax" else r"\log") in text
