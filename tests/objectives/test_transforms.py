"""The functional transforms, and objectives that solvers are given or source is made of."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import scipy.special
from plain_objectives import COUNTS, RNG, THREE, X, Y, close, logistic, made, poisson, rosenbrock

import autoopt
from autoopt import differences
from autoopt.errors import ObjectiveError
from autoopt.objectives.objective import Objective, printed
from autoopt.solvers import SOLVERS

# Transforms -----------------------------------------------------------------------------------------------------------


def test_gradient_has_the_structure_of_the_argument() -> None:
    found = autoopt.grad(lambda p: (p["a"] ** 2).sum() * p["b"][0] + p["b"][1])({"a": np.ones((2, 2)), "b": [3.0, 1.0]})
    assert list(found) == ["a", "b"] and found["b"] == [4.0, 1.0]
    np.testing.assert_array_equal(found["a"], np.full((2, 2), 6.0))


def test_gradient_of_a_number_is_a_number() -> None:
    found = autoopt.grad(lambda x: x**3)(2.0)
    assert np.shape(found) == () and found == 12.0
    assert autoopt.hessian(lambda x: x**3)(2.0) == 12.0 and autoopt.jacobian(lambda x: x**3)(2.0) == 12.0


def test_integers_are_taken_as_numbers() -> None:
    np.testing.assert_array_equal(autoopt.grad(lambda x: (x**2).sum())(np.array([1, 2])), [2.0, 4.0])


def test_argnums_names_the_argument() -> None:
    f = lambda a, b, c: (a @ b) ** 2 * c  # noqa: E731
    a, b = THREE, np.array([1.0, -1.0, 2.0])
    for argnums, other in ((0, b), (1, a)):
        np.testing.assert_allclose(autoopt.grad(f, argnums)(a, b, 3.0), 6 * (a @ b) * other)
        np.testing.assert_allclose(autoopt.hessian(f, argnums)(a, b, 3.0), 6 * np.outer(other, other))
        value, gradient = autoopt.value_and_grad(f, argnums=argnums)(a, b, 3.0)
        assert value == f(a, b, 3.0) and gradient.shape == (3,)
    assert autoopt.grad(f, argnums=2)(a, b, 3.0) == (a @ b) ** 2
    p = np.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(autoopt.hvp(f, argnums=1)(a, b, p, 3.0), 6 * a * (a @ p))
    np.testing.assert_allclose(autoopt.hvp(f)(a, p, b, 3.0), 6 * b * (b @ p))
    np.testing.assert_allclose(autoopt.jacobian(lambda A, x: A @ x, argnums=1)(X, THREE), X)


def test_hessian_has_the_shapes_of_jax() -> None:
    A = RNG.normal(size=(2, 3))
    found = autoopt.hessian(lambda M: (M**3).sum())(A)
    assert found.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(found, np.einsum("ij,ik,jl->ijkl", 6 * A, np.eye(2), np.eye(3)))
    nest = autoopt.hessian(lambda p: (p["M"] ** 2).sum() * p["s"])({"M": A, "s": 2.0})
    assert {row: {column: np.shape(block) for column, block in part.items()} for row, part in nest.items()} == {
        "M": {"M": (2, 3, 2, 3), "s": (2, 3)},
        "s": {"M": (2, 3), "s": ()},
    }
    np.testing.assert_allclose(nest["M"]["s"], 2 * A)
    np.testing.assert_allclose(nest["s"]["M"], 2 * A)


def test_jacobian_has_the_shapes_of_jax() -> None:
    A = RNG.normal(size=(2, 3))
    f = lambda M: M @ THREE  # noqa: E731
    found = autoopt.jacobian(f)(A)
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found, np.einsum("ik,j->ikj", np.eye(2), THREE))
    nest = autoopt.jacobian(lambda p: np.outer(p["a"], p["b"]))({"a": THREE, "b": np.ones(2)})
    assert nest["a"].shape == (3, 2, 3) and nest["b"].shape == (3, 2, 2)
    np.testing.assert_allclose(nest["b"], np.einsum("i,jk->ijk", THREE, np.eye(2)))
    np.testing.assert_allclose(autoopt.jacobian(lambda x: [x[0] * x[1], x[2]])(THREE), [[1.5, 0.5, 0], [0, 0, 1]])


def test_jacobian_follows_branches_and_differences() -> None:
    f = lambda x: np.sin(x) * x[0] if x[0] > 0 else np.cumsum(x) ** 2  # noqa: E731
    evaluate = autoopt.jacobian(f)
    for x in (THREE, -THREE, 2 * THREE):
        slopes, error = differences.jacobian(f, x)
        close(evaluate(x), slopes, error, 1e-9)


def test_product_has_the_structure_of_the_argument() -> None:
    f = lambda p: (p["a"] ** 3).sum() * p["b"]  # noqa: E731
    p, direction = {"a": THREE, "b": 2.0}, {"a": np.ones(3), "b": 1.0}
    found = autoopt.hvp(f)(p, direction)
    np.testing.assert_allclose(found["a"], 6 * THREE * 2.0 + 3 * THREE**2)
    assert found["b"] == pytest.approx((3 * THREE**2).sum())


def test_transforms_of_one_function_keep_apart() -> None:
    f = lambda x, d: (x * d).sum() ** 2  # noqa: E731
    gradient = autoopt.grad(f)
    small, large = gradient(THREE, 1.0), gradient(np.ones(4), np.arange(4.0))
    assert small.shape == (3,) and large.shape == (4,)
    np.testing.assert_allclose(gradient(THREE, 1.0), small)


def test_gradients_kept_by_the_caller_are_not_overwritten() -> None:
    gradient = autoopt.grad(lambda x: (x**2).sum())
    first = gradient(THREE)
    gradient(10 * THREE)
    np.testing.assert_array_equal(first, 2 * THREE)


def test_two_threads_take_gradients_at_once() -> None:
    found: dict[int, Any] = {}

    def work(k):
        try:
            found[k] = autoopt.grad(lambda x: np.sum(np.sin(k * x) * np.array([x[0], 1.0, k])))(THREE)
        except BaseException as problem:
            found[k] = problem

    threads = [threading.Thread(target=work, args=(k,)) for k in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (2, 3):
        f = lambda x, k=k: np.sum(np.sin(k * x) * np.array([x[0], 1.0, k]))  # noqa: E731
        close(found[k], *differences.gradient(f, THREE), 1e-9)


# Solvers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", SOLVERS)
def test_every_method_minimises_across_a_branch(method) -> None:
    """Smooth once across the line x[0] = 0, with the start on one side of it and the minimum on the other."""

    def f(x):
        bend = x[0] ** 2 if x[0] > 0 else 3.0 * x[0] ** 2
        return bend + (x[0] + 1.0) ** 2 + np.sum((x[1:] - 2.0) ** 2)

    result = autoopt.minimize(f, np.array([1.5, 0.5]), method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [-0.25, 2.0], rtol=1e-6)


@pytest.mark.parametrize("method", [name for name in SOLVERS if name != "cobyla"])  # creeps along curved valleys
def test_every_method_minimises_rosenbrock_unmodified(method) -> None:
    result = autoopt.minimize(rosenbrock, np.array([-1.2, 1.0]), method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)


# Source ---------------------------------------------------------------------------------------------------------------

_ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("autoopt", "pytensor", "numba", "pandas", "jax"):
            raise ImportError(name + " is not there")
sys.meta_path.insert(0, Refuse())
import numpy as np
import exported
data = dict(np.load("data.npz"))
x, direction = data.pop("x"), data.pop("direction")
function = getattr(exported, sys.argv[1])
def names(function):
    code = function.__code__
    return code.co_varnames[:code.co_argcount]
def pick(function, known):
    return {name: known[name] for name in names(function) if name in known}
if hasattr(exported, "prepare"):
    data |= exported.prepare(**pick(exported.prepare, data))
if hasattr(exported, "linearize"):
    point = names(exported.linearize)[0]
    data |= {point: x} | exported.linearize(x, **pick(exported.linearize, data))
    found = function(direction, **pick(function, data))
else:
    found = function(x, **pick(function, data))
np.savez("found.npz", *(found if isinstance(found, tuple) else (found,)))
assert not {"autoopt", "pytensor", "numba"} & set(sys.modules)
"""

