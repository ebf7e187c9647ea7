"""Models whose LaTeX is evaluated: those of the reference, in a few rows, and others with awkward names."""

from typing import NamedTuple

import numpy as np
from scipy import linalg
from scipy.special import expit, gammaln, logsumexp
from scipy.special import softmax as special_softmax

RNG = np.random.default_rng(0)
ROWS = 12
X = RNG.normal(size=(ROWS, 3))
BINARY = (RNG.random(ROWS) < 0.5) * 1.0
COUNTS = RNG.poisson(2.0, ROWS).astype(float)
POSITIVE = RNG.uniform(0.5, 2.0, ROWS)
CLASSES = RNG.integers(0, 4, ROWS)
GROUPS = RNG.integers(0, 3, ROWS)
TIMES = np.linspace(0.0, 1.0, 7)


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def logistic_by_hand(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)


def poisson(beta, X, counts, exposure):
    mu = exposure * np.exp(X @ beta)
    return np.sum(mu - counts * np.log(mu) + gammaln(counts + 1))


def softmax(W, X, labels):
    z = X @ W
    return np.sum(logsumexp(z, axis=1) - z[np.arange(len(labels)), labels])


def softmax_shifted(W, X, labels):
    z = X @ W
    z = z - np.max(z, axis=1)[:, None]
    return -np.sum(z[np.arange(len(labels)), labels] - np.log(np.sum(np.exp(z), axis=1)))


def least_squares(beta, X, y):
    r = X @ beta - y
    return r @ r / 2


def weibull(theta, X, t, d):
    beta = theta["beta"]
    log_s = theta["log_s"]
    s = np.exp(log_s)
    r = (np.log(t) - X @ beta) / s
    return -np.sum(d * (r - log_s - np.log(t)) - np.exp(r))


def cox(beta, X, d):
    eta = X @ beta
    return -np.sum(d * (eta - np.log(np.cumsum(np.exp(eta)))))


def negative_binomial(p, X, y):
    beta = p[:3]
    alpha = np.exp(p[3])
    mu = np.exp(X @ beta)
    size = 1 / alpha
    return -np.sum(
        gammaln(y + size)
        - gammaln(size)
        - gammaln(y + 1)
        + size * np.log(size / (size + mu))
        + y * np.log(mu / (size + mu))
    )


def student(p, y):
    mu, log_s, log_nu = p
    s = np.exp(log_s)
    nu = np.exp(log_nu)
    r = (y - mu) / s
    log_density = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - log_s
    return -np.sum(log_density - (nu + 1) / 2 * np.log1p(r**2 / nu))


def gaussian_process(p, t, y):
    a, ell, s = np.exp(p)
    D = (t[:, None] - t[None, :]) ** 2
    K = a**2 * np.exp(-0.5 * D / ell**2) + s**2 * np.eye(len(t))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L, y)
    return 0.5 * alpha @ alpha + np.sum(np.log(np.diag(L)))


def gaussian_process_slogdet(p, t, y):
    a, ell, s = np.exp(p)
    D = (t[:, None] - t[None, :]) ** 2
    K = a**2 * np.exp(-0.5 * D / ell**2) + s**2 * np.eye(len(t))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def network(p, X, y):
    W_1 = p[:12].reshape(3, 4)
    b_1 = p[12:16]
    w_2 = p[16:]
    h = np.tanh(X @ W_1 + b_1)
    return np.mean((h @ w_2 - y) ** 2)


def nested_logit(p, X, labels):
    beta, lam = p[:3], p[3]
    v = X @ beta.reshape(3, 1) * np.arange(4.0) / lam
    near = logsumexp(v[:, :2], axis=1)
    far = logsumexp(v[:, 2:], axis=1)
    top = np.logaddexp(lam * near, lam * far)
    within = np.where(labels < 2, (lam - 1) * near, (lam - 1) * far)
    return -np.sum(v[np.arange(len(labels)), labels] + within - top)


def mixture(p, y):
    logits = p[:3]
    mu = p[3:6]
    log_s = p[6:]
    logw = logits - logsumexp(logits)
    lp = logw - 0.5 * ((y[:, None] - mu) / np.exp(log_s)) ** 2 - log_s
    return -np.sum(logsumexp(lp, axis=1))


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def garch(p, r):
    omega, alpha, beta = p
    h = np.zeros(len(r))
    h[0] = 1.0
    for i in range(1, len(r)):
        h[i] = omega + alpha * r[i - 1] ** 2 + beta * h[i - 1]
    return 0.5 * np.sum(np.log(h) + r**2 / h)


