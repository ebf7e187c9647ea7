"""Operations and bytes of printed code, against counts by hand, and by the lines of the user's."""

from __future__ import annotations

import json
import operator

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.sparse
import scipy.special
from irregular_programs import irregular

import autoopt
from autoopt.errors import Location
from autoopt.inspection.counting import counting
from autoopt.inspection.modules import Module, Quotes
from autoopt.inspection.operations import OPERATIONS, operations

RNG = np.random.default_rng(5)
N, K, C = 50, 4, 3
X, Y = RNG.normal(size=(N, K)), RNG.normal(size=N)
A = X.T @ X + np.eye(K)
HEAD = "import numpy as np\nimport scipy.linalg\nimport scipy.special\n\n\n"

# Modules as they are printed, and their operations counted by hand ----------------------------------------------------

LOGISTIC = """
def value_and_grad(w, X, y):
    # z = X @ w
    z = X @ w
    # return np.sum(np.logaddexp(0, z) - y * z)
    softplus_z = np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))
    value = softplus_z.sum() - y @ z
    gradient = X.T @ (np.exp(z - softplus_z) - y)
    return value, gradient
"""

CHOLESKY = """
def value(w, A):
    # L = np.linalg.cholesky(A * w)
    L = np.linalg.cholesky(A * w)
    a = scipy.linalg.solve_triangular(L, np.ones(len(A)), lower=True)
    return a @ a + np.log(np.diag(L)).sum()
"""

LOOP = """
def h_loop(h, term, beta):
    h_path = np.empty(len(term) + 1)
    h_path[0] = h
    for t in range(len(term)):
        # h = omega + beta * h
        h = beta * h + term[t]
        h_path[t + 1] = h
    return h_path


def adjoint(slope, beta):
    for t in range(10):
        slope = slope * beta
    return slope


def value_and_grad(p, y):
    h_path = h_loop(p[0], y, p[1])
    # return np.sum(np.log(h))
    value = np.log(h_path[1:]).sum()
    gradient = np.array([adjoint(value, p[1]), 1.0])
    return value, gradient
"""

SOFTMAX = """
def value_and_grad(w, X, codes):
    # scores = X @ W
    scores = X @ w.reshape(4, 3)
    largest = scores.max(axis=1)
    exp = np.exp(scores - largest[:, None])
    total = exp.sum(axis=1)
    # return np.sum(...)
    value = (np.log(total) + largest).sum() - scores[np.arange(50), codes].sum()
    ratio = exp / total[:, None]
    ratio[np.arange(50), codes] += -1.0
    gradient = (X.T @ ratio).ravel()
    return value, gradient
"""

PRODUCT = """
def prepare(X):
    gram = X.T @ X
    return {"gram": gram}


def linearize(x, gram):
    scaled = gram * np.exp(x)
    return {"scaled": scaled}


def hessp(direction, scaled):
    if (scaled < -1.0).any():
        raise ValueError("no")
    return scaled @ direction + 2.0 * direction
"""

MODULES = {
    "logistic": (LOGISTIC, "value_and_grad", (np.ones(K), X, Y),
                 {1: 2 * N * K, 2: 6 * N + N + 2 * N + 1, None: 3 * N + 2 * N * K}),
    "cholesky": (CHOLESKY, "value", (np.float64(2.0), A),
                 {3: K**2 + round(K**3 / 3) + K**2 + 2 * K + K + K + 1}),
    "loop": (LOOP, "value_and_grad", (np.array([0.1, 0.5]), np.abs(Y)), {4: 2 * N, 5: 2 * N, None: 10}),
    "softmax": (SOFTMAX, "value_and_grad", (np.ones(K * C), X, np.arange(N) % C),
                {6: 2 * N * K * C + N * C + 2 * N * C + N * C, 7: N + N + N + N + 1,
                 None: N * C + N + 2 * N * K * C}),
}  # fmt: skip
LINES = ["z = X @ w", "return np.sum(np.logaddexp(0, z) - y * z)", "L = np.linalg.cholesky(A * w)",
         "h = omega + beta * h", "return np.sum(np.log(h))", "scores = X @ W", "return np.sum(...)"]  # fmt: skip
