"""One objective each in the hand of one scientist: econometrics on tables, columns of MATLAB, objects of physics, itertools."""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, reduce
from types import SimpleNamespace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from scipy import optimize, stats

from corpus.table import Case

rng = np.random.default_rng(77)
n = 12
panel = pd.DataFrame(
    {
        "firm": np.repeat(list("abc"), 4),
        "year": np.tile(np.arange(2001, 2005), 3),
        "date": pd.date_range("2001-01-01", periods=n, freq="90D"),
        "wage": rng.normal(2.0, 0.3, n),
        "school": rng.integers(8, 16, n).astype(float),
        "sector": pd.Categorical(rng.choice(["farm", "office"], n)),
    }
)


def fixed_effects(beta, df):
    """Within transformation, clustered by firm, as in a paper's appendix."""
    demeaned = df[["wage", "school"]] - df.groupby("firm")[["wage", "school"]].transform("mean")
    trend = (df["year"] - df["year"].min()) / 10
    resid = demeaned["wage"] - beta[0] * demeaned["school"] - beta[1] * trend
    by_firm = resid.groupby(df["firm"]).sum()
    return (resid**2).sum() + 0.1 * (by_firm**2).sum()


def event_time(beta, df):
    """Dates as data, an indicator by category, dummies without the first."""
    months = (df["date"] - df["date"].iloc[0]).dt.days.to_numpy() / 30.0
    office = (df["sector"] == "office").astype(float).to_numpy()
    X = np.column_stack([np.ones(len(df)), np.log1p(months), office, pd.get_dummies(df["firm"], drop_first=True)])
    return np.sum((df["wage"].to_numpy() - X @ beta) ** 2)


def matlab_columns(theta, X, y):
    """2-D columns all the way, as if no vector had one axis."""
    m, _ = X.shape
    b = theta[:-1].reshape(-1, 1)
    s = np.exp(theta[-1:]).reshape(1, 1)
    e = y.reshape(-1, 1) - X @ b
    L = -0.5 * (e.T @ e) / s**2 - m * np.log(s)
    return -L[0, 0]


def block_system(p, y):
    """np.block, np.ix_, put_along_axis."""
    A = np.eye(2) * np.exp(p[0])
    K = np.block([[A, p[1] * np.ones((2, 1))], [p[1] * np.ones((1, 2)), np.array([[2.0 + p[2] ** 2]])]])
    sub = K[np.ix_([0, 2], [0, 2])]
    z = np.linalg.solve(K, y)
    np.put_along_axis(z, np.array([1]), p[0] * z[0], axis=0)
    return z @ z + np.linalg.slogdet(sub)[1]


@dataclass
class Body:
    """A mass on a line."""

    mass: float
    position: float
    velocity: float = 0.0
    history: list = field(default_factory=list)

    def kick(self, force, dt):
        self.velocity += force / self.mass * dt

    def drift(self, dt):
        self.position += self.velocity * dt
        self.history.append(self.position)


def chain_of_springs(p, target):
    """Leapfrog over objects that keep their own history."""
    bodies = [Body(1.0 + 0.1 * i, float(i)) for i in range(3)]
    bodies[0].velocity = p[2]
    for _ in range(6):
        for left, right in itertools.pairwise(bodies):
            pull = p[0] * (right.position - left.position - 1.0) + p[1] * (right.position - left.position - 1.0) ** 3
            left.kick(pull, 0.1)
            right.kick(-pull, 0.1)
        for body in bodies:
            body.drift(0.1)
    return sum((body.history[-1] - t) ** 2 for body, t in zip(bodies, target, strict=True))


def functional(p, xs):
    """reduce, partial, starmap, accumulate, attrgetter: no loop and no statement to spare."""
    layers = [functools.partial(lambda w, z: np.tanh(w * z + 0.1), w) for w in p]
    out = reduce(lambda z, layer: layer(z), layers, xs)
    steps = list(itertools.accumulate(p, operator.mul))
    return np.sum(out**2) + sum(itertools.starmap(lambda a, b: (a - b) ** 2, zip(steps, steps[1:], strict=False)))


