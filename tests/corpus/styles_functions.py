"""Functions of functions: lambdas, closures, partial, decorators, recursion, generators, map, vectorize."""

import functools
import itertools
import operator
from functools import lru_cache, partial, reduce, wraps

import numpy as np

from corpus.table import Case

rng = np.random.default_rng(1212)
data = rng.normal(size=8)
GLOBAL_SCALE = 1.7
global_table = np.array([0.2, 0.5, 0.9])


def make_penalty(strength, center):
    offsets = np.array(center)

    def penalty(x):
        return strength * np.sum((x - offsets) ** 2)

    return penalty


def make_objective(data):
    pen = make_penalty(0.5, [1.0, -1.0])
    count = 0

    def objective(x):
        nonlocal count
        count += 1
        return pen(x) + np.mean(np.cosh(x[0] - data) * np.exp(x[1]))

    return objective


def weighted(f=None, *, weight=1.0):
    def decorate(g):
        @wraps(g)
        def wrapper(*args, **kwargs):
            return weight * g(*args, **kwargs)

        return wrapper

    return decorate(f) if f else decorate


@weighted(weight=2.5)
def decorated(x, *terms, power=2, **options):
    total = options.get("offset", 0.0)
    for t in terms:
        total = total + abs(x @ t) ** power
    return total


def all_kinds_of_arguments(x, a, /, b=2.0, *rest, c=0.5, **kw):
    return a * x[0] ** 2 + b * x[1] ** 2 + c * x[0] * x[1] + sum(rest) + len(kw)


def generalised(x, degree, coefficient, shift=0.0):
    return sum(coefficient * (v - shift) ** degree for v in x)


def recursive_tree(x, depth=3):
    if depth == 0:
        return np.sin(x[0]) + x[1] ** 2
    return 0.5 * recursive_tree(x, depth - 1) + 0.3 * recursive_tree(x * 0.9 + 0.1, depth - 1)


