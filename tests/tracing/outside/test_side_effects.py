"""What an objective reads outside is changed between calls, and changed back: the next call sees it."""

from __future__ import annotations

import dataclasses
import functools
import os
import types
from typing import Any, ClassVar

import numpy as np
import places_in_containers  # noqa: F401  (fills CASES)
import pytest
from places import CASES, Place, case, of_attribute, quadratic

import autoopt

X = np.array([1.5, 0.5])
P = np.array([1.0, -2.0])


@case
def class_attribute():
    class Owner:
        k = 2.0

    return lambda x: quadratic(Owner.k, x), of_attribute(Owner)


@case
def class_attribute_through_an_instance():
    class Owner:
        k = 2.0

    one = Owner()
    return lambda x: quadratic(one.k, x), of_attribute(Owner)


@case
def class_attribute_through_getattr():
    class Owner:
        k = 2.0

    return lambda x: quadratic(getattr(Owner, "k"), x), of_attribute(Owner)  # noqa: B009


@case
def inherited_attribute_of_a_class_with_methods():
    class Base:
        k = 2.0

    class Owner(Base):
        def loss(self, x):
            return quadratic(self.k, x)

    return Owner().loss, of_attribute(Base)


@case
def attribute_that_hides_one_of_the_class():
    class Owner:
        k = 2.0

        def loss(self, x):
            return quadratic(self.k, x)

    one = Owner()
    return one.loss, of_attribute(one)


@case
def dictionary_of_a_class():
    class Owner:
        options: ClassVar = {"k": 2.0}

    return lambda x: quadratic(Owner.options["k"], x), lambda k: Owner.options.update(k=k)


@case
def attribute_with_a_default():
    class Owner:
        def loss(self, x):
            return quadratic(getattr(self, "k", 2.0), x)

    one = Owner()
    return one.loss, of_attribute(one)


@case
def environment():
    os.environ["AUTOOPT_TESTED"] = "2.0"
    return (
        lambda x: quadratic(float(os.environ["AUTOOPT_TESTED"]), x),
        lambda k: os.environ.update(AUTOOPT_TESTED=str(k)),
    )


@case
def environment_inside_a_function_inside():
    os.environ["AUTOOPT_TESTED"] = "2.0"

    def function(x):
        def multiple():
            return float(os.getenv("AUTOOPT_TESTED", "1"))

        return quadratic(multiple(), x)

    return function, lambda k: os.environ.update(AUTOOPT_TESTED=str(k))


@case
def namespace():
    space = types.SimpleNamespace(k=2.0)
    return lambda x: quadratic(space.k, x), of_attribute(space)


@case
def namespace_in_a_namespace():
    space = types.SimpleNamespace(inner=types.SimpleNamespace(k=2.0))
    return lambda x: quadratic(space.inner.k, x), of_attribute(space.inner)


@case
def attribute_of_a_module():
    module = types.ModuleType("settings_of_the_test")
    module.k = 2.0
    return lambda x: quadratic(module.k, x), of_attribute(module)


@case
def object_below_an_object():
    class Options:
        pass

    class Owner:
        def __init__(self):
            self.options = Options()
            self.options.k = 2.0

        def __call__(self, x):
            return quadratic(self.options.k, x)

    one = Owner()
    return one, of_attribute(one.options)


@case
def attributes_by_vars():
    class Options:
        pass

    options = Options()
    options.k = 2.0
    return lambda x: quadratic(vars(options)["k"], x), of_attribute(options)


@case
def attributes_by_vars_of_an_object_with_methods():
    class Owner:
        def __init__(self):
            self.k = 2.0

        def loss(self, x):
            return quadratic(vars(self)["k"], x)

    one = Owner()
    return one.loss, of_attribute(one)


@case
def all_attributes_at_once():
    class Options:
        pass

    options = Options()
    options.k = 2.0
    return lambda x: quadratic(options.k, x), lambda k: setattr(options, "__dict__", {"k": k})


