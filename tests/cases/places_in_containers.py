"""Containers and arrays outside of a function, and how they are changed there."""

from __future__ import annotations

import collections

import numpy as np
from places import case, of_attribute, quadratic


@case
def dictionary_in_a_dictionary():
    held = {"a": {"k": 2.0}}
    return lambda x: quadratic(held["a"]["k"], x), lambda k: held["a"].update(k=k)


@case
def list_in_a_list():
    held = [[2.0]]
    return lambda x: quadratic(held[0][0], x), lambda k: held[0].__setitem__(0, k)


@case
def list_in_a_tuple():
    held = ([2.0], 1.0)
    return lambda x: quadratic(held[0][0], x), lambda k: held[0].__setitem__(0, k)


@case
def long_dictionary():
    held = {name: float(name) for name in range(200)}
    return lambda x: quadratic(held[2], x), lambda k: held.update({2: k})


@case
def long_list():
    held = [float(k) + 0.5 for k in range(3000)]
    held[2] = 2.0
    return lambda x: quadratic(held[2], x), lambda k: held.__setitem__(2, k)


@case
def list_in_a_long_list():
    held = [[float(k)] for k in range(900)]
    return lambda x: quadratic(held[2][0], x), lambda k: held[2].__setitem__(0, k)


@case
def double_ended_queue():
    held = collections.deque([1.0, 2.0])
    return lambda x: quadratic(held[1], x), lambda k: held.__setitem__(1, k)


@case
def set_of_numbers():
    held = {2.0}
    return lambda x: quadratic(max(held), x), lambda k: (held.clear(), held.add(k))


@case
def global_array():
    held = np.array([2.0, 1.0])
    return lambda x: quadratic(held[0], x), lambda k: held.__setitem__(0, k)


@case
def array_in_an_attribute():
    class Owner:
        def __init__(self):
            self.weights = np.array([2.0, 1.0])

        def loss(self, x):
            return quadratic(self.weights[0], x)

    one = Owner()
    return one.loss, lambda k: one.weights.__setitem__(0, k)


@case
def array_in_a_class():
    class Owner:
        weights = np.array([2.0, 1.0])

    return lambda x: quadratic(Owner.weights[0], x), lambda k: Owner.weights.__setitem__(0, k)


@case
def array_in_a_list():
    held = [np.array([2.0, 1.0])]
    return lambda x: quadratic(held[0][0], x), lambda k: held[0].__setitem__(0, k)


@case
def array_that_is_a_column():
    table = np.arange(6.0).reshape(3, 2)
    column = table[:, 1]
    return lambda x: quadratic(np.sum(column) - 7.0, x), lambda k: table.__setitem__((1, 1), k + 1.0)


@case
def array_of_whole_numbers():
    held = np.array([4, 6])
    return lambda x: quadratic(held[0] / 2, x), lambda k: held.__setitem__(0, int(2 * k))


@case
def array_of_objects():
    held = np.array([2.0, "a"], dtype=object)
    return lambda x: quadratic(held[0], x), lambda k: held.__setitem__(0, k)


@case
def object_without_methods_in_a_list():
    class Options:
        pass

    options = Options()
    options.k = 2.0
    held = [options]
    return lambda x: quadratic(held[0].k, x), of_attribute(options)


@case
def user_dictionary():
    held = collections.UserDict(k=2.0)
    return lambda x: quadratic(held["k"], x), lambda k: held.update(k=k)


@case
def dictionary_of_the_users_own_kind():
    class Settings(dict):
        def scaled(self, x):
            return quadratic(self["k"], x)

    held = Settings(k=2.0)
    return held.scaled, lambda k: held.update(k=k)


@case
def list_of_the_users_own_kind():
    class Settings(list):
        def first(self):
            return self[0]

    held = Settings([2.0])
    return lambda x: quadratic(held.first(), x), lambda k: held.__setitem__(0, k)


@case
def attribute_of_a_metaclass():
    class Meta(type):
        k = 2.0

    class Owner(metaclass=Meta):
        pass

    return lambda x: quadratic(Owner.k, x), of_attribute(Meta)


@case
def all_attributes_of_an_object_with_methods():
    class Owner:
        def __init__(self):
            self.k = 2.0

        def loss(self, x):
            return quadratic(self.k, x)

    one = Owner()
    return one.loss, lambda k: setattr(one, "__dict__", {"k": k})
