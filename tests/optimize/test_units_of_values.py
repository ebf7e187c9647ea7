"""Global searches find the same minimum whatever the units of f, and whatever constant is added to it."""

import numpy as np
import pytest

import autoopt

BOX = [(-5.12, 4.1)] * 2
SEARCHES = {
    "differential_evolution": {"rng": 0},
    "dual_annealing": {"rng": 0, "maxiter": 200},
    "shgo": {"n": 64, "iters": 3, "sampling_method": "sobol"},
    "direct": {},
}


def rastrigin(x):
    return 20.0 + np.sum(x**2 - 10.0 * np.cos(2 * np.pi * x))


def camel(x):
    """Six humps; two minima are the lowest, at -1.0316285 (Dixon and Szego, 1978)."""
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + 4 * (x[1] ** 2 - 1) * x[1] ** 2


@pytest.mark.parametrize(("size", "constant"), [(1e-20, 0), (1e-12, 0), (1e12, 0), (1, 1e6), (1e-12, 1e-6)])
@pytest.mark.parametrize("name", SEARCHES)
def test_lowest_minimum_is_found_in_any_units(name, size, constant):
    search = getattr(autoopt, name)
    result = search(lambda x: size * rastrigin(x) + constant, BOX, **SEARCHES[name])
    lowest = 0.0 if name != "shgo" else search(rastrigin, BOX, **SEARCHES[name]).fun  # it misses the lowest one here
    assert np.isclose((result.fun - constant) / size, lowest, atol=1e-7), result.message
    assert result.success or name == "direct", result.message  # which may end at its limit of evaluations
    result = search(lambda x: size * camel(x) + constant, [(-3, 3), (-2, 2)], **SEARCHES[name])
    assert np.isclose((result.fun - constant) / size, -1.0316284534898774, atol=1e-7), result.message


def test_what_a_search_keeps_and_shows_is_in_the_units_of_f():
    seen = []

    def watch(intermediate_result):
        seen.append((intermediate_result.fun, intermediate_result.population_energies.min()))

    result = autoopt.differential_evolution(lambda x: rastrigin(x) + 1e6, BOX, rng=0, callback=watch)
    assert np.allclose(result.population_energies, 1e6, atol=100) and np.allclose(seen, 1e6, atol=100)
    found = autoopt.shgo(lambda x: 1e-12 * rastrigin(x), BOX, n=64, sampling_method="sobol")
    assert np.allclose(found.funl, [1e-12 * rastrigin(x) for x in found.xl], rtol=1e-12, atol=0)
    shown = []
    autoopt.dual_annealing(
        lambda x: 1e12 * camel(x),
        [(-3, 3), (-2, 2)],
        rng=0,
        maxiter=50,
        callback=lambda x, f, context: shown.append((x, f)),
    )
    assert shown and all(np.isclose(f, 1e12 * camel(x)) for x, f in shown)


@pytest.mark.parametrize("size", [1e-6, 1e9])
@pytest.mark.slow
def test_jumps_are_accepted_by_the_size_of_what_minima_differ_by(size):
    result = autoopt.basinhopping(lambda x: size * camel(x) + 10 * size, [-2.0, 2.0], niter=60, rng=0)
    assert result.success and np.isclose(result.fun / size - 10, -1.0316284534898774, atol=1e-7)


@pytest.mark.parametrize("unit", [1e-3, 1e-11, 1e-12, 1e-20, 1e-100, 1e12])
def test_small_data_leave_parameters_their_effect(unit):
    t = np.linspace(0, 10, 40)
    y = np.exp(-0.3 * t) * (1 + 0.05 * np.random.default_rng(0).normal(size=40))
    model = lambda t, a, b: a * np.exp(-b * t)  # noqa: E731
    expected = autoopt.curve_fit(model, t, y)[0]
    found = autoopt.curve_fit(model, t, unit * y)[0]
    assert found / [unit, 1] == pytest.approx(expected, rel=1e-8)
    assert autoopt.least_squares(lambda p: model(t, *p) - unit * y, [1.0, 1.0]).success
