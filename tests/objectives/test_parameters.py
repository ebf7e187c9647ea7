"""The structure of the parameters."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from autoopt.errors import UsageError
from autoopt.parameters import Structure

Line = namedtuple("Line", "slope intercept")


@dataclass
class Normal:
    mean: float
    deviation: np.ndarray


NESTS = {
    "vector": (np.array([1.0, 2.0]), ["x[0]", "x[1]"]),
    "scalar": (3.0, ["x"]),
    "numpy scalar": (np.float64(3.0), ["x"]),
    "0-d array": (np.array(3.0), ["x"]),
    "matrix": (np.ones((1, 2)), ["x[0, 0]", "x[0, 1]"]),
    "dict": ({"b": 1.0, "a": np.ones(2)}, ["b", "a[0]", "a[1]"]),
    "ordered dict": (OrderedDict(b=1.0, a=2.0), ["b", "a"]),
    "nested": ({"a": {"b": np.ones((1, 2))}, "c": [1.0]}, ["a.b[0, 0]", "a.b[0, 1]", "c[0]"]),
    "list": ([np.ones(1), 2.0], ["x[0][0]", "x[1]"]),
    "tuple": ((np.ones((1, 1)), {"s": 2.0}), ["x[0][0, 0]", "x[1].s"]),
    "namedtuple": (Line(1.0, np.ones(1)), ["slope", "intercept[0]"]),
    "dataclass": (Normal(1.0, np.ones(2)), ["mean", "deviation[0]", "deviation[1]"]),
    "empty part": ({"a": np.ones(0), "b": 1.0}, ["b"]),
}


@pytest.mark.parametrize("kind", NESTS)
def test_flatten_and_unflatten_are_inverse(kind):
    x0, names = NESTS[kind]
    structure = Structure.of(x0)
    flat = np.arange(structure.size) + 0.5
    rebuilt = structure.unflatten(flat)
    assert type(rebuilt) is (np.float64 if np.isscalar(x0) else type(x0))
    assert np.array_equal(structure.flatten(rebuilt), flat)
    assert structure.names == names
    assert structure.flatten(x0).dtype == np.float64


def test_structures_are_hashed_by_shape_not_by_value():
    one, two = Structure.of({"a": np.ones(2)}), Structure.of({"a": np.zeros(2)})
    assert one == two and hash(one) == hash(two)
    assert one != Structure.of({"a": np.ones(3)})
    assert Structure.of(1.0) != Structure.of(np.array(1.0))


def test_dict_order_is_the_one_of_x0():
    structure = Structure.of({"b": 1.0, "a": 2.0})
    assert np.array_equal(structure.flatten({"a": 2.0, "b": 1.0}), [1.0, 2.0])
    assert list(structure.unflatten(np.array([1.0, 2.0]))) == ["b", "a"]


def test_vector_is_passed_through_unchanged():
    flat = np.ones(3)
    assert Structure.of(flat).unflatten(flat) is flat


def test_integers_become_floats():
    structure = Structure.of({"n": 3, "k": np.arange(2)})
    assert structure.flatten({"n": 3, "k": np.arange(2)}).dtype == np.float64


def test_list_of_numbers_is_a_vector_as_in_scipy():
    structure = Structure.of([-1.2, 1])
    assert structure == Structure.of(np.ones(2))
    assert np.array_equal(structure.flatten([-1.2, 1]), [-1.2, 1.0])


def test_unflatten_needs_only_indexing_slicing_and_reshape():
    class Duck:
        def __init__(self, values):
            self.values = values

        def __getitem__(self, index):
            return Duck(self.values[index])

        def reshape(self, shape):
            return Duck(self.values.reshape(shape))

    rebuilt = Structure.of({"a": np.ones((2, 1)), "b": 1.0}).unflatten(Duck(np.arange(3.0)))
    assert rebuilt["a"].values.shape == (2, 1) and rebuilt["b"].values == 2.0


@pytest.mark.parametrize(
    ("x0", "message"),
    [
        ("abc", "x0: 'abc'"),
        ({"a": None, "b": 1.0}, "a: None"),
        (np.array(["a"]), "x0: array of <U1"),
        (np.array([None, 1]), "x0: array of object"),
        (1j, "x0: 1j"),
        (np.ones(2) * 1j, "x0: array of complex128"),
        ({"a": {1, 2}}, "a: set"),
        (True, "x0: True"),
        ({"a": [1.0, np.nan]}, "a[1]: holds nan"),
        (np.array([[1.0, np.inf]]), "x0: holds inf at [0, 1]"),
        ([], "x0 has no entries."),
        (np.zeros((0, 3)), "x0 has no entries."),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "x0: is a masked array, of which some entries are masked"),
    ],
)
def test_what_is_no_parameter_is_refused(x0, message):
    with pytest.raises(UsageError) as caught:
        Structure.of(x0)
    assert message in str(caught.value)
    assert "To fix this" in str(caught.value)


def test_all_bad_entries_are_named_at_once():
    with pytest.raises(UsageError, match=r"(?s)a: 'one'.*b\[1\]: None"):
        Structure.of({"a": "one", "b": [1.0, None]})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"beta": np.ones(4), "s": 1.0}, "beta: expected shape (3,), got (4,)."),
        ({"beta": np.ones(3), "s": np.ones(1)}, "s: expected shape (), got (1,)."),
        ({"beta": np.ones(3)}, "x: expected dict of beta, s, got dict of beta."),
        (np.ones(4), "x: expected dict of beta, s, got ndarray."),
        ({"beta": "abc", "s": 1.0}, "beta: expected real numbers, got 'abc'."),
        ({"beta": {"c": 1}, "s": 1.0}, "beta: expected real numbers, got dict."),
    ],
)
def test_value_of_another_structure_is_refused(x, message):
    with pytest.raises(UsageError) as caught:
        Structure.of({"beta": np.ones(3), "s": 1.0}).flatten(x)
    assert str(caught.value).startswith(message)
