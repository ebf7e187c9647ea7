"""Objectives that keep their code in classes, objects and containers of many kinds, for `test_tracing.py`."""

# ruff: noqa: B905, RUF012

from __future__ import annotations

import abc
import collections
import enum
import functools
import math
import types
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tracing_programs import program


def filled(x):
    out = np.zeros(len(x))
    for i, v in enumerate(x):
        out[i] = math.exp(0.3 * float(v))
    return out


class Pair(NamedTuple):
    first: object
    second: object

    def both(self, x):
        return filled(x) @ self.first(x) + self.second(x).sum()


ORDERED = collections.OrderedDict(a=filled)
DEFAULT = collections.defaultdict(lambda: filled)
QUEUE = collections.deque([filled, np.sum])
SPACE = types.SimpleNamespace(f=filled)
PROXY = types.MappingProxyType({"f": filled})
CHAIN = collections.ChainMap({}, {"f": filled})
TABLE = collections.UserDict({"f": filled})
PAIR = Pair(filled, filled)
FROZEN = frozenset([filled])
OBJECTS = np.array([filled], dtype=object)


@program()
def functions_in_containers(x):
    maps = [ORDERED["a"], DEFAULT["b"], PROXY["f"], CHAIN["f"], TABLE["f"], SPACE.f, PAIR[1], OBJECTS[0], *FROZEN]
    return QUEUE[1]([k * f(x).sum() for k, f in enumerate(maps)]) + QUEUE[0](x)[1] + PAIR.both(x)


@program()
def function_of_a_function(x):
    return function_of_a_function.helper(x).sum()


function_of_a_function.helper = filled


class Slots:
    __slots__ = ("count", "k")

    def __init__(self, k):
        self.k, self.count = k, 0

    def __call__(self, x):
        self.count += 1
        return filled(self.k * x).sum()


SLOTS = Slots(2.0)


@dataclass(frozen=True, slots=True)
class Record:
    w: np.ndarray

    def dot(self, x):
        out = np.zeros(3)
        out[:] = x
        return float(out @ self.w)


RECORD = Record(np.array([1.0, 2.0, 3.0]))


@program()
def objects_with_slots(x):
    return SLOTS(x) + RECORD.dot(x) + Record(x).dot(x)


class Weights(list):
    def total(self, x):
        return math.fsum(float(v) * w for v, w in zip(x, self))


class Prices(dict):
    def total(self, x):
        return math.prod(float(v) * self[key] for v, key in zip(x, "abc"))


class Point(tuple):
    def total(self, x):
        return math.dist(list(x), list(self))


class Factor(float):
    def total(self, x):
        return math.exp(self * x[0])


WEIGHTS, PRICES, POINT, FACTOR = Weights([1.0, 2.0, 3.0]), Prices(a=1.0, b=2.0, c=0.5), Point((1, 2, 3)), Factor(0.5)


@program()
def objects_that_are_lists_and_numbers(x):
    return WEIGHTS.total(x) + PRICES.total(x) + POINT.total(x) + FACTOR.total(x) + FACTOR * x[1] + len(WEIGHTS)


@functools.singledispatch
def size(value):
    return float(value) ** 2


@size.register
def _(value: np.ndarray):
    return filled(value).sum()


@size.register
def _(value: Slots):
    return size(np.ones(2)) * value.k


class Sizes:
    @functools.singledispatchmethod
    def of(self, value):
        return math.exp(value)

    @of.register
    def _(self, value: np.ndarray):
        return filled(value) @ value


SIZES = Sizes()


@program()
def functions_that_dispatch_on_types(x):
    return size(x) + size(x[0]) + size(SLOTS) * x[1] + SIZES.of(x) + SIZES.of(x[2])


class Squared:
    def __init__(self, function):
        self.function = function

    def __get__(self, owner, kind=None):
        out = np.zeros(1)
        out[0] = self.function(owner)
        return float(out[0] ** 2)


class Bound:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.calls = 0

    def __get__(self, owner, kind=None):
        return functools.partial(self, owner)

    def __call__(self, *args):
        self.calls += 1
        return self.__wrapped__(*args)


class Described:
    def __init__(self, x):
        self.x = x

    @Squared
    def square(self):
        return math.sin(self.x[0])

    @Bound
    def decorated(self, k):
        return k * filled(self.x).sum()


@program()
def descriptors(x):
    return Described(x).square + Described(x).decorated(2.0)


