"""Tracing: the record of one run, replayed elsewhere, gives what the user's own function gives there.

A tape's operations are NumPy functions, so a record is tested without any derivative: by calling them again.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cell_programs  # noqa: F401  (these fill PROGRAMS)
import function_programs  # noqa: F401
import numpy as np
import object_programs  # noqa: F401
import pytest
import view_programs  # noqa: F401
from records import X, record, replay
from tracing_programs import PROGRAMS, Program

import autoopt
from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.parameters import Structure
from autoopt.tape.tape import DATA, PARAMETER, Guard, Tape
from autoopt.tracing.trace import data_leaves

REFUSED: dict[str, str] = {
    "namedtuple_made_inside": "turned into an array",
}
"""Programs that are not followed, and what is said about each."""


def with_data(tape, args):
    """Return the tape with the arrays and floats of `args`, of the same structure, in place of its own."""
    arguments = (index for index, leaf in tape.leaves().items() if leaf.kind == "argument")
    return replace(tape, values=tape.values | dict(zip(arguments, data_leaves(args), strict=True)))


def holds(guard: Guard, found: Any) -> bool:
    kinds = {"bool": bool, "int": int, "float": float}
    return kinds[guard.kind](found) == guard.answer if guard.kind in kinds else np.array_equal(found, guard.answer)


def check_record(tape: Tape, f: Any, x0: Any, *args: Any, needed: int = 3) -> None:
    """Replay `tape` at ten points near x0; at least `needed` must be on its path, x0 among them."""
    structure = Structure.of(x0)
    flat, rng, held = structure.flatten(x0), np.random.default_rng(0), 0
    for distance in range(10):
        x = flat + 0.01 * distance * rng.normal(size=flat.size)
        with np.errstate(all="ignore"):
            results = replay(tape, x)
            if not all(holds(guard, results[guard.step]) for guard in tape.guards):
                assert distance, "the guards do not hold where they were made"
                continue
            expected = f(structure.unflatten(x.copy()), *args)
        held += 1
        np.testing.assert_allclose(results[tape.output], expected, rtol=1e-12, atol=1e-12)
    assert held >= needed, "guards that never hold"


@pytest.mark.parametrize("program", [pytest.param(row, id=row.f.__name__) for row in PROGRAMS])
def test_record_is_what_numpy_does_or_refused(program: Program) -> None:
    before = Structure.of(program.x0).flatten(program.x0).copy()
    if program.f.__name__ in REFUSED:
        assert REFUSED[program.f.__name__] in refused(program.f, program.x0).happened
    else:
        check_record(record(program.f, program.x0).tape, program.f, program.x0, needed=program.same)
    np.testing.assert_array_equal(Structure.of(program.x0).flatten(program.x0), before)


def test_replay_sees_a_dropped_write() -> None:
    def f(x):
        y = x * 1.0
        y[0] = 5.0 * x[1]
        return y.sum()

    tape = record(lambda x: x.sum()).tape
    with pytest.raises(AssertionError):
        check_record(tape, f, X)


def test_program_names_are_unique() -> None:
    names = [program.f.__name__ for program in PROGRAMS]
    assert len(names) == len(set(names)) and set(REFUSED) <= set(names)


# What is recorded -----------------------------------------------------------------------------------------------------


def test_ufunc_is_one_step() -> None:
    tape = record(lambda x: np.exp(x).sum()).tape
    assert [step.operation for step in tape.steps] == [None, np.exp, np.sum]
    assert [step.shape for step in tape.steps] == [(3,), (3,), ()]


def test_levels_say_what_a_step_depends_on() -> None:
    tape = record(lambda x, d: (np.log(d) * x).sum(), X, np.array([1.0, 2.0, 3.0])).tape
    levels = {step.operation: step.level for step in tape.steps if step.operation}
    assert levels == {np.log: DATA, np.multiply: PARAMETER, np.sum: PARAMETER}


def test_dead_code_leaves_no_steps() -> None:
    def f(x):
        np.exp(x).sum()
        return np.sin(x).sum()

    assert np.exp not in [step.operation for step in record(f).tape.steps]


def test_filled_array_is_one_step() -> None:
    def f(x):
        out = np.zeros(200)
        out[0] = x[0]
        for i in range(1, 200):
            out[i] = x[1] * out[i - 1]
        return out.sum()

    operations = [step.operation for step in record(f).tape.steps]
    assert len(operations) < 450 and not any(getattr(op, "__name__", "") == "put" for op in operations)


def test_step_knows_line_and_name() -> None:
    def f(x):
        z = np.exp(x)
        return np.sum(z)

    step = next(step for step in record(f).tape.steps if step.operation is np.exp)
    first = f.__code__.co_firstlineno
    assert (step.location.file, step.location.line, step.location.text) == (__file__, first + 1, "z = np.exp(x)")
    assert step.location.expression == "np.exp(x)"


def test_step_in_a_library_is_at_the_users_line() -> None:
    def f(x):
        return np.linalg.norm(np.average(x, weights=x) * x)

    lines = {step.location.line for step in record(f).tape.steps if step.operation}
    assert lines == {f.__code__.co_firstlineno + 1}


def test_step_in_a_helper_is_at_the_helpers_line() -> None:
    def inner(z):
        return np.exp(z).sum()

    def f(x):
        return inner(2.0 * x)

    step = next(step for step in record(f).tape.steps if step.operation is np.exp)
    assert (step.location.line, step.location.function) == (inner.__code__.co_firstlineno + 1, "inner")


def test_data_have_the_users_names() -> None:
    def f(w, X, y=None):
        return ((X @ w - y) ** 2).sum()

    tape = record(f, X, np.eye(3), np.ones(3)).tape
    assert [leaf.name for leaf in tape.leaves().values()] == ["w", "X", "y"]


def test_record_takes_other_data() -> None:
    def f(w, X, d):
        return ((X @ w - d["y"]) ** 2).sum() * d["k"][0]

    rng = np.random.default_rng(1)
    first, second = ((rng.normal(size=(5, 3)), {"y": rng.normal(size=5), "k": (rng.normal(),)}) for _ in range(2))
    tape = with_data(record(f, X, *first).tape, second)
    check_record(tape, f, X, *second)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, d: x.sum() if d[0] > 1 else x.prod(),
        lambda x, d: x.sum() * float(d[0]),
        lambda x, d: x.sum() * int(d[0]),
        lambda x, d: x.sum() * d.tolist()[0],
        lambda x, d: x.sum() * {2.0: 5.0}.get(d[0], 1.0),
        lambda x, d: x.sum() * len(set(d)),
        lambda x, d: x.sum() * sorted(d)[0],
        lambda x, d: x.sum() * len(range(int(d[1]))),
    ],
)
def test_decision_from_data_is_noted(f) -> None:
    """Taken into the numbers or still on the tape: other data must not be bound to a record that decided."""
    first, second = np.array([2.0, 3.0, 5.0]), np.array([0.5, 0.25, 0.125])
    tape = record(f, X, first).tape
    check_record(tape, f, X, first)
    if not tape.data_decided:
        check_record(with_data(tape, (second,)), f, X, second)


# Guards ---------------------------------------------------------------------------------------------------------------


def guards(f, x0=X) -> list[tuple[str, Any]]:
    return [(guard.kind, guard.answer) for guard in record(f, x0).tape.guards]


def test_truth_of_a_parameter_is_guarded() -> None:
    assert guards(lambda x: x[0] if x[0] > 1 else x[1]) == [("bool", False)]


def test_int_of_a_parameter_is_guarded() -> None:
    assert guards(lambda x: x[int(x[1])]) == [("int", 1)]


def test_argmax_as_index_needs_no_wrong_answer() -> None:
    f = lambda x: [10.0, 20.0, 30.0][np.argmax(x)] * x[0]  # noqa: E731
    assert guards(f) == [("int", 2)]


def test_entries_chosen_by_a_mask_are_guarded() -> None:
    ((kind, answer),) = guards(lambda x: x[x > 1].sum())
    assert kind == "array"
    np.testing.assert_array_equal(answer, [False, True, True])


def test_guard_keeps_its_answer_when_the_mask_is_written_into() -> None:
    def f(x):
        m = np.array(x > 1)
        chosen = x[m].sum()
        m[0] = True
        return chosen + x[m].prod()

    check_record(record(f).tape, f, X)


def test_guard_of_a_converted_mask_keeps_its_answer() -> None:
    def f(x):
        m = x > 1
        count = np.asarray([m]).sum() + np.sum([m])
        m[0] = True
        return count * x[m].sum()

    check_record(record(f).tape, f, X)


def test_comparison_of_data_needs_no_guard() -> None:
    assert record(lambda x, d: x.sum() if d[0] > 1 else x.prod(), X, np.ones(3)).tape.guards == []


def test_number_of_points_of_arange_is_guarded() -> None:
    f = lambda x: (np.arange(x[0]) * x[1]).sum()  # noqa: E731
    evaluate = autoopt.value_and_grad(f)
    assert [evaluate(np.array([v, 2.0]))[0] for v in (5.0, 5.5, 4.2)] == [20.0, 30.0, 20.0]


# What is refused ------------------------------------------------------------------------------------------------------


def refused(f, x0=X, *args) -> TracingError:
    with pytest.raises(TracingError) as caught:
        record(f, x0, *args)
    lines = [place.line for place in caught.value.where]
    first = f.__code__.co_firstlineno
    assert lines and all(first <= line <= first + 8 for line in lines), f"{lines} is not in f, which starts at {first}"
    return caught.value


CONVERSIONS = {
    "float in a library": lambda x: __import__("array").array("d", [x[0]])[0],
    "complex": lambda x: float(complex(x[0], x[1])),
    "set member": lambda x: len({x[0], x[1]}) * x.sum(),
    "dictionary key": lambda x: {x[0]: 1.0}[x[0]] * x.sum(),
    "bytes": lambda x: np.frombuffer(x.tobytes()).sum(),
    "fractions": lambda x: float(__import__("fractions").Fraction(x[0])),
    "float of a library": lambda x: np.ldexp(1.0, 2) * math.modf(x[0])[0],
    "random permutation": lambda x: np.random.default_rng(0).permutation(x)[0],
    "array attribute": lambda x: x.ctypes.data * x.sum(),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_lost_derivative_is_refused(name) -> None:
    refused(CONVERSIONS[name])


def test_number_read_back_from_text_is_refused() -> None:
    refused(lambda x: float(f"{x[0]:.17g}") ** 2)


def test_data_written_into_are_refused_and_unchanged() -> None:
    data = np.ones((2, 3))

    def row(x, d):
        d[0] = x
        return d.sum()

    def transposed(x, d):
        d.T[0, 0] += x[0]
        return d.sum()

    def in_place(x, d):
        d *= 2.0
        return (d * x).sum()

    def asarray(x, d):
        np.asarray(d).reshape(-1)[0] = 5.0
        return (d * x).sum()

    def filled(x, d):
        d.fill(0.0)
        return (d * x).sum()

    def sorted_(x, d):
        d.sort()
        return (d * x).sum()

    def out(x, d):
        np.multiply(d, 2.0, out=d)
        return (d * x).sum()

    for f in (row, transposed, in_place, asarray, filled, sorted_, out):
        error = refused(f, X, data)
        assert "changes its data argument 'd' in place" in error.happened, f.__name__
        np.testing.assert_array_equal(data, np.ones((2, 3)))


OUTSIDE = np.zeros(3)


def test_outside_array_written_into_is_refused_and_unchanged() -> None:
    def f(x):
        OUTSIDE[0] = x[0]
        return OUTSIDE.sum()

    assert "reads entries of 'OUTSIDE', made outside" in refused(f).happened
    np.testing.assert_array_equal(OUTSIDE, np.zeros(3))


def test_parameters_are_not_written_into() -> None:
    x0 = {"a": np.ones(3), "b": [np.ones(2)]}

    def f(p):
        p["a"][0] = 2.0 * p["b"][0][1]
        p["b"][0] *= 3.0
        return p["a"].sum() + p["b"][0].sum()

    check_record(record(f, x0).tape, lambda p: f({"a": p["a"].copy(), "b": [p["b"][0].copy()]}), x0)
    np.testing.assert_array_equal(x0["a"], np.ones(3))
    np.testing.assert_array_equal(x0["b"][0], np.ones(2))


def test_method_without_derivative_is_refused_by_name() -> None:
    error = refused(lambda x: x.newbyteorder().sum() if hasattr(x, "newbyteorder") else x.byteswap().sum())
    assert isinstance(error, UnsupportedFunctionError)


def test_attribute_that_arrays_lack_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'ndarray' object has no attribute 'foo'"):
        record(lambda x: x.foo)


def test_view_method_is_a_view_or_refused() -> None:
    def f(x):
        y = x * 1.0
        y.view()[0] = x[1]
        return (y * x).sum()

    check_record(record(f).tape, f, X)


# Faults that were mended ----------------------------------------------------------------------------------------------


def test_frozen_dataclass_with_an_array_may_be_read() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Observed:
        y: np.ndarray

        def __call__(self, mu):
            return np.sum((self.y - mu) ** 2)

    observed = Observed(np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(autoopt.grad(lambda x: observed(x))(X), 2 * (X - observed.y))


def test_class_attribute_in_place_of_an_inherited_property() -> None:
    class General:
        @property
        def scale(self):
            raise NotImplementedError

        def cost(self, x):
            return self.scale * np.sum(x**2)

    class Special(General):
        scale = 3.0

    special = Special()
    np.testing.assert_allclose(autoopt.grad(lambda x: special.cost(x))(X), 6 * X)


def test_put_at_computed_positions_is_guarded() -> None:
    def f(x):
        y = x**2
        np.put(y, np.argmax(x), 0.0)
        return y.sum()

    gradient = autoopt.grad(f)
    np.testing.assert_allclose(gradient(X), [1.0, 3.0, 0.0])
    np.testing.assert_allclose(gradient(X[::-1].copy()), [0.0, 3.0, 1.0])


@pytest.mark.parametrize("kind", ["Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre"])
@pytest.mark.sampled(3)
def test_polynomial_objects(kind: str) -> None:
    t = np.linspace(0.1, 0.9, 4)

    def f(c):
        p = getattr(np.polynomial, kind)(c)
        return np.sum((p * p - p.deriv())(t)) + p.integ()(0.5)

    structure = Structure.of(X)
    found = [autoopt.grad(f)(X) @ step for step in np.eye(3)]
    slopes = [(f(structure.unflatten(X + h)) - f(structure.unflatten(X - h))) / 2e-6 for h in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(found, slopes, rtol=1e-7)


def test_poly1d_objects() -> None:
    def f(c):
        p = np.poly1d(c)
        return (p * p)(2.0) + p.deriv()(1.0) + p.coeffs[0] * p.order

    np.testing.assert_allclose(autoopt.grad(f)(X), 2 * np.polyval(X, 2.0) * np.array([4, 2, 1]) + [4, 1, 0])


def test_iterating_over_entries() -> None:
    def f(x):
        A = np.outer(x, x)
        total = sum((i - j) * value**2 for (i, j), value in np.ndenumerate(A * x))
        return total + sum(k * value for k, value in enumerate(np.nditer(A.T * x))) + sum(map(np.cos, np.nditer(A)))

    record(f)
    check_record(record(f).tape, f, X)


def test_iterating_with_options_is_refused() -> None:
    assert "np.nditer with options" in refused(lambda x: sum(np.nditer([x, 2 * x])[0])).happened


def test_functions_beyond_numpys_own_names_are_printed_where_they_are() -> None:
    def f(x, y):
        coefficients = np.polynomial.polynomial.polyval2d(y, y, np.ones((2, 2)))
        return np.sum((np.lib.stride_tricks.sliding_window_view(y, 2).sum(axis=1) - x[0]) ** 2 * coefficients[1:])

    objective = autoopt.objective(f, X, X)
    assert "np.lib.stride_tricks.sliding_window_view" in objective.source()
    np.testing.assert_allclose(objective.grad(X)[0], -2 * np.sum((X[1:] + X[:-1] - 0.5) * (1 + X[1:]) ** 2))