def kalman(p, y):
    q, r = np.exp(p)
    m, v, total = 0.0, 1.0, 0.0
    for obs in y:
        v = v + q
        s = v + r
        total += 0.5 * (np.log(s) + (obs - m) ** 2 / s)
        m = m + v / s * (obs - m)
        v = v - v * v / s
    return total


def hidden_markov(p, y):
    mu = p[:2]
    A = np.exp(p[2:].reshape(2, 2))
    A = A / np.sum(A, axis=1)[:, None]
    a = np.log(np.ones(2) / 2)
    for obs in y:
        a = logsumexp(a[:, None] + np.log(A), axis=0) - 0.5 * (obs - mu) ** 2
    return -logsumexp(a)


def random_effects(p, y, group):
    mu = p[0]
    u = p[1:]
    return np.sum((y - mu - u[group]) ** 2) + np.linalg.norm(u) ** 2


def hinge(w, X, y):
    margin = 1 - y * (X @ w)
    return np.sum(np.where(margin > 0, margin**2, 0)) + np.sum(np.maximum(w, 0) ** 2) + np.abs(w[0])


def quadratic_form(x, A):
    return x @ A @ x + np.einsum("i,ij,j->", x, A, x) + np.prod(np.exp(x / 7))


def logistic_with_probabilities(beta, X, y):
    p = 1 / (1 + np.exp(-X @ beta))
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def gaussian(theta, y):
    mu = theta[0]
    sigma = theta[1]
    if sigma <= 0:
        return np.inf
    return 0.5 * len(y) * np.log(2 * np.pi) + len(y) * np.log(sigma) + np.sum((y - mu) ** 2) / (2 * sigma**2)


def sigma_beside_logistic(p, X, y):
    sigma = np.exp(p[0])
    q = expit(X @ p[1:])
    return np.sum((y - q) ** 2) / sigma**2 + p[0]


def ridge(beta, X, y, lambda_):
    return np.mean((y - X @ beta) ** 2) + lambda_ * np.sum(beta**2)


def lasso(beta, X, y):
    return np.linalg.norm(y - X @ beta) + 0.1 * np.sum(np.abs(beta))


def letters(e, i, sum):
    """One-letter names that formulas use for something else, and a word."""
    pi = np.exp(e[0])
    psi = np.tanh(e[1])
    gamma = e[2] - i
    return np.pi * pi + np.exp(psi * gamma) @ sum + gammaln(pi) + np.exp(1.0) * psi


def words(params, X2, y_obs):
    """Names with digits, underscores and subscripts."""
    theta_1 = params["theta_1"]
    x_max = params["x_max"]
    log_sigma_e = params["log_sigma_e"]
    b0_hat = params["b0"]
    fitted_values = X2 @ theta_1 + b0_hat
    res_1 = (y_obs - np.minimum(fitted_values, x_max)) / np.exp(log_sigma_e)
    return 0.5 * res_1 @ res_1 + y_obs.size * log_sigma_e


def number(x):
    return (np.cos(x) - 0.3) ** 2 + np.sqrt(1 + x**2)


def matrices(A, B, y):
    return np.trace(A @ B) + y @ A @ y + np.sum((A - B.T) ** 2) + np.linalg.slogdet(A @ A.T + np.eye(3))[1]


def tobit(p, X, y):
    beta = p[:-1]
    sigma = np.exp(p[-1])
    xb = X @ beta
    r = (y - xb) / sigma
    seen = -0.5 * r**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    return -np.sum(np.where(y > 0, seen, norm_cdf(-xb / sigma)))


def norm_cdf(x):
    from scipy.special import log_ndtr

    return log_ndtr(x)


def clipped(w, X, y):
    eta = np.clip(X @ w, -1.0, 1.0)
    return np.sum(np.maximum(0, 1 - y * eta)) + np.max(w) ** 2 + 0.5 * (w - w[0]) @ (w - w[0])


