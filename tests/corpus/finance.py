"""Economics and finance: portfolios, curves, options, production, demand, life cycles."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from corpus.table import Case

rng = np.random.default_rng(909)
R = 0.02 * rng.normal(size=(20, 4)) + 0.001
cov = np.cov(R.T)


def sharpe_ratio(w, R):
    w = w / np.abs(w).sum()
    p = R @ w
    return -p.mean() / p.std(ddof=1)


def minimum_variance(z, cov):
    w = np.exp(z) / np.sum(np.exp(z))
    return 1e4 * w.T @ cov @ w


def risk_parity(z, cov):
    w = np.exp(z)
    w = w / w.sum()
    sigma = np.sqrt(np.linalg.multi_dot([w, cov, w]))
    contribution = w * (cov @ w) / sigma
    target = sigma / len(w)
    return 1e4 * sum((c - target) ** 2 for c in contribution)


def max_drawdown_soft(w, R):
    wealth = np.cumprod(1 + R @ w)
    peak = np.maximum.accumulate(wealth)
    return np.max(1 - wealth / peak) + 0.1 * np.dot(w, w)


def cvar(z, R, alpha=0.8):
    w, q = z[:-1], z[-1]
    loss = -R @ w
    excess = loss - q
    excess[excess < 0] = 0
    return q + excess.mean() / (1 - alpha) + (w.sum() - 1) ** 2


def black_scholes(vol, S, K, T, price):
    total = 0.0
    for k, t, obs in zip(K, T, price):
        s = math.exp(vol[0] + vol[1] * t) * math.sqrt(t)
        d1 = (math.log(S / k) + 0.5 * s * s) / s
        N = lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2)))
        total += (S * N(d1) - k * N(d1 - s) - obs) ** 2
    return total


def black_scholes_vector(p, S, K, T, price):
    s = np.exp(p[0] + p[1] * np.log(K / S)) * np.sqrt(T)
    d1 = (np.log(S / K) + 0.5 * s**2) / s
    return np.sum((S * norm.cdf(d1) - K * norm.cdf(d1 - s) - price) ** 2)


def binomial_tree(p, S, K, n, price):
    """American put; the early exercise is a maximum at each node."""
    dt = 1.0 / n
    u = np.exp(np.exp(p[0]) * np.sqrt(dt))
    d = 1 / u
    q = (np.exp(p[1] * dt) - d) / (u - d)
    spot = np.array([S * u ** (n - i) * d**i for i in range(n + 1)])
    v = np.maximum(K - spot, 0)
    for step in range(n, 0, -1):
        spot = spot[:-1] / u
        v = np.maximum(np.exp(-p[1] * dt) * (q * v[:-1] + (1 - q) * v[1:]), K - spot)
    return (v[0] - price) ** 2


def nelson_siegel(p, maturity, yields):
    b0, b1, b2, tau = p
    x = maturity / tau
    load = (1 - np.exp(-x)) / x
    return np.sum((yields - (b0 + b1 * load + b2 * (load - np.exp(-x)))) ** 2)


def heston_characteristic(p, u):
    """Real part of a characteristic function with complex square roots."""
    kappa, theta, sigma = np.exp(p[:3])
    rho = np.tanh(p[3])
    d = np.sqrt((rho * sigma * 1j * u - kappa) ** 2 + sigma**2 * (1j * u + u**2))
    g = (kappa - rho * sigma * 1j * u - d) / (kappa - rho * sigma * 1j * u + d)
    C = kappa * theta / sigma**2 * ((kappa - rho * sigma * 1j * u - d) - 2 * np.log((1 - g * np.exp(-d)) / (1 - g)))
    return np.sum(np.exp(C).real)


def ces_production(p, K, L, Q):
    A, share, rho = np.exp(p[0]), 1 / (1 + np.exp(-p[1])), p[2]
    model = A * (share * K ** (-rho) + (1 - share) * L ** (-rho)) ** (-1 / rho)
    return np.sum((np.log(Q) - np.log(model)) ** 2)


def translog_cost(b, lw, lq, lc):
    n = len(lc)
    design = np.ones((n, 6))
    design[:, 1] = lw
    design[:, 2] = lq
    design[:, 3] = 0.5 * lw**2
    design[:, 4] = 0.5 * lq**2
    design[:, 5] = lw * lq
    r = lc - design @ b
    return r.T.dot(r) / n


def life_cycle(c, income, beta=0.95, r=0.03, gamma=2.0):
    """Utility of a consumption plan, with a penalty on debt."""
    a, U = 0.0, 0.0
    for t in range(len(c)):
        a = (1 + r) * a + income[t] - c[t]
        U += beta**t * c[t] ** (1 - gamma) / (1 - gamma)
        if a < 0:
            U -= 5 * a**2
    return -U + (a**2)


def bellman_iterations(p, grid):
    """Value function iteration on a small grid with a soft maximum."""
    beta = 0.9 / (1 + np.exp(-p[0]))
    c = grid[:, None] * 1.1 - grid[None, :]
    util = np.where(c > 0, np.log(np.where(c > 0, c, 1.0)) * p[1], -50.0)
    V = np.zeros(len(grid))
    for it in range(6):
        Q = util + beta * V
        V = np.log(np.sum(np.exp(Q), axis=1))
    return V.mean()


def almost_ideal_demand(p, prices, shares):
    a = np.append(p[:2], 1 - p[:2].sum())
    G = np.zeros((3, 3))
    G[:2, :2] = np.array([[p[2], p[3]], [p[3], p[4]]])
    G[2, :2] = -G[:2, :2].sum(axis=0)
    G[:, 2] = -G[:, :2].sum(axis=1)
    lp = np.log(prices)
    return ((shares - a - lp @ G.T) ** 2).sum()


def gmm_instruments(b, X, Z, y):
    g = Z.T @ (y - X @ b) / len(y)
    W = np.linalg.inv(Z.T @ Z / len(y))
    return g @ W @ g


def euler_gmm(p, growth, ret):
    m = p[0] * growth ** (-p[1])
    moments = np.c_[m * ret - 1, (m * ret - 1) * growth]
    g = np.mean(moments, axis=0)
    S = np.atleast_2d(np.cov(moments, rowvar=False)) + 1e-6 * np.eye(2)
    return 100 * g @ np.linalg.solve(S, g)


def bond_yield_to_maturity(coupon, face):
    """The yield is found by brentq from data only; the duration penalty uses the parameters."""
    price = brentq(lambda v: v**3 - 0.5, 0, 1)
    return (face * price - np.npv(coupon) if hasattr(np, "npv") else face * price - coupon.sum()) ** 2


def panel_fixed_effects(p, y, x, firm):
    b, alpha = p[0], p[1:]
    r = y - b * x - alpha.take(firm)
    return np.dot(r, r) + np.ptp(alpha) ** 2 * 0.01


def dynamic_panel_within(p, y):
    """Rows are firms: demeaned over time with keepdims."""
    lag, now = y[:, :-1], y[:, 1:]
    r = now - p[0] * lag - p[1]
    r = r - r.mean(axis=1, keepdims=True)
    return np.nansum(r**2) + p[1] ** 2


K_strike, T_expiry = np.array([90.0, 100, 110]), np.array([0.5, 1, 1.5])
mat = np.array([0.5, 1, 2, 5, 10])
cap, lab = rng.uniform(1, 3, 12), rng.uniform(1, 3, 12)
firm = np.repeat(np.arange(3), 4)
grid = np.linspace(0.5, 2, 6)
w0 = np.array([0.3, 0.2, 0.4, 0.1])

CASES = [
    Case("sharpe_ratio", sharpe_ratio, w0, (R,), (np.array([0.5, -0.2, 0.3, -0.4]),), tags="abs std-ddof"),
    Case("minimum_variance", minimum_variance, np.zeros(4), (cov,), (np.array([3.0, -3, 0, 0]),)),
    Case("risk_parity", risk_parity, np.array([0.1, 0, -0.2, 0.3]), (cov,), tags="multi_dot generator"),
    Case("max_drawdown_soft", max_drawdown_soft, w0, (R,), tags="cumprod maximum-accumulate max"),
    Case("cvar", cvar, np.append(w0, 0.001), (R,), tags="mask-assign"),
    Case("black_scholes", black_scholes, np.array([-1.5, 0.1]), (100.0, K_strike, T_expiry, np.array([12.0, 8, 7])), tags="math erf lambda"),
    Case("black_scholes_vector", black_scholes_vector, np.array([-1.5, 0.1]), (100.0, K_strike, T_expiry, np.array([12.0, 8, 7])), tags="stats cdf"),
    Case("binomial_tree", binomial_tree, np.array([-1.2, 0.05]), (100.0, 103.0, 5, 9.0), tags="comprehension maximum reversed-range"),
    Case("nelson_siegel", nelson_siegel, np.array([0.04, -0.02, 0.01, 2.0]), (mat, np.array([0.02, 0.025, 0.03, 0.035, 0.04]))),
    Case("heston_characteristic", heston_characteristic, np.array([0.1, -1.0, -0.5, -0.4]), (np.linspace(0.2, 3, 6),), tags="complex"),
    Case("ces_production", ces_production, np.array([0.1, 0.2, 0.5]), (cap, lab, np.sqrt(cap * lab)), tags="power"),
    Case("translog_cost", translog_cost, rng.normal(size=6), (np.log(cap), np.log(lab), rng.normal(size=12)), tags="column-fill-data"),
    Case("life_cycle", life_cycle, np.full(5, 0.9), (np.array([1.0, 1.2, 1.0, 0.7, 0.5]),), (np.full(5, 1.3),), tags="if-on-value"),
    Case("bellman_iterations", bellman_iterations, np.array([0.5, 0.8]), (grid,), tags="where loops"),
    Case("almost_ideal_demand", almost_ideal_demand, np.array([0.3, 0.3, 0.1, -0.05, 0.1]), (rng.uniform(1, 2, (6, 3)), rng.dirichlet(np.ones(3), 6)), tags="block-assign"),
    Case("gmm_instruments", gmm_instruments, np.array([0.2, -0.1]), (rng.normal(size=(15, 2)), rng.normal(size=(15, 3)), rng.normal(size=15))),
    Case("euler_gmm", euler_gmm, np.array([0.95, 2.0]), (1 + 0.02 * rng.normal(size=15), 1.03 + 0.05 * rng.normal(size=15)), tags="c_ cov atleast_2d"),
    Case("bond_yield", bond_yield_to_maturity, np.array([0.2, 0.1]), (2.0,), tags="scipy.optimize-on-data hasattr"),
    Case("panel_fixed_effects", panel_fixed_effects, np.array([0.5, 0.1, -0.1, 0.3]), (rng.normal(size=12), cap, firm), tags="take ptp"),
    Case("dynamic_panel_within", dynamic_panel_within, np.array([0.4, 0.1]), (rng.normal(size=(4, 5)),), tags="nansum keepdims"),
]
