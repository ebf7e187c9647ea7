"""Global searches: SciPy's with the same seed, the gradient by hand, and what would be ignored."""

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import LinearConstraint, NonlinearConstraint

import autoopt
from autoopt.errors import UsageError
from autoopt.solvers import Interrupted

SHIFT = np.array([0.3, -0.7, 1.1])
BOX = [(-5.12, 5.12)] * 3


def rastrigin(x, shift):
    y = x - shift
    return 10.0 * y.size + np.sum(y**2 - 10.0 * np.cos(2 * np.pi * y))


def ackley(x, shift):
    y = x - shift
    return -20 * np.exp(-0.2 * np.sqrt(np.mean(y**2) + 1e-4)) - np.exp(np.mean(np.cos(2 * np.pi * y)))


SEARCHES = {
    "differential_evolution": {"seed": 3},
    "dual_annealing": {"seed": 3, "maxiter": 200},
    "shgo": {"n": 60, "iters": 3, "sampling_method": "sobol"},
    "direct": {"vol_tol": 1e-10},
}


@pytest.mark.parametrize("name", SEARCHES)
def test_search_ends_no_higher_than_scipys_and_at_a_minimum(name):
    ours = getattr(autoopt, name)(rastrigin, BOX, args=(SHIFT,), **SEARCHES[name])
    given = {("rng" if key == "seed" else key): value for key, value in SEARCHES[name].items()}
    theirs = getattr(optimize, name)(rastrigin, BOX, args=(SHIFT,), **given)
    assert ours.success == theirs.success, ours.message  # direct ends at its limit of evaluations
    assert ours.fun <= theirs.fun + 1e-9 and ours.method == name
    slope = 2 * (ours.x - SHIFT) + 20 * np.pi * np.sin(2 * np.pi * (ours.x - SHIFT))
    assert np.max(np.abs(slope)) < 1e-5 and np.allclose(ours.jac, slope, atol=1e-10)
    assert ours.verification.passed and ours.nfev <= 1.1 * theirs.nfev + 100
    assert set(theirs) - {"nlfev", "nljev", "nlhev"} <= set(ours)


@pytest.mark.parametrize("name", ["differential_evolution", "dual_annealing"])
def test_the_global_minimum_is_found_to_all_digits(name):
    result = getattr(autoopt, name)(rastrigin, BOX, args=(SHIFT,), **SEARCHES[name])
    assert np.allclose(result.x, SHIFT, atol=1e-8)


@pytest.mark.parametrize("name", ["differential_evolution", "dual_annealing"])
def test_seeds_decide(name):
    search, given = getattr(autoopt, name), {"args": (SHIFT,), "maxiter": 20}
    one, same, other = (search(rastrigin, BOX, **given, rng=seed).nfev for seed in (1, 1, 2))
    assert one == same != other


def test_basinhopping_takes_fewer_calls_than_scipy_with_differences():
    start, given = np.full(3, 3.0), {"niter": 40, "stepsize": 1.0}
    inner = {"args": (SHIFT,)}
    ours = autoopt.basinhopping(rastrigin, start, seed=5, minimizer_kwargs=inner, **given)
    theirs = optimize.basinhopping(rastrigin, start, rng=5, minimizer_kwargs=inner, **given)
    assert ours.success and ours.fun <= theirs.fun + 1e-9 and ours.nfev < 0.75 * theirs.nfev
    assert ours.lowest_optimization_result.fun == pytest.approx(ours.fun, abs=1e-12)
    assert ours.minimization_failures == 0 and ours.nit == 40


@pytest.mark.slow
def test_basinhopping_has_structure_bounds_and_methods():
    def f(p):
        return np.sum(np.cos(3 * p["a"])) + 0.1 * np.sum((p["a"] - 2) ** 2)

    inner = {"method": "trust-constr", "bounds": {"a": (-1.0, 1.5)}}
    result = autoopt.basinhopping(f, {"a": np.zeros(2)}, niter=5, seed=1, minimizer_kwargs=inner)
    expected = optimize.minimize_scalar(lambda a: np.cos(3 * a) + 0.1 * (a - 2) ** 2, bounds=(0.5, 1.5)).x
    assert result.success and np.allclose(result.x["a"], expected, atol=1e-5)


