"""Blocks multiplied out and put together, by `perform` and as printed, against a loop over all positions."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from random_terms import Sketch

from autoopt.codegen.listing import list_function
from autoopt.graph.indexed.assembly import _Assembly
from autoopt.graph.indexed.scales import balanced
from autoopt.graph.indexed.symmetry import squared
from autoopt.graph.indexed.terms import Label, Place, Term


def evaluated(variables, result, values):
    return pytensor.function(variables, result, mode=Mode("py", None), on_unused_input="ignore")(*values)


def printed(variables, result, values):
    listing = list_function("f", [(v, v.name) for v in variables], [result])
    scope = dict(listing.constants)
    exec("\n".join([*sorted(listing.imports), listing.everything]), scope)
    return scope["f"](*(value.copy() for value in values)), listing.text


FOUND = [2433]  # positions that are computed, transposed


@pytest.mark.parametrize("seeds", [*(range(first, first + 10) for first in range(0, 100, 10)), FOUND], ids=str)
def test_random_blocks(seeds) -> None:
    for seed in seeds:
        sketch = Sketch(seed)
        moving = {v for v in sketch.variables if v.dtype == "float64"}
        result = _Assembly(sketch.unassembled(), sketch.variables, moving).result()
        right = sketch.entries()
        tolerance = {"rtol": 1e-11, "atol": 1e-12 * (1.0 + np.abs(right).max())}
        np.testing.assert_allclose(evaluated(sketch.variables, result, sketch.values), right, **tolerance)
        found, text = printed(sketch.variables, result, sketch.values)
        np.testing.assert_allclose(found, right, **tolerance, err_msg=f"{seed}\n{text}")


# Scales ---------------------------------------------------------------------------------------------------------------

N, K, L = Label(4), Label(3), Label(3)
ROWS, COLUMNS = (Place((K,)),), (Place((L,)),)
RANDOM = np.random.default_rng(8)


def value(term: Term, given: dict) -> np.ndarray:
    """Return the term's entries over K and L."""
    letters = {label: letter for label, letter in zip((N, K, L), "nkl", strict=True)}
    variables = list(given)
    arrays = evaluated(variables, [v for v, _ in term.factors], list(given.values()))
    subscripts = ",".join("".join(letters[label] for label in labels) for _, labels in term.factors)
    ones = [np.ones(label.size) for label in (K, L)]  # which the factors may lack
    return term.coefficient * np.einsum(f"{subscripts},k,l->kl", *arrays, *ones)


def arrays(**shapes):
    variables = [pt.tensor(name, dtype="float64", shape=shape) for name, shape in shapes.items()]
    return variables, {v: 1.0 + RANDOM.random(v.type.shape) for v in variables}


def test_divisors_are_shared_out_wherever_they_stand() -> None:
    (E, S), given = arrays(E=(3,), S=(1,))
    inverse = (-1.0 / S).dimshuffle()
    term = Term(1.0, ((E, (K,)), (E, (L,)), (inverse, ()), (inverse, ())), ROWS, COLUMNS)
    given[E], given[S] = 1e200 * given[E], 1e200 * given[S]
    e, s = given[E], given[S]
    found = value(balanced(term, lambda v: False), given)
    np.testing.assert_allclose(found, np.outer(e / s, e / s), rtol=1e-14)


def test_a_factor_that_is_divided_by_is_left_out() -> None:
    (E, S), given = arrays(E=(3,), S=())
    given[E], given[S] = 1e120 * given[E], 1e120 * given[S]
    fourth = 1.0 / (pt.sqr(S) * pt.sqr(S))
    term = Term(2.0, ((E, (K,)), (E, (L,)), (S, ()), (fourth, ())), ROWS, COLUMNS)
    e, s = given[E], given[S]
    found = value(balanced(term, lambda v: False), given)
    np.testing.assert_allclose(found, 2.0 * np.outer(e / s, e / s) / s, rtol=1e-14)


def test_a_number_over_an_axis_that_is_summed_counts_as_often() -> None:
    (E, F, S), given = arrays(E=(3,), F=(3,), S=())
    ones = pt.mul(pt.constant(np.full((4, 1), 2.0)), E.dimshuffle("x", 0))
    term = Term(1.0, ((ones, (N, K)), (F / S, (L,))), ROWS, COLUMNS)
    found = value(balanced(term, lambda v: False), given)
    np.testing.assert_allclose(found, 8.0 * np.outer(given[E], given[F] / given[S]), rtol=1e-14)


def test_scales_of_rows_alone_stay_with_the_rows() -> None:
    (E, s), given = arrays(E=(4, 3), s=(3,))
    row = E / s.dimshuffle("x", 0) / s.dimshuffle("x", 0)
    term = Term(1.0, ((row, (N, K)), (E, (N, L))), ROWS, COLUMNS)
    e = given[E]
    np.testing.assert_allclose(value(squared(term), given), (e / given[s] ** 2).T @ e, rtol=1e-14)


def test_scales_that_both_have_make_a_square() -> None:
    (E, s), given = arrays(E=(4, 3), s=(4,))
    row = E / s.dimshuffle(0, "x") / s.dimshuffle(0, "x")
    found = squared(Term(1.0, ((row, (N, K)), (E, (N, L))), ROWS, COLUMNS))
    assert found.factors[0][0] is found.factors[1][0]
    scaled = given[E] / given[s][:, None]
    np.testing.assert_allclose(value(found, given), scaled.T @ scaled, rtol=1e-14)


def test_results_of_one_operation_are_told_apart() -> None:
    (M, s), given = arrays(M=(3, 3), s=(3,))
    U, _, V = pt.linalg.svd(M)
    n = Label(3)
    term = Term(1.0, ((U * s.dimshuffle(0, "x"), (n, K)), (V, (n, L))), ROWS, COLUMNS)
    left, _, right = np.linalg.svd(given[M])
    arrays_now = evaluated(list(given), [v for v, _ in squared(term).factors], list(given.values()))
    letters = {n: "n", K: "k", L: "l"}
    subscripts = ",".join("".join(letters[x] for x in labels) for _, labels in squared(term).factors)
    expected = (left * given[s][:, None]).T @ right
    np.testing.assert_allclose(np.einsum(f"{subscripts}->kl", *arrays_now), expected, rtol=1e-12, atol=1e-13)
