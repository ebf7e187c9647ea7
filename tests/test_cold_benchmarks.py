"""The irregular models, problems and kernels of the benchmarks are what they are called, and limits are kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from autoopt import differences
from autoopt.objectives.objective import Objective
from benchmarks import before_after, cold_tables, eager_sweep, irregular_models, irregular_problems, kernels
from benchmarks.processes import ROOT, fresh

KERNELS = pytest.mark.parametrize("kernel", kernels.KERNELS.values(), ids=list(kernels.KERNELS))


def case(part):
    return next(one for one in cold_tables.cases() if part in one.name)


def value(one):
    return one.f(one.x0.copy(), *one.args)


def test_the_three_hidden_markov_models_are_one():
    first, second, third = (value(case(part)) for part in ("peeled", "branch on first", "emission in"))
    assert first == pytest.approx(second, rel=1e-12)
    assert first == pytest.approx(third, rel=1e-12)


def test_both_partial_likelihoods_are_one():
    beta, data = np.array([0.3, -0.2, 0.1]), case("cox loop").args
    accumulated = irregular_models.cox_accumulate(beta, *data)
    assert accumulated == pytest.approx(irregular_models.cox_loop(beta, *data), rel=1e-12)


def test_missing_values_are_skipped_by_the_filter():
    y, p = np.array([0.3, np.nan, -0.4]), np.array([-0.5, 0.2, 0.1])
    q, r = np.exp(p[:2])
    covariance = 1.0 + q * np.minimum.outer([1, 3], [1, 3]) + r * np.eye(2)
    off = y[[0, 2]] - p[2]
    expected = 0.5 * (np.linalg.slogdet(2 * np.pi * covariance)[1] + off @ np.linalg.solve(covariance, off))
    assert irregular_models.kalman_with_missing_values(p, y) == pytest.approx(expected, rel=1e-12)


def test_gauss_hermite_is_the_integral():
    X, y, group = np.ones((3, 1)), np.array([1, 0, 1]), np.zeros(3)
    u = np.linspace(-9, 9, 20001)
    q = 1 / (1 + np.exp(-(0.2 + 0.5 * u)))
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    expected = -np.log(np.trapezoid(density * q**2 * (1 - q), u))
    found = irregular_models.random_intercept(np.array([0.2, np.log(0.5)]), X, y, group)
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_hand_at_rest_is_its_skin():
    hand, _, _ = irregular_problems._hand(np.random.default_rng(0), 20)
    assert irregular_problems.hand_tracking(np.zeros(26), hand, hand.skin[:3]) == pytest.approx(0.0, abs=1e-20)


def test_the_chained_serpentine_is_its_formula():
    groups, _ = irregular_problems._serpentine(5)
    x = np.array([0.3, -0.8, 1.2, 0.4, 0.1])
    expected = np.sum((20 * x[:-1] / (1 + x[:-1] ** 2) - 10 * x[1:]) ** 2 + (x[:-1] - 1) ** 2)
    assert groups.value(x) == pytest.approx(expected, rel=1e-14)


def test_the_membrane_is_its_energy():
    groups, _, _ = irregular_problems._obstacle(4)
    x = np.random.default_rng(0).normal(size=16)
    u = np.pad(x.reshape(4, 4), 1)
    down, right = np.diff(u, axis=0)[:, :-1], np.diff(u, axis=1)[:-1]
    assert groups.value(x) == pytest.approx(0.5 * np.sum(down**2) + 0.5 * np.sum(right**2) + x.sum() / 25, rel=1e-13)


def test_the_circuit_by_text_is_its_impedance():
    one = case("circuit")
    frequencies, measured = one.args
    R0, R1, C1, R2, W, C2 = np.exp(one.x0)
    w = 2j * np.pi * frequencies
    diffusion = R2 + W * (1 - 1j) / np.sqrt(2 * np.pi * frequencies)
    Z = R0 + 1 / (1 / R1 + w * C1) + 1 / (1 / diffusion + w * C2)
    assert value(one) == pytest.approx(np.sum(np.abs(Z / measured - 1) ** 2), rel=1e-12)


@KERNELS
def test_a_kernel_leaves_its_parameters_and_depends_on_them(kernel):
    x, data = kernel.start(10, np.random.default_rng(0))
    kept = x.copy()
    before = kernel.f(x, *data)
    assert np.array_equal(x, kept) and np.isfinite(before)
    assert kernel.f(1.01 * x, *data) != before == kernel.f(x, *data)


def test_factorisations_are_those_of_libraries():
    x, (n,) = kernels.KERNELS["cholesky"].start(8, np.random.default_rng(0))
    weights = np.linspace(0.5, 1.5, n)
    factor = np.linalg.cholesky(x.reshape(n, n))
    assert kernels.cholesky(x, n) == pytest.approx(np.sum(factor**2 * weights), rel=1e-12)
    Q, R = np.linalg.qr(x.reshape(n, n))
    expected = np.sum(R**2 * weights) + np.sum(Q * np.sign(np.diag(R)) * np.linspace(-1, 1, n))
    assert kernels.gram_schmidt(x, n) == pytest.approx(expected, rel=1e-12)
    upper = np.diag(np.diag(factor)) @ factor.T  # A = (L / d) (d L'), with no pivots
    lower = factor / np.diag(factor)
    expected = np.sum(upper**2) + np.sum(np.tril(lower, -1) ** 2)
    assert kernels.lu(x, n) == pytest.approx(expected, rel=1e-12)


def test_durbin_solves_the_system_of_yule_and_walker():
    r, _ = kernels.KERNELS["durbin"].start(8, np.random.default_rng(0))
    y = linalg.solve_toeplitz(np.append(1.0, r[:-1]), -r)
    assert kernels.durbin(r) == pytest.approx(y @ y, rel=1e-12)


def test_products_are_those_of_matrices():
    x, (A, B) = kernels.KERNELS["trmm"].start(7, np.random.default_rng(0))
    X = x.reshape(7, 7)
    unit = np.tril(A, -1) + np.eye(7)
    assert kernels.trmm(x, A, B.copy()) == pytest.approx(np.sum((1.5 * unit.T @ (B + X)) ** 2) / 7, rel=1e-12)
    symmetric = np.tril(A) + np.tril(A, -1).T
    C = 1.2 * X + 1.5 * symmetric @ (B + X)
    assert kernels.symm(x, A, B) == pytest.approx(np.sum(C**2) / 7, rel=1e-12)


def test_the_column_of_vertical_advection_is_a_tridiagonal_system():
    u = np.random.default_rng(0).uniform(size=6)
    wind = np.random.default_rng(1).uniform(size=(1, 1, 6))
    w = wind[0, 0]
    up, down = np.append(0.25 * w[1:], 0.0), np.append(0.0, -0.25 * w[1:])
    A = np.diag(3.0 - up - down) + np.diag(up[:-1], 1) + np.diag(down[1:], -1)
    right = 3.0 * u - up * (np.append(u[1:], 0) - u) - down * (np.append(0, u[:-1]) - u)
    out = np.linalg.solve(A, right)
    expected = np.sum((out - u) ** 2) + np.sum(out**3) / 10
    assert kernels.vertical_advection(u, wind) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_a_process_is_given_up_after_its_time_and_what_it_told_counts():
    told = fresh("benchmarks.processes", "say(done=1)\nwhile True: pass", 2.0)
    assert told == {"done": 1, "reason": "> 2 s"}
    assert fresh("benchmarks.processes", "say(done=2)", 20.0) == {"done": 2}


def test_what_is_refused_does_not_hold():
    assert cold_tables._within(0.9, 1.0)
    assert not cold_tables._within(1.1, 1.0)
    assert not cold_tables._within(None, 1.0)


def test_a_process_imports_the_library_of_the_tree_that_it_is_given(tmp_path):
    assert fresh("benchmarks.processes", "tells_tree()", 20.0)["tree"] == str(ROOT)
    other = tmp_path / "autoopt"
    other.mkdir()
    (other / "__init__.py").write_text("")
    assert fresh("benchmarks.processes", "tells_tree()", 20.0, tree=str(tmp_path))["tree"] == str(tmp_path)


def test_trees_are_compared_by_medians():
    before, after = {"gradient": [1e-6, 2e-6, 9e-6]}, {"gradient": [1e-6, 1e-6, 4e-6]}
    assert before_after.cells(before, after, "gradient") == (["2", "1", "0.50", "9.00"], 0.5)
    assert before_after.cells(before, {"reason": ["> 9 s"]}, "gradient") == (["2", "> 9 s", "-", "-"], None)
    assert len({case.name for case in before_after.cases()}) == len(list(before_after.cases())) >= 15


@pytest.mark.parametrize("name", eager_sweep.PROGRAMS)
@pytest.mark.sampled(2)
def test_a_sweep_has_the_derivatives_of_its_program(name, monkeypatch):
    f, each, _ = eager_sweep.PROGRAMS[name]
    monkeypatch.setitem(eager_sweep.PROGRAMS, name, (f, each, 24))
    f, x, choices = eager_sweep.program(name, 120)
    tape = Objective(f, x, (choices,)).dispatch.paths[0].trace.tape
    p = np.cos(np.arange(x.size))
    value, gradient = eager_sweep.engine(tape, "value_and_grad")(x)
    slope, error = differences.directional(lambda z: f(z, choices), x, p)
    assert value == pytest.approx(f(x, choices), rel=1e-12)
    assert abs(gradient @ p - slope) <= 1e-8 * (1 + abs(slope)) + 10 * error
    product = eager_sweep.engine(tape, "hessp")(x, p)
    expected, error = differences.hessp(lambda z: eager_sweep.engine(tape, "value_and_grad")(z)[1], x, p)
    assert np.all(np.abs(product - expected) <= 1e-6 * (1 + np.abs(expected)) + 10 * error)