@case
def slots():
    class Owner:
        __slots__ = ("k",)

    one = Owner()
    one.k = 2.0
    return lambda x: quadratic(one.k, x), of_attribute(one)


@case
def slots_of_an_object_with_methods():
    class Owner:
        __slots__ = ("k", "other")

        def loss(self, x):
            return quadratic(self.k, x)

    one = Owner()
    one.k = 2.0
    return one.loss, of_attribute(one)


@case
def property_of_an_attribute():
    class Owner:
        def __init__(self):
            self._k = 2.0

        @property
        def k(self):
            return self._k

    one = Owner()
    return lambda x: quadratic(one.k, x), of_attribute(one, "_k")


@case
def property_replaced():
    class Owner:
        k = property(lambda self: 2.0)

    one = Owner()
    return lambda x: quadratic(one.k, x), lambda k: setattr(Owner, "k", property(lambda self: k))


@case
def dataclass_object():
    @dataclasses.dataclass
    class Owner:
        k: float = 2.0

    one = Owner()
    return lambda x: quadratic(one.k, x), of_attribute(one)


@case
def keywords_of_a_partial_function():
    made = functools.partial(lambda x, k: quadratic(k, x), k=2.0)
    return made, lambda k: made.keywords.update(k=k)


@case
def keywords_of_a_partial_function_inside():
    made = functools.partial(lambda x, k: quadratic(k, x), k=2.0)
    return lambda x: made(x), lambda k: made.keywords.update(k=k)


@case
def list_in_a_partial_function():
    held = [2.0]
    return functools.partial(lambda held, x: quadratic(held[0], x), held), lambda k: held.__setitem__(0, k)


@case
def attribute_of_the_function():
    def function(x):
        return quadratic(function.k, x)

    function.k = 2.0
    return function, of_attribute(function)


@case
def defaults():
    def function(x, k=2.0):
        return quadratic(k, x)

    return function, lambda k: setattr(function, "__defaults__", (k,))


@case
def keyword_defaults():
    def function(x, *, k=2.0):
        return quadratic(k, x)

    return function, lambda k: setattr(function, "__kwdefaults__", {"k": k})


@case
def keyword_defaults_in_place():
    def function(x, *, k=2.0):
        return quadratic(k, x)

    return function, lambda k: function.__kwdefaults__.update(k=k)


@case
def defaults_of_a_function_that_is_called():
    def scaled(x, k=2.0):
        return quadratic(k, x)

    return lambda x: scaled(x), lambda k: setattr(scaled, "__defaults__", (k,))


@case
def list_as_a_default():
    held = [2.0]

    def function(x, held=held):
        return quadratic(held[0], x)

    return function, lambda k: held.__setitem__(0, k)


@case
def code_of_a_function():
    def scaled(x):
        return 2.0 * (x[0] ** 2 + x[0] * x[1])

    def change(k):
        text = f"def scaled(x): return {k!r} * (x[0] ** 2 + x[0] * x[1])"
        space: dict[str, Any] = {}
        exec(text, space)
        scaled.__code__ = space["scaled"].__code__

    return lambda x: scaled(x), change


@case
def outer_function_replaced():
    scaled = functools.partial(quadratic, 2.0)

    def change(k):
        nonlocal scaled
        scaled = lambda x: quadratic(k, x)  # noqa: E731

    return lambda x: scaled(x), change


@case
def global_function_replaced():
    globals()["SCALED"] = lambda x: quadratic(2.0, x)
    return (
        lambda x: SCALED(x),  # noqa: F821
        lambda k: globals().update(SCALED=lambda x: quadratic(k, x)),
    )


@case
def global_that_hides_a_builtin():
    globals().pop("round", None)

    def function(x):
        return quadratic(round(2.0), x)

    return function, lambda k: globals().update(round=lambda x: k)


@case
def method_replaced():
    class Owner:
        def scaled(self, x):
            return quadratic(2.0, x)

        def __call__(self, x):
            return self.scaled(x)

    return Owner(), lambda k: setattr(Owner, "scaled", lambda self, x: quadratic(k, x))


