"""Loops that end on a condition: compiled once for all numbers of iterations, run only for those that were traced."""

import numpy as np
import pytest
from corpus.iterations import CASES

import autoopt
from autoopt import differences
from autoopt.errors import UnsupportedFunctionError
from autoopt.execution import engines
from autoopt.execution.engines import NumpyFunctions
from autoopt.execution.tiering import TieredFunction
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.objective import Objective
from autoopt.tape.digest import digest
from autoopt.tape.loops.until import conditional
from autoopt.tape.tape import call
from autoopt.tracing.trace import trace

KNOWN = {case.name: case for case in CASES}
ONE_PATH = sorted(set(KNOWN) - {"counts_its_steps", "gives_up", "equilibrium"})


def tape_at(case, x):
    objective = Objective(case.f, case.x0, case.args)
    return trace(case.f, objective.structure, np.asarray(x, dtype=float), case.args).tape


def values(tape, x):
    found = {}
    for index, step in enumerate(tape.steps):
        inputs = [found[source] for source in step.inputs]
        found[index] = x if index == 0 else tape.values[index] if step.operation is None else call(step, inputs)
    return found


@pytest.mark.slow_for("guarded_newton", "kepler_equation")
@pytest.mark.parametrize("name", ONE_PATH)
@pytest.mark.sampled(6)
def test_one_compilation_serves_all_numbers_of_iterations(name, monkeypatch, patient) -> None:
    made = []
    original = engines.module_source
    monkeypatch.setattr(engines, "module_source", lambda *given: made.append(given[1]) or original(*given))
    case = KNOWN[name]
    objective = Objective(case.f, case.x0, case.args)
    p = np.cos(np.arange(objective.size))
    for x in (case.x0, *case.points, case.x0):
        unrolled = tape_at(case, x)
        value, gradient = objective.value_and_grad(x)
        expected = NumpyFunctions(unrolled, "value_and_grad", "unrolled").run(x)
        np.testing.assert_allclose(value, case.f(x, *case.args), rtol=1e-12)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-8, atol=1e-10)
        product = NumpyFunctions(unrolled, "hessp", "unrolled").run(x, p)
        np.testing.assert_allclose(objective.hessp(x, p), product, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(objective.hess(x) @ p, product, rtol=1e-7, atol=1e-9)
    (path,) = objective.dispatch.paths
    assert len(path.counts) > 1
    assert made.count("hessp") == made.count("value_and_grad") == 1 + 2 + len(case.points)  # and those of the unrolled


@pytest.mark.parametrize("name", ONE_PATH)
def test_tapes_of_other_numbers_of_iterations_are_equal(name) -> None:
    case = KNOWN[name]
    tapes = [conditional(tape_at(case, x)) for x in (case.x0, *case.points)]
    assert len({tape.counts for tape in tapes}) > 1
    assert len({digest(tape) for tape in tapes}) == 1
    for tape, x in zip(tapes, (case.x0, *case.points), strict=True):
        found = values(tape, x)
        np.testing.assert_allclose(found[tape.output], case.f(x, *case.args), rtol=1e-12)
        (counts,) = (found[guard.step] for guard in tape.guards if guard.kind == "counts")
        assert tuple(np.atleast_1d(counts)) == tape.counts


def test_a_number_of_iterations_that_the_function_uses_is_another_path() -> None:
    case = KNOWN["counts_its_steps"]
    objective = Objective(case.f, case.x0)
    for b in (3.0, 4.0, 20.0, 500.0):
        x = np.array([1.0, b])
        assert objective.value(x) == pytest.approx(case.f(x), rel=1e-14)
    assert len(objective.dispatch.paths) > 1
    assert all(len(path.counts) == 1 for path in objective.dispatch.paths)


@pytest.mark.slow
def test_a_loop_goes_on_no_longer_than_the_function_does() -> None:
    case = KNOWN["gives_up"]
    objective = Objective(case.f, case.x0)
    for x in np.random.default_rng(2).uniform(0.1, 2.5, size=(60, 2)):
        assert objective.value(x) == pytest.approx(case.f(x), rel=1e-13)
        np.testing.assert_allclose(
            objective.grad(x), NumpyFunctions(tape_at(case, x), "value_and_grad", "").run(x)[1], rtol=1e-10, atol=1e-12
        )
    assert len(objective.dispatch.paths) < 8


def test_answers_within_the_loop_are_still_asked() -> None:
    def bent(p):
        x = p[0]
        for _ in range(60):
            d = (x * x - p[1]) / (2 * x)
            x = x - (d if d < 0.4 else 0.5 * d)
            if abs(d) < 1e-9:
                break
        return x**3

    objective = Objective(bent, np.array([1.0, 1.2]))
    for x in np.random.default_rng(4).uniform(0.5, 3, size=(40, 2)):
        assert objective.value(x) == pytest.approx(bent(x), rel=1e-13)
    assert max(len(path.counts) for path in objective.dispatch.paths) > 1


def test_large_arrays_made_of_the_number_of_iterations_are_compared() -> None:
    def weighted(p):
        x = p[0]
        for it in range(60):  # noqa: B007
            new = 0.5 * (x + p[1] / x)
            if abs(new - x) < 1e-9:
                break
            x = new
        return np.sum(np.linspace(0, it, 40) * new)

    objective = Objective(weighted, np.array([1.0, 3.0]))
    for b in (3.0, 20.0, 500.0, 3.0):
        x = np.array([1.0, b])
        assert objective.value(x) == pytest.approx(weighted(x), rel=1e-13)


def test_source_alone_refuses_numbers_of_iterations_that_were_not_compared() -> None:
    case = KNOWN["newton_cube_root"]
    objective = Objective(case.f, case.x0)
    gradient = objective.grad(case.x0)
    namespace: dict = {}
    exec(objective.source(), namespace)
    np.testing.assert_array_equal(namespace["value_and_grad"](case.x0)[1], gradient)
    with pytest.raises(namespace["PathChanged"]):
        namespace["value_and_grad"](np.array([30.0, 0.5]))
    objective.value_and_grad(np.array([30.0, 0.5]))
    exec(objective.source(), namespace)
    assert np.isfinite(namespace["value_and_grad"](np.array([30.0, 0.5]))[0])


def test_other_data_take_other_numbers_of_iterations() -> None:
    case = KNOWN["kepler_equation"]
    objective = Objective(case.f, case.x0, case.args)
    objective.value(case.points[0])
    other = (np.linspace(0.5, 6, 7),)
    assert objective.rebind(other)
    for x in (case.x0, *case.points):
        assert objective.value(x) == pytest.approx(case.f(x, *other), rel=1e-12)
        assert objective.hessp(x, np.ones(2)) == pytest.approx(Objective(case.f, x, other).hessp(x, np.ones(2)))


def test_no_loop_is_made_of_iterations_that_read_the_data() -> None:
    def sums(p, y):
        total = p[0]
        for value in y:
            total = total + value * p[1]
            if total > 1.0:
                break
        return total**2

    y = np.full(9, 0.2)
    tape = trace(sums, Objective(sums, np.ones(2), (y,)).structure, np.array([0.1, 1.0]), (y,)).tape
    assert conditional(tape) is tape


def test_loop_inside_the_body_of_another_is_left_alone() -> None:
    def nested(p):
        total = p[0]
        for _ in range(10):
            x = total
            for _ in range(20):
                new = np.cos(p[1] * x)
                if abs(new - x) < 1e-3:
                    break
                x = new
            total = 0.5 * total + new
        return total

    objective = Objective(nested, np.array([0.4, 0.5]))
    for x in ([0.4, 0.5], [0.3, 0.6]):
        assert objective.value(np.array(x)) == pytest.approx(nested(np.array(x)), rel=1e-13)


@pytest.mark.slow
def test_watched_by_the_compiler_such_loops_give_what_python_gives(patient) -> None:
    case = KNOWN["newton_while"]
    objective, plain = (Objective(case.f, case.x0, engine=engine) for engine in ("auto", "numpy"))
    for x in (case.x0, *case.points, case.x0):
        for _ in range(3):
            value, gradient = objective.value_and_grad(x)
            product = objective.hessp(x, np.ones(2))
            for compiled in objective.dispatch.paths[0].compiled.values():
                for function in compiled.namespace.values():
                    if isinstance(function, TieredFunction):
                        function.spent = 100.0
        assert value == pytest.approx(case.f(x), rel=1e-12)
        np.testing.assert_allclose(gradient, plain.grad(x), rtol=1e-10)
        np.testing.assert_allclose(product, plain.hessp(x, np.ones(2)), rtol=1e-9)


@pytest.mark.slow
def test_hessian_of_a_body_without_a_stacked_form_is_taken_by_columns() -> None:
    case = KNOWN["equilibrium"]
    objective = Objective(case.f, case.x0)
    for x in (case.x0, *case.points):
        unrolled = NumpyFunctions(tape_at(case, x), "hessp", "unrolled").run(x, np.ones(2))
        np.testing.assert_allclose(objective.hess(x) @ np.ones(2), unrolled, rtol=1e-8)
    (path,) = objective.dispatch.paths
    assert path.counts


def test_a_loop_that_cannot_be_derived_as_such_is_evaluated_along_the_tape(monkeypatch) -> None:
    case = KNOWN["newton_cube_root"]
    original = engines.module_source

    def refusing(tape, *more):
        if any(getattr(step.operation, "until", None) for step in tape.steps):
            raise UnsupportedFunctionError("no form for all iterations", None, "none")
        return original(tape, *more)

    monkeypatch.setattr(engines, "module_source", refusing)
    objective = Objective(case.f, case.x0)
    for x in (case.x0, *case.points, case.x0):
        assert objective.value(x) == pytest.approx(case.f(x), rel=1e-13)
        np.testing.assert_allclose(objective.grad(x), autoopt.grad(case.f)(x), rtol=1e-12)
    (path,) = objective.dispatch.paths
    assert len(path.counts) > 1


def test_loops_end_where_the_function_itself_ends_them_though_rounding_decides() -> None:
    def mean(p):
        a, g = 1 + p[0] ** 2, 1 + p[1] ** 2
        while True:
            a, g, old = (a + g) / 2, np.sqrt(a * g), a
            if abs(a - old) <= 1e-16 * a:
                return a

    objective = Objective(mean, np.array([0.5, 2.0]))
    compiled = []
    compiler = objective.dispatch.compiler
    make = compiler.engine

    class Noting(make):
        def __init__(self, *given, **more) -> None:
            compiled.append(more)
            super().__init__(*given, **more)

    compiler.engine = Noting
    for x in np.random.default_rng(8).uniform(0.1, 3, size=(40, 2)):
        assert objective.value(x) == pytest.approx(mean(x), rel=1e-14)
    assert len(compiled) < 5


# Many loops of one form -----------------------------------------------------------------------------------------------


def newton_of_each(p, a):
    """The roots of x**2 - p0 a - p1 for each a, by a loop for each."""
    total = 0.0
    for one in a:
        x = 1.0 + one
        for _ in range(60):
            step = (x * x - p[0] * one - p[1]) / (2 * x)
            x = x - step
            if abs(step) < 1e-10:
                break
        total = total + x * one
    return total


def shares_of_each(p, s, X):
    """The contraction mapping of a demand model, market by market."""
    found = []
    for m in range(len(s)):
        delta = np.log(s[m])
        while True:
            e = np.exp(delta[:, None] + p[0] * X[m])
            new = delta + np.log(s[m]) - np.log((e / (1 + e.sum(0))).mean(1))
            if np.max(np.abs(new - delta)) < p[1] * 1e-11:
                break
            delta = new
        found.append(new)
    return np.sum(np.array(found) ** 2)


@pytest.fixture
def made(monkeypatch):
    """The kinds of derivative that were derived."""
    kinds = []
    original = engines.module_source
    monkeypatch.setattr(engines, "module_source", lambda *given: kinds.append(given[1]) or original(*given))
    return kinds


@pytest.mark.slow
def test_twenty_newton_iterations_are_one_loop(made) -> None:
    a = np.geomspace(0.01, 50.0, 20)
    objective = Objective(newton_of_each, np.array([1.0, 0.5]), (a,))
    for x in np.random.default_rng(1).uniform(0.2, 3.0, size=(12, 2)):
        roots = np.sqrt(x[0] * a + x[1])
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(np.sum(roots * a), rel=1e-12)
        np.testing.assert_allclose(gradient, [np.sum(a * a / roots) / 2, np.sum(a / roots) / 2], rtol=1e-10)
        second = -np.sum(a / roots**3) / 4
        assert objective.hess(x)[1, 1] == pytest.approx(second, rel=1e-8)
        assert objective.hessp(x, np.array([0.0, 1.0]))[1] == pytest.approx(second, rel=1e-8)
    (path,) = objective.dispatch.paths
    assert len(path.counts) > 1 and len(path.tape.counts) == 20
    assert {made.count(kind) for kind in made} == {1}


@pytest.mark.slow
def test_contraction_mapping_of_several_markets_is_one_loop(made, patient) -> None:
    rng = np.random.default_rng(4)
    s, X = rng.uniform(0.05, 0.2, size=(6, 3)), rng.normal(size=(6, 3, 5))
    objective = Objective(shares_of_each, np.array([0.5, 1.0]), (s, X))
    for x in ([0.5, 1.0], [0.8, 1.0], [0.2, 1.0], [0.65, 1.0], [0.5, 1.0]):
        x = np.array(x)
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(shares_of_each(x, s, X), rel=1e-11)
        slope, error = differences.directional(lambda z: shares_of_each(z, s, X), x, np.array([1.0, 0.0]))
        assert gradient[0] == pytest.approx(slope, abs=1e-7 + 10 * error)
    (path,) = objective.dispatch.paths
    assert len(path.counts) > 1
    assert {made.count(kind) for kind in made} == {1}


def test_numbers_of_iterations_that_were_met_are_not_traced_together(monkeypatch) -> None:
    traced = []
    original = Dispatch.traced
    monkeypatch.setattr(Dispatch, "traced", lambda self, x: traced.append(x) or original(self, x))
    a = np.geomspace(0.01, 50.0, 10)
    objective = Objective(newton_of_each, np.array([1.0, 0.5]), (a,))
    for x in np.random.default_rng(1).uniform(0.2, 3.0, size=(40, 2)):
        objective.value(x)
    (path,) = objective.dispatch.paths
    assert len(traced) < len(path.counts)


def test_numbers_of_iterations_that_are_used_together_are_seen_in_the_value() -> None:
    """No loop's number by itself says how the value is made of them."""

    def f(p, a):
        total, most = 0.0, 0
        for one in a:
            x = 1.0 + one
            for k in range(60):  # noqa: B007
                step = (x * x - p[0] * one - p[1]) / (2 * x)
                x = x - step
                if abs(step) < 1e-10:
                    break
            total, most = total + x, most + k
        return total if most % 2 else -total

    a = np.geomspace(0.01, 50.0, 8)
    objective = Objective(f, np.array([1.0, 0.5]), (a,))
    signs = set()
    for x in np.random.default_rng(2).uniform(0.2, 3.0, size=(30, 2)):
        value = f(x, a)
        signs.add(value > 0)
        assert objective.value(x) == pytest.approx(value, rel=1e-12)
        roots = np.sqrt(x[0] * a + x[1])
        np.testing.assert_allclose(objective.grad(x)[1], np.sign(value) * np.sum(0.5 / roots), rtol=1e-10)
    assert signs == {True, False}


@pytest.mark.slow
def test_loops_of_which_one_needs_another_stay_apart() -> None:
    def chained(p):
        x = p[0]
        for _ in range(3):
            for _ in range(60):
                new = 0.5 * (x + p[1] / x)
                if abs(new - x) < 1e-9:
                    break
                x = new
            x = x + 0.3 * new
        return x

    objective = Objective(chained, np.array([1.0, 3.0]))
    for b in (3.0, 20.0, 5.0):
        x = np.array([1.0, b])
        assert objective.value(x) == pytest.approx(chained(x), rel=1e-13)
        np.testing.assert_allclose(
            objective.grad(x),
            NumpyFunctions(trace_of(chained, x), "value_and_grad", "").run(x)[1],
            rtol=1e-9,
            atol=1e-12,
        )


def trace_of(f, x):
    return trace(f, Objective(f, x).structure, x).tape