def buffers(p, x):
    """One buffer written again and again by out=, and by in-place operators on views of it."""
    work = np.empty((2, x.size))
    np.multiply(x, p[0], out=work[0])
    np.exp(work[0], out=work[1])
    work[0] -= p[1]
    np.add(work[0], work[1], out=work[0])
    work[:, ::2] *= 0.5
    np.square(work, out=work)
    return work.sum()


def positions_and_values(p):
    """ndenumerate, ndindex and a dictionary that counts."""
    A = np.outer(p, p)
    total = sum((i - j) ** 2 * value for (i, j), value in np.ndenumerate(A))
    for index in np.ndindex(2, 2):
        total = total + np.cos(A[index])
    counts = Counter(int(v > 0) for v in (1.0, -1.0, 2.0))
    return total * counts[1]


@np.vectorize
def _utility(c, gamma):
    return np.log(c) if gamma == 1 else (c ** (1 - gamma) - 1) / (1 - gamma)


def vectorised(p, c):
    """A scalar function by np.vectorize, with and without output types."""
    weight = np.vectorize(lambda a, t: a**t, otypes=[float])
    return -np.sum(weight(0.9 + 0.01 * p[1], np.arange(c.size)) * _utility(c + p[2] ** 2, np.exp(p[0])))


records = np.zeros(5, dtype=[("t", float), ("dose", float), ("arm", "U1")])
records["t"], records["dose"], records["arm"] = np.arange(1, 6), [1, 1, 2, 2, 3], list("ABABA")
conc = np.array([0.9, 0.7, 1.1, 0.8, 1.0])


def structured_records(p, rows, y):
    """A structured array as data: by field, and row by row."""
    mean = rows["dose"] * np.exp(-np.exp(p[0]) * rows["t"]) + p[1] * (rows["arm"] == "A")
    extra = sum(row["dose"] * p[1] ** 2 for row in rows if row["arm"] == "B")
    return np.sum((y - mean) ** 2) + 0.01 * extra


def moving_average(p, y):
    """Windows of the data, and of what is computed."""
    windows = sliding_window_view(y, 3)
    smooth = windows @ np.array([p[0], 1 - p[0] - p[1], p[1]])
    return np.sum((smooth - y[1:-1]) ** 2) + np.sum(np.diff(sliding_window_view(p**2, 2).sum(axis=1)) ** 2)


@lru_cache(maxsize=None)
def _nodes(count):
    return np.polynomial.legendre.leggauss(count)


def gauss_legendre(p):
    """Quadrature nodes from a cached helper."""
    u, w = _nodes(8)
    return np.sum(w * np.exp(-p[0] * u**2 + p[1] * u)) + p[0] ** 2


class Potential(Protocol):
    """What the sampler asks of a potential."""

    def energy(self, x: np.ndarray) -> float: ...


class DoubleWell:
    """Annotated to the last variable, as a typed codebase is."""

    def __init__(self, depth: float, tilt: float) -> None:
        self.depth: float = depth
        self.tilt: float = tilt

    def energy(self, x: np.ndarray) -> float:
        wells: np.ndarray = self.depth * (x**2 - 1.0) ** 2
        return float(np.sum(wells + self.tilt * x))


def typed(theta: np.ndarray, x: np.ndarray) -> float:
    """A Protocol, annotations everywhere."""
    potential: Potential = DoubleWell(np.exp(theta[0]), theta[1])
    return potential.energy(x + theta[2])


class Link(Enum):
    """How a mean depends on its predictor."""

    LOG = "log"
    LOGIT = "logit"


def matched(p, X, y, link):
    """match on an enumeration, and on the shape of a list."""
    match link:
        case Link.LOG:
            mean = np.exp(X @ p)
        case Link.LOGIT:
            mean = 1 / (1 + np.exp(-X @ p))
        case _:
            raise ValueError(link)
    match [len(y), *y[:1]]:
        case [int(m), first] if m > 2:
            return np.sum((y - mean) ** 2) / m + 0.0 * first
    return 0.0


def walrus(p, y):
    """Assignments inside of expressions."""
    if (scale := np.exp(p[1])) > 0 and (resid := y - p[0]).size:
        return np.sum(z2 := (resid / scale) ** 2) + y.size * np.log(scale) + 0.01 * z2.max()
    return 0.0


@contextlib.contextmanager
def _quiet():
    with np.errstate(all="ignore"):
        yield SimpleNamespace(factor=2.0)


