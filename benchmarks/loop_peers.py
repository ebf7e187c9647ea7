"""How other tools take the loops and recurrences: the loop as it is written where they can, `lax.scan` beside it.

A tool is one decorated function from a case to a function of x that returns value and gradient; what it cannot take
raises `CannotTake` with the reason. Packages are imported inside, so that a fresh process pays for one tool only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from benchmarks import loops, recurrences
from benchmarks.peers import translated


class CannotTake(Exception):
    """Why a tool cannot differentiate a program as it is written."""


LOOP_TOOLS: dict[str, Callable] = {}
BRANCH, WRITE = "branches on a value", "writes into an array"
REASONS = {
    "jax": {"ragged": BRANCH, "dispatch": WRITE},
    "autograd": {"dispatch": WRITE},
    "casadi": {"ragged": BRANCH, "dispatch": WRITE},
}


def tool(name: str) -> Callable:
    """Enter the decorated function in LOOP_TOOLS."""
    return partial(LOOP_TOOLS.setdefault, name)


def as_written(case: NamedTuple, name: str, modules: dict[str, Any]) -> Callable:
    """Return the objective with a tool's own modules; GARCH without the array that it fills."""
    reason = REASONS[name].get(case.name.split()[0])
    if reason:
        raise CannotTake(reason)
    if case.objective is recurrences.garch:
        return translated(recurrences.garch_of_scalars, modules)
    return translated(case.objective, modules)


@tool("jax")
def jax_loop(case: NamedTuple) -> Callable:
    """JAX with jit and float64, the loop unrolled as its trace does."""
    jax = _jax()
    modules = {"np": jax.numpy, "logsumexp": jax.scipy.special.logsumexp}
    f = as_written(case, "jax", modules)
    return _jitted(jax, lambda x: f(x, *case.data))


@tool("jax scan")
def jax_scan(case: NamedTuple) -> Callable:
    """JAX with the recurrence rewritten by hand as `lax.scan`."""
    write = SCANS.get(case.objective)
    if write is None:
        raise CannotTake("no recurrence")
    jax = _jax()
    return _jitted(jax, lambda x: write(jax, x, *case.data))