_FUNCTIONS = {"value": "value", "gradient": "value_and_grad", "hessian": "hess", "hvp": "hessp"}


def run_alone(folder, text, name, x, direction, **data) -> list[np.ndarray]:
    """Run an exported module in a process of its own, where NumPy and SciPy are all there is."""
    (folder / "exported.py").write_text(text)
    (folder / "alone.py").write_text(_ALONE)
    np.savez(folder / "data.npz", x=x, direction=direction, **data)
    done = subprocess.run(
        [sys.executable, "alone.py", name],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "found.npz") as found:
        return list(found.values())


@pytest.mark.slow_for("hessian")
@pytest.mark.parametrize("derivatives", _FUNCTIONS)
def test_exported_source_runs_alone(derivatives, tmp_path) -> None:
    def f(beta, X, counts):
        weights = np.log(counts + 1.0)
        if beta[0] > 5:
            return beta.sum()
        return poisson(beta, X, counts) + np.sum(weights * scipy.special.log_ndtr(X @ beta))

    x, direction = np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0, -1.0])
    objective = Objective(f, x, (X, COUNTS))
    text = objective.source(derivatives)
    found = run_alone(tmp_path, text, _FUNCTIONS[derivatives], x, direction, X=X, counts=COUNTS)
    expected = {
        "value": lambda: [objective.value(x)],
        "gradient": lambda: objective.value_and_grad(x),
        "hessian": lambda: [objective.hess(x)],
        "hvp": lambda: [objective.hessp(x, direction)],
    }[derivatives]()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_exported_source_uses_the_users_names() -> None:
    text = made("logistic").source()
    assert "def value_and_grad(w, X, y):" in text and "z = X @ w" in text and "import autoopt" not in text


