"""Exported modules: called as the objective is, they give what autoopt's own code gives, and pass their own test."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import re
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.optimize
from ruff import complaints, formatted

import autoopt
from autoopt.errors import UsageError
from autoopt.exporting.module import source

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(70, 3)), (RNG.random(70) < 0.5) * 1.0
WEIGHTS, COUNTS = RNG.exponential(size=70), RNG.integers(0, 5, 70)

Pair = namedtuple("Pair", ["slope", "scale"])


@dataclass
class Settings:
    beta: np.ndarray
    log_s: float


class Model:
    """An objective that is a method, and reads its data from `self`."""

    def __init__(self) -> None:
        self.X, self.y = X, Y

    def loss(self, w):
        z = self.X @ w
        return np.sum(np.logaddexp(0, z) - self.y * z)


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def student(p, x):
    mu, log_s, nu = p
    z = (x - mu) / np.exp(log_s)
    return np.sum((nu + 1) / 2 * np.log1p(z * z / nu) + log_s) + nu * nu


def of_dict(params, X, lam=0.5):
    r = X @ params["beta"] - params["scale"]
    return np.mean(r**2) + lam * np.sum(params["M"] ** 2) * params["scale"]


def of_pair(p, X):
    return np.sum(np.cosh(X @ p.slope)) * np.exp(p.scale)


def of_dataclass(s, X, y):
    return np.sum((y - X @ s.beta) ** 2) * np.exp(-s.log_s) + s.log_s


def of_scalar(t, x):
    return np.sum((x - t) ** 4)


def of_matrix(W, X):
    return np.sum(np.tanh(X @ W) ** 2)


def of_nest(p, X):
    return np.sum((X @ p["a"][0] + p["a"][1]) ** 2) + p["b"]["c"] ** 4


def of_globals(w):
    return np.sum(WEIGHTS * (Y - X @ w) ** 2)


def with_power(w, X, power=2, centre=True):
    r = X @ w - (1.0 if centre else 0.0)
    return np.sum(r**power)


def of_data_dict(w, data):
    return np.sum((data["y"] - data["X"] @ w) ** 2 * data["w"])


def poisson(w, X, n):
    from scipy.special import gammaln

    eta = X @ w
    return np.sum(np.exp(eta) - n * eta + gammaln(n + 1.0))


def garch(p, r):
    omega, a, b = np.exp(p)
    s, total = np.var(r), 0.0
    for t in range(len(r)):
        total += np.log(s) + r[t] ** 2 / s
        s = omega + a * r[t] ** 2 + b * s
    return total


def branching(p, x):
    if p[0] > 0:
        return np.sum((x - p[0]) ** 2) + p[1] ** 2
    return np.sum((x + p[0]) ** 4) + p[1] ** 2


def gaussian_process(p, X, y):
    scale, noise = np.exp(p)
    D = ((X[:, None] - X[None]) ** 2).sum(-1)
    L = np.linalg.cholesky(np.exp(-0.5 * D / scale**2) + noise * np.eye(len(y)))
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.log(np.diag(L)).sum()


def several_kinds_prepare(p, x, t):
    """Gradient and Hessian prepare different things that are called alike."""
    return 0.5 * np.sum(np.exp(-2 * p[0] * np.log(x)) * np.sin(t)) + p[1] ** 3 * np.sum(np.log(t))


VALUES = {"WEIGHTS": WEIGHTS, "X": X, "Y": Y, "y": Y}

CASES = {
    "logistic": (logistic, np.zeros(3), (X, Y)),
    "unpacked": (student, np.array([0.1, 0.2, 4.0]), (X[:, 0],)),
    "dict": (of_dict, {"beta": np.ones(3), "scale": 0.5, "M": np.ones((2, 2))}, (X, 0.3)),
    "dict with a default": (of_dict, {"beta": np.ones(3), "scale": 0.5, "M": np.ones((2, 2))}, (X,)),
    "namedtuple": (of_pair, Pair(np.full(3, 0.1), 0.2), (X,)),
    "dataclass": (of_dataclass, Settings(np.full(3, 0.1), 0.2), (X, Y)),
    "scalar": (of_scalar, 0.3, (X[:, 0],)),
    "matrix": (of_matrix, np.full((3, 2), 0.1), (X,)),
    "nest": (of_nest, {"a": (np.ones(3), 0.5), "b": {"c": 0.7}}, (X,)),
    "of_globals": (of_globals, np.ones(3), ()),
    "method": (Model().loss, np.ones(3), ()),
    "fixed arguments": (with_power, np.ones(3), (X, 3)),
    "data in a dict": (of_data_dict, np.ones(3), ({"X": X, "y": Y, "w": WEIGHTS},)),
    "prepared": (poisson, np.zeros(3), (X, COUNTS)),
    "loop": (garch, np.array([-1.0, -2.0, -0.3]), (X[:, 0],)),
    "branch": (branching, np.array([0.5, 1.0]), (X[:, 0],)),
    "several kinds": (several_kinds_prepare, np.array([0.3, 0.4]), (WEIGHTS + 0.2, WEIGHTS[::-1] + 0.1)),
    "Cholesky": (gaussian_process, np.array([0.1, -1.0]), (X, Y)),
}


def module(text: str) -> dict:
    names = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), names)
    return names


def outside(function, args: tuple) -> list:
    """Return the arrays that a function takes after the objective's own arguments."""
    names = list(inspect.signature(function).parameters)[1 + len(args) :]
    return [VALUES[name] for name in names if name in VALUES]