def test_shgo_lists_its_minima():
    result = autoopt.shgo(lambda x: (x[0] ** 2 - 1) ** 2 + 0.1 * x[0] + x[1] ** 2, [(-2, 2), (-1, 1)], n=50)
    assert len(result.xl) == 2 and result.funl[0] < result.funl[1]
    assert np.allclose(result.xl[:, 1], 0.0, atol=1e-6) and result.x[0] < 0


@pytest.mark.parametrize("name", ["differential_evolution", "shgo"])
def test_constraints_hold(name):
    """The lowest point of x0 + x1 on the ring between radius 1 and 2, and above a line."""
    ring = NonlinearConstraint(lambda x: x @ x, 1.0, 4.0)
    line = LinearConstraint([[1.0, -1.0]], 0.0, np.inf)
    more = {"seed": 1} if name == "differential_evolution" else {}
    constraints = (ring, line) if name == "differential_evolution" else [{"type": "ineq", "fun": lambda x: 4 - x @ x}]
    result = getattr(autoopt, name)(lambda x: x[0] + x[1], [(-3, 3)] * 2, constraints=constraints, **more)
    assert result.success, result.message
    assert np.allclose(result.x, -np.sqrt(2.0), atol=1e-6)


@pytest.mark.parametrize("name", SEARCHES)
def test_undefined_points_are_tolerated(name):
    def f(x):
        if x[0] + x[1] < 0.5:
            raise ValueError("outside")
        return np.sum((x - 2.0) ** 2) - np.log(x[0] + x[1] - 0.5)

    with np.errstate(all="ignore"):
        result = getattr(autoopt, name)(f, [(-3.0, 4.0)] * 2, **SEARCHES[name])
    assert result.success or name == "direct", result.message  # which ends at its limit of evaluations
    t = max(np.roots([4.0, -9.0, 1.0]))  # both x are t, where 2 (t - 2) = 1 / (2 t - 0.5)
    assert np.allclose(result.x, t, atol=1e-7) and result.nundefined > 0


def test_population_that_has_not_converged_is_no_success():
    result = autoopt.differential_evolution(rastrigin, BOX, args=(SHIFT,), maxiter=2, rng=1)
    assert not result.success and "Maximum number of iterations" in result.message
    assert result.population.shape[1] == 3
    assert "The search was cut short after" in result.diagnosis[0]


def test_callbacks_are_scipys_and_end_the_search():
    seen = []

    def callback(x, convergence):
        seen.append(convergence)
        return len(seen) == 3

    result = autoopt.differential_evolution(rastrigin, BOX, args=(SHIFT,), callback=callback, rng=1)
    assert len(seen) == 3 and not result.success


def test_interruption_keeps_the_best_point():
    calls = []

    def callback(x, f, context):
        calls.append(f)
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        autoopt.dual_annealing(rastrigin, BOX, args=(SHIFT,), callback=callback, seed=1)
    assert caught.value.result.fun <= calls[0]


BOUNDS = [(-1.0, 1.0)] * 2


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("differential_evolution", {"workers": 2}, "workers would be ignored"),
        ("differential_evolution", {"vectorized": True}, "vectorized would be ignored"),
        ("differential_evolution", {"integrality": [1, 0]}, "integrality would be ignored"),
        ("differential_evolution", {"rng": 1, "seed": 2}, "both rng and seed"),
        ("dual_annealing", {"minimizer_kwargs": {"jac": "2-point"}}, "minimizer_kwargs has 'jac'"),
        ("shgo", {"workers": 2}, "workers would be ignored"),
        ("shgo", {"minimizer_kwargs": {"method": "bfgs"}}, "minimizer_kwargs has 'method'"),
    ],
)
def test_what_would_be_ignored_is_refused(name, given, message):
    with pytest.raises(UsageError, match=message):
        getattr(autoopt, name)(lambda x: x @ x, BOUNDS, **given)


@pytest.mark.parametrize("bounds", [[(0, np.inf)], [(1, 0)], 3.0])
@pytest.mark.parametrize("name", SEARCHES)
def test_bounds_of_a_global_search_are_finite(name, bounds):
    with pytest.raises(UsageError, match="bounds"):
        getattr(autoopt, name)(lambda x: x @ x, bounds)