def test_public_source_is_the_objectives() -> None:
    assert printed(logistic, np.zeros(3), (X, Y), derivatives="hessian") == made("logistic").source("hessian")
    text = autoopt.source(logistic, np.zeros(3), (X, Y), derivatives="hessian")
    assert "def hess(w, X, y):" in text


def test_source_is_a_function_after_anything_was_derived() -> None:
    made("logistic").grad(np.zeros(3))
    assert "def value_and_grad" in printed(logistic, np.zeros(3), (X, Y))


def test_objective_takes_its_data_as_arguments() -> None:
    objective = autoopt.objective(logistic, np.zeros(3), X, Y, engine="numpy")
    assert isinstance(objective, autoopt.Objective) and objective.value(np.zeros(3)) == pytest.approx(12 * np.log(2))
    assert set(objective.timings) == {"trace", "compile"} and objective.timings["trace"] > 0


# Odd objectives -------------------------------------------------------------------------------------------------------


def test_complex_result_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="complex"):
        Objective(lambda x: x[0] + 1j, THREE).grad(THREE)


def test_list_of_arrays_is_data() -> None:
    objective = Objective(lambda x, parts: sum((x * part).sum() for part in parts), THREE, ([np.ones(3), THREE],))
    np.testing.assert_allclose(objective.grad(THREE), 1 + THREE)


def test_library_function_is_an_objective() -> None:
    np.testing.assert_allclose(autoopt.grad(scipy.special.logsumexp)(np.zeros(2)), [0.5, 0.5])