@tool("autograd")
def autograd_loop(case: NamedTuple) -> Callable:
    """autograd, which retraces at every call."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    f = as_written(case, "autograd", {"np": anp, "logsumexp": logsumexp})
    return autograd.value_and_grad(lambda x: f(x, *case.data))


@tool("casadi")
def casadi_loop(case: NamedTuple) -> Callable:
    """CasADi's SX, built entry by entry by the loop; HMM and Kalman in its own matrix functions."""
    import casadi as ca

    x = ca.SX.sym("x", case.x.size)
    write = MATRICES.get(case.objective)
    entries = [x[k] for k in range(case.x.size)]
    value = write(ca, x, *case.data) if write else as_written(case, "casadi", {"np": np})(entries, *case.data)
    both = ca.Function("value_and_gradient", [x], [value, ca.gradient(value, x)])

    def value_and_grad(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = both(x)
        return float(value), gradient.toarray().ravel()

    return value_and_grad


def _jax() -> ModuleType:
    import jax
    import jax.scipy.special

    jax.config.update("jax_enable_x64", True)
    return jax


def _jitted(jax: ModuleType, f: Callable) -> Callable:
    run = jax.jit(jax.value_and_grad(f))

    def value_and_grad(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = run(x)
        return float(value), np.asarray(gradient)

    return value_and_grad


# The recurrences as lax.scan -----------------------------------------------------------------------------------------


def _garch_scan(jax, p, y):
    jnp = jax.numpy
    start = jnp.var(y)

    def step(s, before):
        s = p[0] + p[1] * before**2 + p[2] * s
        return s, s

    s = jnp.concatenate([start[None], jax.lax.scan(step, start, y[:-1])[1]])
    return 0.5 * jnp.sum(jnp.log(s) + y**2 / s)


def _forward_scan(jax, p, y, k=3):
    logsumexp = jax.scipy.special.logsumexp
    logits = p[: k * k].reshape(k, k)
    transition = logits - logsumexp(logits, axis=1)[:, None]

    def step(alpha, value):
        return logsumexp(alpha[:, None] + transition, axis=0) - 0.5 * (value - p[k * k :]) ** 2, None

    return -logsumexp(jax.lax.scan(step, -0.5 * (y[0] - p[k * k :]) ** 2, y[1:])[0])


def _kalman_scan(jax, p, y):
    jnp = jax.numpy
    F, H = jnp.eye(4) + jnp.diag(jnp.full(3, 0.1), 1), jnp.eye(4)[:2]
    Q, R = jnp.exp(p[0]) * jnp.eye(4), jnp.exp(p[1]) * jnp.eye(2)

    def step(carry, observed):
        m, P = F @ carry[0], F @ carry[1] @ F.T + Q
        S = H @ P @ H.T + R
        v = observed - H @ m
        gain = jnp.linalg.solve(S, H @ P).T
        term = 0.5 * (jnp.linalg.slogdet(S)[1] + v @ jnp.linalg.solve(S, v))
        return (m + gain @ v, P - gain @ S @ gain.T), term

    return jnp.sum(jax.lax.scan(step, (jnp.zeros(4), jnp.eye(4)), y)[1])


def _rk4_scan(jax, p, observed):
    jnp = jax.numpy

    def slope(z):
        return jnp.array([p[0] * z[0] - p[1] * z[0] * z[1], p[3] * z[0] * z[1] - p[2] * z[1]])

    def step(z, value):
        h = 0.01
        a = slope(z)
        b = slope(z + 0.5 * h * a)
        c = slope(z + 0.5 * h * b)
        d = slope(z + h * c)
        z = z + h / 6 * (a + 2 * b + 2 * c + d)
        return z, (z[0] - value) ** 2

    return jnp.sum(jax.lax.scan(step, jnp.array([1.1, 0.5]), observed)[1])


SCANS = {
    recurrences.garch: _garch_scan,
    recurrences.forward: _forward_scan,
    recurrences.kalman: _kalman_scan,
    recurrences.rk4: _rk4_scan,
}


# Matrices in CasADi ---------------------------------------------------------------------------------------------------


def _forward_casadi(ca, p, y, k=3):
    def logsumexp(column):
        top = ca.mmax(column)
        return top + ca.log(ca.sum1(ca.exp(column - top)))

    logits = ca.reshape(p[: k * k], k, k).T
    transition = ca.vertcat(*[logits[i, :] - logsumexp(logits[i, :].T) for i in range(k)])
    alpha = -0.5 * (y[0] - p[k * k :]) ** 2
    for t in range(1, len(y)):
        mixed = ca.vertcat(*[logsumexp(alpha + transition[:, j]) for j in range(k)])
        alpha = mixed - 0.5 * (y[t] - p[k * k :]) ** 2
    return -logsumexp(alpha)


def _kalman_casadi(ca, p, y):
    F = ca.DM(np.eye(4) + np.diag(np.full(3, 0.1), 1))
    H = ca.DM(np.eye(4)[:2])
    Q, R = ca.exp(p[0]) * ca.DM.eye(4), ca.exp(p[1]) * ca.DM.eye(2)
    m, P, total = ca.DM.zeros(4), ca.DM.eye(4), 0.0
    for t in range(len(y)):
        m, P = F @ m, F @ P @ F.T + Q
        S = H @ P @ H.T + R
        v = ca.DM(y[t]) - H @ m
        gain = ca.solve(S, H @ P).T
        total += 0.5 * (ca.log(ca.det(S)) + v.T @ ca.solve(S, v))
        m, P = m + gain @ v, P - gain @ S @ gain.T
    return total


MATRICES = {recurrences.forward: _forward_casadi, recurrences.kalman: _kalman_casadi}


def all_cases() -> dict[str, Any]:
    """Return loops and recurrences by name."""
    return {case.name: case for case in [*loops.cases(), *recurrences.cases()]}
