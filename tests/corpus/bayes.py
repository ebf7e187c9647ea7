"""Posterior densities: Gaussian processes, hierarchical models, copulas, priors with heavy tails."""

import numpy as np
import scipy.linalg as sla
from scipy import stats
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.spatial.distance import cdist, pdist, squareform
from scipy.special import betaln, erf, expit, i0e, multigammaln

from corpus.table import Case

rng = np.random.default_rng(707)
x = np.sort(rng.uniform(0, 5, 10))
y = np.sin(x) + 0.2 * rng.normal(size=10)
X2 = rng.normal(size=(9, 2))
y2 = X2[:, 0] ** 2 + 0.1 * rng.normal(size=9)
sq = (x[:, None] - x[None, :]) ** 2


def gp_cholesky(theta, x, y):
    length, amp, noise = np.exp(theta)
    K = amp**2 * np.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / length**2) + noise**2 * np.eye(len(x))
    L = cholesky(K, lower=True)
    alpha = cho_solve((L, True), y)
    return 0.5 * y @ alpha + np.log(np.diag(L)).sum() + 0.5 * len(x) * np.log(2 * np.pi)


def gp_loops(theta, x, y):
    n = len(x)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i, j] = np.exp(theta[0]) * np.exp(-abs(x[i] - x[j]) / np.exp(theta[1]))
        K[i, i] += np.exp(theta[2])
    L = np.linalg.cholesky(K)
    z = solve_triangular(L, y, lower=True)
    return 0.5 * np.dot(z, z) + sum(np.log(L[i, i]) for i in range(n))


def gp_ard(theta, X, y):
    Z = X / np.exp(theta[:2])
    D = np.sum((Z[:, None, :] - Z[None, :, :]) ** 2, axis=-1)
    r = np.sqrt(3 * D + 1e-12)
    K = np.exp(theta[2]) * (1 + r) * np.exp(-r)
    K[np.diag_indices_from(K)] += np.exp(theta[3]) + 1e-8
    c, low = cho_factor(K)
    logdet = 2 * np.log(np.abs(np.diag(c))).sum()
    return 0.5 * y.dot(cho_solve((c, low), y)) + 0.5 * logdet


def gp_pdist(theta, X, y):
    d = squareform(pdist(X))
    K = np.exp(-d / np.exp(theta[0])) + np.exp(theta[1]) * np.identity(len(y))
    return 0.5 * y @ sla.solve(K, y, assume_a="pos") + 0.5 * np.linalg.slogdet(K)[1]


def gp_eigen(theta, sq, y):
    w, V = np.linalg.eigh(np.exp(-0.5 * sq * np.exp(theta[0])))
    lam = np.maximum(w, 0) + np.exp(theta[1])
    return 0.5 * np.sum((V.T @ y) ** 2 / lam) + 0.5 * np.log(lam).sum()


def sparse_gp(theta, X, y):
    inducing = theta[2:].reshape(-1, 2)
    Kmm = np.exp(-cdist(inducing, inducing, "sqeuclidean") / np.exp(theta[0])) + 1e-4 * np.eye(len(inducing))
    Kmn = np.exp(-cdist(inducing, X, "sqeuclidean") / np.exp(theta[0]))
    S = Kmm + Kmn @ Kmn.T / np.exp(theta[1])
    b = Kmn @ y
    return np.linalg.slogdet(S)[1] - np.linalg.slogdet(Kmm)[1] - b @ np.linalg.solve(S, b) / np.exp(2 * theta[1])


def eight_schools(p, y, se):
    mu, log_tau, z = p[0], p[1], p[2:]
    tau = np.exp(log_tau)
    theta = mu + tau * z
    lp = stats.norm.logpdf(y, theta, se).sum()
    lp += stats.norm.logpdf(z).sum() + stats.norm.logpdf(mu, 0, 5)
    lp += stats.halfcauchy.logpdf(tau, scale=5) + log_tau
    return -lp


def eight_schools_by_hand(p, y, se):
    mu, lt = p[:2]
    th = p[2:]
    t2 = np.exp(2 * lt)
    return np.sum((y - th) ** 2 / (2 * se**2)) + np.sum((th - mu) ** 2) / (2 * t2) + len(th) * lt + np.log1p(t2 / 25) - lt


