"""Dictionaries whose items are attributes, and objects that look their attributes up by themselves."""

from __future__ import annotations

import argparse
import collections
import types

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError

X = np.array([1.5, 0.5])


class ByItems(dict):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__


class Hashed(ByItems):
    def __hash__(self):
        return hash(tuple(sorted(self.items())))


class ByGet(dict):
    __getattr__ = dict.get


class ByMethod(dict):
    def __getattr__(self, name):
        return self[name]

    def __setattr__(self, name, value):
        self[name] = value


class Itself(dict):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.__dict__ = self


class Nested(dict):
    def __init__(self, *args, **kwargs):
        super().__init__()
        for name, value in dict(*args, **kwargs).items():
            self[name] = Nested(value) if type(value) is dict else value

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def __setattr__(self, name, value):
        self[name] = value


class Ordered(collections.OrderedDict):
    __getattr__ = collections.OrderedDict.__getitem__
    __setattr__ = collections.OrderedDict.__setitem__


class Defaulting(collections.defaultdict):
    __getattr__ = collections.defaultdict.__getitem__
    __setattr__ = collections.defaultdict.__setitem__


class Guarded:
    """Sets nothing but its fields, and keeps them elsewhere."""

    fields = ("k", "m")

    def __init__(self, **values):
        object.__setattr__(self, "values", {})
        for name, value in values.items():
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name not in self.fields:
            raise ValueError(name)
        self.values[name] = float(value)

    def __getattr__(self, name):
        return self.values[name]


class ByKey:
    """Raises KeyError for what it does not have."""

    def __init__(self, **values):
        self.__dict__["values"] = values

    def __getattr__(self, name):
        return self.__dict__["values"][name]

    def __setattr__(self, name, value):
        self.__dict__["values"][name] = value


class Slotted:
    """Without a dictionary of attributes, and with a KeyError for what it does not have."""

    __slots__ = ("k", "m")

    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)

    def __getattr__(self, name):
        raise KeyError(name)


class AnyName:
    """Has a number for every name, those that Python itself asks for among them."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __getattr__(self, name):
        return 2.5


def defaulting(**values):
    made = Defaulting(float)
    made.update(values)
    return made


KINDS = {kind.__name__: kind for kind in (ByItems, Hashed, ByGet, ByMethod, Itself, Nested, Ordered)}
KINDS |= {kind.__name__: kind for kind in (Guarded, ByKey, Slotted, AnyName, types.SimpleNamespace, argparse.Namespace)}
KINDS["Defaulting"] = defaulting


class Model:
    def __init__(self, options):
        self.options = options

    def loss(self, x):
        return (self.options.k + self.options.m) * x[0] ** 2 + x[1]


def ways(options):
    """Return objectives that read the options, with the data that they are given."""
    return {
        "outer": (lambda x: (options.k + options.m) * x[0] ** 2 + x[1], ()),
        "argument": (lambda x, given: (given.k + given.m) * x[0] ** 2 + x[1], (options,)),
        "in a list": (lambda x, given: (given[0].k + given[0].m) * x[0] ** 2 + x[1], ([options],)),
        "attribute": (Model(options).loss, ()),
    }


@pytest.mark.parametrize("name", KINDS)
def test_options_are_read_and_their_changes_are_seen(name):
    options = KINDS[name](k=2.0, m=3.0)
    for way, (function, data) in ways(options).items():
        options.k = 2.0
        objective, functional = autoopt.objective(function, X, *data), autoopt.value_and_grad(function)
        for k in (2.0, 4.0, 2.0):
            options.k = k
            for value, gradient in (objective.value_and_grad(X), functional(X, *data)):
                assert value == pytest.approx((k + 3.0) * X[0] ** 2 + X[1]), way
                np.testing.assert_allclose(gradient, [2 * (k + 3.0) * X[0], 1.0], err_msg=way)


@pytest.mark.parametrize("kind", [ByItems, Hashed, ByMethod, Itself, Nested, Ordered])
def test_items_and_attributes_are_the_same(kind):
    options = kind(k=2.0, m=3.0, weights=np.array([1.0, 2.0]), scale=lambda u: np.exp(u))

    def function(x):
        read = options["k"] + options.m + np.sum(options["weights"] * options.weights)
        return read * options.scale(x[0]) + (lambda k, m, **rest: k * m)(**options) * x[1]

    objective = autoopt.objective(function, X)
    for x in (X, -X):
        np.testing.assert_allclose(objective.grad(x), [10.0 * np.exp(x[0]), 6.0])
        np.testing.assert_allclose(objective.hess(x), [[10.0 * np.exp(x[0]), 0.0], [0.0, 0.0]])
    options["k"] = 3.0
    np.testing.assert_allclose(objective.grad(X), [11.0 * np.exp(X[0]), 9.0])


@pytest.mark.parametrize("kind", [ByItems, ByMethod, Itself, Nested])
def test_parameters_may_be_set_and_read_as_attributes(kind):
    def function(x):
        made = kind()
        made.a = x[0]
        made["b"] = x[1]
        return made.b * made["a"] ** 2

    np.testing.assert_allclose(autoopt.grad(function)(X), [2 * X[0] * X[1], X[0] ** 2])


@pytest.mark.parametrize("kind", [ByItems, ByGet, ByMethod, Itself, Nested, Ordered])
def test_parameters_are_of_the_kind_that_they_begin_as(kind):
    x0 = kind(a=1.5, b=np.array([0.5, 2.0]))
    value, gradient = autoopt.value_and_grad(lambda p: p.a**2 * np.sum(p.b**2))(x0)
    assert value == pytest.approx(1.5**2 * 4.25) and type(gradient) is kind
    assert gradient["a"] == pytest.approx(2 * 1.5 * 4.25)
    np.testing.assert_allclose(gradient["b"], 2 * 1.5**2 * np.array([0.5, 2.0]))


def test_parameters_in_parameters_are_of_their_kind_too():
    x0 = Nested({"a": 1.0, "inner": {"c": 3.0}})
    result = autoopt.minimize(lambda p: (p.a - 2) ** 2 + (p.inner.c - 1) ** 2, x0)
    assert result.x.a == pytest.approx(2.0) and result.x.inner.c == pytest.approx(1.0)


def test_a_dictionary_that_cannot_be_made_of_its_items_is_a_plain_one():
    x0 = defaulting(a=1.5)
    gradient = autoopt.grad(lambda p: p["a"] ** 2)(x0)
    assert type(gradient) is dict and gradient["a"] == pytest.approx(3.0)


def test_an_objective_may_be_such_an_object_itself():
    class Loss(ByItems):
        def __call__(self, x):
            return (self.k + self.m) * x[0] ** 2

    loss = Loss(k=2.0, m=3.0)
    objective = autoopt.objective(loss, X)
    np.testing.assert_allclose(objective.grad(X), [10.0 * X[0], 0.0])
    loss.k = 4.0
    np.testing.assert_allclose(objective.grad(X), [14.0 * X[0], 0.0])


class Untold:
    """Cannot even be put into a table."""

    def __call__(self, x):
        return 2.0 * x

    def __hash__(self):
        raise KeyError("hash")


untold = Untold()


def test_a_keyerror_of_the_users_is_not_told_as_a_missing_name():
    with pytest.raises(TracingError, match=r"uses untold, which cannot be looked into: KeyError: 'hash'") as caught:
        autoopt.grad(lambda x: untold(x[0]))(X)
    assert caught.value.where[0].file == __file__ and "Untold" in caught.value.remedy