class Named(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.ready = 1.0
        return made

    def of(cls, value):
        return cls(np.array([value, 2.0 * value]))


class Thing(metaclass=Named):
    only = None

    def __init__(self, x):
        self.x = x

    def total(self):
        return filled(self.x).sum() * self.ready


class Single:
    only = None

    def __new__(cls):
        if cls.only is None:
            cls.only = super().__new__(cls)
        return cls.only

    def total(self, x):
        return filled(x)[0]


Single()


@program()
def metaclasses_and_singletons(x):
    return Thing(x).total() + Thing.of(x[0]).total() + Single().total(x)


class Part(abc.ABC):
    kinds = []

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        Part.kinds.append(cls)

    @abc.abstractmethod
    def total(self, x): ...


class Sum(Part):
    def total(self, x):
        return filled(x).sum()


class Double(Sum):
    def total(self, x):
        return 2.0 * super().total(x)


@program()
def registered_classes(x):
    class Inner(Sum):
        def total(self, x):
            return math.sin(super().total(x))

    total = sum(kind().total(x) for kind in Part.kinds)
    assert [kind.__name__ for kind in Part.kinds] == ["Sum", "Double", "Inner"]
    Part.kinds.pop()
    return total + isinstance(Inner(), Part) * x[0]


class Counted:
    """A root of a hierarchy that calls what may be above it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inits = getattr(self, "inits", 0) + 1

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        super().__setattr__("sets", self.__dict__.get("sets", 0) + 1)

    def hook(self):
        above = super()
        return (above.hook() if hasattr(above, "hook") else 1.0) + 1.0


class Mixed:
    def hook(self):
        return 3.0 * super().hook()


class Last(Mixed, Counted):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def hook(self):
        return super().hook() * filled(self.x)[0]


LAST = Last(np.ones(2))


class Squares:
    """Results that Python keeps: on the object, and by argument."""

    def __init__(self, x):
        self.x, self.count = x, 0

    @functools.cached_property
    def values(self):
        self.count += 1
        return self.x**2

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033
    def table(self, n):
        return np.arange(3.0) * n


@functools.lru_cache
def powers(n):
    return np.arange(3.0) ** n


@functools.cache
def remembered(v, n):
    """A recursion that takes 2**25 calls unless its results are kept, for traced numbers too."""
    return v if n < 1 else 0.5 * remembered(v, n - 1) + 0.3 * remembered(v, max(n - 2, 0))


KEPT = Squares(np.array([1.0, 2.0, 3.0]))


@program()
def cached_properties(x):
    squares, given, gone = Squares(x), Squares(x), Squares(x)
    squares.values[0] = 0.0
    given.__dict__["values"] = 5 * x
    total = gone.values.sum()
    del gone.values
    same = squares.values is squares.values and "values" in squares.__dict__
    return (
        squares.values.sum() * squares.count * same + (given.values * x).sum() + total * gone.values.sum() * gone.count
    )


@program()
def cached_functions(x):
    powers.cache_clear()
    same = powers(2) is powers(2) and Squares(x).table(2) is not Squares(x).table(2)
    info = powers.cache_info()
    return np.sum(x**2 * powers(2)) * same * (info.hits + info.currsize) + remembered(x[0], 25) * np.sum(
        KEPT.values * x
    )


@program()
def matched_numbers(x):
    match 2.5, 3, "s":
        case float(a), int(b), str(_):
            scale = a * b
    match x[0]:
        case int(z):
            return z
        case float(z):
            return z**2 * scale + x[1]
    return 0.0


class Counted(type):
    """A metaclass that counts how often each of its methods is run."""

    def __new__(cls, name, bases, body, weight=1.0):
        made = super().__new__(cls, name, bases, dict(body))
        made.news, made.weight = getattr(made, "news", 0) + 1, weight
        return made

    def __init__(cls, name, bases, body, weight=1.0):
        super().__init__(name, bases, body)

    def __call__(cls, *args):
        made = super().__call__(*args)
        made.calls = getattr(made, "calls", 0) + 1
        return made


class CountedAbstract(Counted, abc.ABCMeta):
    def __new__(cls, name, bases, body, **options):
        made = super().__new__(cls, name, bases, body, **options)
        made.abstract_news = getattr(made, "abstract_news", 0) + 1
        return made


class Outside(metaclass=CountedAbstract, weight=4.0):
    def total(self, x):
        return np.sum(x**2)


@program()
def metaclasses_of_classes_made_inside(x):
    class Local(metaclass=Counted, weight=3.0):
        def total(self, x):
            return np.sum(x**3)

    class Derived(Outside, weight=7.0):
        pass

    class Meta(Counted):
        def __new__(cls, name, bases, body):
            return super().__new__(cls, name, bases, body, weight=2.0)

        def __init__(cls, name, bases, body):
            super().__init__(name, bases, body, weight=2.0)

    class Last(metaclass=Meta):
        pass

    local, derived = Local(), Derived()
    assert isinstance(derived, Outside)
    counts = Local.news + 10 * local.calls + 100 * Derived.abstract_news + 1000 * Last.news
    return (
        local.total(x) * counts * Local.weight + derived.total(x) * Derived.weight * Derived.news + x[0] * Last.weight
    )


@program()
def super_at_the_root(x):
    last = Last(x)
    return last.hook() * last.inits + last.sets * x[0] + LAST.hook() * x[1]


class Rule(enum.Enum):
    LINEAR = 1
    SQUARE = 2

    def of(self, x):
        out = np.zeros(len(x))
        for i, v in enumerate(x):
            out[i] = float(v) ** 2 if self is Rule.SQUARE else math.exp(v) * self.value
        return out.sum()

    @property
    def weight(self):
        return {Rule.LINEAR: 2.0, Rule.SQUARE: 3.0}[self]


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 3

    def of(self, x):
        return math.sin(x) * self


WEIGHTS_OF_RULES = {Rule.LINEAR: 5.0}


@program()
def enumerations_with_methods(x):
    total = sum(rule.of(x) * rule.weight for rule in Rule) + Rule["LINEAR"].of(x) * WEIGHTS_OF_RULES[Rule.LINEAR]
    match Rule(2):
        case Rule.SQUARE:
            total = total + x[0]
    assert isinstance(Rule.LINEAR, Rule) and Rule.LINEAR.name == "LINEAR" and len(Rule) == 2
    return total + Level.HIGH.of(x[1]) + Level(1) * x[2] + (Level.LOW < Level.HIGH) * x[0]
