"""Blocks of Hessians that are asked for by name."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import autoopt
from autoopt.errors import AutooptError, UsageError

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(40, 3)), (RNG.uniform(size=40) < 0.5).astype(float)


def model(p, X, y):
    """A logistic regression, the intercept and a logarithmic weight in a dict of their own."""
    eta = X @ p["beta"] + p["head"]["b"]
    fit = np.sum(np.logaddexp(0, eta) - y * eta)
    return np.exp(p["head"]["s"]) * fit + np.sum(p["W"] ** 3) * p["beta"][0]


def parameters(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "beta": rng.normal(size=3),
        "head": {"b": rng.normal(), "s": 0.1 * rng.normal()},
        "W": rng.normal(size=(2, 2)),
    }


def by_hand(p):
    """Return the blocks that the tests look at, by formula."""
    q = expit(X @ p["beta"] + p["head"]["b"])
    scale = np.exp(p["head"]["s"])
    return {
        ("beta", "beta"): scale * (X.T * (q * (1 - q))) @ X,
        ("beta", "head.b"): scale * X.T @ (q * (1 - q)),
        ("head.s", "head.b"): scale * np.sum(q - Y),
        ("W", "beta"): 3 * p["W"][:, :, np.newaxis] ** 2 * np.eye(3)[0],
        ("W", "W"): 6 * p["beta"][0] * np.einsum("ij,ik,jl->ijkl", p["W"], np.eye(2), np.eye(2)),
    }


@pytest.mark.parametrize(
    "wanted",
    [
        [("beta", "beta")],
        [("beta", "beta"), ("beta", "head.b")],
        [("head.s", "head.b"), ("W", "beta"), ("W", "W")],
        [("W", "W"), ("beta", "head.b"), ("head.s", "head.b"), ("beta", "beta"), ("W", "beta")],
    ],
    ids=len,
)
def test_blocks_that_are_named_are_those_by_hand(wanted):
    hessian = autoopt.hessian(model, blocks=wanted)
    for seed in (0, 1, 2):
        p = parameters(seed)
        found, expected = hessian(p, X, Y), by_hand(p)
        assert list(found) == wanted
        for pair in wanted:
            np.testing.assert_allclose(found[pair], expected[pair], rtol=1e-12, atol=1e-13)
            assert np.shape(found[pair]) == np.shape(expected[pair])


def test_all_blocks_are_those_of_the_nest_each_once():
    p = parameters()
    found, nest = autoopt.hessian(model, blocks=True)(p, X, Y), autoopt.hessian(model)(p, X, Y)
    assert len(found) == 10 and ("beta", "W") in found and ("W", "beta") not in found
    np.testing.assert_allclose(found["beta", "W"], nest["beta"]["W"], rtol=1e-13)
    np.testing.assert_allclose(found["head.b", "head.s"], nest["head"]["b"]["head"]["s"], rtol=1e-13)


def test_only_what_is_asked_for_is_computed():
    f = lambda p: np.sum(p["many"] ** 2) ** 2 * p["one"] ** 2  # noqa: E731
    p = {"many": np.full(10**6, 0.01), "one": 2.0}  # the whole Hessian would take 8 TB
    found = autoopt.hessian(f, blocks=[("one", "one")])(p)
    assert found["one", "one"] == pytest.approx(2 * 100.0**2)


@pytest.mark.parametrize("hold", [list, tuple], ids=["list", "tuple"])
def test_parts_of_sequences_are_named_by_their_position(hold):
    f = lambda p, a: np.sum(p[0] * p[1]) ** 2 + a * p[2]["c"] ** 3  # noqa: E731
    p = hold([np.array([1.0, 2.0]), np.array([0.5, -1.0]), {"c": 2.0}])
    found = autoopt.hessian(f, blocks=[("x[1]", "x[1]"), ("x[2].c", "x[2].c")])(p, 3.0)
    np.testing.assert_allclose(found["x[1]", "x[1]"], 2 * np.outer(p[0], p[0]))
    assert found["x[2].c", "x[2].c"] == pytest.approx(36.0)


def test_one_array_is_a_part_by_itself():
    found = autoopt.hessian(lambda x: np.sum(x**3), blocks=True)(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found["x", "x"], [[6.0, 0.0], [0.0, 12.0]])


def test_blocks_of_a_later_argument_and_keywords():
    f = lambda a, p, *, power: a * np.sum(p["u"] ** power) * p["v"]  # noqa: E731
    found = autoopt.hessian(f, argnums=1, blocks=[("u", "v")])(2.0, {"u": np.array([1.0, 2.0]), "v": 3.0}, power=3)
    np.testing.assert_allclose(found["u", "v"], [6.0, 24.0])


def test_parts_that_are_data_may_decide_branches():
    def f(p):
        return np.sum(p["u"] ** 2) if p["sign"] > 0 else np.sum(p["u"] ** 3)

    hessian = autoopt.hessian(f, blocks=[("u", "u")])
    for sign, expected in ((1.0, 2.0), (-1.0, 12.0), (0.0, 12.0), (1e-300, 2.0)):
        assert hessian({"u": np.array([2.0]), "sign": sign})["u", "u"] == pytest.approx(expected)


def test_blocks_that_are_zero_are_zero():
    found = autoopt.hessian(lambda p: p["a"] ** 2 + np.sum(p["b"]), blocks=True)({"a": 1.0, "b": np.ones(2)})
    np.testing.assert_array_equal(found["a", "b"], [0.0, 0.0])
    np.testing.assert_array_equal(found["b", "b"], np.zeros((2, 2)))


def test_integers_are_taken_as_numbers():
    found = autoopt.hessian(lambda p: p["a"] ** 2 * p["b"][0], blocks=[("a", "a")])({"a": 3, "b": np.array([2, 1])})
    assert found["a", "a"] == pytest.approx(4.0)


def test_a_part_that_is_not_there_is_refused_with_what_is():
    with pytest.raises(UsageError, match=r"no part 'bata'.*Did you mean beta\?"):
        autoopt.hessian(model, blocks=[("bata", "beta")])(parameters(), X, Y)


@pytest.mark.parametrize("blocks", ["beta", [], [("beta",)], ["beta"], 3])
def test_blocks_that_are_no_pairs_are_refused(blocks):
    with pytest.raises(UsageError, match="is not understood"):
        autoopt.hessian(model, blocks=blocks)


@pytest.mark.parametrize("made_inside", [True, False], ids=["made inside", "made outside"])
def test_blocks_inside_of_an_objective_are_refused(made_inside):
    outside = autoopt.hessian(model, blocks=[("beta", "beta")])

    def f(beta):
        hessian = autoopt.hessian(model, blocks=[("beta", "beta")]) if made_inside else outside
        return np.trace(hessian(parameters() | {"beta": beta}, X, Y)["beta", "beta"])

    with pytest.raises(AutooptError):
        autoopt.grad(f)(np.ones(3))


def test_sparse_blocks_are_of_the_flat_parts():
    f = lambda p: np.sum(p["M"] ** 3) * p["s"] + np.sum(p["M"][:, 1:] * p["M"][:, :-1])  # noqa: E731
    p = {"M": RNG.normal(size=(4, 3)), "s": 2.0}
    wanted = [("M", "M"), ("s", "M")]
    arrays = autoopt.hessian(f, blocks=wanted)(p)
    matrices = autoopt.hessian(f, blocks=wanted, sparse=True)(p)
    assert matrices["M", "M"].nnz <= 12 + 2 * 8
    np.testing.assert_allclose(matrices["M", "M"].toarray(), arrays["M", "M"].reshape(12, 12), atol=1e-14)
    np.testing.assert_allclose(matrices["s", "M"].toarray(), arrays["s", "M"].reshape(1, 12), atol=1e-14)
