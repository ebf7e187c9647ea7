"""Likelihoods of the textbook: counts, proportions, censored and selected responses, mixtures."""

import math

import numpy as np
import scipy.special as sc
from scipy import stats
from scipy.special import gammaln, logsumexp, ndtr

from corpus.table import Case

rng = np.random.default_rng(101)
n, k = 30, 3
X = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
beta_true = np.array([0.4, -0.6, 0.9])
counts = rng.poisson(np.exp(X @ beta_true))
binary = (rng.random(n) < 1 / (1 + np.exp(-X @ beta_true))).astype(int)
y_normal = X @ beta_true + 0.5 * rng.normal(size=n)
share = np.clip(1 / (1 + np.exp(-X @ beta_true - 0.3 * rng.normal(size=n))), 0.01, 0.99)


def normal_regression(theta, X, y):
    """Negative log-likelihood of the linear model; theta = (beta, log sigma)."""
    beta, log_sigma = theta[:-1], theta[-1]
    resid = y - X.dot(beta)
    sigma2 = np.exp(2 * log_sigma)
    return 0.5 * len(y) * np.log(2 * np.pi * sigma2) + 0.5 * np.sum(resid**2) / sigma2


def logit_by_rows(b, X, y):
    total = 0
    for i in range(len(y)):
        eta = 0
        for j in range(len(b)):
            eta += b[j] * X[i, j]
        p = 1 / (1 + math.exp(-eta))
        total = total - (y[i] * math.log(p) + (1 - y[i]) * math.log(1 - p))
    return total


def poisson_nll(b, X, y):
    eta = X @ b
    return -(y * eta - np.exp(eta) - gammaln(y + 1)).sum()


def negative_binomial(params, X, y):
    beta = params[: X.shape[1]]
    alpha = np.exp(params[X.shape[1]])
    mu = np.exp(np.dot(X, beta))
    size = 1.0 / alpha
    prob = size / (size + mu)
    coeff = sc.gammaln(size + y) - sc.gammaln(y + 1) - sc.gammaln(size)
    llf = coeff + size * np.log(prob) + y * np.log(1 - prob)
    return -llf.sum()


def zero_inflated_poisson(params, X, y):
    infl = params[:2]
    beta = params[2:]
    w = 1 / (1 + np.exp(-(infl[0] + infl[1] * X[:, 1])))
    lam = np.exp(X @ beta)
    zero = y == 0
    llf = np.zeros(len(y))
    llf[zero] = np.log(w[zero] + (1 - w[zero]) * np.exp(-lam[zero]))
    llf[~zero] = np.log(1 - w[~zero]) - lam[~zero] + y[~zero] * np.log(lam[~zero]) - gammaln(y[~zero] + 1)
    return -np.sum(llf)


def beta_regression(params, X, y):
    *coef, log_phi = params
    mu = sc.expit(X @ np.array(coef))
    phi = np.exp(log_phi)
    ll = stats.beta.logpdf(y, mu * phi, (1 - mu) * phi)
    return -ll.sum()


def beta_regression_by_hand(params, X, y):
    mu = sc.expit(X @ params[:3])
    phi = np.exp(params[3])
    a, b = mu * phi, (1 - mu) * phi
    return -np.sum(gammaln(phi) - gammaln(a) - gammaln(b) + (a - 1) * np.log(y) + (b - 1) * np.log1p(-y))


def tweedie_deviance(params, X, y):
    mu = np.exp(X @ params[:3])
    p = 1 + sc.expit(params[3])
    dev = 2 * (np.power(y, 2 - p) / ((1 - p) * (2 - p)) - y * np.power(mu, 1 - p) / (1 - p) + np.power(mu, 2 - p) / (2 - p))
    return dev.mean()


def tobit(params, X, y):
    """Left-censored at zero."""
    b, s = params[:-1], np.exp(params[-1])
    xb = X @ b
    ll = np.where(y > 0, stats.norm.logpdf(y, loc=xb, scale=s), stats.norm.logcdf(-xb / s))
    return -ll.sum()