def gaussian_process_solved(p, t, y):
    amplitude, noise = p
    K = amplitude**2 * np.exp(-np.abs(t[:, None] - t)) + noise**2 * np.eye(len(t))
    c = linalg.cho_factor(K, lower=True)
    a = linalg.cho_solve(c, y)
    L = linalg.cholesky(K, lower=True)
    b = linalg.solve_triangular(L.T, linalg.solve_triangular(L, y, lower=True))
    return 0.5 * y @ a + np.log(np.diag(c[0])).sum() + b @ b


def poisson_in_a_loop(beta, X, y):
    total = 0.0
    for i in range(len(y)):
        eta = X[i] @ beta
        total += np.exp(eta) - y[i] * eta
    return total


def total_variation(u, noisy):
    g = np.diff(u)
    return 0.5 * np.sum((u - noisy) ** 2) + np.sum(np.sqrt(g**2 + 0.01))


def one_name_for_several(p, y):
    total = 0.0
    for v in (p[0], p[1]):
        total += np.exp(v) * np.sum(y) + v**2
    return total


def names_again(w, X, y):
    X = X - np.mean(X, axis=0)
    y = y / np.std(y, ddof=1)
    r = X @ w
    r = r - y
    return np.sum(r**2)


def filled(p, y):
    mu = np.zeros(len(y))
    mu[0] = p[0]
    mu[1:] = p[1] * y[:-1] + p[2]
    return np.sum((y - mu) ** 2) + np.std(mu) ** 2


def softmax_of_scipy(W, X, Y):
    P = special_softmax(X @ W, axis=1)
    return -np.sum(Y * np.log(P)) + np.linalg.norm(W) ** 2 + np.sum(np.linalg.norm(W, axis=0))


class Case(NamedTuple):
    """A start, data by their symbols, and where the parts of the parameters, by theirs, stand in the flat vector."""

    x0: object
    data: dict
    parts: dict


VECTOR = {"w": slice(0, 3)}
BETA = {r"\beta": slice(0, 3)}
COUNT, EXPOSURE, LABELS = r"\mathrm{counts}", r"\mathrm{exposure}", r"\mathrm{labels}"
P3 = {"p_0": 0, "p_1": 1, "p_2": 2}