@case
def method_replaced_in_one_object():
    class Owner:
        def scaled(self, x):
            return quadratic(2.0, x)

        def __call__(self, x):
            return self.scaled(x)

    one = Owner()
    return one, of_attribute_function(one)


def of_attribute_function(owner):
    return lambda k: setattr(owner, "scaled", lambda x: quadratic(k, x))


@case
def method_of_a_base_replaced():
    class Base:
        def scaled(self, x):
            return quadratic(2.0, x)

    class Owner(Base):
        def __call__(self, x):
            return self.scaled(x)

    return Owner(), lambda k: setattr(Base, "scaled", lambda self, x: quadratic(k, x))


@case
def class_replaced():
    class Owner:
        def scaled(self, x):
            return quadratic(2.0, x)

    def change(k):
        nonlocal Owner

        class Other:
            def scaled(self, x):
                return quadratic(k, x)

        Owner = Other

    return lambda x: Owner().scaled(x), change


@case
def class_of_an_object():
    class Owner:
        def loss(self, x):
            return quadratic(2.0, x)

    def change(k):
        class Other:
            def loss(self, x):
                return quadratic(k, x)

        one.__class__ = Other

    one = Owner()
    return lambda x: one.loss(x), change


@case
def array_of_dates():
    held = np.array(["2020-01-03"], "M8[D]")
    return (
        lambda x: quadratic((held[0] - np.datetime64("2020-01-01")).astype(float), x),
        lambda k: held.__setitem__(0, np.datetime64("2020-01-01") + np.timedelta64(int(k), "D")),
    )


@case
def array_of_texts():
    held = np.array(["a", "a", "b", "b", "b", "b", "b", "b"])
    return (
        lambda x: quadratic(float(np.sum(held == "a")), x),
        lambda k: held.__setitem__(slice(None), ["a"] * int(k) + ["b"] * (8 - int(k))),
    )


@case
def global_by_name():
    return (
        lambda x: quadratic(globals().get("SCALED", 2.0), x),
        lambda k: globals().update(SCALED=k),
    )


@case
def global_that_is_missing():
    def function(x):
        try:
            return quadratic(SCALED, x)
        except NameError:
            return quadratic(2.0, x)

    return function, lambda k: globals().update(SCALED=k)


@pytest.fixture(params=CASES)
def place(request):
    function, change = CASES[request.param]()
    yield Place(function, change)
    os.environ.pop("AUTOOPT_TESTED", None)
    globals().pop("SCALED", None)
    globals().pop("round", None)


def value_and_grad_of_objective(function):
    made = autoopt.objective(function, X)
    return lambda: made.value_and_grad(X)


def value_of_objective(function):
    made = autoopt.objective(function, X)
    return lambda: (made.value(X), None)


def product_of_objective(function):
    made = autoopt.objective(function, X)
    return lambda: (None, made.hessp(X, P))


def functional(function):
    made = autoopt.value_and_grad(function)
    return lambda: made(X)


def functional_product(function):
    made = autoopt.hvp(function)
    return lambda: (None, made(X, P))


KINDS = (value_of_objective, value_and_grad_of_objective, product_of_objective, functional, functional_product)


def test_a_change_outside_is_seen_and_a_change_back(place):
    calls = [kind(place.function) for kind in KINDS]
    for k in (2.0, 3.0, 2.0, 7.0):
        if k != 2.0 or place.function(X) != pytest.approx(quadratic(2.0, X)):
            place.change(k)
        assert place.function(X) == pytest.approx(quadratic(k, X)), "the case itself"
        for kind, call in zip(KINDS, calls, strict=True):
            value, slope = call()
            expected = [k * (2 * X[0] + X[1]), k * X[0]]
            if kind in (product_of_objective, functional_product):
                expected = [k * (2 * P[0] + P[1]), k * P[0]]
            assert value is None or value == pytest.approx(quadratic(k, X)), kind.__name__
            if slope is not None:
                np.testing.assert_allclose(slope, expected, err_msg=kind.__name__)
