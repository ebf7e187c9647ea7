"""The tools that are compared. Each takes a problem and its data and returns derivatives that map arrays to arrays.

A tool is one decorated function; its packages are imported inside it, so that a fresh process pays for one tool only.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks import problems
from benchmarks.problems import Problem


@dataclass(frozen=True)
class Derivatives:
    """What a tool offers for one problem; None for what it does not."""

    value_and_grad: Callable | None = None  # x -> (value, gradient (n,))
    hessp: Callable | None = None  # (x, p) -> (n,)
    hess: Callable | None = None  # x -> (n, n)


TOOLS: dict[str, Callable[[Problem, np.ndarray, tuple], Derivatives]] = {}


def tool(name: str) -> Callable:
    """Enter the decorated function in TOOLS."""
    return partial(TOOLS.setdefault, name)


def translated(function: Callable, modules: Mapping[str, object]) -> Callable:
    """Return the function with other modules under the names it uses: its text as written for another tool."""
    namespace = function.__globals__ | dict(modules)
    return types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)


def once_per_point(linearise: Callable) -> Callable:
    """Return hessp(x, p) that linearises only when x is a new array."""
    held: list = [None, None]

    def hessp(x, p):
        if held[0] is not x:
            held[:] = x, linearise(x)
        return held[1](p)

    return hessp


@tool("numpy")
def by_hand(problem: Problem, x0: np.ndarray, data: tuple) -> Derivatives:
    """NumPy written by hand: the yardstick of every ratio."""
    linearise, hess = problem.linearise, problem.hess
    return Derivatives(
        lambda x: problem.value_and_grad(x, *data),
        linearise and once_per_point(lambda x: linearise(x, *data)),
        hess and (lambda x: hess(x, *data)),
    )


@tool("autoopt")
def autoopt(problem: Problem, x0: np.ndarray, data: tuple) -> Derivatives:
    """autoopt with its default engine."""
    from autoopt.objectives.objective import Objective

    objective = Objective(problem.objective, x0, data)
    return Derivatives(objective.value_and_grad, objective.hessp, objective.hess)


@tool("jax")
def jax(problem: Problem, x0: np.ndarray, data: tuple) -> Derivatives:
    """JAX in float64, everything jitted; the data live on its side from the start, its hvp is jvp of grad."""
    import jax
    import jax.numpy as jnp

    if problem.objective is problems.rosenbrock_loop:  # half a minute to compile, and not how JAX is written
        return Derivatives()
    jax.config.update("jax_enable_x64", True)
    f = translated(problem.objective, {"np": jnp})
    arrays = [jnp.asarray(part) for part in data if isinstance(part, np.ndarray)]
    static = [part for part in data if not isinstance(part, np.ndarray)]

    def compiled(make):
        """Return jit(make(f)) with the data as arguments, so that they are not constants in the program."""
        run = jax.jit(lambda x, arrays, *rest: make(lambda x: f(x, *arrays, *static))(x, *rest))
        return lambda *vectors: run(vectors[0], arrays, *vectors[1:])

    value_and_grad = compiled(jax.value_and_grad)
    hessp = compiled(lambda f: lambda x, p: jax.jvp(jax.grad(f), (x,), (p,))[1])
    hess = compiled(jax.hessian)

    def as_numpy(x):
        value, gradient = value_and_grad(x)
        return float(value), np.asarray(gradient)

    return Derivatives(as_numpy, lambda x, p: np.asarray(hessp(x, p)), lambda x: np.asarray(hess(x)))


@tool("autograd")
def autograd(problem: Problem, x0: np.ndarray, data: tuple) -> Derivatives:
    """autograd, which retraces at every call."""
    import autograd
    import autograd.numpy as anp

    f = translated(problem.objective, {"np": anp})

    def at(x):
        return f(x, *data)

    return Derivatives(
        autograd.value_and_grad(at),
        autograd.differential_operators.hessian_vector_product(at),
        autograd.hessian(at),
    )


@tool("casadi")
def casadi(problem: Problem, x0: np.ndarray, data: tuple) -> Derivatives:
    """CasADi, where its matrix expressions say the same; data are parameters of the functions."""
    import casadi as ca

    write = CASADI.get(problem.objective)
    if write is None:
        return Derivatives()
    x, p = ca.MX.sym("x", x0.size), ca.MX.sym("p", x0.size)
    symbols = [ca.MX.sym(f"data{i}", *np.atleast_2d(part.T).T.shape) for i, part in enumerate(data)]
    held = [ca.DM(part) for part in data]
    value = write(ca, x, *symbols)
    gradient = ca.gradient(value, x)
    both = ca.Function("value_and_grad_of_x", [x, *symbols], [value, gradient])
    product = ca.Function("hessp_of_x", [x, p, *symbols], [ca.jtimes(gradient, x, p)])
    hessian = ca.Function("hess_of_x", [x, *symbols], [ca.hessian(value, x)[0]])

    def value_and_grad(x):
        value, gradient = both(x, *held)
        return float(value), gradient.toarray().ravel()

    return Derivatives(
        value_and_grad,
        lambda x, p: product(x, p, *held).toarray().ravel(),
        lambda x: hessian(x, *held).toarray(),
    )


def _casadi_rosenbrock(ca, x):
    return 100 * ca.sumsqr(x[1:] - x[:-1] ** 2) + ca.sumsqr(1 - x[:-1])


def _casadi_logistic(ca, x, X, y):
    eta = ca.mtimes(X, x)
    return ca.sum1(ca.fmax(eta, 0) + ca.log1p(ca.exp(-ca.fabs(eta))) - y * eta)


def _casadi_poisson(ca, x, X, y, exposure):
    eta = ca.mtimes(X, x)
    return ca.sum1(exposure * ca.exp(eta) - y * eta)


CASADI = {
    problems.trivial: lambda ca, x: ca.sumsqr(x),
    problems.rosenbrock: _casadi_rosenbrock,
    problems.rosenbrock_loop: lambda ca, x: problems.rosenbrock_loop([x[i] for i in range(x.numel())]),
    problems.logistic: _casadi_logistic,
    problems.poisson: _casadi_poisson,
}
