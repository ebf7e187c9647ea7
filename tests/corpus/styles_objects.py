"""Objects: bound methods, callables, state on self, properties, static methods, inheritance, dataclasses."""

import abc
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from corpus import geometry
from corpus.geometry import rotation_matrix
from corpus.table import Case

rng = np.random.default_rng(1111)
X = rng.normal(size=(10, 3))
y = X @ np.array([0.5, -1.0, 0.3]) + 0.1 * rng.normal(size=10)


class Regression:
    """Methods call each other."""

    def __init__(self, X, y, ridge=0.1):
        self.X, self.y = X, y
        self.ridge = ridge
        self.calls = 0
        self.history = []

    def predict(self, b):
        return self.X @ b

    def residuals(self, b):
        return self.y - self.predict(b)

    def loss(self, b):
        self.calls += 1
        return float(np.sum(self.residuals(b) ** 2)) + self.penalty(b)

    def penalty(self, b):
        return self.ridge * (b**2).sum()


class LoggedRegression(Regression):
    """Overrides, super(), history kept."""

    def predict(self, b):
        eta = super().predict(b)
        return np.where(eta > 0, eta, 0.1 * eta)

    def penalty(self, b):
        value = super(LoggedRegression, self).penalty(b)
        self.history.append(len(self.history))
        return 2 * value


class GaussianPlume:
    """State is written to self during the evaluation and read back."""

    def __init__(self, wind):
        self.wind = wind
        self.spread = None

    @property
    def plume(self):
        return 1 / (self.spread * self.wind)

    @property
    def sigma(self):
        return self._sigma

    @sigma.setter
    def sigma(self, value):
        self._sigma = np.exp(value)

    @staticmethod
    def bell(z):
        return np.exp(-0.5 * z**2)

    @classmethod
    def scale(cls, v):
        return cls.unit * v

    unit = 3.0

    def __call__(self, p):
        self.sigma = p[0]
        self.spread = self.sigma * np.arange(1, 5)
        conc = self.scale(p[1]) * self.plume * self.bell(p[2] / self.spread)
        self.last = conc
        return np.sum((self.last - 0.5) ** 2)


class Layer(abc.ABC):
    @abc.abstractmethod
    def forward(self, x): ...

    def __call__(self, x):
        return self.forward(x)


class Dense(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        return x @ self.W + self.b


class Tanh(Layer):
    def forward(self, x):
        return np.tanh(x)


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def network_of_objects(p, X, y):
    """Objects made inside the objective from the parameters."""
    model = Sequential(Dense(p[:6].reshape(3, 2), p[6:8]), Tanh(), Dense(p[8:10], p[10]))
    return np.mean((model(X) - y) ** 2)


class Vector:
    """Operator overloading in plain Python."""

    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, s):
        return Vector(self.x * s, self.y * s)

    __rmul__ = __mul__

    def __abs__(self):
        return np.sqrt(self.x**2 + self.y**2)

    def __iter__(self):
        yield self.x
        yield self.y


def chain_of_vectors(angles):
    """A planar arm reaches for a target."""
    tip, a = Vector(0.0, 0.0), 0.0
    for theta in angles:
        a = a + theta
        tip = tip + 0.8 * Vector(np.cos(a), np.sin(a))
    gx, gy = tip - Vector(1.0, 1.2)
    return gx**2 + gy**2 + 0.1 * abs(tip)


@dataclass
class Material:
    E: float
    nu: float

    @property
    def shear(self):
        return self.E / (2 * (1 + self.nu))


@dataclass(frozen=True)
class Beam:
    material: Material
    lengths: np.ndarray = field(default_factory=lambda: np.array([1.0, 1.5, 2.0]))

    def deflection(self, load):
        return load * self.lengths**3 / (3 * self.material.E) + load * self.lengths / self.material.shear


def beam_identification(p):
    beam = Beam(Material(E=np.exp(p[0]), nu=0.5 / (1 + np.exp(-p[1]))))
    return ((beam.deflection(1.0) - np.array([0.2, 0.5, 1.2])) ** 2).sum()


class Params(NamedTuple):
    rate: float
    shape: np.ndarray


def namedtuple_parameters(p: Params, t):
    q = p._replace(rate=np.exp(p.rate))
    d = q._asdict()
    return np.sum(d["rate"] * t - np.outer(t, q.shape).sum(axis=1)) ** 2 + len(p)