MODELS = {
    logistic: Case(np.full(3, 0.1), {"X": X, "y": BINARY}, VECTOR),
    logistic_by_hand: Case(np.full(3, 0.1), {"X": X, "y": BINARY}, VECTOR),
    logistic_with_probabilities: Case(np.full(3, 0.1), {"X": X, "y": BINARY}, BETA),
    poisson: Case(np.full(3, 0.1), {"X": X, COUNT: COUNTS, EXPOSURE: POSITIVE}, BETA),
    poisson_in_a_loop: Case(np.full(3, 0.1), {"X": X, "y": COUNTS}, BETA),
    softmax: Case(RNG.normal(size=(3, 4)), {"X": X, LABELS: CLASSES}, {"W": slice(0, 12)}),
    softmax_shifted: Case(RNG.normal(size=(3, 4)), {"X": X, LABELS: CLASSES}, {"W": slice(0, 12)}),
    least_squares: Case(np.full(3, 0.1), {"X": X, "y": X[:, 0] + BINARY}, BETA),
    ridge: Case(np.full(3, 0.1), {"X": X, "y": POSITIVE, r"\lambda": 0.3}, BETA),
    lasso: Case(np.array([0.3, -0.2, 0.1]), {"X": X, "y": POSITIVE}, BETA),
    weibull: Case({"beta": np.full(3, 0.1), "log_s": 0.2}, {"X": X, "t": POSITIVE, "d": BINARY}, BETA | {r"\log s": 3}),
    tobit: Case(np.full(4, 0.1), {"X": X, "y": np.maximum(X[:, 0], 0.0)}, BETA | {"p_3": 3}),
    cox: Case(np.full(3, 0.1), {"X": X, "d": BINARY}, BETA),
    negative_binomial: Case(np.full(4, 0.1), {"X": X, "y": COUNTS}, BETA | {"p_3": 3}),
    gaussian: Case(np.array([0.2, 0.9]), {"y": X[:, 0]}, {r"\mu": 0, r"\sigma": 1}),
    student: Case(np.array([0.1, 0.2, 1.0]), {"y": X[:, 0]}, {r"\mu": 0, r"\log s": 1, r"\log \nu": 2}),
    gaussian_process: Case(np.log([1.0, 0.3, 0.4]), {"t": TIMES, "y": np.sin(5 * TIMES)}, P3),
    gaussian_process_slogdet: Case(np.log([1.0, 0.3, 0.4]), {"t": TIMES, "y": np.sin(5 * TIMES)}, P3),
    gaussian_process_solved: Case(
        np.array([1.0, 0.4]), {"t": TIMES, "y": np.sin(5 * TIMES)}, {r"\mathrm{amplitude}": 0, r"\mathrm{noise}": 1}
    ),
    network: Case(
        RNG.normal(size=20), {"X": X, "y": BINARY}, {"W_1": slice(0, 12), "b_1": slice(12, 16), "w_2": slice(16, 20)}
    ),
    nested_logit: Case(np.array([0.1, 0.2, 0.3, 0.8]), {"X": X, LABELS: CLASSES}, BETA | {r"\mathrm{lam}": 3}),
    mixture: Case(
        np.arange(9) * 0.1,
        {"y": X[:, 0]},
        {r"\mathrm{logits}": slice(0, 3), r"\mu": slice(3, 6), r"\log s": slice(6, 9)},
    ),
    rosenbrock: Case(np.full(6, 0.5), {}, {"x": slice(0, 6)}),
    rosenbrock_loop: Case(np.full(6, 0.5), {}, {"x": slice(0, 6)}),
    random_effects: Case(np.arange(4) * 0.3, {"y": X[:, 0], r"\mathrm{group}": GROUPS}, {r"\mu": 0, "u": slice(1, 4)}),
    hinge: Case(np.array([0.3, -0.2, 0.1]), {"X": X, "y": 2 * BINARY - 1}, VECTOR),
    clipped: Case(np.array([0.3, -0.2, 0.1]), {"X": X, "y": 2 * BINARY - 1}, VECTOR),
    quadratic_form: Case(np.array([0.3, -0.2, 0.1]), {"A": X[:3]}, {"x": slice(0, 3)}),
    matrices: Case(X[:3], {"B": X[3:6], "y": X[:3, 0]}, {"A": slice(0, 9)}),
    sigma_beside_logistic: Case(np.full(4, 0.1), {"X": X, "y": BINARY}, {"p": slice(0, 4)}),
    letters: Case(
        np.array([0.2, 0.3, 0.4]), {"i": POSITIVE, r"\mathrm{sum}": POSITIVE}, {"e_0": 0, "e_1": 1, "e_2": 2}
    ),
    words: Case(
        {"theta_1": np.full(3, 0.1), "x_max": 0.4, "log_sigma_e": 0.2, "b0": 0.1},
        {"X_2": X, r"y_{\mathrm{obs}}": POSITIVE},
        {r"\theta_1": slice(0, 3), r"x_{\mathrm{max}}": 3, r"\log \sigma_{\mathrm{e}}": 4, "b_0": 5},
    ),
    total_variation: Case(X[:7, 0], {r"\mathrm{noisy}": X[:7, 1]}, {"u": slice(0, 7)}),
    one_name_for_several: Case(np.array([0.2, -0.3]), {"y": POSITIVE}, {"p_0": 0, "p_1": 1}),
    names_again: Case(np.full(3, 0.1), {"X": X, "y": POSITIVE}, VECTOR),
    filled: Case(np.array([0.2, 0.3, 0.1]), {"y": POSITIVE}, {r"\mathrm{mu\_0}": 0, "p_1": 1, "p_2": 2}),
    softmax_of_scipy: Case(RNG.normal(size=(3, 4)), {"X": X, "Y": np.eye(4)[CLASSES]}, {"W": slice(0, 12)}),
    number: Case(0.7, {}, {"x": 0}),
}
"""What formulas are read back of."""

LOOPS = {
    garch: (np.array([0.1, 0.1, 0.8]), (np.sin(np.arange(20.0)),)),
    kalman: (np.log([0.1, 0.3]), (np.sin(np.arange(20.0)),)),
    hidden_markov: (np.array([0.0, 1.0, 0.5, 0.1, 0.2, 0.6]), (np.sin(np.arange(20.0)),)),
}
"""Models that have no formula."""
