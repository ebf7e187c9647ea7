"""Control flow on values: if, while to convergence, early return, sorting, selection, saturation, rounding."""

import math

import numpy as np

from corpus.table import Case

rng = np.random.default_rng(1313)
obs = rng.normal(size=12)


def where_guarded(x):
    safe = np.where(x > 0, np.sqrt(x), 0)
    ent = np.where(x > 0, x * np.log(x), 0.0)
    return np.sum(safe) + ent.sum() + np.sum(x**2)


def where_double(x):
    pos = np.where(x > 0, x, 1.0)
    return np.sum(np.where(x > 0, 1 / pos + np.log(pos), x**2 + 3))


def early_return(x, bound=3.0):
    if np.any(np.abs(x) > bound):
        return 100.0 + np.sum(np.maximum(np.abs(x) - bound, 0) ** 2)
    if x[0] < 0:
        return x[0] ** 2 + x[1] ** 2
    return np.expm1(x[0]) + x[1] ** 2


def three_way(x):
    if x[0] < -1:
        f = (x[0] + 1) ** 2
    elif x[0] < 1:
        f = 0 * x[0]
    else:
        f = (x[0] - 1) ** 2
    return f + x[1] ** 2 if not x[1] == 0 else f


def select_piecewise(x):
    a = np.select([x < -1, x < 1], [x**2, np.sin(x)], default=np.sqrt(np.abs(x)))
    b = np.piecewise(x, [x < 0, x >= 0], [lambda v: -(v**3), lambda v: np.exp(v) - 1])
    return a.sum() + b.sum()


def newton_root(p):
    """x exp(x) = p solved by Newton with a tolerance."""
    x = 0.5
    c = np.exp(p[0])
    for _ in range(100):
        step = (x * math.exp(x) - c) / ((1 + x) * math.exp(x))
        x -= step
        if abs(step) < 1e-13:
            break
    else:
        raise RuntimeError("no convergence")
    return (x - p[1]) ** 2


def fixed_point_tolerance(p):
    v, old = 0.0, 1.0
    n = 0
    while abs(v - old) > 1e-13 and n < 200:
        old = v
        v = p[0] + 0.1 * np.tanh(p[1] * v)
        n += 1
    return v**2 + p[1] ** 2


def agm(p):
    a, g = 1 + p[0] ** 2, 1 + p[1] ** 2
    while True:
        a, g, old = (a + g) / 2, np.sqrt(a * g), a
        if abs(a - old) <= 1e-15 * a:
            return np.pi / (2 * a)


def bisection(p):
    """The root by halving, which is piecewise constant, polished by Newton steps, which carry the slope."""
    f = lambda v: v**3 + p[0] * v - p[1]
    lo, hi = -5.0, 5.0
    while hi - lo > 0.2:
        mid = 0.5 * (lo + hi)
        if f(mid) > 0:
            hi = mid
        else:
            lo = mid
    v = 0.5 * (lo + hi)
    for _ in range(5):
        v = v - f(v) / (3 * v**2 + p[0])
    return v**2


def sorted_l_moments(p, y):
    z = np.sort((y - p[0]) * np.exp(p[1]))
    n = len(z)
    w = (2 * np.arange(1, n + 1) - n - 1) / n
    return (np.mean(w * z) - 0.5) ** 2 + np.median(z) ** 2


def trimmed_mean(p, y):
    r = (y - p[0] - p[1] * np.arange(len(y)) / 10) ** 2
    keep = np.argsort(r)[:9]
    return r[keep].sum()


def top_of_list(x):
    k = int(np.argmax(x))
    j = x.argmin()
    return x[k] ** 2 - x[j] + (x[k] - np.partition(x, 1)[1]) ** 2 + np.max(x) * np.min(x)


def rank_statistics(p, y):
    z = y * p[0] + p[1]
    ranks = z.argsort().argsort()
    idx = np.searchsorted(np.array([-1.0, 0.0, 1.0]), z)
    table = np.array([0.5, 1.0, 2.0, 3.0])
    return np.sum(ranks * z) + np.sum(table[idx] * z**2)


def percentile_spread(p, y):
    z = p[0] * y + np.exp(p[1]) * y**2
    return np.percentile(z, 75) - np.percentile(z, 25) + np.quantile(z, 0.4) ** 2 + np.ptp(z)


def interp_table(p):
    """Reading a table at a place that depends on the parameters."""
    xs, fs = np.array([0.0, 1, 2, 4]), np.array([0.0, 2, 1, 5])
    where = np.clip(p, 0.1, 3.9)
    return np.interp(where, xs, fs).sum() + np.interp(p[0], xs, fs) ** 2


def digitised_rates(p, t):
    """Tax brackets by digitize; floor and sign and mod."""
    k = np.digitize(p, [0.0, 1.0, 2.0])
    rate = np.array([0.1, 0.2, 0.3, 0.4])[k]
    return np.sum(rate * p) + np.floor(p).sum() * t + np.sum(np.sign(p) * p**2) + np.sum(np.mod(p, 1.0)) + np.rint(p[0]) * p[1]


def bool_arithmetic(x):
    return np.sum((x > 0) * x**2 + (x <= 0) * x**4) + np.count_nonzero(x > 0) * x[0] + (x > 0).mean() * x[1]