QUOTES = Quotes({text: Location("model.py", number) for number, text in enumerate(LINES, start=1)})


@pytest.mark.parametrize("name", MODULES)
def test_operations_are_those_counted_by_hand_under_the_lines_that_are_quoted(name):
    text, kind, given, expected = MODULES[name]
    module = Module(HEAD + text.lstrip(), kind, QUOTES)
    namespace, tally = counting(module)
    result = namespace[kind](*given)
    plain: dict = {}
    exec(HEAD + text, plain)
    for one, other in (
        zip(np.atleast_1d(*result), np.atleast_1d(*plain[kind](*given)), strict=True)
        if isinstance(result, tuple)
        else [(result, plain[kind](*given))]
    ):
        np.testing.assert_array_equal(one, other)
    found: dict = {}
    for k, statement in enumerate(module.statements):
        line = statement.line.line if statement.line else None
        found[line] = found.get(line, 0) + tally.operations[k]
    assert {line: count for line, count in found.items() if count} == expected
    assert not tally.unknown and -1 not in tally.operations


def test_a_loop_without_quotes_belongs_to_the_statement_that_calls_it():
    module = Module(HEAD + LOOP, "value_and_grad", QUOTES)
    assert {one.function for one in module.statements} == {"h_loop", "value_and_grad"}
    namespace, tally = counting(module)
    namespace["value_and_grad"](np.array([0.1, 0.5]), np.abs(Y))
    by_text = {one.text: tally.operations[k] for k, one in enumerate(module.statements)}
    assert by_text["gradient = np.array([adjoint(value, p[1]), 1.0])"] == 10


CALLING = """
def inner(x):
    # h = omega + beta * h
    h = x * x
    return h


def value(x):
    # return np.sum(...)
    return (inner(x[1:]) + x.reshape(51, 1).ravel()[1:]).sum()
"""


def test_a_statement_goes_on_after_a_call_and_views_cost_nothing():
    module = Module(HEAD + CALLING, "value", QUOTES)
    namespace, tally = counting(module)
    namespace["value"](np.ones(N + 1))
    told = [(one.text, tally.operations[k], tally.bytes[k]) for k, one in enumerate(module.statements)]
    assert told[0] == ("h = x * x", N, 3 * 8 * N) and told[1] == ("return h", 0, 0)
    assert told[2][1:] == (2 * N, 3 * 8 * N + 8 * N + 8)


NAMED = """
def value_and_grad(p, r):
    # h = omega + beta * h
    h2 = np.cumsum(r) * p[1]
    ratio = r / h2
    loss = np.log(ratio).sum()
    return loss, np.ones(2)
"""


def test_what_the_user_names_elsewhere_belongs_to_that_line():
    quotes = Quotes(
        {"h = omega + beta * h": Location("m.py", 3), "loss = np.sum(...)": Location("m.py", 4)},
        {"h": {"h = omega + beta * h"}, "loss": {"loss = np.sum(...)"}},
    )
    lines = {one.text: one.line and one.line.line for one in Module(HEAD + NAMED, "value_and_grad", quotes).statements}
    assert list(lines.values()) == [3, 3, 4, None], lines
    text = "def value(p):\n    # h = omega + beta * h\n    h = p[0]\n    return np.log(h)\n"
    last = Quotes(quotes.places, quotes.names, "loss = np.sum(...)")
    assert [one.line and one.line.line for one in Module(HEAD + text, "value", last).statements] == [3, 4]
    quotes.names["loss"].add("loss = 0.0")
    lines = {one.text: one.line and one.line.line for one in Module(HEAD + NAMED, "value_and_grad", quotes).statements}
    assert list(lines.values()) == [3, 3, None, None], "of two statements it could be neither is told"


# The table of operations ----------------------------------------------------------------------------------------------

