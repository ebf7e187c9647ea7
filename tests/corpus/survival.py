"""Times to an event: parametric models with censoring, Cox in three hands, cure, frailty, competing risks."""

import math

import numpy as np
from scipy.special import gammaln
from scipy.stats import lognorm, norm, weibull_min

from corpus.table import Case

rng = np.random.default_rng(303)
n = 24
x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)])
t = np.round(rng.weibull(1.3, n) * np.exp(-0.4 * x[:, 0]) + 0.05, 2)
event = rng.random(n) < 0.7
cause = np.where(event, rng.integers(1, 3, n), 0)


def weibull_censored(p, x, t, event):
    b = p[:2]
    shape = np.exp(p[2])
    scale = np.exp(p[3] + x @ b)
    log_h = np.log(shape / scale) + (shape - 1) * np.log(t / scale)
    H = (t / scale) ** shape
    return -(event * log_h - H).sum()


def weibull_scipy(p, t, event):
    c, s = np.exp(p)
    d = weibull_min(c, scale=s)
    return -(np.sum(d.logpdf(t[event])) + np.sum(d.logsf(t[~event])))


def weibull_loop(p, t, event):
    k = math.exp(p[0])
    lam = math.exp(p[1])
    nll = 0.0
    for ti, di in zip(t, event):
        if di:
            nll -= math.log(k) - k * math.log(lam) + (k - 1) * math.log(ti)
        nll += math.pow(ti / lam, k)
    return nll


def cox_loop(b, x, t, event):
    eta = x @ b
    nll = 0
    for i in np.where(event)[0]:
        at_risk = t >= t[i]
        nll -= eta[i] - np.log(np.sum(np.exp(eta[at_risk])))
    return nll


def cox_sorted(b, x, t, event):
    order = np.argsort(-t, kind="stable")
    eta = (x @ b)[order]
    risk = np.logaddexp.accumulate(eta)
    return -np.sum((eta - risk)[event[order]])


def cox_cumsum(b, x, t, event):
    idx = np.argsort(t)[::-1]
    eta = np.dot(x[idx], b)
    risk = np.cumsum(np.exp(eta))
    return -(eta - np.log(risk)).dot(event[idx]) + 0.1 * b.dot(b)


def cox_efron(b, x, t, event):
    w = np.exp(x @ b)
    nll = 0.0
    for tk in sorted(set(t[event])):
        dead = (t == tk) & event
        d = int(dead.sum())
        risk, tied = w[t >= tk].sum(), w[dead].sum()
        nll -= np.log(w[dead]).sum()
        for l in range(d):
            nll += np.log(risk - l / d * tied)
    return nll


def gompertz(p, t, event):
    a, b = np.exp(p[0]), p[1]
    hazard = a * np.exp(b * t)
    cumulative = a * np.expm1(b * t) / b
    return -np.sum(np.log(hazard[event])) + cumulative.sum()


def gamma_frailty(p, x, t, event, group):
    b, theta, lam = p[:2], np.exp(p[2]), np.exp(p[3])
    H = lam * t * np.exp(x @ b)
    G = group.max() + 1
    d = np.bincount(group, weights=event, minlength=G)
    cum = np.zeros(G)
    np.add.at(cum, group, H)
    ll = gammaln(d + 1 / theta) - gammaln(1 / theta) + d * np.log(theta) - (d + 1 / theta) * np.log1p(theta * cum)
    return -(ll.sum() + np.sum(event * (np.log(lam) + x @ b)))


def piecewise_exponential(log_rate, t, event, cuts):
    rate = np.exp(log_rate)
    nll = 0.0
    for ti, di in zip(t, event):
        H = 0.0
        for k in range(len(rate)):
            lo, hi = cuts[k], cuts[k + 1]
            if ti > hi:
                H += rate[k] * (hi - lo)
            else:
                H += rate[k] * (ti - lo)
                break
        nll += H
        if di:
            nll -= np.log(rate[k])
    return nll


def mixture_cure(p, t, event):
    pi = 1 / (1 + np.exp(-p[0]))
    k, lam = np.exp(p[1]), np.exp(p[2])
    S = np.exp(-((t / lam) ** k))
    f = k / lam * (t / lam) ** (k - 1) * S
    return -np.log(np.where(event, (1 - pi) * f, pi + (1 - pi) * S)).sum()


def loglogistic_aft(p, x, t, event):
    z = (np.log(t) - x @ p[:2] - p[2]) / np.exp(p[3])
    log_f = z - p[3] - np.log(t) - 2 * np.logaddexp(0, z)
    log_S = -np.logaddexp(0, z)
    return -np.where(event, log_f, log_S).sum()


def lognormal_aft(p, t, event):
    mu, s = p[0], np.exp(p[1])
    ll = lognorm.logpdf(t[event], s, scale=np.exp(mu)).sum() + norm.logsf((np.log(t[~event]) - mu) / s).sum()
    return -ll


def competing_risks(p, t, cause):
    total = 0
    for c in (1, 2):
        k, lam = np.exp(p[2 * c - 2 : 2 * c])
        mine = cause == c
        total += np.sum((t / lam) ** k) - np.sum(np.log(k) - np.log(lam) + (k - 1) * (np.log(t[mine]) - np.log(lam)))
    return total


group = np.repeat(np.arange(6), 4)
cuts = np.array([0.0, 0.3, 0.8, 20.0])

CASES = [
    Case("weibull_censored", weibull_censored, np.array([0.2, -0.1, 0.1, 0.0]), (x, t, event), (np.zeros(4),), tags="bool-data"),
    Case("weibull_scipy", weibull_scipy, np.array([0.1, -0.1]), (t, event), tags="stats-frozen unpacking"),
    Case("weibull_loop", weibull_loop, np.array([0.1, -0.1]), (t[:8], event[:8]), tags="math loops"),
    Case("cox_loop", cox_loop, np.array([0.2, -0.3]), (x, t, event), (np.zeros(2), np.array([30.0, -20.0])), tags="masks loops"),
    Case("cox_sorted", cox_sorted, np.array([0.2, -0.3]), (x, t, event), tags="argsort ufunc-accumulate"),
    Case("cox_cumsum", cox_cumsum, np.array([0.2, -0.3]), (x, t, event), (np.zeros(2),), tags="argsort cumsum"),
    Case("cox_efron", cox_efron, np.array([0.2, -0.3]), (x, np.round(t, 1), event), tags="set sorted int"),
    Case("gompertz", gompertz, np.array([0.1, 0.4]), (t, event), (np.array([0.0, -1e-3]),), tags="expm1"),
    Case("gamma_frailty", gamma_frailty, np.array([0.2, -0.3, -0.5, 0.1]), (x, t, event, group), tags="add.at bincount"),
    Case("piecewise_exponential", piecewise_exponential, np.zeros(3), (t[:10], event[:10], cuts), tags="break loops"),
    Case("mixture_cure", mixture_cure, np.array([-1.0, 0.1, -0.2]), (t, event), tags="where"),
    Case("loglogistic_aft", loglogistic_aft, np.array([0.1, 0.2, 0.0, -0.3]), (x, t, event), (np.array([0, 0, 0, -5.0]),), tags="logaddexp"),
    Case("lognormal_aft", lognormal_aft, np.array([0.1, -0.2]), (t, event), tags="stats"),
    Case("competing_risks", competing_risks, np.array([0.1, 0.2, -0.1, 0.3]), (t, cause), tags="slices loops"),
]