# At zero --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f, x, hessian",
    [
        (lambda x: np.sum(x**1.5), [0.0, 1.0], [[np.inf, 0.0], [0.0, 0.75]]),
        (lambda x: np.sum(np.sqrt(x)), [0.0, 1.0], [[-np.inf, 0.0], [0.0, -0.25]]),
        (lambda x: np.sum(np.maximum(x, 0.0) ** 1.5), [-1.0, 1.0], [[0.0, 0.0], [0.0, 0.75]]),
        (lambda x: np.sum(np.maximum(x, 0.0) ** 0.5), [-1.0, 1.0], [[0.0, 0.0], [0.0, -0.25]]),
        (lambda x: np.sum(np.log(np.maximum(x, 0.0) + (x <= 0))), [-1.0, 2.0], [[0.0, 0.0], [0.0, -0.25]]),
        (
            lambda x: np.sum(np.minimum(x, 0.0) ** 2 + np.sqrt(np.maximum(x, 0.0))),
            [-1.0, 1.0],
            [[2, 0.0], [0.0, -0.25]],
        ),
    ],
)
def test_hessian_beside_an_infinite_or_a_cut_off_slope(f, x, hessian) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(autoopt.hessian(f)(np.array(x)), hessian, atol=1e-15)


def test_slope_of_a_cube_root_at_zero_is_infinite() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(autoopt.grad(lambda x: np.sum(np.cbrt(x)))(np.array([0.0, 1.0])), [np.inf, 1 / 3])


# Keywords -------------------------------------------------------------------------------------------------------------


def scaled(x, a, k=2.0, *, power=2):
    return k * np.sum((a * x) ** power)


def test_transforms_take_keywords():
    x, a = np.array([0.5, 1.5]), np.array([1.0, 2.0])
    gradient = autoopt.grad(scaled)
    np.testing.assert_allclose(gradient(x, a), 4 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a, k=3), 6 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a=a, k=5.0), 10 * a**2 * x)
    np.testing.assert_allclose(gradient(x, k=np.array(5.0), a=2 * a), 40 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a, power=3), 6 * a**3 * x**2)
    assert autoopt.value_and_grad(scaled)(x, a, power=3)[0] == pytest.approx(scaled(x, a, power=3))
    np.testing.assert_allclose(autoopt.hvp(scaled)(x, a, a, k=1.0), 2 * a**3)
    np.testing.assert_allclose(autoopt.hessian(scaled, argnums=1)(x, a, power=2), np.diag(4 * x**2))
    np.testing.assert_allclose(autoopt.jacobian(lambda x, k: k * x)(x, k=3.0), 3 * np.eye(2))


def test_keywords_of_other_data_are_bound_again_not_traced_again():
    runs = []

    def f(x, k):
        runs.append(1)
        return np.sum(k * x**2)

    gradient = autoopt.grad(f)
    gradient(THREE, k=1.0)
    count = len(runs)
    np.testing.assert_allclose(gradient(THREE, k=4.0), 8 * THREE)
    assert len(runs) == count


def test_a_keyword_that_the_function_does_not_take_is_the_users_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'q'"):
        autoopt.grad(scaled)(THREE, THREE, q=1)


def test_copysign_of_a_number_with_itself_is_that_number():
    np.testing.assert_allclose(autoopt.grad(lambda x: np.copysign(x, x).sum())(np.array([0.0, -1.0, 2.0])), 1)


def test_division_without_rest_by_one_is_a_step():
    x = np.array([1.7, -2.3])
    value, gradient = autoopt.value_and_grad(lambda x: np.sum(x // 1 * x))(x)
    assert value == np.sum(np.floor(x) * x)
    np.testing.assert_array_equal(gradient, np.floor(x))


def test_function_that_gathers_entries_is_followed_by_any_argument():
    """What puts the arguments in order is followed into, as the user's own code is."""

    def f(a, x):
        return np.sum(np.array([x[0] * a, x[1] ** 2]) ** 2)

    assert np.allclose(autoopt.hessian(f, 1)(2.0, np.array([1.0, 2.0])), [[8, 0], [0, 48]])


def test_parameters_returned_whole_beside_an_entry_that_is_read():
    identity = autoopt.jacobian(lambda x: x if x[0] > 0 else 2 * x)
    assert np.array_equal(identity(np.array([1.0, 2.0])), np.eye(2))
    assert np.array_equal(identity(np.array([-1.0, 2.0])), 2 * np.eye(2))
