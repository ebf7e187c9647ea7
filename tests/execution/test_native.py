"""Machine code of printed functions: every row of its tables against NumPy, statements, whole objectives, refusals."""

from __future__ import annotations

import linecache
import threading

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from corpus import CASES

from autoopt.execution import engines, tiering
from autoopt.execution.native.arrays import NotLowered
from autoopt.execution.native.calls import CALLS, METHODS
from autoopt.execution.native.elementwise import COMPARISONS, FLOATS, NUMBERS, TESTS, UNKNOWN
from autoopt.execution.native.machine import Changed, Failed, Native, lowered
from autoopt.execution.native.reductions import REDUCTIONS
from autoopt.execution.tiering import TieredFunction
from autoopt.objectives.objective import Objective

RANDOM = np.random.default_rng(3)
V = RANDOM.normal(size=7)
M = RANDOM.normal(size=(3, 4))
A = RANDOM.normal(size=(4, 4)) + 3 * np.eye(4)
STACK = RANDOM.normal(size=(5, 3, 3)) + 2 * np.eye(3)
S = A @ A.T
AWKWARD = np.array([0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 3.0, 800.0, -800.0, 1e-300, np.inf, -np.inf, np.nan])


def function_of(text: str):
    """Return the function `f` that a text defines, where the lines can be read."""
    file = f"<native {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"np": np, "scipy": scipy}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


def expression(text: str, *operands) -> tuple:
    """Return what NumPy and the machine code make of an expression in a, b, c."""
    f = function_of(f"def f({', '.join('abc'[: len(operands)])}):\n    return {text}\n")
    with np.errstate(all="ignore"):
        return f(*operands), Native(lowered(f, operands))(*operands)


def check(text: str, *operands, rtol: float = 1e-13) -> None:
    expected, found = expression(text, *operands)
    if isinstance(expected, tuple):
        assert len(expected) == len(found)
    for one, two in zip(*((v if isinstance(v, tuple) else (v,)) for v in (expected, found)), strict=True):
        assert np.shape(one) == np.shape(two)
        assert np.asarray(one).dtype == np.asarray(two).dtype
        np.testing.assert_allclose(two, one, rtol=rtol, atol=1e-14)


def name_of(function) -> str:
    name = function.__name__
    return f"scipy.special.{name}" if getattr(scipy.special, name, None) is function else f"np.{name}"


SPECIAL = ["gammaln", "digamma", "erf", "erfc", "log_ndtr", "ndtr", "ndtri", "gamma", "i0", "i1e", "entr", "expit",
           "xlogy", "xlog1py", "gammainc", "betaln", "logit"]  # fmt: skip
ELEMENTWISE = {*FLOATS, *COMPARISONS, *TESTS, *NUMBERS, *(getattr(scipy.special, name) for name in SPECIAL)}
ELEMENTWISE -= {scipy.special.polygamma}  # no ufunc; in test_native_functions.py


@pytest.mark.parametrize("function", sorted(ELEMENTWISE, key=name_of), ids=name_of)
def test_elementwise_functions_equal_numpys(function) -> None:
    count = 3 if function is np.clip else getattr(function, "nin", 1)
    text = f"{name_of(function)}({', '.join('abc'[:count])})"
    grid = [part.ravel() for part in np.meshgrid(*[AWKWARD] * count)] if count > 1 else [AWKWARD]
    if function in (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.logical_not):
        grid = [values > 0 for values in grid]
    if function in UNKNOWN:
        grid = [np.abs(values) for values in grid]
    try:
        check(text, *grid)
        check(text, *(values[:1] for values in grid))
        check(text, *(values[:0] for values in grid))
        check(text, *(values[4] for values in grid))
    except NotLowered:
        assert function in (getattr(scipy.special, name) for name in SPECIAL), "a row of the table without code"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_equal_numpys(name: str) -> None:
    options = {"reshape": ["2, 6", "-1", "4, -1", "(12,)"], "transpose": ["", "1, 0"], "astype": ["np.int64", "bool"],
               "diagonal": ["", "1", "-1"], "copy": [""], "argmax": ["axis=0", "axis=1"], "argmin": ["axis=-1"],
               "cumsum": ["axis=0", "axis=1"], "cumprod": ["axis=1"], "trace": [""]}  # fmt: skip
    assert name in options or name in REDUCTIONS
    for option in options.get(name, ["", "axis=0", "axis=-1", "axis=(0, 1)", "axis=1, keepdims=True"]):
        values = M > 0 if name in ("all", "any") else M
        check(f"a.{name}({option})", values)
        check(f"a.T.{name}({option})", np.ascontiguousarray(values.T) if "6" in option else values)
        check(f"(a * b).{name}({option})" if values is M else f"(a & b).{name}({option})", values, values)


