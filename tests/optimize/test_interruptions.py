"""Ctrl-C in any front door: the best point so far is kept, with what was counted until then."""

import numpy as np
import pytest

import autoopt
from autoopt.objectives.objective import Objective
from autoopt.solvers import Interrupted

TIMES = np.linspace(0, 3, 25)
HEIGHTS = 2.5 * np.exp(-1.3 * TIMES) + 0.5
BOX = [(-5.12, 4.1)] * 2


def rastrigin(x):
    return 20.0 + np.sum(x**2 - 10.0 * np.cos(2 * np.pi * x))


def decay(t, a, rate, level):
    return a * np.exp(-rate * t) + level


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def equations(x):
    return np.array([x[0] ** 2 + x[1] - 3, np.exp(x[0]) - x[1]])


CALLS = {
    "differential_evolution": lambda: autoopt.differential_evolution(rastrigin, BOX, rng=0),
    "dual_annealing": lambda: autoopt.dual_annealing(rastrigin, BOX, rng=0, maxiter=100),
    "basinhopping": lambda: autoopt.basinhopping(rastrigin, [3.0, 3.0], rng=0),
    "shgo": lambda: autoopt.shgo(rastrigin, BOX, n=64, sampling_method="sobol"),
    "direct": lambda: autoopt.direct(rastrigin, BOX),
    "starts": lambda: autoopt.minimize(rastrigin, [3.0, 3.0], starts=20),
    "nelder-mead": lambda: autoopt.minimize(rastrigin, [3.2, 3.1], method="nelder-mead"),
    "powell": lambda: autoopt.minimize(rastrigin, [3.2, 3.1], method="powell"),
    "curve_fit": lambda: autoopt.curve_fit(decay, TIMES, HEIGHTS, p0=[10.0, 5.0, -3.0]),
    "lm": lambda: autoopt.least_squares(rosenbrock, [-1.2, 1.0], method="lm"),
    "trf": lambda: autoopt.least_squares(rosenbrock, [-1.2, 1.0], method="trf"),
    "hybr": lambda: autoopt.root(equations, [4.0, 9.0], method="hybr"),
    "krylov": lambda: autoopt.root(equations, [4.0, 9.0], method="krylov"),
    "brent": lambda: autoopt.minimize_scalar(lambda x: (x - 2) ** 4 + np.cos(x)),
    "bounded": lambda: autoopt.minimize_scalar(lambda x: (x - 2) ** 4 + np.cos(x), bounds=(-5, 8)),
}


class Interrupting:
    """Counts evaluations of compiled functions, and raises in the last one; keeps the lowest value of scalar ones."""

    def __init__(self, monkeypatch):
        self.count, self.last, self.lowest = 0, np.inf, np.inf
        for name in ("value", "value_and_grad"):
            monkeypatch.setattr(Objective, name, self._around(getattr(Objective, name)))

    def _around(self, function):
        def evaluate(objective, *args, **options):
            self.count += 1
            if self.count == self.last:
                raise KeyboardInterrupt
            given = function(objective, *args, **options)
            value = given[0] if isinstance(given, tuple) else given
            self.lowest = min(self.lowest, float(np.sum(np.square(value)) if np.ndim(value) else value))
            return given

        return evaluate


@pytest.mark.parametrize("name", CALLS)
def test_best_point_and_counts_are_kept(name, monkeypatch):
    watch = Interrupting(monkeypatch)
    CALLS[name]()
    watch.last, watch.count, watch.lowest = max(watch.count // 2, 5), 0, np.inf
    with pytest.raises(Interrupted) as caught:
        CALLS[name]()
    result = caught.value.result
    assert not result.success and "Interrupted" in result.message and "x is the best point" in result.message
    assert result.nit > 0 and result.nfev > 0 and f"{result.nit} iteration" in str(caught.value)
    value = (
        2 * result.cost if "cost" in result else np.sum(np.square(result.fun)) if np.ndim(result.fun) else result.fun
    )
    if name not in ("hybr", "krylov"):  # which weigh the equations
        assert np.isclose(value, watch.lowest, rtol=1e-12)
    assert np.shape(result.x_flat)


def test_minima_that_were_found_are_kept(monkeypatch):
    watch = Interrupting(monkeypatch)
    complete = CALLS["starts"]()
    watch.last, watch.count = watch.count * 2 // 3, 0
    with pytest.raises(Interrupted) as caught:
        CALLS["starts"]()
    found = caught.value.result.minima
    assert 1 < len(found) < len(complete.minima)
    assert {round(one.fun, 6) for one in found} <= {round(one.fun, 6) for one in complete.minima}