def hierarchical_slopes(p, x, y, group):
    """Partial pooling; parameters in a nested dict."""
    a = p["mean"]["a"] + np.exp(p["sd"]["a"]) * p["raw"][:, 0]
    b = p["mean"]["b"] + np.exp(p["sd"]["b"]) * p["raw"][:, 1]
    eta = a[group] + b[group] * x
    nlp = 0.5 * np.sum((y - eta) ** 2) / 0.04
    nlp += 0.5 * np.sum(p["raw"] ** 2) + 0.5 * sum(v**2 for v in p["mean"].values()) + sum(np.exp(v) for v in p["sd"].values())
    return nlp


def horseshoe_regression(p, X, y):
    beta, lam, tau = p[:2], np.exp(p[2:4]), np.exp(p[4])
    prior = np.sum(np.log(np.pi / 2) - np.log1p(lam**2) ** 1.0) - np.log1p(tau**2)
    like = stats.multivariate_normal.logpdf(y - X @ beta, mean=np.zeros(len(y)), cov=np.eye(len(y)))
    return -(prior + like - np.sum(beta**2 / (2 * lam**2 * tau**2)) - np.log(lam * tau).sum())


def multivariate_normal_fit(p, X):
    mean = p[:2]
    L = np.array([[np.exp(p[2]), 0.0], [p[3], np.exp(p[4])]])
    return -stats.multivariate_normal(mean, L @ L.T).logpdf(X).sum()


def wishart_prior(p, S):
    L = np.zeros((2, 2))
    L[0, 0], L[1, 1] = np.exp(p[0]), np.exp(p[1])
    L[1, 0] = p[2]
    V = np.linalg.inv(L @ L.T)
    nu = 2 + np.exp(p[3])
    logdet = 2 * (p[0] + p[1])
    return 0.5 * np.trace(V @ S) + nu / 2 * logdet + multigammaln(nu / 2, 2) - (nu - 3) / 2 * np.log(np.linalg.det(S)) + nu * np.log(2)


def gaussian_copula(p, u):
    from scipy.special import ndtri

    rho = np.tanh(p[0])
    z = ndtri(u ** np.exp(p[1]))
    z1, z2 = z.T
    return -np.sum(-0.5 * np.log(1 - rho**2) - (rho**2 * (z1**2 + z2**2) - 2 * rho * z1 * z2) / (2 * (1 - rho**2))) + 0.1 * p[1] ** 2


def clayton_copula(p, u):
    th = np.exp(p[0])
    s = np.sum(u ** (-th), axis=1) - 1
    return -(np.log1p(th) - (th + 1) * np.log(u).sum(axis=1) - (2 + 1 / th) * np.log(s)).sum()


def beta_binomial(p, k, n):
    a, b = np.exp(p)
    return -np.sum(betaln(k + a, n - k + b) - betaln(a, b))


def von_mises(p, angles):
    kappa = np.exp(p[1])
    return -np.sum(kappa * (np.cos(angles - p[0]) - 1)) + len(angles) * np.log(2 * np.pi * i0e(kappa))


def skew_normal(p, y):
    loc, scale, shape = p[0], np.exp(p[1]), p[2]
    z = (y - loc) / scale
    return -np.sum(np.log(2 / scale) - z**2 / 2 - np.log(2 * np.pi) / 2 + np.log(0.5 * (1 + erf(shape * z / np.sqrt(2)))))


def smooth_changepoint(p, x, y):
    w = expit(5 * (x - p[2]))
    return np.var(y - (p[0] * (1 - w) + p[1] * w)) + np.std(p) * 0.1


def elbo_mean_field(p, X, y):
    """Normal approximation with fixed noise draws."""
    d = X.shape[1]
    m, s = p[:d], np.logaddexp(0, p[d:])
    eps = np.random.RandomState(0).randn(4, d)
    elbo = 0
    for e in eps:
        b = m + s * e
        elbo += -0.5 * np.sum((y - X.dot(b)) ** 2) - 0.5 * b.dot(b)
    return -elbo / len(eps) - np.sum(np.log(s))


def dirichlet_density(p, P):
    return -sum(stats.dirichlet.logpdf(row, np.exp(p)) for row in P)


def poisson_gamma(p, k):
    a, b = np.exp(p)
    return -(stats.nbinom.logpmf(k, a, b / (1 + b)).sum() + stats.expon.logpdf(a) + stats.gamma.logpdf(b, 2))