def fast_sum(v):
    """Divide and conquer."""
    return v[0] ** 2 if len(v) == 1 else fast_sum(v[: len(v) // 2]) + fast_sum(v[len(v) // 2 :])


def states(x, n):
    s = 1.0
    for _ in range(n):
        s = s * x[0] / (1 + x[1] * s * s)
        yield s


def generator_pipeline(x, target):
    errors = (s - t for s, t in zip(states(x, len(target)), target))
    return sum(e * e for e in errors)


def itertools_pairs(x):
    e = sum((a - b) ** 2 for a, b in itertools.combinations(x, 2))
    e += reduce(lambda u, v: u * v, x)
    e += list(itertools.accumulate(x))[-2] ** 2
    e += functools.reduce(operator.add, (np.exp(v) for v in x))
    return e + sum(p * q for p, q in itertools.product(x[:2], x[1:]))


def map_filter(x):
    sq = list(map(lambda v: v**2 + 1, x))
    pos = [*filter(lambda v: v > 0, x)]
    return np.prod(sq) + sum(pos) + max(map(abs, x)) + np.fromiter((v * 2 for v in x), dtype=float).sum()


def vectorised(x, t):
    @np.vectorize
    def response(s):
        return x[0] * np.exp(-x[1] * s) if s < 1.0 else x[2] / s

    soft = np.vectorize(lambda v, k: v / (1 + abs(v)) * k)
    return np.sum(response(t) ** 2) + soft(x, np.arange(3)).sum()


def along_axis(p, M):
    Z = M * p
    return np.apply_along_axis(lambda row: np.log(np.sum(np.exp(row))), 1, Z).sum() + np.apply_along_axis(np.linalg.norm, 0, Z).sum()


def frompyfunc_style(x):
    f = lambda v: v * v * v
    return np.array(list(map(f, x))).sum() + np.array([f(v) for v in x if v > -5]).mean()


@lru_cache(maxsize=None)
def binomial(n, k):
    return 1 if k in (0, n) else binomial(n - 1, k - 1) + binomial(n - 1, k)


def bernstein(c, t):
    n = len(c) - 1
    B = np.array([binomial(n, k) * t**k * (1 - t) ** (n - k) for k in range(n + 1)])
    return np.sum((c @ B - np.sqrt(t)) ** 2)


def function_table(x, kinds):
    table = {"sq": lambda v: v**2, "exp": np.exp, "soft": partial(np.logaddexp, 0.0), "abs": abs}
    return sum(table[k](v) for k, v in zip(kinds, x))


def reads_globals(x):
    return GLOBAL_SCALE * np.sum((x - global_table) ** 2) + np.dot(global_table, x)


def composed(*functions):
    return lambda x: reduce(lambda v, f: f(v), functions, x)


pipeline = composed(np.tanh, lambda v: v * np.arange(1, 4), np.square, sum, lambda s: np.log(1 + s))


def fixed_point(f, x, n=20):
    for _ in range(n):
        x = f(x)
    return x


def implicit_babylonian(p):
    """Square root of p[0] + 1 by the Babylonian rule, as a higher-order function."""
    a = p[0] ** 2 + 1
    return (fixed_point(lambda s: 0.5 * (s + a / s), 1.0, 6) - p[1]) ** 2


def secant_inside(p):
    """A derivative taken by the user's own finite difference."""
    g = lambda v: np.exp(p[0] * v) + p[1] * v**2
    h = 0.5
    return ((g(1 + h) - g(1 - h)) / (2 * h)) ** 2


def gradient_by_hand_inside(w, X):
    """Two steps of gradient descent unrolled; the objective is the loss afterwards (hyper-gradient)."""

    def inner(v):
        return 2 * X.T @ (X @ v - 1.0) / len(X)

    v = np.zeros(2)
    for k in range(2):
        v = v - np.exp(w[k]) * inner(v)
    return np.sum((X @ v - 1.0) ** 2)


class CallableTerm:
    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        return self.k * np.sum(np.cos(x))


lam = lambda x, a=3.0: (x[0] - a) ** 2 + (x[1] + 1 if x[1] > 0 else 1 - x[1]) ** 2
walrus = lambda x: (n := np.sum(x**2)) * np.exp(-n)

CASES = [
    Case("closure_nonlocal", make_objective(data), np.array([0.5, -0.3]), tags="closure nonlocal"),
    Case("decorated", decorated, np.array([0.5, -0.3]), (np.array([1.0, 2.0]), np.array([0.3, -1.0])), tags="decorator star"),
    Case("all_kinds_of_arguments", all_kinds_of_arguments, np.array([0.5, -0.3]), (1.5, 2.0, 3.0, 4.0), tags="positional-only star"),
    Case("partial_keywords", partial(generalised, degree=4, coefficient=0.5, shift=1.0), np.array([0.5, -0.3]), tags="partial"),
    Case("partial_of_partial", partial(partial(generalised, degree=3), coefficient=0.5), np.array([0.5, -0.3]), tags="partial"),
    Case("recursive_tree", recursive_tree, np.array([0.5, -0.3]), tags="recursion"),
    Case("fast_sum", fast_sum, data, tags="recursion slices"),
    Case("generator_pipeline", generator_pipeline, np.array([0.9, 0.2]), (np.array([0.8, 0.7]),), tags="generators"),
    Case("itertools_pairs", itertools_pairs, np.array([0.5, -0.3, 0.8]), tags="itertools reduce"),
    Case("map_filter", map_filter, np.array([0.5, -0.3, 0.8]), tags="map filter fromiter"),
    Case("vectorised", vectorised, np.array([0.5, 0.3, 0.8]), (np.array([0.1, 0.5, 1.0, 2.0]),), tags="np.vectorize"),
    Case("along_axis", along_axis, np.array([0.5, -0.3]), (rng.normal(size=(3, 2)),), tags="apply_along_axis"),
    Case("map_array", frompyfunc_style, np.array([0.5, -0.3, 0.8]), tags="map comprehension"),
    Case("bernstein", bernstein, np.array([0.0, 0.5, 0.8, 1.0]), (np.linspace(0, 1, 6),), tags="lru_cache"),
    Case("function_table", function_table, np.array([0.5, -0.3, 0.8, -1.2]), (["sq", "exp", "soft", "abs"],), tags="dict-of-functions partial"),
    Case("reads_globals", reads_globals, np.array([0.5, -0.3, 0.8]), tags="globals"),
    Case("pipeline", pipeline, np.array([0.5, -0.3, 0.8]), (), (np.zeros(3),), tags="composition reduce"),
    Case("implicit_babylonian", implicit_babylonian, np.array([0.5, 1.3]), tags="higher-order"),
    Case("secant_inside", secant_inside, np.array([0.5, 1.3]), tags="lambda"),
    Case("hypergradient", gradient_by_hand_inside, np.array([-2.0, -1.5]), (rng.normal(size=(5, 2)),), tags="nested unrolled"),
    Case("callable_term", CallableTerm(2.0), np.array([0.5, 1.3]), tags="callable-object"),
    Case("lambda_default", lam, np.array([0.5, 1.3]), (), (np.array([0.0, -2.0]),), tags="lambda if"),
    Case("walrus", walrus, np.array([0.5, 0.3]), (), (np.zeros(2),), tags="walrus"),
]