def tobit_two_limits(params, X, y, lower=-0.5, upper=1.0):
    b = params[:3]
    s = np.exp(params[3])
    mu = X @ b
    at_low = y <= lower
    at_high = y >= upper
    mid = ~(at_low | at_high)
    nll = 0.0
    nll -= np.log(ndtr((lower - mu[at_low]) / s)).sum()
    nll -= np.log(1 - ndtr((upper - mu[at_high]) / s)).sum()
    z = (y[mid] - mu[mid]) / s
    nll -= (-0.5 * z**2 - np.log(s) - 0.5 * np.log(2 * np.pi)).sum()
    return nll


def heckman(theta, X, Z, y, selected):
    kx, kz = X.shape[1], Z.shape[1]
    beta = theta[:kx]
    gamma = theta[kx : kx + kz]
    sigma = np.exp(theta[kx + kz])
    rho = np.tanh(theta[-1])
    sel = selected.astype(bool)
    zg = Z @ gamma
    u = (y[sel] - X[sel] @ beta) / sigma
    part1 = stats.norm.logcdf(-zg[~sel]).sum()
    part2 = (stats.norm.logpdf(u) - np.log(sigma) + stats.norm.logcdf((zg[sel] + rho * u) / np.sqrt(1 - rho**2))).sum()
    return -(part1 + part2)


def stochastic_frontier(theta, X, y):
    beta = theta[0:3]
    su = np.exp(theta[3])
    sv = np.exp(theta[4])
    sigma = np.sqrt(su**2 + sv**2)
    lam = su / sv
    eps = y - X @ beta
    ll = np.log(2) - np.log(sigma) + stats.norm.logpdf(eps / sigma) + stats.norm.logcdf(-eps * lam / sigma)
    return -ll.sum()


def ordinal_probit(theta, x, y):
    slope = theta[0]
    cuts = np.cumsum(np.concatenate(([theta[1]], np.exp(theta[2:]))))
    bounds = np.concatenate(([-np.inf], cuts, [np.inf]))
    upper = ndtr(bounds[y + 1] - slope * x)
    lower = ndtr(bounds[y] - slope * x)
    return -np.log(upper - lower).sum()


def ordered_logit_lists(theta, x, y):
    b = theta[0]
    cut = [theta[1]]
    for d in theta[2:]:
        cut.append(cut[-1] + math.exp(d))
    total = 0.0
    for xi, yi in zip(x, y):
        hi = 1.0 if yi == len(cut) else 1 / (1 + math.exp(-(cut[yi] - b * xi)))
        lo = 0.0 if yi == 0 else 1 / (1 + math.exp(-(cut[yi - 1] - b * xi)))
        total += math.log(hi - lo)
    return -total


def dirichlet_multinomial(log_alpha, N):
    alpha = np.exp(log_alpha)
    total = N.sum(axis=1)
    a0 = alpha.sum()
    ll = gammaln(a0) - gammaln(total + a0) + np.sum(gammaln(N + alpha) - gammaln(alpha), axis=1)
    return -ll.sum()


def gaussian_mixture(theta, y):
    w = np.exp(theta[:3] - logsumexp(theta[:3]))
    mu = theta[3:6]
    sd = np.exp(theta[6:9])
    dens = w * stats.norm.pdf(y[:, None], mu, sd)
    return -np.log(dens.sum(axis=1)).sum()


def mixture_stable(theta, y):
    logits, mu, ls = np.split(theta, 3)
    logw = logits - logsumexp(logits)
    comp = logw + (-0.5 * ((y[:, np.newaxis] - mu) * np.exp(-ls)) ** 2 - ls - 0.5 * np.log(2 * np.pi))
    return -np.sum(logsumexp(comp, axis=-1))


def gamma_glm(b, X, y):
    shape = np.exp(b[-1])
    mu = np.exp(X @ b[:-1])
    return -stats.gamma.logpdf(y, a=shape, scale=mu / shape).sum()