def poisson_pmf_mixture(p, k):
    w = 1 / (1 + np.exp(-p[0]))
    return -np.log(w * stats.poisson.pmf(k, np.exp(p[1])) + (1 - w) * stats.poisson.pmf(k, np.exp(p[2]))).sum()


school_y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]) / 10
school_se = np.array([15.0, 10, 16, 11, 9, 11, 10, 18]) / 10
u = rng.uniform(0.1, 0.9, (12, 2))
group = np.arange(10) % 3
hier0 = {"mean": {"a": 0.1, "b": -0.1}, "sd": {"a": -0.5, "b": -1.0}, "raw": 0.3 * rng.normal(size=(3, 2))}

CASES = [
    Case("gp_cholesky", gp_cholesky, np.array([0.1, 0.0, -1.0]), (x, y), (np.array([-2.0, 0.0, -1.0]),), tags="cho_solve"),
    Case("gp_loops", gp_loops, np.array([0.1, 0.2, -1.0]), (x[:5], y[:5]), tags="double-loop zeros solve_triangular"),
    Case("gp_ard", gp_ard, np.array([0.1, -0.1, 0.0, -2.0]), (X2, y2), tags="diag_indices cho_factor augmented"),
    Case("gp_pdist", gp_pdist, np.array([0.1, -1.0]), (X2, y2), tags="scipy.spatial-data slogdet"),
    Case("gp_eigen", gp_eigen, np.array([0.1, -1.0]), (sq[::2, ::2].copy(), y[::2].copy()), tags="eigh"),
    Case("sparse_gp", sparse_gp, np.concatenate([[0.2, 0.1], rng.normal(size=6)]), (X2, y2), tags="cdist-traced slogdet"),
    Case("eight_schools", eight_schools, np.append([0.5, 0.1], np.zeros(8)), (school_y, school_se), tags="stats augmented"),
    Case("eight_schools_by_hand", eight_schools_by_hand, np.append([0.5, 0.1], school_y), (school_y, school_se)),
    Case("hierarchical_slopes", hierarchical_slopes, hier0, (x, y, group), tags="nested-dict-x0 fancy"),
    Case("horseshoe_regression", horseshoe_regression, np.array([0.3, -0.2, 0.1, 0.2, -0.3]), (X2, y2), tags="stats-multivariate"),
    Case("multivariate_normal_fit", multivariate_normal_fit, np.array([0.1, -0.1, 0.1, 0.2, 0.0]), (X2,), tags="stats-frozen nested-array"),
    Case("wishart_prior", wishart_prior, np.array([0.1, 0.2, -0.3, 0.5]), (np.array([[2.0, 0.3], [0.3, 1.0]]),), tags="tuple-assign det"),
    Case("gaussian_copula", gaussian_copula, np.array([0.3, 0.1]), (u,), tags="import-inside unpack-T"),
    Case("clayton_copula", clayton_copula, np.array([0.3]), (u,), tags="power"),
    Case("beta_binomial", beta_binomial, np.array([0.3, 0.1]), (np.array([1, 3, 0, 5, 2]), np.array([5, 5, 4, 5, 6])), tags="betaln"),
    Case("von_mises", von_mises, np.array([0.3, 0.5]), (rng.vonmises(0.5, 2, 15),), (np.array([0.3, 5.0]),), tags="bessel"),
    Case("skew_normal", skew_normal, np.array([0.1, 0.0, 1.0]), (y,), (np.array([0.0, 0.0, 0.0]),), tags="erf"),
    Case("smooth_changepoint", smooth_changepoint, np.array([0.5, -0.5, 2.5]), (x, y), tags="var std"),
    Case("elbo_mean_field", elbo_mean_field, np.array([0.1, 0.2, -0.5, 0.3]), (X2, y2), tags="seeded-random-inside iterate-rows"),
    Case("dirichlet_density", dirichlet_density, np.array([0.1, 0.5, -0.2]), (rng.dirichlet(np.ones(3), 4),), tags="stats generator"),
    Case("poisson_gamma", poisson_gamma, np.array([0.4, 0.2]), (rng.poisson(3, 10),), tags="stats"),
    Case("poisson_pmf_mixture", poisson_pmf_mixture, np.array([0.1, 0.2, 1.5]), (rng.poisson(3, 10),), tags="stats pmf"),
]