def clipped(x):
    return np.clip(x, -1, 1).sum() + x.clip(min=0).sum() ** 2 + np.fmax(x, 0.3).sum() + np.minimum.reduce(x) + np.fmin(x, 1).prod()


def collatz_like(x):
    """How many steps depends on a value."""
    v, steps = x[0], 0
    while v < 10:
        v = v * x[1]
        steps += 1
        if steps > 30:
            return v
    return v / steps


def match_statement(x, kind):
    match kind:
        case "quadratic":
            return (x**2).sum()
        case ("power", k):
            return np.sum(np.abs(x) ** k)
        case _:
            raise ValueError(kind)


def ternary_chain(x):
    s = 0
    for v in x:
        s += v**2 if v > 1 else (2 * v - 1 if v > 0 else math.exp(v) - 2)
    return s


def masked_assignment(x):
    y = x.copy()
    y[y < 0] *= 0.1
    y[y > 1] = 1 + np.log(y[y > 1])
    z = np.zeros_like(x)
    z[x > 0] = x[x > 0] ** 2
    np.putmask(z, x > 2, 7.0)
    return y.sum() + z.sum() + np.extract(x < 0, x).sum() ** 2 + np.compress([True, False, True], x[:3]).sum()


def safe_log_likelihood(p, k):
    prob = p / p.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(k > 0, k * np.log(prob), 0.0)
    if not np.isfinite(terms).all():
        return 1e10
    return -terms.sum() + np.nan_to_num(p).sum()


def odd_even_polynomial(x):
    n_pos = int((x > 0).sum())
    coef = list(range(1, n_pos + 2))
    return np.polyval(coef, x[0]) + np.polynomial.polynomial.polyval(x[1], [1.0, 2.0, 3.0])


x4 = np.array([0.7, -0.6, 1.8, -2.2])
CASES = [
    Case("where_guarded", where_guarded, np.array([0.7, -0.6, 1.8]), (), (np.array([-1.0, -2.0, 3.0]),), tags="where"),
    Case("where_double", where_double, x4, (), (-x4,), tags="where"),
    Case("early_return", early_return, np.array([0.5, 0.4]), (), (np.array([-0.5, 0.4]), np.array([4.0, 0.4])), tags="if any return"),
    Case("three_way", three_way, np.array([0.5, 0.4]), (), (np.array([-2.0, 0.4]), np.array([2.0, 1.0])), tags="elif"),
    Case("select_piecewise", select_piecewise, x4, (), (-x4,), tags="select piecewise"),
    Case("newton_root", newton_root, np.array([0.5, 0.4]), (), (np.array([2.0, 0.0]),), tags="for-else break math", noise=1e-15),
    Case("fixed_point_tolerance", fixed_point_tolerance, np.array([0.5, 0.8]), tags="while", noise=1e-13),
    Case("agm", agm, np.array([0.5, 2.0]), (), (np.array([3.0, 0.1]),), tags="while-true", noise=1e-15),
    Case("agm_at_tie", agm, np.array([1.0, 1.0]), tags="while-true", noise=1e-15),
    Case("bisection", bisection, np.array([1.0, 2.0]), tags="bisection", noise=1e-15),
    Case("sorted_l_moments", sorted_l_moments, np.array([0.1, 0.2]), (obs,), tags="sort median"),
    Case("trimmed_mean", trimmed_mean, np.array([0.1, 0.2]), (obs,), tags="argsort fancy"),
    Case("top_of_list", top_of_list, x4, (), (-x4,), tags="argmax partition"),
    Case("rank_statistics", rank_statistics, np.array([1.1, 0.2]), (obs,), tags="argsort searchsorted"),
    Case("percentile_spread", percentile_spread, np.array([1.1, -1.0]), (obs,), tags="percentile quantile"),
    Case("interp_table", interp_table, np.array([0.4, 1.7, 2.6]), (), (np.array([5.0, 0.5, -3.0]),), tags="interp clip"),
    Case("digitised_rates", digitised_rates, np.array([0.4, 1.7, 2.6, -0.4]), (0.5,), tags="digitize floor sign mod rint"),
    Case("bool_arithmetic", bool_arithmetic, x4, (), (-x4,), tags="bool count_nonzero"),
    Case("clipped", clipped, x4, (), (-x4,), tags="clip fmax reduce"),
    Case("collatz_like", collatz_like, np.array([0.7, 1.9]), (), (np.array([0.7, 1.1]),), tags="while"),
    Case("match_statement", match_statement, x4, (("power", 3),), tags="match tuple-data"),
    Case("ternary_chain", ternary_chain, x4, (), (-x4,), tags="ternary math"),
    Case("masked_assignment", masked_assignment, np.array([0.7, -0.6, 1.8, -2.2, 2.5]), (), (np.array([-0.7, 0.6, -1.8, 2.2, 0.5]),), tags="mask-assign"),
    Case("safe_log_likelihood", safe_log_likelihood, np.array([0.2, 0.5, 0.3]), (np.array([3, 0, 5]),), tags="errstate isfinite"),
    Case("odd_even_polynomial", odd_even_polynomial, np.array([0.4, 0.7]), (), (np.array([-0.4, 0.7]),), tags="polyval int"),
]
