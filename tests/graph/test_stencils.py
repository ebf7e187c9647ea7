"""Programs that move grids in time, some of a size without an inside: gradients, Hessians, machine code."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autoopt
from autoopt.execution import tiering


def swapped(x, c):
    A, B = x.reshape(c.shape).copy(), x.reshape(c.shape).copy()
    for _ in range(5):
        B[1:-1] = 0.3 * (A[:-2] + A[1:-1] + A[2:])
        A, B = B, A
    return np.sum(c * A**2) + np.sum(B)


def edges(x, c):
    """As in a channel: what is at the edges is what is next to them."""
    p = x.reshape(c.shape).copy()
    for _ in range(4):
        q = p.copy()
        p[1:-1, 1:-1] = 0.25 * (q[2:, 1:-1] + q[:-2, 1:-1] + q[1:-1, 2:] + q[1:-1, :-2]) - c[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = 2.0 * p[:, 1]
        p[-1, :] = 0
    return np.sum(p**2 * c)


def wave(x, c):
    old = x.reshape(c.shape)
    now = old.copy()
    for _ in range(6):
        new = 2.0 * now - old
        new[1:-1] += c[1:-1] * (now[2:] - 2.0 * now[1:-1] + now[:-2])
        new[0] = 0.0
        old, now = now, new
    return np.sum(now**2) + np.sum(old * c)


def advection(x, c):
    u = x.reshape(c.shape).copy()
    for _ in range(4):
        un = u.copy()
        u[1:, 1:] = (
            un[1:, 1:] - 0.1 * un[1:, 1:] * (un[1:, 1:] - un[:-1, 1:]) - 0.1 * (un[1:, 1:] - un[1:, :-1]) * c[1:, 1:]
        )
        u[0] = u[:, 0] = 1.0
    return np.sum(u**2)


def reaction(x, c):
    """Gray and Scott's, on a grid without edges."""
    u, v = x.reshape(c.shape), c
    for _ in range(4):
        turn = u * v**2
        lu = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4.0 * u
        lv = np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1) - 4.0 * v
        u = u + 0.1 * lu - turn + 0.04 * (1.0 - u)
        v = v + 0.05 * lv + turn - 0.1 * v
    return np.sum(u * v) + np.sum(v**2)


def gauss_seidel(x, c):
    u = x.reshape(c.shape).copy()
    for _ in range(2):
        for i in range(1, len(u) - 1):
            u[i, 1:-1] = 0.25 * (u[i - 1, 1:-1] + u[i + 1, 1:-1] + u[i, 2:] + u[i, :-2]) + c[i, 1:-1]
    return np.sum(u**2)


def red_and_black(x, c):
    u = x.reshape(c.shape).copy()
    for _ in range(3):
        u[1:-1:2] = 0.5 * (u[:-2:2] + u[2::2])[: len(u[1:-1:2])]
        u[2:-1:2] = 0.5 * (u[1:-2:2] + u[3::2])[: len(u[2:-1:2])]
    return np.sum(u**2 * c)


def no_steps(x, c):
    u = x.reshape(c.shape).copy()
    for _ in range(len(c) * 0):
        u[1:-1] = 0.5 * (u[2:] + u[:-2])
    return np.sum(u**2 * c)


def kept(x, c):
    u, total = x.reshape(c.shape).copy(), 0.0
    for t in range(4):
        v = u.copy()
        v[1:] += 0.3 * u[:-1] * c[1:]
        u = np.maximum(v, 0.1)
        total += np.sum(v) * (t + 1)
    return total + np.sum(u**2)


CASES = [
    *((f, shape) for f in (swapped, wave, kept, no_steps) for shape in ((1,), (2,), (3,), (9,), (4, 2))),
    *((f, shape) for f in (edges, advection) for shape in ((2, 2), (3, 3), (3, 5), (6, 7))),
    *((f, shape) for f in (reaction, gauss_seidel) for shape in ((1, 1), (2, 3), (5, 4))),
    *((red_and_black, (n,)) for n in (4, 5, 8, 9)),
]


@pytest.mark.parametrize(("f", "shape"), CASES, ids=lambda part: getattr(part, "__name__", str(part)))
def test_grids_in_time_have_their_gradients(f, shape, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    x, c = rng.uniform(0.2, 1.0, size=int(np.prod(shape))), rng.uniform(size=shape)
    objective = autoopt.objective(f, x, c)
    value, gradient = objective.value_and_grad(x)
    assert value == pytest.approx(f(x, c), rel=1e-13)
    steps = 1e-5 * np.eye(len(x))
    slopes = [(f(x + step, c) - f(x - step, c)) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-8)
    product = (objective.grad(x + 1e-5) - objective.grad(x - 1e-5)) / 2e-5
    np.testing.assert_allclose(objective.hessp(x, np.ones_like(x)), product, rtol=1e-6, atol=1e-7)
    for name, number in {"COST": 0.0, "LINE": 0.0, "GAIN": np.inf}.items():
        monkeypatch.setattr(tiering, name, number)
    compiled = autoopt.objective(f, x, c)
    for k in range(3):
        point = x + 0.1 * k
        found, slopes = compiled.value_and_grad(point)
        assert found == pytest.approx(objective.value(point), rel=1e-12)
        np.testing.assert_allclose(slopes, objective.grad(point), rtol=1e-12, atol=1e-13)


def test_a_linear_stencil_keeps_no_states_and_copies_no_edges() -> None:
    c = np.ones((6, 5))
    source = autoopt.objective(edges, c.ravel(), c).source()
    assert "np.empty" not in source
    assert len(re.findall(r"(\w+)\[:, -1\] = \1\[:, 3\]\n", source)) == 4
    assert len(re.findall(r"(\w+)\[:, 1\] \+= 2.0 \* \1\[:, 0\]\n", source)) == 4
