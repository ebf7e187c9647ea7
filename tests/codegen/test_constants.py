"""Constant arrays as text: their structure where they have one, equal to the last bit in any case."""

import numpy as np
import pytest

import autoopt
from autoopt.codegen.constants import constant_text, display
from autoopt.codegen.structures import STRUCTURES, is_same
from autoopt.objectives.objective import printed

RNG = np.random.default_rng(5)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)

STRUCTURED = {
    "np.eye(9)": np.eye(9),
    "-0.5 * np.eye(9)": -0.5 * np.eye(9),
    "np.eye(9, dtype=bool)": np.eye(9, dtype=bool),
    "np.eye(9, 7, k=-2)": np.eye(9, 7, k=-2),
    "np.eye(40).reshape(20, 80)": np.eye(40).reshape(20, 80),
    "np.tri(9)": np.tri(9),
    "np.tri(9, 12, k=2)": np.tri(9, 12, 2),
    "np.tri(9, dtype=bool).T": np.tri(9, dtype=bool).T,
    "2.0 * np.tri(9, k=-1).T": 2 * np.triu(np.ones((9, 9)), 1),
    "np.tri(9, dtype=int).astype(np.int8)": np.tri(9, dtype=np.int8),
    "np.tri(9) - 0.5 * np.eye(9)": np.tri(9) - 0.5 * np.eye(9),
    "0.5 * np.tri(9).T + 0.5 * np.eye(9)": 0.5 * np.tri(9).T + 0.5 * np.eye(9),
    "np.eye(9, 8) - np.eye(9, 8, k=-1)": np.eye(9, 8) - np.eye(9, 8, k=-1),
    "np.diag(np.arange(6, dtype=float))": np.diag(np.arange(6.0)),
    "np.arange(20, 0, -1, dtype=float)": np.arange(20.0, 0.0, -1.0),
    "np.linspace(0.3, 2.2, 77)": np.linspace(0.3, 2.2, 77),
    "np.arange(9)[:, None] + np.arange(12)": np.arange(9)[:, None] + np.arange(12),
    "np.repeat(np.arange(3, 8), 6)": np.repeat(np.arange(3, 8), 6),
    "np.tile(np.array([1.0, -1.0]), 20)": np.tile([1.0, -1.0], 20),
    "np.kron(np.eye(5), np.eye(4).reshape(1, 16))": np.kron(np.eye(5), np.eye(4).reshape(1, 16)),
    "1.0 - np.eye(20)": 1 - np.eye(20),
    "np.triu_indices(9)[1]": np.triu_indices(9)[1],
    "np.tril_indices(9, -1)[0]": np.tril_indices(9, -1)[0],
    "0.0 - np.tri(9, k=-1)": 0.0 - np.tri(9, k=-1),
    "0.0 - 2.0 * np.eye(9, 8)": 0.0 - 2.0 * np.eye(9, 8),
    "-3.0 * np.eye(9, 8)": -(3.0 * np.eye(9, 8)),
    "-(np.eye(9, 8, k=-1) - 2.0 * np.eye(9, 8))": -(np.eye(9, 8, k=-1) - 2 * np.eye(9, 8)),
    "np.eye(6)[[3, 0, 0, 5, 1, 2, 4]]": np.eye(6)[[3, 0, 0, 5, 1, 2, 4]],
    "(np.polynomial.legendre.leggauss(24)[0] + 1.0) / 2.0": (NODES + 1) / 2,
    "np.polynomial.legendre.leggauss(24)[1]": WEIGHTS,
    "np.full((5, 7), np.inf)": np.full((5, 7), np.inf),
    "np.zeros((0, 3))": np.zeros((0, 3)),
}


@pytest.mark.parametrize("text", STRUCTURED)
def test_what_has_a_structure_is_written_as_that(text) -> None:
    assert constant_text(STRUCTURED[text])[1] == text


