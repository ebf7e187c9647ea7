"""Constrained problems in small units whose start is 0: the minimum in these units, whatever they are."""

import numpy as np
import pytest

import autoopt

METHODS = (None, "trust-constr", "cobyla", "cobyqa")
UNITS = (1.0, 1e-7, 1e-10, 1e-12)

# Of (x / s - (2, 1))^2: what is asked, with bounds, and the minimum by hand.
PROBLEMS = {
    "line": (lambda s: {"type": "ineq", "fun": lambda x: 2 * s - x[0] - x[1]}, (None, None), 0.5),
    "line and bound": (lambda s: {"type": "ineq", "fun": lambda x: 2 * s - x[0] - x[1]}, (1.2, None), 0.68),
    "equation": (lambda s: {"type": "eq", "fun": lambda x: 2 * s - x[0] - x[1]}, (1.2, None), 0.68),
    "equation without units": (lambda s: {"type": "eq", "fun": lambda x: 2 - x[0] / s - x[1] / s}, (1.2, None), 0.68),
    "ball": (
        lambda s: {"type": "ineq", "fun": lambda x: s**2 - x[0] ** 2 - x[1] ** 2},
        (None, None),
        (5**0.5 - 1) ** 2,
    ),
    "ball and bound": (
        lambda s: {"type": "ineq", "fun": lambda x: 1 - (x[0] / s) ** 2 - (x[1] / s) ** 2},
        (0.5, None),
        1.5**2 + (0.75**0.5 - 1) ** 2,
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_minimum_is_found_in_small_units(name, method):
    constraint, highest, least = PROBLEMS[name]
    for s in UNITS:

        def f(x, s=s):
            return (x[0] / s - 2) ** 2 + (x[1] / s - 1) ** 2

        bounds = [(0, None if high is None else high * s) for high in highest]
        r = autoopt.minimize(f, [0.0, 0.0], bounds=bounds, constraints=constraint(s), method=method)
        assert r.success, (s, r.message)
        assert abs(r.fun - least) <= 1e-6, (s, r.x / s)


# Where f has no curvature, or its minimum is far away, constraints and bounds show sizes; one parameter alone may be
# small, and one that is not is left as it is.
OTHERS = {
    "linear": (
        lambda x, s: -(x[0] + x[1]) / s,
        lambda s: {"type": "ineq", "fun": lambda x: 1 - (x[0] ** 2 + x[1] ** 2) / s**2},
        lambda s: -(2**0.5),
    ),
    "far": (
        lambda x, s: (x[0] - 1) ** 2 + (x[1] - 1) ** 2,
        lambda s: {"type": "ineq", "fun": lambda x: 2 * s - x[0] - x[1]},
        lambda s: 2 * (1 - s) ** 2,
    ),
    "one alone": (
        lambda x, s: (x[0] - 2) ** 2 + (x[1] / s - 1) ** 2,
        lambda s: {"type": "ineq", "fun": lambda x: 2 - x[0] - x[1] / s},
        lambda s: 0.5,
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", OTHERS)
def test_sizes_are_those_of_what_is_there(name, method):
    f, constraint, least = OTHERS[name]
    for s in (1e-6, 1e-9):
        bounds = [(0, None)] * 2
        r = autoopt.minimize(f, [0.0, 0.0], (s,), method=method, bounds=bounds, constraints=constraint(s))
        assert r.success, (s, r.message)
        assert abs(r.fun - least(s)) <= 1e-9, (s, r.x)
        assert r.jac == pytest.approx(autoopt.grad(f)(r.x, s))
        made = r.multipliers[0] @ [autoopt.grad(constraint(s)["fun"])(r.x)] + r.multipliers[-1]
        assert made == pytest.approx(r.jac, rel=1e-6, abs=1e-6 * np.max(np.abs(r.jac)))


def test_parameters_of_ordinary_size_are_left_as_they_are():
    def f(x):
        return (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2 + (x[2] - 1e-9) ** 2

    r = autoopt.minimize(f, [0.0, 0.0, 0.0], constraints={"type": "ineq", "fun": lambda x: 2.5 - x[0] - x[1]})
    assert r.success and not r.notes
    assert r.x == pytest.approx([0.5, 2.0, 1e-9], abs=1e-10)


def test_the_callback_sees_the_users_parameters():
    seen = []
    s = 1e-9
    r = autoopt.minimize(
        lambda x: (x[0] / s - 2) ** 2 + (x[1] / s - 1) ** 2,
        [0.0, 0.0],
        constraints={"type": "ineq", "fun": lambda x: 2 * s - x[0] - x[1]},
        callback=lambda x: seen.append(np.array(x)),
    )
    assert r.success and np.max(np.abs(seen)) < 10 * s
    assert any("small" in note for note in r.notes)


@pytest.mark.parametrize("method", ["slsqp", "cobyqa"])
@pytest.mark.parametrize("s", [1e6, 1e8, 1e10])
def test_large_units_are_no_obstacle(s, method):
    for kind, bounds, least in (("eq", [(0, 1.2 * s), (0, None)], 0.68), ("ineq", None, 0.5)):
        r = autoopt.minimize(
            lambda x: (x[0] / s - 2) ** 2 + (x[1] / s - 1) ** 2,
            [s / 2, s / 2],
            bounds=bounds,
            constraints={"type": kind, "fun": lambda x: 2 * s - x[0] - x[1]},
            method=method,
        )
        assert r.success, r.message
        assert r.fun == pytest.approx(least, abs=1e-6)
