"""Matrix products in machine code, by loops and by BLAS: orders in memory, stacks, nothing, what is not finite."""

from __future__ import annotations

import linecache
import threading

import numpy as np
import pytest

from autoopt.execution.native import products
from autoopt.execution.native.machine import Native, lowered

RANDOM = np.random.default_rng(5)
BOTH = pytest.mark.parametrize("largest", [0, 10**9], ids=["blas", "loops"])


def function_of(text: str, count: int):
    """Return the function of a, b, c that returns an expression."""
    file = f"<product {hash(text):x}>"
    whole = f"def f({', '.join('abc'[:count])}):\n    return {text}\n"
    linecache.cache[file] = (len(whole), None, whole.splitlines(keepends=True), file)
    namespace = {"np": np}
    exec(compile(whole, file, "exec"), namespace)
    return namespace["f"]


def compared(text: str, *operands: np.ndarray) -> str:
    """Compare an expression with what NumPy makes of it, and return its code."""
    f = function_of(text, len(operands))
    code = lowered(f, operands)
    found, expected = Native(code)(*operands), f(*operands)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    return code.text


def lying(shape: tuple[int, ...], order: str) -> tuple[np.ndarray, str]:
    """Return a matrix in one operand, and the text of it in an order in memory."""
    values = RANDOM.normal(size=shape)
    turned = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    if order == "columns":
        return np.ascontiguousarray(values.transpose(turned)), f"{{}}.transpose{turned}"
    if order == "gaps":
        wide = RANDOM.normal(size=(*shape[:-1], 2 * shape[-1]))
        return wide, "{}[..., ::2]"
    if order == "part":
        return RANDOM.normal(size=(*shape[:-1], shape[-1] + 3)), "{}[..., 2:-1]"
    if order == "back":
        return values, "{}[..., ::-1, :]"
    return values, "({} * 2.0)" if order == "computed" else "{}"


ORDERS = ["rows", "columns", "gaps", "part", "back", "computed"]
SIZES = [(5, 7, 6), (13, 3, 17), (1, 9, 12), (12, 9, 1), (9, 1, 11), (1, 1, 1), (40, 30, 20)]


@BOTH
@pytest.mark.parametrize("right", ORDERS)
@pytest.mark.parametrize("left", ORDERS)
def test_products_of_matrices_however_they_lie(left: str, right: str, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    for rows, inner, columns in SIZES:
        (a, one), (b, other) = lying((rows, inner), left), lying((inner, columns), right)
        text = compared(f"{one.format('a')} @ {other.format('b')}", a, b)
        assert ("dgemm" in text) == (largest == 0 and min(rows, inner, columns) > 1)


@BOTH
@pytest.mark.parametrize("order", ORDERS)
def test_products_with_vectors_however_matrices_lie(order: str, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    for rows, columns in ((6, 9), (33, 21), (1, 8), (8, 1), (50, 10)):
        a, text = lying((rows, columns), order)
        b, c = RANDOM.normal(size=columns), RANDOM.normal(size=(2 * rows))
        compared(f"{text.format('a')} @ b", a, b)
        compared(f"c[::2] @ {text.format('a')}", a, b, c)
        compared(f"{text.format('a')}.T @ c[::-2]", a, b, c)


@BOTH
@pytest.mark.parametrize("orders", [("rows", "rows"), ("columns", "rows"), ("back", "columns"), ("gaps", "computed")])
@pytest.mark.parametrize(
    "stacks", [((3,), ()), ((), (3,)), ((3,), (3,)), ((2, 1), (3,)), ((2, 3), ()), ((0,), ()), ((2, 0), (1, 1))]
)
def test_products_of_stacks(stacks: tuple, orders: tuple, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    (a, one), (b, other) = lying((*stacks[0], 5, 4), orders[0]), lying((*stacks[1], 4, 6), orders[1])
    compared(f"{one.format('a')} @ {other.format('b')}", a, b)
    compared(f"{one.format('a')} @ b", a, RANDOM.normal(size=4))


@BOTH
@pytest.mark.parametrize(
    "shapes", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0, 3), (3,)), ((3, 0), (0,))]
)
def test_products_of_nothing(shapes: tuple, largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    compared("a @ b", np.ones(shapes[0]), np.ones(shapes[1]))


@BOTH
def test_a_matrix_times_its_transpose_is_symmetric(largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    a = RANDOM.normal(size=(30, 20))
    for expression in ("a @ a.T", "a.T @ a", "a[:, 3:9] @ a[:, 3:9].T", "a[2:9].T @ a[2:9]"):
        assert ("dsyrk" in compared(expression, a)) == (largest == 0)
    assert "dsyrk" not in compared("a[:9].T @ a[1:10]", a)


@BOTH
def test_what_is_not_finite_stays_where_it_is(largest: int, monkeypatch) -> None:
    monkeypatch.setattr(products, "LARGEST_PRODUCT", largest)
    a, b = RANDOM.normal(size=(20, 15)), RANDOM.normal(size=(15, 18))
    a[3, 4], b[2, 5] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        compared("a @ b", a, b)
        compared("a @ b", a, b[:, 5])
        compared("a.T @ b", a, RANDOM.normal(size=20))


def test_whole_numbers_are_converted() -> None:
    compared("a @ b * 1.0", np.arange(600).reshape(20, 30), RANDOM.normal(size=(30, 20)))


def test_blas_is_called_from_several_threads_at_once() -> None:
    f = function_of("(a.T @ ((a @ b) * c), (a.T * c) @ a)", 3)
    X, w = RANDOM.normal(size=(8000, 20)), RANDOM.uniform(size=8000)
    blocks = [slice(k, k + 1000) for k in range(0, 8000, 1000)]
    b = RANDOM.normal(size=20)
    native = Native(lowered(f, (X[:1000], b, w[:1000])))
    assert "dgemm" in native.lowered.text
    expected = [f(X[block], b, w[block]) for block in blocks]
    wrong = []

    def work(first: int) -> None:
        for turn in range(40):
            k = (first + turn) % len(blocks)
            found = native(X[blocks[k]], b, w[blocks[k]])
            wrong.extend(k for one, two in zip(found, expected[k], strict=True) if not np.allclose(one, two, 1e-12))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