I4 = np.eye(4)
CALLS = {
    "product of matrices": (np.matmul, (X, A), 2 * N * K * K),
    "product of a stack": (np.matmul, (np.ones((5, 2, 3)), np.ones((5, 3, 4))), 5 * 2 * 2 * 3 * 4),
    "inner product": (np.dot, (Y, Y), 2 * N),
    "number times array": (np.dot, (2.0, Y), N),
    "outer product": (np.outer, (Y, Y), N * N),
    "sparse times vector": (operator.matmul, (scipy.sparse.csr_array(I4), np.ones(4)), 2 * 4),
    "sparse times matrix": (operator.matmul, (scipy.sparse.csr_array(I4), np.ones((4, 3))), 2 * 4 * 3),
    "tensordot": (np.tensordot, (X, A, 1), 2 * N * K * K),
    "quadratic forms by einsum": (np.einsum, ("ni,ij,nj->n", X, A, X), 3 * N * K * K),
    "diagonal by einsum": (np.einsum, ("ij,ij->ij", X, X), N * K),
    "elementwise": (np.exp, (X,), N * K),
    "broadcast": (np.add, (X, np.ones(K)), N * K),
    "special function": (scipy.special.gammaln, (Y,), N),
    "sum": (np.sum, (X,), N * K),
    "sum by rows": (np.add.reduceat, (Y, [0, 10]), N),
    "maximum over all": (np.maximum.reduce, (X,), N * K),
    "cumulative sum": (np.cumsum, (Y,), N),
    "scattered sum": (np.add.at, (np.zeros(3), np.zeros(N, dtype=int), Y), N),
    "variance": (np.var, (Y,), 4 * N),
    "cholesky": (np.linalg.cholesky, (A,), K**3 / 3),
    "cholesky of a stack": (np.linalg.cholesky, (np.stack([A, A]),), 2 * K**3 / 3),
    "solve": (np.linalg.solve, (A, np.ones(K)), 2 / 3 * K**3 + 2 * K**2),
    "solve for many": (np.linalg.solve, (A, np.ones((K, 5))), 2 / 3 * K**3 + 2 * K**2 * 5),
    "triangular system": (scipy.linalg.solve_triangular, (A, np.ones(K)), K**2),
    "by factor": (scipy.linalg.cho_solve, (scipy.linalg.cho_factor(A), np.ones((K, 2))), 2 * K**2 * 2),
    "bidiagonal system": (scipy.linalg.blas.dtbsv, (1, np.ones((2, N)), Y), 3 * N),
    "tridiagonal system": (scipy.linalg.solve_banded, ((1, 1), np.ones((3, N)) + [[0], [2], [0]], Y), 4 * N + 5 * N),
    "determinant": (np.linalg.slogdet, (A,), 2 / 3 * K**3),
    "inverse": (np.linalg.inv, (A,), 2 * K**3),
    "eigenvectors": (np.linalg.eigh, (A,), 9 * K**3),
    "fourier": (np.fft.fft, (np.ones(64),), 5 * 64 * 6),
    "filter": (scipy.signal.lfilter, ([1.0], [1.0, -0.5], Y), 2 * 2 * N),
    "convolution": (np.convolve, (Y, np.ones(3)), 2 * N * 3),
    "sorting": (np.sort, (np.ones(64),), 64 * 6),
    "zeros": (np.zeros, (5,), 0),
    "joining": (np.concatenate, ([Y, Y],), 0),
    "selecting": (np.where, (Y > 0, Y, 0.0), N),
}


@pytest.mark.parametrize("name", CALLS)
def test_operations_of_a_call(name):
    function, given, expected = CALLS[name]
    assert operations(function, given, function(*given)) == pytest.approx(expected)


def test_methods_of_arrays_count_as_functions_and_what_is_unknown_is_told():
    assert operations(Y.sum, (Y,), Y.sum()) == N
    assert operations(np.linalg.matrix_power, (A, 2), A @ A) is None
    assert all(callable(count) for count in OPERATIONS.values())


