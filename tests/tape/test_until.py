"""Loops that end on a condition: compiled once for all numbers of iterations, run only for those that were traced."""

import numpy as np
import pytest
from corpus.iterations import CASES

from autoopt.errors import UnsupportedFunctionError
from autoopt.execution import engines
from autoopt.execution.engines import NumpyFunctions
from autoopt.execution.tiering import TieredFunction
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


def test_a_loop_that_cannot_be_compiled_as_such_is_compiled_unrolled(monkeypatch) -> None:
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
    assert len(objective.dispatch.paths) > 1
    assert not any(path.counts for path in objective.dispatch.paths)


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
