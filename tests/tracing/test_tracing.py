"""Tracing: the record of one run, replayed elsewhere, gives what the user's own function gives there.

A tape's operations are NumPy functions, so a record is tested without any derivative: by calling them again.
"""

from __future__ import annotations

import builtins
import math
import operator
import sys
import threading
import types
from functools import partial
from typing import Any

import cell_programs  # noqa: F401  (these fill PROGRAMS)
import function_programs  # noqa: F401
import numpy as np
import object_programs  # noqa: F401
import pytest
import view_programs  # noqa: F401
from tracing_programs import PROGRAMS, Program

import autoopt
from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.parameters import Structure
from autoopt.tape.tape import DATA, PARAMETER, Guard, Tape, call
from autoopt.tracing.trace import Trace, trace, with_data

X = np.array([0.5, 1.5, 2.5])

REFUSED: dict[str, str] = {
    "namedtuple_made_inside": "turned into an array",
}
"""Programs that are not followed, and what is said about each."""


def record(f: Any, x0: Any = X, *args: Any, scalar: bool = True) -> Trace:
    structure = Structure.of(x0)
    return trace(f, structure, structure.flatten(x0).copy(), args, scalar)


def replay(tape: Tape, x: np.ndarray) -> list[Any]:
    """Return what every step is at `x`, and see that no step is called less dependent than its inputs."""
    results: list[Any] = []
    for index, step in enumerate(tape.steps):
        if step.operation is None:
            results.append(x if index == 0 else tape.values[index])
            continue
        assert step.level >= max((tape.steps[source].level for source in step.inputs), default=0), f"level of {step}"
        results.append(call(step, [results[source] for source in step.inputs]))
    return results


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


# Nothing of the user's, or of anybody's, is changed -------------------------------------------------------------------


def test_nothing_is_patched() -> None:
    watched = [(np, name) for name in ("array", "asarray", "zeros", "exp", "float64", "r_", "linspace")]
    watched += [(math, "exp"), (math, "hypot"), (np.linalg, "norm")]
    watched += [(builtins, name) for name in ("float", "max", "min", "sum", "type", "pow", "__import__", "isinstance")]
    before = [getattr(place, name) for place, name in watched]
    seen = []

    def f(x):
        import numpy

        seen.extend([numpy.array is np.array, [getattr(place, name) for place, name in watched]])
        return np.array([math.exp(v) for v in x]).sum() + float(x[0])

    record(f)
    assert all(getattr(place, name) is old for (place, name), old in zip(watched, before, strict=True))


def test_function_and_its_globals_are_unchanged() -> None:
    def helper(z):
        return np.array([z[0], 2.0]).sum()

    namespace = {"np": np, "helper": helper, "k": 2.0}
    exec("def f(x, c=1.0):\n    return helper(x) * k * c + np.array([x[1]]).sum()", namespace)
    f = namespace["f"]
    before = dict(namespace)
    code, defaults = f.__code__, f.__defaults__
    record(f)
    assert namespace == before and all(namespace[name] is before[name] for name in before)
    assert f.__code__ is code and f.__defaults__ is defaults and f.__globals__ is namespace
    assert f(X) == (0.5 + 2.0) * 2.0 + 1.5


def test_globals_assigned_by_the_objective_are_assigned() -> None:
    namespace = {"np": np}
    exec(
        "count = 0\ndef f(x):\n    global count, fresh\n    count += 1\n    fresh = 7.0\n    return x.sum() * fresh",
        namespace,
    )
    record(namespace["f"])
    assert (namespace["count"], namespace["fresh"]) == (1, 7.0)


def test_nonlocal_assigned_by_the_objective_is_assigned() -> None:
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x.sum()

    record(f)
    assert count == 1


def test_exception_leaves_nothing_behind() -> None:
    def f(x):
        np.array([x[0]])
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        record(f)
    assert np.array is sys.modules["numpy"].array and builtins.float(1) == 1.0