def test_an_unknown_function_counts_for_each_entry_of_its_result_and_is_named():
    text = "import numpy as np\n\n\ndef value(A):\n    return np.linalg.matrix_power(A, 2)\n"
    namespace, tally = counting(Module(text, "value", Quotes()))
    namespace["value"](A)
    assert tally.unknown == {"matrix_power"} and sum(tally.operations.values()) == K * K


# Objectives -----------------------------------------------------------------------------------------------------------


def squares(w, X, y):
    r = y - X @ w
    return 0.5 * np.sum(r**2)


def test_cost_of_an_objective_by_its_lines():
    cost = autoopt.objective(squares, np.zeros(K), X, Y).cost()
    first = squares.__code__.co_firstlineno
    nk = N * K
    assert list(cost.total) == ["value", "gradient", "hvp", "hessian"]
    assert 2 * nk + 2 * N <= cost["value"].operations <= 2 * nk + 5 * N
    assert 4 * nk + 2 * N <= cost["gradient"].operations <= 4 * nk + 6 * N
    assert cost["gradient"].bytes >= 2 * 8 * nk and cost["gradient"].derivatives >= 2 * nk
    assert {place.line - first for place in cost.by_line()} == {1, 2}
    assert next(iter(cost.by_line().values()))["value"] == 2 * nk + N
    for kind in cost.kinds.values():
        assert sum(kind.by_line().values()) + kind.derivatives + kind.others == kind.operations


def test_cost_is_told_in_lines_of_100_columns_and_as_json():
    cost = autoopt.objective(squares, np.zeros(K), X, Y).cost("value", "gradient")
    rows = str(cost).split("\n")
    assert max(map(len, rows[1:])) <= 100 and rows[0].startswith("Operations of one evaluation of squares (")
    assert any(row.startswith(f"{squares.__code__.co_firstlineno + 1:>4} | r = y - X @ w ") for row in rows)
    told = json.loads(json.dumps(cost.to_dict()))
    assert told["kinds"]["gradient"]["operations"] == cost.total["gradient"]
    assert "\n" not in repr(cost) and f"{cost.total['value']:,} operations" in repr(cost)


def test_what_is_done_once_is_told_apart():
    module = Module(HEAD + PRODUCT, "hessp", Quotes())
    assert [one.function for one in module.statements] == ["prepare"] * 2 + ["linearize"] * 2 + ["hessp"] * 3
    cost = autoopt.objective(lambda w, X: np.sum(np.exp(np.sum(X**2, axis=1) + X @ w)), np.zeros(K), X).cost("hvp")
    hvp = cost["hvp"]
    assert hvp.prepare >= N * K and 0 < hvp.linearize < hvp.operations
    assert "of these once for a point" in str(cost) and "besides once for the data" in str(cost)


def test_arrays_have_their_own_kinds():
    cost = autoopt.Objective(lambda w, X: np.exp(X @ w), np.zeros(K), (X,), scalar=False).cost()
    assert list(cost.total) == ["value", "jacobian", "jvp", "vjp"] and not cost.missing
    assert cost["value"].operations == 2 * N * K + N


def test_what_is_not_derived_is_named_and_its_value_counted_along_the_tape(too_long):
    cost = autoopt.objective(irregular, np.full(3, 0.3)).cost()
    assert list(cost.kinds) == ["value"] and list(cost.missing) == ["gradient", "hvp", "hessian"]
    assert cost["value"].operations == 30 * 5 - 3  # a sine, two products, a function, a sum; the first begins with 0.0
    assert "gradient: not counted, A loop of the objective comes to " in str(cost)


def test_an_engine_without_source_is_not_counted():
    cost = autoopt.objective(squares, np.zeros(K), X, Y, engine="numba").cost("gradient")
    assert not cost.kinds and "gradient: not counted, The numba engine has no source." in str(cost)


def test_a_large_hessian_is_not_made_to_be_counted():
    cost = autoopt.objective(lambda x: np.sum(x[1:] ** 2 * x[:-1]), np.ones(3000)).cost("hvp", "hessian")
    assert list(cost.kinds) == ["hvp"]
    assert "hessian: not counted, it is put together from as few products as its pattern allows." in str(cost)