def guarded(p, y):
    """try, finally and a context manager of one's own."""
    calls = []
    try:
        with _quiet() as setting:
            z = np.log(p[0] ** 2 + y) * setting.factor
        calls.append("done")
        return np.sum(z) + p[1] ** 2 * len(calls)
    except FloatingPointError:
        return np.inf
    finally:
        calls.clear()


def _filter(gain):
    state, innovation = 0.0, 0.0
    while True:
        observed = yield state, innovation
        innovation = observed - state
        state = state + gain * innovation


def generator_filter(p, y):
    """A filter as a generator to which observations are sent."""
    run = _filter(1 / (1 + np.exp(-p[0])))
    next(run)
    total = 0.0
    for value in y:
        _, innovation = run.send(value * p[1])
        total += innovation**2
    run.close()
    return total


def romberg(p):
    """Recursion with results handed up, and a nested function that remembers."""
    f = lambda u: np.exp(-p[0] * u) + p[1] * u**2

    @functools.cache
    def trapezoid(level):
        if level == 0:
            return 0.5 * (f(0.0) + f(1.0))
        h = 0.5**level
        return 0.5 * trapezoid(level - 1) + h * sum(f((2 * k + 1) * h) for k in range(2 ** (level - 1)))

    def extrapolated(level, order):
        if order == 0:
            return trapezoid(level)
        finer, coarser = extrapolated(level, order - 1), extrapolated(level - 1, order - 1)
        return finer + (finer - coarser) / (4**order - 1)

    return extrapolated(3, 3) ** 2


class Arrhenius(NamedTuple):
    """Parameters by name."""

    log_a: float
    energy: float


def chemist(p, T, k):
    """Named parameters, f-strings for keys, a defaultdict of lists, a deque for the last ones."""
    law = Arrhenius(*p)
    terms = defaultdict(list)
    recent = deque(maxlen=2)
    for i, (t, rate) in enumerate(zip(T, k, strict=True)):
        misfit = np.log(rate) - law.log_a + law.energy / (8.314e-3 * t)
        terms[f"{'low' if t < 350 else 'high'}"].append(misfit**2)
        recent.append(misfit * (i + 1))
    return sum(terms["low"]) + 2 * sum(terms["high"]) + sum(recent) ** 2


def ellipsis_sums(p, T):
    """einsum with an ellipsis, moveaxis, newaxis and slices in every place."""
    W = p.reshape(2, 2)
    rotated = np.einsum("...ij,jk->...ik", T, W)
    return np.sum(np.moveaxis(rotated, -1, 0)[:, ..., ::-1] * T[np.newaxis, 0, 0, 0, 0]) + np.einsum("...ii->...", rotated).prod()


def spectroscopist(p, wave, counts):
    """A sum of peaks on a polynomial baseline, Poisson counts, widths tied by a ratio."""
    peaks = [(p[0], 0.3, 0.05), (p[1], 0.6, 0.08)]
    model = np.polyval(p[2:4], wave) + sum(a * np.exp(-0.5 * ((wave - c) / s) ** 2) for a, c, s in peaks)
    rate = np.where(model > 1e-8, model, 1e-8)
    return -stats.poisson.logpmf(counts, rate).sum()


def actuary(p, claims, limits):
    """Censored losses of a heavy tail, a spliced body, survival functions."""
    shape, scale = np.exp(p)
    capped = claims >= limits
    ll = np.where(capped, stats.genpareto.logsf(limits, shape, scale=scale), stats.genpareto.logpdf(claims, shape, scale=scale))
    return -ll.sum() + 0.1 * stats.lomax.sf(2.0, 1 / shape, scale=scale)


def geodesist(p, known, ranges):
    """Trilateration with argparse-like options in a SimpleNamespace and a helper class with __call__ and __getitem__."""
    options = SimpleNamespace(robust=True, delta=0.5)

    class Stations:
        def __init__(self, places):
            self.places = places

        def __getitem__(self, i):
            return self.places[i]

        def __len__(self):
            return len(self.places)

        def __call__(self, x):
            return np.array([np.linalg.norm(self[i] - x) for i in range(len(self))])

    r = Stations(known)(p) - ranges
    return np.sum(options.delta**2 * (np.sqrt(1 + (r / options.delta) ** 2) - 1)) if options.robust else r @ r