def test_two_threads_trace_at_once() -> None:
    barrier = threading.Barrier(2, timeout=20)
    results: dict[str, Any] = {}

    def work(name, k):
        def f(x):
            out = np.zeros(50)
            out[0] = x[0]
            for i in range(1, 50):
                if i % 10 == 0:
                    barrier.wait()
                out[i] = math.exp(-k * float(x[1])) * out[i - 1] + np.array([x[2], k]).sum()
            return out.sum()

        try:
            tape = record(f).tape
            results[name] = replay(tape, X + 0.1)[tape.output] - f(X + 0.1)
        except BaseException as problem:
            barrier.abort()
            results[name] = problem

    threads = [threading.Thread(target=work, args=(name, k)) for name, k in (("a", 1.0), ("b", 2.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"a": pytest.approx(0.0, abs=1e-12), "b": pytest.approx(0.0, abs=1e-12)}


def test_other_thread_sees_plain_numpy_while_one_traces() -> None:
    inside, done, seen = threading.Event(), threading.Event(), []

    def f(x):
        inside.set()
        done.wait(20)
        return np.array([x[0], math.exp(x[1])]).sum()

    thread = threading.Thread(target=record, args=(f,))
    thread.start()
    inside.wait(20)
    seen.append((type(np.array([1.0])), type(math.exp(0.0)), type(f(X)) if done.is_set() else None))
    done.set()
    thread.join()
    assert seen == [(np.ndarray, float, None)]


# What was captured, changed between calls of autoopt.grad(f) ----------------------------------------------------------


def check_seen(f, change, *args, after: tuple | None = None) -> None:
    """`autoopt.value_and_grad(f)` must see what `change()` did, and the data `after`."""
    evaluate = autoopt.value_and_grad(f)
    first, _ = evaluate(X, *args)
    assert first == pytest.approx(f(X, *args), rel=1e-13)
    change()
    args = args if after is None else after
    expected = f(X, *args)
    assert expected != pytest.approx(first, rel=1e-13), "the change does nothing"
    assert evaluate(X, *args)[0] == pytest.approx(expected, rel=1e-13)


class Settings:
    scale = 2.0

    def __call__(self, x):
        return x.sum() * self.scale

    def method(self, x):
        return x.sum() * self.scale

    @classmethod
    def of_class(cls, x):
        return x.sum() * cls.scale


SCALE = 2.0
NUMBERS = np.array([1.0, 2.0, 3.0])
NESTED = {"k": [2.0]}
PAIR = (np.array([1.0, 2.0, 3.0]),)


def scaled(x):
    return x.sum() * SCALE


def by_helper(x):
    return scaled(x) + 1.0


def imports_inside(x):
    import settings_of_test as s
    from settings_of_test import K

    return x.sum() * s.K + K


def own_attribute(x):
    return x.sum() * own_attribute.k


own_attribute.k = 2.0


def with_default(x, k=2.0):
    return x.sum() * k


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("settings_of_test")
    made.K, made.nested = 2.0, types.SimpleNamespace(k=2.0)
    monkeypatch.setitem(sys.modules, "settings_of_test", made)
    return made


def test_changed_global_is_seen(monkeypatch) -> None:
    check_seen(scaled, lambda: monkeypatch.setitem(globals(), "SCALE", 3.0))


def test_changed_global_of_a_helper_is_seen(monkeypatch) -> None:
    check_seen(by_helper, lambda: monkeypatch.setitem(globals(), "SCALE", 3.0))


def test_replaced_helper_is_seen(monkeypatch) -> None:
    check_seen(by_helper, lambda: monkeypatch.setitem(globals(), "scaled", lambda x: x.prod()))


def test_changed_module_attribute_is_seen(module) -> None:
    check_seen(imports_inside, lambda: setattr(module, "K", 5.0))
    check_seen(lambda x: x.sum() * module.K, lambda: setattr(module, "K", 6.0))
    check_seen(lambda x: x.sum() * module.nested.k, lambda: setattr(module.nested, "k", 6.0))


def test_outside_array_written_between_calls_is_seen(monkeypatch) -> None:
    check_seen(lambda x: (x * NUMBERS).sum(), lambda: operator.setitem(NUMBERS, 0, 9.0))


def test_outside_containers_changed_are_seen() -> None:
    check_seen(lambda x: x.sum() * NESTED["k"][0], lambda: operator.setitem(NESTED["k"], 0, 9.0))


def test_changed_cell_is_seen() -> None:
    k, numbers, lists = 2.0, np.ones(3), [1.0]

    def change():
        nonlocal k
        k = 3.0

    f = lambda x: x.sum() * k + (x * numbers).sum() + lists[0] * x[0]  # noqa: E731
    check_seen(f, change)
    check_seen(f, lambda: operator.setitem(numbers, 0, 5.0))
    check_seen(f, lambda: operator.setitem(lists, 0, 5.0))


def test_changed_object_is_seen() -> None:
    for pick in (lambda s: s, lambda s: s.method, lambda s: lambda x: x.sum() * s.scale):
        settings = Settings()
        check_seen(pick(settings), partial(setattr, settings, "scale", 5.0))


def test_changed_partial_is_seen() -> None:
    numbers = [2.0]
    check_seen(partial(lambda a, x: x.sum() * a[0], numbers), lambda: operator.setitem(numbers, 0, 5.0))


def test_changed_class_attribute_of_a_classmethod_is_seen(monkeypatch) -> None:
    check_seen(Settings.of_class, lambda: monkeypatch.setattr(Settings, "scale", 5.0))


def test_changed_class_attribute_is_seen(monkeypatch) -> None:
    check_seen(lambda x: x.sum() * Settings.scale, lambda: monkeypatch.setattr(Settings, "scale", 5.0))


def test_changed_function_attribute_is_seen(monkeypatch) -> None:
    check_seen(own_attribute, lambda: monkeypatch.setattr(own_attribute, "k", 5.0))


def test_outside_array_in_a_tuple_written_is_seen() -> None:
    check_seen(lambda x: (x * PAIR[0]).sum(), lambda: operator.setitem(PAIR[0], 0, 9.0))


def test_changed_defaults_are_seen(monkeypatch) -> None:
    check_seen(with_default, lambda: monkeypatch.setattr(with_default, "__defaults__", (5.0,)))


# Other data -----------------------------------------------------------------------------------------------------------


def records(value):
    return np.array([(value, 2)], dtype=[("a", float), ("b", int)])


OTHER_DATA = {
    "array": (lambda x, d: (x * d).sum(), np.arange(3.0), np.ones(3)),
    "zero-dimensional array": (lambda x, d: (x * d).sum(), np.array(2.0), np.array(3.0)),
    "float": (lambda x, d: (x * d).sum(), 2.0, 3.0),
    "int": (lambda x, d: (x * d).sum(), 2, 3),
    "int, then float": (lambda x, d: (x * d).sum(), 2, 2.5),
    "numpy integer": (lambda x, d: x.sum() * len(range(d)), np.int64(2), np.int64(3)),
    "float32": (lambda x, d: x.sum() * d, np.float32(2), np.float32(3)),
    "bool": (lambda x, d: x.sum() if d else x.prod(), True, False),
    "string": (lambda x, d: x.sum() if d == "sum" else x.prod(), "sum", "prod"),
    "None": (lambda x, d: x.sum() if d is None else x.prod(), None, 1),
    "dictionary": (lambda x, d: (x * d["a"]).sum() * d["k"], {"a": np.ones(3), "k": 2.0}, {"a": np.ones(3), "k": 3.0}),
    "tuple": (lambda x, d: (x * d[0]).sum(), (np.ones(3),), (np.arange(3.0),)),
    "list": (lambda x, d: x.sum() * d[0], [1.0], [2.0]),
    "longer": (lambda x, d: x.sum() * len(d), np.ones(2), np.ones(3)),
    "branch on a float": (lambda x, d: x.sum() if d > 1 else x.prod(), 2.0, 0.5),
    "branch on an array": (lambda x, d: x.sum() if d.max() > 1 else x.prod(), np.array([2.0]), np.array([0.5])),
    "index": (lambda x, d: x[d].sum(), np.array([0, 2]), np.array([0, 1])),
    "int of an entry": (lambda x, d: x[int(d[0])], np.array([0.0]), np.array([2.0])),
    "float of an entry": (lambda x, d: x.sum() * float(d[0]), np.array([1.0]), np.array([2.0])),
    "dictionary key": (lambda x, d: x.sum() * {1.0: 5.0, 2.0: 6.0}[d[0]], np.array([1.0]), np.array([2.0])),
    "size that depends on values": (lambda x, d: x.sum() * np.unique(d).size, np.array([1.0, 2.0]), np.ones(2)),
    "loop over values": (lambda x, d: sum(x[int(k)] for k in np.unique(d)), np.array([1.0, 2.0]), np.ones(2)),
    "mask": (lambda x, d: x[d > 1].sum(), np.array([0.0, 2.0, 2.0]), np.array([0.0, 2.0, 0.0])),
    "bincount": (lambda x, d: (x * np.bincount(d, minlength=3)).sum(), np.array([2, 2, 2]), np.array([0, 1, 2])),
    "sorted": (lambda x, d: (x * sorted(d)).sum(), np.array([2.0, 1.0, 0.0]), np.array([3.0, 3.0, 3.0])),
    "argsort": (lambda x, d: (x[np.argsort(d)] * np.arange(3)).sum(), np.array([2.0, 1.0, 0.0]), np.arange(3.0)),
    "tolist": (lambda x, d: x.sum() * d.tolist()[0], np.array([1.0]), np.array([2.0])),
    "poly1d": (lambda x, d: (x * np.poly1d([1, 2])(d)).sum(), np.arange(3.0), np.ones(3)),
    "callable": (lambda x, d: d(x), np.sum, np.prod),
    "callable of the user's": (lambda x, d: d(x), lambda x: math.exp(x[0]), lambda x: x.sum()),
    "large list": (lambda x, d: x.sum() * d[0].sum(), [np.ones(2001)], [np.r_[np.ones(1000), 5.0, np.ones(1000)]]),
    "list of close numbers": (
        lambda x, d: x.sum() * (d[0] - 1.0).sum() * 1e10,
        [np.array([1.0 + 1e-10])],
        [np.array([1.0 + 2e-10])],
    ),
    "strings": (lambda x, d: (x * (d == "a")).sum(), np.array(["a", "b", "b"]), np.array(["a", "b", "a"])),
    "complex": (lambda x, d: (x * d.real).sum(), np.array([1j, 2, 3]), np.array([1j, 2, 5])),
    "dates": (
        lambda x, d: x.sum() * (d > np.datetime64("2020-01-01")).sum(),
        np.array(["2021-01-01"], dtype="M8[D]"),
        np.array(["2019-01-01"], dtype="M8[D]"),
    ),
    "objects": (lambda x, d: x.sum() * d[0], np.array([2.0, None]), np.array([3.0, None])),
    "records": (lambda x, d: x.sum() * d["a"][0], records(1.0), records(5.0)),
    "text": (lambda x, d: x.sum() * len(str(d[0])), np.array([2.0]), np.array([2.25])),
    "format": (lambda x, d: x.sum() * float(f"{d[0]:.2f}"), np.array([2.0]), np.array([2.25])),
    "lambda along an axis": (
        lambda x, d: (x * np.apply_along_axis(lambda r: r / r.sum(), 0, d)).sum(),
        np.arange(3.0),
        np.ones(3),
    ),
}


@pytest.mark.parametrize(
    ("f", "first", "second"),
    [pytest.param(*row, id=name) for name, row in OTHER_DATA.items()],
)
def test_other_data_are_seen(f, first, second) -> None:
    check_seen(f, lambda: None, first, after=(second,))


def test_data_written_between_calls_are_seen() -> None:
    for f in (
        lambda x, d: (x * d).sum(),
        lambda x, d: (x * np.log(d)).sum(),
        lambda x, d: x.sum() if d.max() > 5 else x.prod(),
        lambda x, d: x.sum() * float(d[0]),
    ):
        data = np.array([1.0, 2.0, 3.0])
        check_seen(f, partial(operator.setitem, data, 0, 9.0), data)
    numbers = [1.0]
    check_seen(lambda x, d: x.sum() * d[0], lambda: operator.setitem(numbers, 0, 2.0), numbers)


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
