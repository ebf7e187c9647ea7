"""What tracing leaves as it was, and what was captured and is another afterwards."""

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
from records import X, record, replay

import autoopt

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


def test_a_function_of_numpy_that_somebody_replaces(monkeypatch) -> None:
    def f(x):
        return np.cosh(x[0]) + x[1] ** 2

    x = np.array([0.7, 0.4])
    np.testing.assert_allclose(autoopt.grad(f)(x), [np.sinh(0.7), 0.8])
    monkeypatch.setattr(np, "cosh", lambda z: z**3)
    np.testing.assert_allclose(autoopt.grad(f)(x), [3 * 0.49, 0.8])
    monkeypatch.undo()
    np.testing.assert_allclose(autoopt.grad(f)(x), [np.sinh(0.7), 0.8])