ARRAYS = [
    RNG.normal(size=40),
    RNG.normal(size=(7, 9)),
    RNG.normal(size=(1, 1, 30)),
    RNG.integers(0, 9, size=50),
    RNG.uniform(size=(8, 8)) < 0.5,
    np.eye(60)[RNG.permutation(60)],
    np.diag(RNG.normal(size=40)),
    np.where(RNG.uniform(size=(9, 40)) < 0.1, RNG.normal(size=(9, 40)), 0.0),
    np.where(np.eye(9) > 0, np.nan, 0.0),
    np.where(np.tri(6) > 0, -np.inf, 0.0),
    np.where(np.eye(9) > 0, -0.0, 1.0),
    -np.zeros((4, 6)),
    np.broadcast_to(np.tri(5), (4, 5, 5)).copy(),
    np.arange(60.0).reshape(3, 4, 5).transpose(2, 0, 1),
    np.array([1e-300, 1e300, 5e-324, np.pi] * 9) * np.arange(36.0),
    np.maximum.outer(np.arange(9.0), np.arange(7.0)),
    np.float32([0.1, 0.2, 0.3] * 8),
    np.full((9, 9), 0.1) * np.eye(9),
]


@pytest.mark.parametrize("number", range(len(ARRAYS)))
def test_text_gives_the_array_to_the_last_bit(number) -> None:
    value = np.ascontiguousarray(ARRAYS[number])
    assert is_same(constant_text(value)[1], value)
    assert is_same(display(value), value) or value.dtype == np.float32


def test_every_structure_is_met() -> None:
    met = {stem for stem, find in STRUCTURES.items() for value in STRUCTURED.values() if _is_found(find, value)}
    assert set(STRUCTURES) - met <= {"scattered"}


def _is_found(find, value) -> bool:
    from autoopt.codegen.structures import Search

    search = Search()
    search.left = np.inf
    with np.errstate(all="ignore"):
        code = find(value, search) if value.size else None
    return code is not None and is_same(code.text, value)


def test_wrong_texts_are_not_used(monkeypatch) -> None:
    from autoopt.codegen.code import Code

    monkeypatch.setitem(STRUCTURES, "identity", lambda value, search: Code("np.eye(9) + 1e-16 * np.tri(9, k=-1)"))
    assert constant_text(np.eye(9, 7))[1] != "np.eye(9) + 1e-16 * np.tri(9, k=-1)"


@pytest.mark.slow_for("hessian", "hvp")
@pytest.mark.parametrize("kind", ["gradient", "hvp", "hessian"])
def test_source_has_no_packed_arrays(kind) -> None:
    table = RNG.normal(size=(12, 3))

    def f(x):
        L = np.tril(np.outer(x, x)) + 12 * np.eye(12)
        return np.sum(np.cumsum(x) ** 3) + np.sum(np.linalg.cholesky(L @ L.T) @ table) + np.sum(np.diff(x, 2) ** 4)

    x = RNG.normal(size=12)
    text = printed(f, x, (), kind)
    assert "base64" not in text and "zlib" not in text and len(text.splitlines()) < 200


@pytest.mark.slow
def test_constants_go_with_the_rows() -> None:
    """Those of the module whose length is that of the data are made by the functions that read them."""

    def f(b, y):
        return np.sum(np.cumsum(np.exp(y * b[0])) * b[1] ** 2) / len(y)

    b = np.array([0.3, -0.5])
    text = printed(f, b, (np.linspace(0, 1, 40),), "hessian")
    namespace: dict = {}
    exec(text, namespace)
    assert "n = len(y)" in text
    y = np.linspace(0, 2, 23)
    known = {"y": y} | (namespace["prepare"](y) if "prepare" in namespace else {})
    code = namespace["hess"].__code__
    found = namespace["hess"](b, *(known[name] for name in code.co_varnames[1 : code.co_argcount]))
    np.testing.assert_allclose(found, autoopt.hessian(f)(b, y), rtol=1e-11)