def test_sums_of_whole_numbers_and_booleans() -> None:
    check("(a > 0).sum()", M)
    check("(a > 0).sum(axis=0)", M)
    check("a.sum()", np.arange(5))


EXPRESSIONS = [
    ("a @ b", (M, A)), ("a @ b", (M, V[:4])), ("b @ a.T", (M, V[:4])), ("a @ b", (V, V)), ("a @ b", (STACK, STACK)),
    ("a @ b", (STACK, M[:, :2])), ("a[None] @ b", (A[:3, :3], STACK)), ("(a @ b)[:, None]", (M, V[:4])),
    ("np.linalg.solve(a, b)", (A, V[:4])), ("np.linalg.solve(a, b)", (A, M.T)), ("np.linalg.inv(a)", (A,)),
    ("np.linalg.solve(a, b[..., None])[..., 0]", (STACK, M[:, :3][[0, 1, 2, 0, 1]])), ("np.linalg.inv(a)", (STACK,)),
    ("np.linalg.det(a)", (A,)), ("np.linalg.det(a)", (STACK,)), ("np.linalg.slogdet(a)", (A,)),
    ("np.linalg.slogdet(-a)", (STACK,)), ("np.linalg.cholesky(a)", (S,)),
    ("np.linalg.cholesky(a @ a.transpose(0, 2, 1))", (STACK,)),
    ("np.linalg.det(a * 0.0)", (A,)), ("np.linalg.slogdet(a * 0.0)", (A,)),
    ("scipy.linalg.solve_triangular(a, b, lower=True, check_finite=False)", (A, V[:4])),
    ("scipy.linalg.solve_triangular(a, b, check_finite=False)", (A, M.T)),
    ("scipy.linalg.solve_triangular(a, b, trans=1, lower=True)", (A, V[:4])),
    ("scipy.linalg.solve_triangular(a, b, unit_diagonal=True)", (A, V[:4])),
    ("scipy.linalg.blas.dtbsv(1, a[:, :2].T, b, lower=1, diag=1)", (A, V[:4])),
    ("scipy.linalg.blas.dtbsv(1, a[:, :2].T, np.append(2.0, b * b), lower=1, diag=1)", (A, V[:3])),
    ("scipy.linalg.cho_solve((np.linalg.cholesky(a), True), b, check_finite=False)", (S, M.T)),
    ("np.linalg.solve(np.array([[0.0, 2.0], [1.0, 0.0]]), a)", (V[:2],)),
    ("np.where(a > 0, a, b)", (M, V[:4])), ("np.where(a > 0, 1.0, 0.0)", (V,)), ("np.clip(a, -0.5, b)", (V, 0.5)),
    ("a[1:, ::-1] - a[:-1]", (M,)), ("a[-1]", (M,)), ("a[..., 0]", (M,)), ("a[:, None, 1:3]", (M,)), ("a[1, 2]", (M,)),
    ("a[b]", (V, np.array([2, 0, 0, -1]))), ("a[b, b]", (A, np.array([2, 0, 3]))),
    ("a[:, b]", (A, np.array([2, 0, 3]))),
    ("a[b, 1:]", (A, np.array([2, 0, 3]))), ("a[b[:, None], b]", (A, np.array([2, 0, 3]))),
    ("a[b, :, b]", (STACK, np.array([2, 0]))),
    ("a[np.array([True, False, True])]", (M,)), ("a[np.array([2, 0, -1])]", (V,)),
    ("a[0, :, np.array([0, 2])]", (STACK,)),
    ("np.concatenate([a, b[None]])", (M, V[:4])), ("np.concatenate([a, b], axis=1)", (M, M)),
    ("np.stack([a, b], axis=-1)", (V, V)),
    ("np.array([a, 2.0, b])", (1.5, 2.5)), ("np.array([a, b])", (V, V)), ("np.full((2, 3), a)", (1.5,)),
    ("np.diag(a, k=1)", (V,)), ("np.vdot(a, b)", (M, M)), ('np.einsum("ij,ij->j", a, b)', (M, M + 1)),
    ('np.einsum("ij,ij->i", a, b)', (M, M)), ('np.einsum("ijk,jk->ij", a, b)', (STACK, A[:3, :3])),
    ("np.zeros(3) + a", (1.5,)), ("np.broadcast_to(a, (2, 7)) * 2", (V,)), ("np.eye(3) @ a", (M,)),
    ("np.full((1, 1), a)", (2.0,)),
    ("np.lib.stride_tricks.sliding_window_view(a, (2, 3), axis=(0, 1))[:, ::2] * 2", (M,)),
    ("np.bincount(np.array([0, 2, 2, 1, 0, 0, 1]), weights=a, minlength=5)", (V,)), ("np.split(a, [2, 3], 0)[1]", (V,)),
    ("np.array_equal(a > 0, b > 0)", (V, V)), ("np.array_equal(a, b)", (V, V + 1)), ("np.all(a > -9)", (V,)),
    ("np.any(a > 9)", (V,)), ("np.count_nonzero(a > 0)", (V,)), ("np.count_nonzero(a)", (M,)),
    ("np.prod(a, where=a != 0)", (np.array([2.0, 0.0, 3.0]),)), ("np.sum(a, axis=1)", (M,)),
    ("float(a) + int(b)", (1.5, 2.5)),
    ("(a, b * 2)", (V, M)), ("a.T @ (b * a.sum(axis=1))", (M, V[:3])), ("a / a.sum(axis=0)", (M,)),
    ("a if True else b", (V, M)),
    ("-a ** 2 + a ** 0.5 * a ** 3.0 - a ** -1.5", (np.abs(V),)), ("(a > 0) & (b < 0) | ~(a > 1)", (V, V)),
    ("a.shape[0] * a", (M,)),
    ("np.float64(a) * np.int64(b)", (True, 2)), ("np.ones((2, 2)) * a", (3.0,)), ("a.reshape(*a.shape[::-1])", (M,)),
    ("np.asarray(a) * 1.0", (V,)), ("np.empty(0)", (V,)), ("len(a) * a", (V,)), ("np.isinf(a).any()", (V,)),
    ("bool(a)", (1.0,)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "operands"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_expressions_equal_numpys(text: str, operands: tuple) -> None:
    check(text, *operands, rtol=1e-10)


def test_every_function_of_the_table_is_in_an_expression() -> None:
    texts = " ".join(text for text, _ in EXPRESSIONS) + " np.add.at("
    names = {"cholesky": "np.linalg.cholesky(", "solve_triangular": "solve_triangular(", "cho_solve": "cho_solve("}
    names["function dtbsv"] = "dtbsv("
    missing = [f for f in CALLS if names.get(f.__name__, f.__name__.removeprefix("_") + "(") not in texts]
    assert [f for f in missing if f is not np.add.at] == []


BODIES = {
    "scalars": "x = a\n    for t in range(5):\n        x = x * 0.5 + b[t]\n    return x",
    "path": "s = np.ones(6)\n    s[0] = a\n    for t in range(4):\n        s[t + 1] = s[t] * a + b[t]\n    return s",
    "back": "s = np.ones(6)\n    s[-1] = a\n    for t in range(3, -1, -1):\n        s[t] = s[t + 1] * a\n    return s",
    "swap": "x, y = a, a * 2\n    for t in range(3):\n        x, y = y, x + b[t]\n    return x, y",
    "rows": "s = np.zeros((4, 7))\n    for t in range(3):\n        s[t + 1] = (s[t] / 2 + b)[::-1] * a\n    return s",
    "nested": "c = 0.0\n    for t in range(3):\n        for u in range(3):\n            c += b[t] * b[u]\n    return c",
    "augmented": "s = np.zeros(7)\n    s[1:] += b[:-1]\n    s[np.array([0, 1])] += a\n    s *= 2.0\n    return s",
    "overlap": "s = b.copy()\n    s[1:] += s[:-1]\n    s[:-1] = s[1:]\n    return s",
    "add at": "s = np.zeros(4)\n    np.add.at(s, np.array([0, 1, 1, 1, 3, 0, 2]), b * a)\n    return s",
    "view": "s = np.zeros((3, 2))\n    v = s.T\n    v[0] = a\n    s[1] += 5.0\n    return s + v.sum()",
    "constant array": "s = np.array([1.0, 2.0])\n    s[0] += a\n    return s",
    "dictionary": 'c = a * 2\n    return {"c": c, "d": b + c}',
    "rename": "c = a * 2\n    c = b * c\n    return c",
    "empty range": "x = a\n    for t in range(0):\n        x = x * 2\n    return x",
    "place in a value": "x = a\n    for t in range(5):\n        x = x * 0.5 + b[t] * t\n    return x",
}


@pytest.mark.parametrize("name", BODIES)
def test_statements_do_what_python_does(name: str) -> None:
    f = function_of(f"def f(a, b):\n    {BODIES[name]}\n")
    expected, found = f(1.25, V), Native(lowered(f, (1.25, V)))(1.25, V)
    assert tiering.agree(expected, found)
    assert isinstance(found, type(expected))


@pytest.mark.parametrize(
    ("text", "operands", "bad"),
    [
        ("np.linalg.solve(a, np.ones(2))", (np.eye(2),), (np.ones((2, 2)),)),
        ("np.linalg.inv(a)", (np.eye(2),), (np.zeros((2, 2)),)),
        ("np.linalg.cholesky(a)", (np.eye(2),), (-np.eye(2),)),
        ("a[b]", (V, np.array([1, 2])), (V, np.array([1, 7]))),
        ("a[b]", (V, np.array([1, 2])), (V, np.array([1, -8]))),
        ("a[b]", (V, 3), (V, 9)),
    ],
)
def test_what_raises_in_numpy_is_left_to_it(text: str, operands: tuple, bad: tuple) -> None:
    f = function_of(f"def f({', '.join('abc'[: len(operands)])}):\n    return {text}\n")
    native = Native(lowered(f, operands))
    np.testing.assert_allclose(native(*operands), f(*operands))
    with pytest.raises(Failed):
        native(*bad)


def test_checks_of_the_path_are_part_of_the_code() -> None:
    text = "def f(a):\n    if not a > 0:\n        raise ValueError('path')\n    return a * 2\n"
    native = Native(lowered(function_of(text), (1.0,)))
    assert native(1.5) == 3.0
    with pytest.raises(Failed):
        native(-1.0)


@pytest.mark.parametrize(
    "text",
    [
        "a.argsort()",
        "np.linalg.eigh(a)",
        "np.sort(a)",
        "a in (1.0, 2.0)",
        "a[a > 0]",
        "sorted(a)",
    ],
)
def test_what_has_no_code_is_refused(text: str) -> None:
    f = function_of(f"def f(a):\n    return {text}\n")
    with pytest.raises(NotLowered):
        lowered(f, (np.ones((300, 300)),))


def test_operands_of_other_shapes_and_kinds_are_noticed() -> None:
    f = function_of("def f(a, b):\n    return a * b\n")
    native = Native(lowered(f, (V, 2.0)))
    np.testing.assert_array_equal(native(V[::-1], 3), V[::-1] * 3)
    np.testing.assert_array_equal(native(np.arange(7), 3), np.arange(7) * 3.0)
    for a, b in ((V[:3], 2.0), (V, V), (V * 1j, 2.0), (V[:, None], 2.0)):
        with pytest.raises(Changed):
            native(a, b)


def test_data_written_into_are_seen_however_they_lie_in_memory() -> None:
    f = function_of("def f(a):\n    return a.sum()\n")
    whole = np.arange(12.0).reshape(3, 4)
    for data in (whole, whole.T, whole[:, ::2]):
        native = Native(lowered(f, (data,)))
        assert native(data) == data.sum()
        whole += 1.0
        assert native(data) == data.sum()


def test_results_are_the_callers_own() -> None:
    f = function_of("def f(a):\n    return a * 2, a[1:]\n")
    native = Native(lowered(f, (V,)))
    first = native(V)
    first[0][:] = 0.0
    first[1][:] = 0.0
    assert tiering.agree(f(V), native(V))


def test_threads_share_a_function() -> None:
    f = function_of(
        "def f(a):\n    s = 0.0\n    for t in range(2000):\n        s = s * 0.5 + np.sin(a[t])\n    return s, a * 2\n"
    )
    inputs = [RANDOM.normal(size=2000) for _ in range(4)]
    native = Native(lowered(f, (inputs[0],)))
    expected = [f(a) for a in inputs]
    wrong = []

    def work(k: int) -> None:
        wrong.extend(k for _ in range(200) if not tiering.agree(expected[k], native(inputs[k])))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# When it is used ------------------------------------------------------------------------------------------------------


def garch(p, y):
    omega, alpha, beta = p
    s, total = np.var(y), 0.0
    for t in range(1, len(y)):
        s = omega + alpha * y[t - 1] ** 2 + beta * s
        total += np.log(s) + y[t] ** 2 / s
    return 0.5 * total


def test_a_function_that_has_cost_enough_becomes_machine_code(monkeypatch, patient) -> None:
    monkeypatch.setattr(tiering, "COST", 0.0)
    monkeypatch.setattr(tiering, "LINE", 0.0)
    y = RANDOM.normal(size=400)
    x = np.array([0.12, 0.09, 0.75])
    objective, plain = (Objective(garch, x, (y,), engine=engine) for engine in ("auto", "numpy"))
    for point in (x, x + 0.01, x + 0.02):
        np.testing.assert_allclose(objective.grad(point), plain.grad(point), rtol=1e-11)
        np.testing.assert_allclose(objective.hessp(point, x), plain.hessp(point, x), rtol=1e-9)
    functions = [
        f
        for c in objective.dispatch.paths[0].compiled.values()
        for f in c.namespace.values()
        if isinstance(f, TieredFunction)
    ]
    assert {f.__name__ for f in functions if f.native is not None} == {"value_and_grad", "linearize", "hessp"}


def test_a_function_with_little_behind_it_stays_numpy() -> None:
    objective = Objective(garch, np.array([0.12, 0.09, 0.75]), (RANDOM.normal(size=50),))
    objective.grad(np.array([0.12, 0.09, 0.75]))
    (compiled,) = objective.dispatch.paths[0].compiled.values()
    assert [f.native for f in compiled.namespace.values() if isinstance(f, TieredFunction)] == [None]


def test_functions_without_code_stay_with_python() -> None:
    function = TieredFunction(function_of("def f(start):\n    return np.sort(start)\n"), {})
    function.spent = 10.0
    np.testing.assert_array_equal(function(V), np.sort(V))
    assert function.refused


def nonlinear(p, y):
    state, total = 0.0, 0.0
    for value in y:
        state = np.tanh(p[0] * state + p[1]) + p[2] * value
        total += state**2
    return total


def test_the_loops_of_a_function_without_code_are_compiled_alone(monkeypatch) -> None:
    monkeypatch.setattr(tiering, "COST", 0.0)
    monkeypatch.setattr(tiering, "LINE", 0.0)
    y = RANDOM.normal(size=400)
    x = np.array([0.12, 0.09, 0.75])
    objective = Objective(lambda p, y: nonlinear(np.sort(p)[[1, 0, 2]], y), x, (y,))
    first = objective.grad(x)
    for _ in range(3):
        np.testing.assert_allclose(objective.grad(x), first, rtol=1e-11)
    (compiled,) = objective.dispatch.paths[0].compiled.values()
    loops = [f for name, f in compiled.namespace.items() if name.endswith("_loop") and isinstance(f, TieredFunction)]
    assert loops and all(f.native is not None for f in loops)


def test_results_that_differ_are_noticed() -> None:
    one = (np.float64(1.0), np.array([1.0, np.nan, 0.0]))
    assert tiering.agree(one, (np.float64(1.0 + 1e-12), np.array([1.0, np.nan, 1e-15])))
    assert not tiering.agree(one, (np.float64(1.001), one[1]))
    assert not tiering.agree(one, (one[0], np.array([1.0, 1.0, 0.0])))
    assert not tiering.agree(one, (one[0], one[1][:2]))
    assert not tiering.agree({"a": 1.0, "b": 1e-9}, {"a": 1.0, "b": 2e-9})


# The corpus -----------------------------------------------------------------------------------------------------------


def compared(namespace: dict, seen: list) -> None:
    """Have every function of a module run by Python and as machine code, and note whether the two agree."""
    for name, f in list(namespace.items()):
        if not isinstance(f, Compared) and name in ("value_and_grad", "linearize", "hessp"):
            namespace[name] = Compared(f, seen)


class Compared:
    """A function that is run by Python and as machine code, with a note whether the two agree."""

    def __init__(self, function, seen: list) -> None:
        self.function, self.seen = function, seen
        self.__code__ = function.__code__
        self.native = None

    def __call__(self, *operands):
        results = self.function(*operands)
        try:
            self.native = self.native or Native(lowered(self.function, operands))
            self.seen.append(tiering.agree(results, self.native(*operands)))
        except (NotLowered, Changed):
            pass
        return results


SHARE = 8
"""One case in so many; `SHARE = 1` for all, which takes some minutes."""


@pytest.mark.slow_for("mixture_stable", "lu_likelihood", "top_of_list")
@pytest.mark.parametrize("case", [c for c in CASES if not c.xfail][::SHARE], ids=str)
@pytest.mark.sampled(5)
def test_machine_code_of_the_corpus_agrees(case, monkeypatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(tiering, "watch", lambda namespace: compared(namespace, seen))
    assert engines.tiering is tiering
    with np.errstate(all="ignore"):
        objective = Objective(case.f, case.x0, case.args)
        x0 = objective.structure.flatten(case.x0).astype(float)
        for x in [x0, x0 + 0.01, *map(objective.structure.flatten, case.points)]:
            objective.value_and_grad(x)
            objective.hessp(x, np.ones(x0.size))
    assert all(seen)