@pytest.mark.slow_for("loop", "several kinds")
@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", CASES)
def test_module_gives_what_the_objective_gives(name) -> None:
    f, x0, args = CASES[name]
    text = source(f, x0, args, ("gradient", "hessian", "hvp"))
    assert formatted(text) == text and complaints(text) == "" and max(map(len, text.split("\n"))) <= 100
    found = module(text)
    objective = autoopt.objective(f, x0, *args)
    given = (*args, *outside(found["value_and_grad"], args))
    flatten, unflatten = objective.structure.flatten, objective.structure.unflatten
    start = flatten(x0)
    for k in range(2):
        x = start + 0.05 * k * RNG.normal(size=start.size)
        p, params = RNG.normal(size=x.size), unflatten(x)
        value, gradient = found["value_and_grad"](params, *given)
        np.testing.assert_allclose(value, objective.value(x), rtol=1e-12)
        np.testing.assert_allclose(flatten(gradient), objective.grad(x), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(flatten(found["grad"](params, *given)), flatten(gradient), rtol=0)
        np.testing.assert_allclose(found["hess"](params, *given), objective.hess(x), rtol=1e-8, atol=1e-10)
        product = objective.hess(x) @ p
        direction = unflatten(p)
        np.testing.assert_allclose(flatten(found["hvp"](params, direction, *given)), product, rtol=1e-8, atol=1e-9)
        times = found["linearize"](params, *given)
        np.testing.assert_allclose(flatten(times(unflatten(2 * p))), 2 * product, rtol=1e-8, atol=1e-9)
        if "prepared" in inspect.signature(found["value_and_grad"]).parameters:
            kept = found["prepare"](*given)
            np.testing.assert_allclose(found["value_and_grad"](params, *given, prepared=kept)[0], value, rtol=0)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_module_passes_its_own_test_and_sees_what_is_wrong(name) -> None:
    f, x0, args = CASES[name]
    text = source(f, x0, args)
    found, said = module(text), io.StringIO()
    with contextlib.redirect_stdout(said):
        found["self_test"](*found["example"]())
    assert said.getvalue().count("value_and_grad agrees with differences to ") == 1
    right = found["value_and_grad"]

    def wrong(*given, **options):
        value, gradient = right(*given, **options)
        flat = found.get("flatten", np.asarray)(gradient) * 1.001
        return value, found["unflatten"](flat) if "unflatten" in found else flat

    found["value_and_grad"] = wrong
    with pytest.raises(AssertionError, match=r"value_and_grad: .* but differences give"):
        found["self_test"](*found["example"]())


@pytest.mark.slow
def test_module_is_a_program_that_needs_numpy_alone(tmp_path) -> None:
    file = tmp_path / "logistic_derivatives.py"
    file.write_text(source(logistic, np.zeros(3), (X, Y), ("gradient", "hessian", "hvp")))
    code = "import sys; sys.modules.update(autoopt=None, pytensor=None, pandas=None)\n"
    code += f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agrees with differences to") == 3


@pytest.mark.slow
def test_scipy_takes_it_as_it_is() -> None:
    found = module(source(logistic, np.zeros(3), (X, Y), ("gradient", "hessian", "hvp")))
    by_hand = scipy.optimize.minimize(logistic, np.zeros(3), (X, Y), tol=1e-10)
    result = scipy.optimize.minimize(found["value_and_grad"], np.zeros(3), (X, Y), jac=True, tol=1e-10)
    np.testing.assert_allclose(result.x, by_hand.x, atol=1e-5)
    options = {"method": "trust-exact", "jac": found["grad"], "hess": found["hess"]}
    np.testing.assert_allclose(scipy.optimize.minimize(logistic, np.zeros(3), (X, Y), **options).x, result.x, atol=1e-5)
    options = {"method": "newton-cg", "jac": found["grad"], "hessp": found["hvp"]}
    for minimize in (scipy.optimize.minimize, autoopt.minimize):
        np.testing.assert_allclose(minimize(logistic, np.zeros(3), (X, Y), **options).x, result.x, atol=1e-5)


@pytest.mark.parametrize("rows", [71, 210, 12])
def test_any_number_of_rows(rows) -> None:
    """The mean over 70 rows is no mean over others by the number 70."""

    def mean_loss(w, X, y):
        return np.mean((y - X @ w) ** 4)

    found = module(source(mean_loss, np.zeros(3), (X, Y)))
    X2, y2 = RNG.normal(size=(rows, 3)), RNG.normal(size=rows)
    w = RNG.normal(size=3)
    value, gradient = found["value_and_grad"](w, X2, y2)
    np.testing.assert_allclose(value, mean_loss(w, X2, y2), rtol=1e-12)
    np.testing.assert_allclose(gradient, -4 * X2.T @ (y2 - X2 @ w) ** 3 / rows, rtol=1e-10)


def test_what_it_was_not_written_for_is_refused() -> None:
    found = module(source(with_power, np.ones(3), (X, 3)))
    with pytest.raises(ValueError, match="was written for power = 3, not 2"):
        found["value_and_grad"](np.ones(3), X, 2)
    with pytest.raises(ValueError, match="was written for centre = True, not False"):
        found["value_and_grad"](np.ones(3), X, 3, False)
    found = module(source(student, np.array([0.1, 0.2, 4.0]), (Y,)))
    with pytest.raises(ValueError):
        found["value_and_grad"](np.ones(4), Y)
    found = module(source(branching, np.array([0.5, 1.0]), (Y,)))
    with pytest.raises(ValueError, match="p has 2 entries, not shape"):
        found["value_and_grad"](np.ones(3), Y)
    with pytest.raises(found["PathChanged"]):
        found["value_and_grad"](np.array([-0.5, 1.0]), Y)


def test_functions_of_arrays() -> None:
    def residuals(p, t, y):
        return y - p[0] * np.exp(-p[1] * t)

    t, p = np.linspace(0, 1, 30), np.array([1.0, 0.5])
    found = module(source(residuals, p, (t, t**2), ("jacobian", "jvp", "vjp")))
    J = np.stack([-np.exp(-0.5 * t), t * np.exp(-0.5 * t)], axis=1)
    np.testing.assert_allclose(found["jacobian"](p, t, t**2), J, rtol=1e-12)
    np.testing.assert_allclose(found["jvp"](p, np.array([1.0, -2.0]), t, t**2), J @ [1.0, -2.0], rtol=1e-12)
    np.testing.assert_allclose(found["vjp"](p, t, t, t**2), J.T @ t, rtol=1e-12)


def test_derivatives_that_are_not_understood() -> None:
    with pytest.raises(UsageError, match="'slope' is not understood"):
        source(logistic, np.zeros(3), (X, Y), "slope")
    with pytest.raises(UsageError, match="of one that is an array"):
        source(logistic, np.zeros(3), (X, Y), ("gradient", "jacobian"))


def test_frames_stay_frames_and_what_is_made_of_them_stands_in_the_code() -> None:
    pd = pytest.importorskip("pandas")
    df = pd.DataFrame({"time": RNG.exponential(size=40) + 0.1, "group": ["a", "b"] * 20})

    def f(p, df):
        dummies = pd.get_dummies(df["group"], drop_first=True).to_numpy()[:, 0]
        return np.sum((np.log(df["time"]) - p[0] - p[1] * dummies) ** 2)

    found = module(source(f, np.zeros(2), (df,)))
    p = np.array([0.3, -0.2])
    r = np.log(df["time"].to_numpy()) - p[0] - p[1] * (df["group"] == "b").to_numpy()
    value, gradient = found["value_and_grad"](p, df)
    np.testing.assert_allclose(value, np.sum(r**2), rtol=1e-12)
    np.testing.assert_allclose(gradient, [-2 * r.sum(), -2 * r @ (df["group"] == "b")], rtol=1e-10)
    found["self_test"](p, (df,))


def test_writes_at_lists_of_positions_are_derived() -> None:
    def f(x):
        y = np.zeros(5)
        y[[0, 2, 4]] = x
        y[[1, 3]] = x[0] * x[1]
        return np.sum(y**2)

    found = module(source(f, np.array([1.0, 2.0, 3.0])))
    gradient = found["value_and_grad"](np.array([1.0, 2.0, 3.0]))[1]
    np.testing.assert_allclose(gradient, [2 + 4 * 2 * 2, 4 + 4 * 2 * 1, 6], rtol=1e-12)


def ridge(w, X, y, lam=0.5, power=2, *, scale=2.0):
    r = y - X @ w
    return np.sum(np.abs(r) ** power) + lam * w @ w / scale


def with_flag(w, X, y, mean=True, scale=1.5):
    r = (y - X @ w) / scale
    return np.mean(r**2) if mean else np.sum(r**2)


@pytest.mark.slow_for("ridge")
@pytest.mark.parametrize(("f", "given"), [(ridge, {"lam": 3.25}), (with_flag, {"scale": 0.75})], ids=["ridge", "flag"])
def test_numbers_left_at_their_defaults_are_arguments(f, given) -> None:
    found = module(source(f, np.zeros(3), (X, Y), ["grad", "hess"]))
    w = np.array([0.3, -0.2, 0.7])
    for options in ({}, given):
        objective = autoopt.objective(lambda w, X, y, options=options: f(w, X, y, **options), w, X, Y)
        value, gradient = found["value_and_grad"](w, X, Y, **options)
        assert value == pytest.approx(f(w, X, Y, **options), rel=1e-13)
        assert gradient == pytest.approx(objective.grad(w), rel=1e-12)
        assert found["hess"](w, X, Y, **options) == pytest.approx(objective.hess(w), rel=1e-12)
    parameters = inspect.signature(found["value_and_grad"]).parameters
    own = inspect.signature(f).parameters
    assert {name: p.default for name, p in parameters.items() if name in own and p.default is not p.empty} == {
        name: p.default for name, p in own.items() if p.default is not p.empty
    }


@pytest.mark.parametrize("fixed", [{"power": 3}, {"scale": 3.0}])
def test_what_is_no_argument_of_the_code_is_refused(fixed) -> None:
    found = module(source(ridge, np.zeros(3), (X, Y)))
    with pytest.raises(ValueError, match=f"written for {next(iter(fixed))} = "):
        found["value_and_grad"](np.ones(3), X, Y, **fixed)


def test_derivatives_go_by_the_names_of_their_functions_too() -> None:
    by_function = source(logistic, np.zeros(3), (X, Y), ["value_and_grad", "hess"])
    assert by_function == source(logistic, np.zeros(3), (X, Y), ["gradient", "hessian"])


def errors_of_arma(p, y):
    error = before = total = 0.0
    for value in y:
        error = value - p[0] * before - p[1] * error
        before = value
        total += error * error
    return total / len(y)


@pytest.mark.slow_for("hessian", "hvp")
@pytest.mark.parametrize("kind", ["hessian", "hvp"])
def test_each_kind_stands_alone(kind) -> None:
    """A Hessian of products is made of functions whose lengths stand in the one that calls them."""
    name = {"hessian": "hess"}.get(kind, kind)
    p, along = np.array([0.3, 0.2]), np.array([1.0, -2.0])
    found = module(source(errors_of_arma, p, (Y,), kind))[name]
    for y in (Y, np.r_[Y, Y, 0.5]):
        expected = autoopt.objective(errors_of_arma, p, y).hess(p)
        ours = found(p, y) @ along if kind == "hessian" else found(p, along, y)
        np.testing.assert_allclose(ours, expected @ along, rtol=1e-10)


class Loss:
    """An objective that is an object."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __call__(self, w):
        return np.sum((self.y - self.X @ w) ** 2)


@pytest.mark.parametrize(
    "f, name",
    [(Loss(X, Y), "Loss"), (functools.partial(logistic, X=X, y=Y), "logistic"), (Model().loss, "Model.loss")],
)
def test_the_module_says_what_it_is_of(f, name) -> None:
    first = source(f, np.zeros(3)).split("\n")[0]
    assert re.fullmatch(rf'"""Derivatives of {name} \(.*test_exported_modules\.py:\d+\)\.', first)


def test_gradients_have_the_structure_of_the_parameters_at_once() -> None:
    def network(params, X):
        return np.sum((np.tanh(X @ params["W"] + params["b"]) * params["scale"]) ** 2)

    text = source(network, {"W": np.full((3, 2), 0.3), "b": np.array([0.1, 0.2]), "scale": 0.7}, (X,))
    body = text.partition("def value_and_grad")[2].partition("\ndef ")[0]
    assert "unflatten" not in body and "reshape" not in body and "concatenate" not in body


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_pieces_of_other_lengths_than_the_parts_are_not_taken_for_them(order) -> None:
    """The slope of one part consists of two pieces, those of two others of one."""

    def f(params):
        a, b = params["a"], params["b"]
        return np.sum(np.cos(a[:2])) + np.exp(a[2]) * np.sum(b**2) + params["c"] ** 3

    x0 = {name: {"a": np.ones(3), "b": np.full(2, 0.3)}[name] for name in order} | {"c": 0.5}
    value, gradient = module(source(f, x0))["value_and_grad"](x0)
    np.testing.assert_allclose(gradient["a"], [-np.sin(1), -np.sin(1), np.e * 0.18], rtol=1e-12)
    np.testing.assert_allclose(gradient["b"], np.e * np.full(2, 0.6), rtol=1e-12)
    np.testing.assert_allclose([value, gradient["c"]], [f(x0), 0.75], rtol=1e-12)


def written_in_place(p, X, y):
    r = y.copy()
    r -= X[:, 0] * p[0]
    r -= X[:, 1] * p[1]
    r *= np.exp(-p[2])
    return 0.5 * np.sum(r * r) + y.size * p[2]


@pytest.mark.slow
def test_functions_in_turn_keep_their_names_apart() -> None:
    """`linearize` has a name for something of its own that `prepare` has, too, for what the product reads."""
    p, along = np.array([0.3, -0.2, 0.1]), np.array([1.0, 2.0, -1.0])
    found = module(source(written_in_place, p, (X, Y), ["gradient", "hessian", "hvp"]))
    slope = (found["grad"](p + 1e-5 * along, X, Y) - found["grad"](p - 1e-5 * along, X, Y)) / 2e-5
    np.testing.assert_allclose(found["hvp"](p, along, X, Y), found["hess"](p, X, Y) @ along, rtol=1e-12)
    np.testing.assert_allclose(found["hvp"](p, along, X, Y), slope, rtol=1e-6)