def student_regression(theta, X, y):
    nu = 2 + np.exp(theta[4])
    return -np.sum(stats.t.logpdf(y, df=nu, loc=X @ theta[:3], scale=np.exp(theta[3])))


y_cens = np.maximum(y_normal, 0)
y_two = np.clip(y_normal, -0.5, 1.0)
sel = (X @ np.array([0.5, 1.0, 0.0]) + rng.normal(size=n) > 0).astype(int)
grade = np.digitize(0.8 * X[:, 1] + rng.normal(size=n), [-0.7, 0.2, 1.0])
table = rng.integers(0, 9, size=(12, 4))
bimodal = np.concatenate([rng.normal(-2, 0.6, 12), rng.normal(1.5, 0.8, 14), rng.normal(4, 0.4, 6)])
b0 = np.array([0.1, -0.2, 0.3])
b0s = np.append(b0, -0.3)
mix0 = np.array([0.1, 0.2, -0.1, -1.5, 1.0, 3.5, 0.1, -0.2, 0.0])

CASES = [
    Case("normal_regression", normal_regression, b0s, (X, y_normal), (np.zeros(4), np.array([0, 0, 0, 3.0])), tags="slices"),
    Case("logit_by_rows", logit_by_rows, b0, (X, binary), (np.zeros(3),), tags="loops math int-data"),
    Case("poisson_nll", poisson_nll, b0, (X, counts), (np.zeros(3), 2 * b0), tags="int-data"),
    Case("negative_binomial", negative_binomial, b0s, (X, counts), (np.array([0, 0, 0, -4.0]),), tags="gammaln"),
    Case("zero_inflated_poisson", zero_inflated_poisson, np.append([-0.5, 0.2], b0), (X, counts), (np.zeros(5),), tags="masks"),
    Case("beta_regression", beta_regression, np.append(b0, 1.0), (X, share), (np.zeros(4),), tags="stats unpacking"),
    Case("beta_regression_by_hand", beta_regression_by_hand, np.append(b0, 1.0), (X, share), tags="gammaln"),
    Case("tweedie_deviance", tweedie_deviance, b0s, (X, np.abs(y_cens)), (np.zeros(4),), tags="power"),
    Case("tobit", tobit, b0s, (X, y_cens), (np.array([3.0, -4.0, 5.0, -1.0]),), tags="where stats"),
    Case("tobit_two_limits", tobit_two_limits, b0s, (X, y_two), (np.zeros(4),), tags="masks defaults"),
    Case("heckman", heckman, np.concatenate([b0, b0, [-0.2, 0.3]]), (X, X[:, ::-1].copy(), y_normal, sel), tags="masks stats"),
    Case("stochastic_frontier", stochastic_frontier, np.append(b0, [-0.5, -0.7]), (X, y_normal), (np.zeros(5),), tags="stats"),
    Case("ordinal_probit", ordinal_probit, np.array([0.5, -0.6, -0.2, -0.4]), (X[:, 1], grade), (np.zeros(4),), tags="fancy inf"),
    Case("ordered_logit_lists", ordered_logit_lists, np.array([0.5, -0.6, -0.2, -0.4]), (X[:, 1], grade), tags="lists math zip"),
    Case("dirichlet_multinomial", dirichlet_multinomial, np.array([0.1, -0.3, 0.5, 0.0]), (table,), (np.full(4, -6.0), np.full(4, 5.0))),
    Case("gaussian_mixture", gaussian_mixture, mix0, (bimodal,), tags="broadcast stats"),
    Case("mixture_stable", mixture_stable, mix0, (bimodal,), (np.append(np.zeros(6), [-3.0, -3.0, -3.0]), np.zeros(9)), tags="split"),
    Case("gamma_glm", gamma_glm, b0s, (X, np.exp(y_normal)), (np.zeros(4),), tags="stats"),
    Case("student_regression", student_regression, np.append(b0, [-0.4, 0.5]), (X, y_normal), (np.zeros(5),), tags="stats"),
]