class Cache:
    """A memo of what was computed, keyed by a name, cleared at each call."""

    def __init__(self):
        self._memo = {}

    def get(self, key, make):
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def objective(self, x):
        self._memo.clear()
        r = self.get("r", lambda: np.hypot(x[0], x[1]))
        again = self.get("r", lambda: 1 / 0)
        return (r - 1) ** 2 + again * x[2] ** 2


class Counter:
    total = 0

    def __init__(self, data):
        self.data = data

    def objective(self, p):
        Counter.total += 1
        acc = Accumulator()
        for d in self.data:
            acc.add((d - p[0]) ** 2 * np.exp(p[1]))
            acc += 0.1 * p[1] ** 2
        return acc.value


class Accumulator:
    def __init__(self):
        self.value = 0.0

    def add(self, v):
        self.value += v

    def __iadd__(self, v):
        self.add(v)
        return self


def helper_module(p):
    """Functions of another module, by two ways of import."""
    R = rotation_matrix(p[0])
    pts = R @ geometry.SQUARE + p[1:, None]
    return geometry.polygon_moment(pts) + geometry.penalty(p)


class Registry:
    terms = {}

    @classmethod
    def register(cls, fn):
        cls.terms[fn.__name__] = fn
        return fn


@Registry.register
def bend(x):
    return np.sum(np.diff(x, 2) ** 2)


@Registry.register
def stretch(x):
    return np.sum((np.diff(x) - 1) ** 2)


def energy_terms(x, weights):
    return sum(weights[name] * fn(x) for name, fn in Registry.terms.items())


class WithGetattr:
    """Parameters read by attribute from a flat vector."""

    layout = {"a": slice(0, 1), "b": slice(1, 3)}

    def __init__(self, flat):
        self.flat = flat

    def __getattr__(self, name):
        return self.flat[self.layout[name]]

    def __getitem__(self, k):
        return self.flat[k]

    def __len__(self):
        return len(self.flat)


def attribute_parameters(x):
    p = WithGetattr(x)
    return p.a[0] ** 2 + np.sum(np.exp(p.b)) + p[2] * len(p)


class Context:
    def __init__(self, scale):
        self.scale = scale

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False


class HiddenFloat:
    """math and float in methods that only the object reaches."""

    def __init__(self, t, y):
        self.t, self.y = t, y

    def model(self, a, k, t):
        import math

        return a * math.exp(-k * t)

    def objective(self, p):
        a, k = float(p[0]), float(p[1])
        out = np.zeros(len(self.t))
        with Context(2.0) as ctx:
            for i in range(len(self.t)):
                out[i] = ctx.scale * self.model(a, k, self.t[i]) - self.y[i]
        return np.sum(np.array([v**2 for v in out]))


CASES = [
    Case("method_float", Regression(X, y).loss, np.array([0.1, 0.2, -0.1]), (), (np.zeros(3),), tags="bound-method state float"),
    Case("method_inherited", LoggedRegression(X, y).loss, np.array([0.1, 0.2, -0.1]), tags="super float history"),
    Case("gaussian_plume", GaussianPlume(2.0), np.array([0.1, 1.0, 0.5]), tags="property setter static classmethod call"),
    Case("network_of_objects", network_of_objects, rng.normal(size=11), (X, y), tags="abc objects-inside"),
    Case("chain_of_vectors", chain_of_vectors, np.array([0.3, 0.4, -0.2]), tags="operator-overloading slots"),
    Case("beam_identification", beam_identification, np.array([1.0, 0.2]), tags="dataclass property"),
    Case("namedtuple_parameters", namedtuple_parameters, Params(0.3, np.array([0.1, 0.2])), (np.array([1.0, 2.0]),), tags="namedtuple-x0"),
    Case("memo_on_self", Cache().objective, np.array([0.5, 0.7, 0.2]), tags="memo lambda state"),
    Case("class_counter", Counter([1.0, 2.0, 4.0]).objective, np.array([0.5, 0.1]), tags="class-state iadd"),
    Case("helper_module", helper_module, np.array([0.3, 0.2, -0.5]), tags="other-module"),
    Case("energy_terms", energy_terms, np.array([0.0, 0.8, 2.1, 3.0]), ({"bend": 0.5, "stretch": 2.0},), tags="registry dict-of-functions"),
    Case("attribute_parameters", attribute_parameters, np.array([0.3, 0.2, -0.5]), tags="getattr getitem"),
    Case("hidden_float_in_methods", HiddenFloat(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 0.2])).objective, np.array([0.8, 0.4]), tags="float math self with"),
]
