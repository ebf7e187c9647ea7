"""Arrays of zeros to which all parts of another are added are that array, and no others are."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.fg import FunctionGraph

from autoopt.graph.rewrites.written import put_together

X = np.arange(1.0, 6.0)
ROWS = np.arange(10.0).reshape(5, 2)


def added(shape, *parts):
    """Return zeros with (place, added) one after the other."""
    array = pt.zeros(shape)
    for place, value in parts:
        array = array[place].inc(value)
    return array


CASES = {
    "first and others": (lambda x: added(5, (0, x[0]), (slice(1, None), x[1:])), X, True),
    "others and last": (lambda x: added(5, (slice(None, 4), x[:4]), (4, x[4])), X, True),
    "rows": (lambda x: added((5, 2), (slice(None, 2), x[:2]), (slice(2, None), x[2:])), ROWS, True),
    "one is missing": (lambda x: added(5, (0, x[0]), (slice(2, None), x[2:])), X, False),
    "another place": (lambda x: added(5, (0, x[4]), (slice(1, None), x[:4])), X, False),
    "twice": (lambda x: added(5, (0, x[0]), (slice(0, None), x[0:])), X, False),
    "of a longer array": (lambda x: added(4, (0, x[0]), (slice(1, None), x[1:4])), X, False),
    "turned": (lambda x: added(5, (0, x[0]), (slice(1, None), x[:0:-1])), X, False),
}


@pytest.mark.slow_for("twice")
@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "rows" else name for name in CASES]
)
def test_parts_put_together(name):
    build, value, whole = CASES[name]
    x = pt.tensor("x", dtype="float64", shape=value.shape)
    graph = FunctionGraph([x], [build(x)], clone=True)
    expected = graph.outputs[0].eval({graph.inputs[0]: value})
    put_together(graph)
    assert (graph.outputs[0] is graph.inputs[0]) == whole
    found = pytensor.function(graph.inputs, graph.outputs, mode="FAST_COMPILE")(value)[0]
    np.testing.assert_array_equal(found, expected)
