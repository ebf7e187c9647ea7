"""What is added at positions that repeat is added each time."""

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.tensor.subtensor import inc_subtensor

import autoopt
from autoopt import differences
from autoopt.codegen.listing import list_function
from autoopt.ops.assembled import Assembled, Entry

VALUES = np.array([1.0, 2.0, 4.0, 8.0])
PLACES = np.array([2, 0, 2, 2])


def run(listing, *arrays):
    scope = {"np": np, **{name: eval(text, {"np": np}) for name, text in listing.constants.items()}}
    exec(listing.everything, scope)
    return scope[listing.name](*arrays)


@pytest.mark.parametrize(
    ("row", "place"),
    [([0], None), ([0, 0, 0, 0], None), ([0, 1, 0, 0], None), ([0], PLACES), ([0, 1, 0, 1], PLACES), ([1, 1], [0, 2])],
    ids=str,
)
def test_writing_into_a_matrix(row, place) -> None:
    x, i = pt.vector("x"), pt.lvector("i")
    row, own = np.array(row), PLACES if place is None else np.array(place)
    count = max(len(row), len(own))
    result = inc_subtensor(pt.zeros((2, 3))[pt.constant(row), i if place is None else pt.constant(own)], x[:count])
    expected = np.zeros((2, 3))
    np.add.at(expected, (row, own), VALUES[:count])
    found = run(list_function("f", [(x, "x"), (i, "i")], [result]), VALUES, PLACES)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("kind", ["diagonal", "block"])
@pytest.mark.parametrize("columns", [np.array([1, 3, 1, 1]), np.array([3, 1, 2, 0]), slice(0, 4, 1)], ids=str)
def test_entries_of_a_matrix(columns, kind, mirrored) -> None:
    value = pt.vector("v", shape=(4,)) if kind == "diagonal" else pt.matrix("v", shape=(4, 4))
    block = pt.matrix("b", shape=(4, 4))
    entries = [Entry(0, kind, PLACES, columns, mirrored), Entry(1, "block", slice(0, 4, 1), slice(0, 4, 1))]
    own = VALUES if kind == "diagonal" else np.arange(16.0).reshape(4, 4)
    for pair in (entries, entries[::-1]):
        node = Assembled(4, pair)(value, block)
        stored = [[None]]
        node.owner.op.perform(node.owner, [own, np.eye(4)], stored)
        text = list_function("f", [(value, "v"), (block, "b")], [node])
        np.testing.assert_array_equal(run(text, own, np.eye(4)), stored[0][0])


def test_hessian_of_what_reads_its_parameters_several_times() -> None:
    first, second = np.triu_indices(5, 1)

    def f(x):
        return np.sum(np.exp(0.3 * (x[first] - x[second])) * x[first] ** 2) + np.sum(x[[0, 0, 3, 0]] ** 3)

    x = np.linspace(-1.0, 0.7, 5)
    objective = autoopt.objective(f, x)
    expected, error = differences.hessian(objective.grad, x)
    np.testing.assert_allclose(objective.hess(x), expected, atol=5 * error.max() + 1e-9)
