"""Contractions: right in every order of factors and labels, and in the order that costs least."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import ancestors
from pytensor.tensor.math import Dot

from autoopt.graph.indexed.contraction import MOST, Contractions, cheapest, pair_cost
from autoopt.graph.indexed.terms import Label


class Contraction:
    """`einsum(subscripts, ...)` of random arrays, as labels and variables."""

    def __init__(self, subscripts: str, **sizes: int) -> None:
        self.subscripts, (given, wanted) = subscripts, subscripts.split("->")
        labels = {letter: Label(sizes.get(letter, 2 + k)) for k, letter in enumerate(sorted(set(given) - {","}))}
        random = np.random.default_rng(len(subscripts))
        self.factors, self.values = [], []
        for k, letters in enumerate(given.split(",")):
            own = tuple(labels[letter] for letter in letters)
            self.factors.append((pt.tensor(f"factor{k}", shape=tuple(x.size for x in own), dtype="float64"), own))
            self.values.append(random.normal(size=[x.size for x in own]))
        self.wanted = [labels[letter] for letter in wanted]

    def multiplied(self, contractions: Contractions | None = None):
        return (contractions or Contractions()).arranged(self.factors, self.wanted)

    def check(self) -> None:
        variables = [v for v, _ in self.factors]
        found = pytensor.function(variables, self.multiplied(), mode=Mode("py", None))(*self.values)
        right = np.einsum(self.subscripts, *self.values)
        shape = tuple(label.size for label in self.wanted)
        np.testing.assert_allclose(np.broadcast_to(found, shape), right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "subscripts",
    [
        "ij,jk->ik", "ij,jk->ki", "ij,ij->", "ij,ij->i", "i,j->ij", "i,j->ji", "ij,j->i", "ij,i->j", "i,i->", "i,i->i",
        "bij,bjk->bik", "bij,bjk->ibk", "bij,bjk->kbi", "bij,bj->bi", "ij,kl->ikjl", "ijk,k->ij", "ijk,jk->i",
        "ijk,kjl->il", "ijk,lk,mj->iml", "ni,n,nj->ij", "nia,nab,njb->iajb", "abc,ai,bj,ck->ijk", "i,i,i->", "ij->j",
        "ij->", "i,jk->i", "ij,jk,kl,lm,mi->", "na,nb,nc,n->abc", ",i->i", ",->", "abcd,cdef->abef", "ab,cd,ac,bd->",
    ],
)  # fmt: skip
def test_against_einsum(subscripts) -> None:
    Contraction(subscripts).check()


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_every_order_of_factors_and_labels(order) -> None:
    factors = ["nia", "nab", "n", "njb"]
    out = "".join("iajb"[k] for k in order)
    Contraction(",".join(factors[k] for k in order) + "->" + out).check()


def test_labels_that_nobody_wants_and_axes_of_length_one() -> None:
    Contraction("ij,jk,l->ik", j=1, l=1).check()
    Contraction("ij,kl->i", k=1).check()
    Contraction("ij,j->i", i=0).check()


def test_more_factors_than_all_orders_are_compared_of() -> None:
    letters = "abcdefghijkl"
    pairs = [letters[k : k + 2] for k in range(len(letters) - 1)]
    assert len(pairs) > MOST
    Contraction(",".join(pairs) + "->al", **dict.fromkeys(letters, 2)).check()


def test_the_cheapest_order() -> None:
    """The vector goes first, from either end."""
    n = 100.0
    for subscripts in ("ij,jk,k->i", "k,ij,jk->i", "i,ij,jk->k"):
        chain = Contraction(subscripts, i=100, j=100, k=100)
        assert cheapest(chain.factors, chain.wanted) < 4 * 8 * n**2  # two products of a matrix and a vector
        products = [v for v in ancestors([chain.multiplied()]) if v.owner and isinstance(v.owner.op, Dot)]
        assert len(products) == 2
        assert all(np.prod(v.type.shape) == n for v in products)


def test_weights_go_to_the_rows_before_the_product() -> None:
    square = Contraction("ni,n,nj->ij", n=1000, i=10, j=10)
    assert cheapest(square.factors, square.wanted) < 1000 * 10 * (10 + 20)
    largest = max(np.prod(v.type.shape) for v in ancestors([square.multiplied()]))
    assert largest <= 1000 * 10  # never an array over n, i and j


def test_a_product_of_matrices_costs_less_than_one_by_elements() -> None:
    n, i, j = (Label(10) for _ in range(3))
    matrices = pair_cost(frozenset([n, i]), frozenset([n, j]), frozenset([i, j]))
    elements = pair_cost(frozenset([n, i]), frozenset([n, j]), frozenset([n, i, j]))
    assert elements > 8 * matrices


def test_what_two_contractions_have_in_common_is_computed_once() -> None:
    one = Contraction("ni,n,nj->ij")
    contractions = Contractions()
    first, second = one.multiplied(contractions), one.multiplied(contractions)
    assert first is second
