"""Globals of instrumented code: class bodies, annotations, text that is executed, wrappers, whatever Python asks for.

Each objective is traced twice: with globals that are fetched while they are read, and with such that are complete
before the run, as a Python would need that takes exact dictionaries only.
"""

# ruff: noqa: RUF012, SIM401, E731

import contextlib
import dataclasses
import enum
import functools
import inspect
import math
import sys
import textwrap
import typing
import warnings

import numpy as np
import pytest
from derivative_checks import check_gradient, check_hessp, check_value

import autoopt
from autoopt.errors import AutooptError
from autoopt.objectives.objective import Objective
from autoopt.tracing.instrument import namespaces

WIDTH = 1.5
COUNT = 3
DATA = np.array([0.5, -1.0, 2.0])
TABLE = {"scale": 2.5, "weights": DATA}
T = typing.TypeVar("T")


def energy(v):
    """Return a smooth function that reads a global."""
    return np.sum(np.exp(WIDTH * v))


class Base:
    """A class outside, whose body has long been run."""

    power = 3

    def raised(self, v):
        return np.sum(v**self.power) * WIDTH


def scaled(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return WIDTH * function(*args, **kwargs)

    return wrapper


class Meta(type):
    def __new__(cls, name, bases, body, factor=1.0):
        return super().__new__(cls, name, bases, {**body, "factor": factor * WIDTH})

    def __init__(cls, name, bases, body, factor=1.0):
        super().__init__(name, bases, body)


@scaled
def wrapped(x) -> float:
    """Return a wrapped function of x."""
    return np.sum(np.exp(x))


def numbers(x):
    class Config:
        scale = np.pi
        offset = WIDTH
        root = math.sqrt(COUNT)

    return Config.scale * np.sum(x**2) + Config.offset * x[0] ** 3 + Config.root * x[1]


def arrays(x):
    class Config:
        weights = DATA
        total = (DATA * COUNT).sum()

    return np.sum(Config.weights * x**2) * Config.total


def lambdas(x):
    class Config:
        square = lambda v: WIDTH * v**2
        table = {name: (lambda v, k=k: v**k * WIDTH) for k, name in enumerate(("one", "first", "second"))}

    return np.sum(Config.square(x)) + np.prod(Config.table["second"](x)) + Config.table["first"](x)[0]


def comprehensions(x):
    class Config:
        powers = [WIDTH * k for k in range(COUNT)]
        nested = [[WIDTH * j for j in range(i + 1)] for i in range(COUNT)]
        chosen = {k: math.exp(k) for k in range(COUNT) if k < WIDTH}
        total = sum(w * COUNT for w in DATA)
        kinds = {type(w) for w in DATA}

    return (
        sum(p * v**2 for p, v in zip(Config.powers, x, strict=True))
        + sum(Config.nested[2]) * x[0]
        + (Config.chosen[1] * x[1] ** 3 + Config.total * x[2] ** 2 * len(Config.kinds))
    )


def methods(x):
    class Model:
        def value(self, v, k=COUNT, shift=WIDTH):
            return energy(v + shift) ** (1 / k)

        @staticmethod
        def penalty(v):
            return WIDTH * np.sum(v**2)

        @scaled
        def scaled(self, v):
            return self.penalty(v) ** 2

    model = Model()
    return model.value(x) + Model.penalty(x) + model.scaled(x)


def inner_classes(x):
    class Outer:
        class Inner:
            total = DATA.sum() * WIDTH

            class Innermost:
                count = COUNT

    return Outer.Inner.total * np.sum(x**3) * Outer.Inner.Innermost.count


def bases(x):
    class Mine(Base):
        power = COUNT + 1

        def raised(self, v):
            return super().raised(v) + WIDTH * v[0]

    return Mine().raised(x)


def metaclasses(x):
    class Mine(metaclass=Meta, factor=COUNT):
        own = WIDTH

    return Mine.factor * np.sum(x**2) * Mine.own


def generics(x):
    class Box(typing.Generic[T]):
        scale: float = WIDTH

        def get(self, v: T) -> T:
            return self.scale * v

    return np.sum(Box[float]().get(x) ** 3)


def records(x):
    @dataclasses.dataclass
    class Parameters:
        location: float
        scale: float = WIDTH
        weights: np.ndarray = dataclasses.field(default_factory=lambda: DATA * COUNT)

        def density(self, v) -> np.ndarray:
            return np.sum(self.weights * ((v - self.location) / self.scale) ** 2)

    return Parameters(x[0] ** 2).density(x)


def named_tuples(x):
    class Pair(typing.NamedTuple):
        first: float
        second: float = WIDTH

    pair = Pair(x[0])
    return pair.first**2 * pair.second + np.sum(x**3)


def enumerations(x):
    class Level(enum.Enum):
        LOW = COUNT
        HIGH = WIDTH

    return sum(level.value * np.sum(x ** (2 + i)) for i, level in enumerate(Level))


def of_a_traced_value(x):
    class Point:
        position = x * WIDTH
        size = np.sum(position**2)

    return Point.size * Point.position[0]


def in_a_helper(x):
    def make(width):
        class Kernel:
            scale = width * WIDTH

            def __call__(self, v):
                return np.exp(-((v / self.scale) ** 2))

        return Kernel()

    return np.sum(make(COUNT)(x))


def executed(x):
    names = {}
    exec("import math\ndef term(v): return WIDTH * np.sum(v**3) + math.exp(v[0])", globals(), names)
    exec("class Config:\n    scale = [WIDTH * k for k in range(COUNT)]", globals(), names)
    return names["term"](x) * names["Config"].scale[1]


def evaluated(x):
    return eval("np.sum(x**2) * WIDTH + sum(k * WIDTH for k in range(COUNT)) * energy(x)")


def looked_up(x):
    scale = globals()["WIDTH"] if "WIDTH" in globals() else 0.0
    return globals().get("energy")(x) * scale + dict(globals())["COUNT"] * x[0] ** 2


def wrapped_inside(x):
    def logged(function):
        @functools.wraps(function)
        def wrapper(v, *rest, **options):
            assert wrapper.__name__ == "term" and wrapper.__wrapped__ is function
            return function(v, *rest, **options) * WIDTH

        return wrapper

    @logged
    def term(v: np.ndarray, power: float = COUNT) -> float:
        return np.sum(v**power)

    return term(x) + term.__wrapped__(x, power=2)


def wrapped_outside(x):
    return wrapped(x) + wrapped.__wrapped__(x) ** 2


def described(x):
    names = list(inspect.signature(energy).parameters)
    known = energy.__name__ == "energy" and energy.__module__ == __name__ and "global" in energy.__doc__
    returns = wrapped.__annotations__.get("return")
    return energy(x) * len(names) * known * (returns is float)


def of_the_module(x):
    class Config:
        scale = WIDTH

    assert Config.__module__ == __name__
    return Config.scale * np.sum(x**2) * (__name__ == Config.__module__)


def with_warnings(x):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.warn("of the objective", stacklevel=1)
    return np.sum(x**2) * len(seen)


def metaclasses_inside(x):
    class Outer(type):
        def __new__(cls, name, bases, body):
            made = super().__new__(cls, name, bases, body)
            made.weight = WIDTH
            return made

    class Old(type):
        def __new__(cls, name, bases, body):
            return type.__new__(cls, name, bases, {**body, "count": COUNT})

    class Plain(type):
        pass

    class First(metaclass=Outer):
        pass

    class Second(metaclass=Old):
        pass

    class Third(metaclass=Plain):
        power = 3

    kinds = isinstance(First, type) and type(First) is Outer and issubclass(Old, type) and type(COUNT) is not type
    return np.sum(x**Third.power) * First.weight * Second.count * kinds


def builtin_bases(x):
    class Angle(float):
        def degrees(self):
            return self * WIDTH

    class Whole(int):
        pass

    class Row(list):
        def total(self):
            return sum(self) * WIDTH

    class Table(dict):
        def total(self):
            return sum(self.values()) * WIDTH

    class Found(Exception):
        def __init__(self, value):
            self.value = value

    Made = type("Made", (float,), {"half": lambda self: self / 2})
    try:
        raise Found(x[0] ** 2)
    except Found as found:
        caught = found.value
    table = Table(a=x[0] ** 3, b=x[1]).total()
    return Angle(3.0).degrees() * Row([v**2 for v in x]).total() + table * Whole(2) + caught * Made(3.0).half()


def future_imports_of_its_own(x):
    names = {}
    exec("class Typed:\n    kind: float = WIDTH", globals(), names)  # not under this library's own imports
    return names["Typed"].__annotations__["kind"](2) * np.sum(x**2)


def compiled_from(text: str) -> object:
    """Return the objective of a text that older Pythons cannot read."""
    scope: dict = {"np": np, "WIDTH": WIDTH, "DATA": DATA, "__name__": __name__}
    exec(textwrap.dedent(text), scope)
    return scope["objective"]


TYPE_PARAMETERS = """
    def objective(x):
        class Box[K]:
            scale: K = WIDTH
            weights = [WIDTH * w for w in DATA]
            def get[V](self, v: V) -> V: return self.scale * v
        type Number = float | np.ndarray
        def identity[V: (Number, int)](v: V) -> V: return v
        return np.sum(Box[float]().get(identity(x)) ** 2) + Box.weights[0] * x[0] ** 3
"""
OBJECTIVES = [
    *(numbers, arrays, lambdas, comprehensions, methods, inner_classes, bases, metaclasses, generics, records),
    *(named_tuples, enumerations, of_a_traced_value, in_a_helper, executed, evaluated, looked_up, wrapped_inside),
    *(wrapped_outside, described, of_the_module, with_warnings, metaclasses_inside, builtin_bases),
    future_imports_of_its_own,
    *([compiled_from(TYPE_PARAMETERS)] if sys.version_info >= (3, 12) else []),
]
X = np.array([0.3, 0.7, 1.1])
POINTS = (X, np.array([-0.4, 0.0, 0.4]))


@pytest.mark.parametrize("asks", [True, False], ids=["asked", "complete"])
@pytest.mark.parametrize("f", OBJECTIVES, ids=lambda f: f.__name__)
def test_globals_are_seen(f, asks, monkeypatch) -> None:
    monkeypatch.setattr(namespaces, "ASKS", asks)
    objective = Objective(f, X)
    for x in POINTS:
        check_value(objective, x)
        check_gradient(objective, x, 0.0)
    check_hessp(objective, X, np.array([0.2, -1.0, 0.5]), 0.0)


def test_this_python_asks_for_missing_globals() -> None:
    """If this fails, traces still hold, but look at more than they read: see `namespaces.ASKS`."""
    assert namespaces.ASKS


def test_only_what_is_read_decides_whether_a_trace_holds(monkeypatch) -> None:
    from autoopt.parameters import Structure
    from autoopt.tracing.trace import trace

    def names(asks):
        monkeypatch.setattr(namespaces, "ASKS", asks)
        captured = trace(reads_little, Structure.of(X), X).captured
        return {name for place, name, _ in captured if place is globals()}

    assert names(True) == {"np"} and names(False) == {"np", "energy", "DATA", "WIDTH"}


def reads_little(x):
    return np.sum(x**2) if x[0] > 0 else energy(DATA * x)


def test_another_value_of_a_global_of_a_class_body_is_seen(monkeypatch) -> None:
    objective = Objective(numbers, X)
    for width in (1.5, 4.0, 1.5):
        monkeypatch.setitem(globals(), "WIDTH", width)
        assert objective.value(X) == pytest.approx(numbers(X), rel=1e-14)
        assert objective.grad(X)[0] == pytest.approx(2 * np.pi * X[0] + 3 * width * X[0] ** 2, rel=1e-12)


def test_unknown_name_in_a_class_body_is_the_users_error() -> None:
    def objective(x):
        class Config:
            scale = UNKNOWN  # noqa: F821

        return Config.scale * x[0]

    with pytest.raises(Exception, match="UNKNOWN") as refused:
        autoopt.objective(objective, X).grad(X)
    assert isinstance(refused.value, NameError | AutooptError)


def test_global_assigned_in_a_class_body_is_the_users_afterwards() -> None:
    def objective(x):
        class Config:
            global LAST_SCALE
            LAST_SCALE = WIDTH

        return np.sum(x**2) * Config.__name__.count("C") * LAST_SCALE

    with contextlib.suppress(KeyError):
        del globals()["LAST_SCALE"]
    assert np.allclose(autoopt.grad(objective)(X), 2 * WIDTH * X)
    assert globals()["LAST_SCALE"] == WIDTH