def economist_root(p, demand):
    """The equilibrium price by Newton's method, written by hand; SciPy's options of another problem as data."""
    settings = optimize.OptimizeResult(steps=6, start=1.0)
    price = settings.start
    for _ in range(settings.steps):
        excess = demand * np.exp(-p[0] * price) - np.exp(p[1]) * price
        slope = -p[0] * demand * np.exp(-p[0] * price) - np.exp(p[1])
        price = price - excess / slope
    return np.sum((price - 0.7) ** 2) if np.ndim(price) else (price - 0.7) ** 2


x3 = np.array([0.4, -0.3, 0.6])
design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
response = rng.normal(size=n)
grid = np.linspace(0, 1, 15)

CASES = [
    Case("fixed_effects", fixed_effects, np.array([0.1, 0.2]), (panel,), tags="pandas groupby transform"),
    Case("event_time", event_time, rng.normal(size=5), (panel,), tags="pandas dates dummies"),
    Case("matlab_columns", matlab_columns, np.array([0.1, 0.2, -0.1, 0.3]), (design, response), tags="matlab columns"),
    Case("block_system", block_system, x3, (np.array([1.0, -0.5, 0.3]),), tags="block ix_ put_along_axis"),
    Case("chain_of_springs", chain_of_springs, np.array([1.0, 0.2, 0.5]), (np.array([0.1, 1.0, 2.1]),), tags="dataclass"),
    Case("functional", functional, np.array([0.8, -0.5, 1.2]), (np.linspace(-1, 1, 5),), tags="reduce partial itertools"),
    Case("buffers", buffers, np.array([0.5, 0.2]), (np.linspace(-1, 1, 6),), tags="out in-place views"),
    Case("positions_and_values", positions_and_values, np.array([0.5, -0.2, 0.9]), tags="ndenumerate ndindex"),
    Case("vectorised_with_otypes", vectorised, np.array([0.5, 0.2, 0.3]), (np.array([1.0, 1.5, 0.8]),), tags="vectorize otypes"),
    Case("structured_records", structured_records, np.array([-0.5, 0.2]), (records, conc), tags="recarray"),
    Case("moving_average", moving_average, np.array([0.3, 0.2, 0.4]), (response,), tags="sliding_window_view"),
    Case("gauss_legendre", gauss_legendre, np.array([0.5, 0.2]), tags="lru_cache"),
    Case("typed", typed, x3, (np.array([-0.8, 0.1, 1.1]),), tags="Protocol annotations"),
    Case("matched", matched, x3, (design, response, Link.LOGIT), tags="match enum"),
    Case("walrus_steps", walrus, np.array([0.1, 0.2]), (response,), tags="walrus"),
    Case("guarded", guarded, np.array([0.5, 0.2]), (np.array([1.0, 2.0]),), tags="try finally with"),
    Case("generator_filter", generator_filter, np.array([0.1, 1.2]), (response,), tags="generator send"),
    Case("romberg", romberg, np.array([0.5, 0.2]), tags="recursion cache"),
    Case("chemist", chemist, np.array([0.5, 5.0]), (np.array([300.0, 340, 360, 400]), np.array([0.1, 0.2, 0.3, 0.5])), tags="namedtuple defaultdict deque"),
    Case("ellipsis_sums", ellipsis_sums, np.array([0.5, 0.2, -0.3, 0.8]), (rng.normal(size=(2, 3, 2, 2)),), tags="einsum ellipsis"),
    Case("spectroscopist", spectroscopist, np.array([20.0, 10.0, 1.0, 5.0]), (grid, rng.poisson(8, 15)), tags="poisson peaks"),
    Case("actuary", actuary, np.array([-0.5, 0.2]), (np.array([0.3, 1.0, 2.0, 4.0]), np.full(4, 4.0)), tags="censored genpareto"),
    Case("geodesist", geodesist, np.array([0.3, 0.4]), (rng.normal(size=(4, 2)) * 3, np.full(4, 2.0)), tags="class __call__"),
    Case("economist_root", economist_root, np.array([0.3, 0.1]), (1.5,), tags="newton OptimizeResult"),
]
