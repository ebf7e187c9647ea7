"""Statistical models as textbooks and users write them, whose iterations differ from each other.

The first step of a loop stands before it, a branch asks for missing values or for the index, small lists go through
`logsumexp`, iterations end on a condition. `cold_tables.py` measures them; they know nothing of autoopt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm


class Case(NamedTuple):
    """One objective with its start and data; `second` asks for the first Hessian too."""

    name: str
    f: Callable
    x0: Any
    args: tuple = ()
    bounds: Any = None
    second: bool = False


def _transitions(p):
    A = p[:4].reshape(2, 2)
    return A - logsumexp(A, axis=1, keepdims=True)


def hmm_first_step_peeled(p, y):
    log_A, mu, sigma = _transitions(p), p[4:6], np.exp(p[6])
    alpha = np.log(0.5) + norm.logpdf(y[0], mu, sigma)
    c = logsumexp(alpha)
    alpha = alpha - c
    loglik = c
    for t in range(1, len(y)):
        alpha = logsumexp(alpha[:, None] + log_A, axis=0) + norm.logpdf(y[t], mu, sigma)
        c = logsumexp(alpha)
        alpha = alpha - c
        loglik += c
    return -loglik


def hmm_branch_on_first_step(p, y):
    A, mu, sigma = np.exp(_transitions(p)), p[4:6], np.exp(p[6])
    density = np.exp(-0.5 * ((y[:, None] - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    alpha = np.zeros((len(y), 2))
    loglik = 0.0
    for t in range(len(y)):
        if t == 0:
            alpha[t] = np.array([0.5, 0.5]) * density[t]
        else:
            alpha[t] = (alpha[t - 1] @ A) * density[t]
        scale = alpha[t].sum()
        alpha[t] = alpha[t] / scale
        loglik += np.log(scale)
    return -loglik


def hmm_emission_in_loop(p, y):
    A, mu, sigma = np.exp(_transitions(p)), p[4:6], np.exp(p[6])
    alpha = np.array([0.5, 0.5])
    loglik = 0.0
    for t in range(len(y)):
        predicted = np.zeros(2)
        for j in range(2):
            for i in range(2):
                predicted[j] += alpha[i] * A[i, j] if t > 0 else alpha[i] / 2
            predicted[j] *= np.exp(-0.5 * ((y[t] - mu[j]) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        loglik += np.log(np.sum(predicted))
        alpha = predicted / np.sum(predicted)
    return -loglik


def logsumexp_of_a_list(p, y):
    s = 0.5 * p @ p
    for yi in y:
        s += logsumexp([p[0] * yi, p[1]]) - 0.5 * (p[0] * yi + p[1])
    return s


def kalman_with_missing_values(p, y):
    q, r = np.exp(p[0]), np.exp(p[1])
    a, P = p[2], 1.0
    loglik = 0.0
    for t in range(len(y)):
        P = P + q
        if np.isnan(y[t]):
            continue
        F = P + r
        v = y[t] - a
        loglik += -0.5 * (np.log(2 * np.pi * F) + v**2 / F)
        K = P / F
        a = a + K * v
        P = (1 - K) * P
    return -loglik


def random_intercept(p, X, y, group):
    beta, sigma = p[:-1], np.exp(p[-1])
    nodes, weights = np.polynomial.hermite.hermgauss(15)
    loglik = 0.0
    for g in np.unique(group):
        eta = X[group == g] @ beta
        likelihood = 0.0
        for node, weight in zip(nodes, weights, strict=True):
            q = 1 / (1 + np.exp(-(eta + np.sqrt(2) * sigma * node)))
            likelihood += weight * np.prod(np.where(y[group == g] == 1, q, 1 - q))
        loglik += np.log(likelihood / np.sqrt(np.pi))
    return -loglik


def mixture_by_rows(p, y):
    w = np.exp(p[:3] - logsumexp(p[:3]))
    mu, sigma = p[3:6], np.exp(p[6:9])
    loglik = -0.5 * np.sum(p[:3] ** 2)
    for i in range(len(y)):
        loglik += logsumexp(-0.5 * ((y[i] - mu) / sigma) ** 2 - np.log(sigma), b=w)
    return -loglik


def cox_accumulate(beta, X, time, event):
    order = np.argsort(time)
    eta = (X @ beta)[order]
    log_risk = np.logaddexp.accumulate(eta[::-1])[::-1]
    return -np.sum(np.where(event[order], eta - log_risk, 0.0))


def cox_loop(beta, X, time, event):
    loglik = 0.0
    for i in range(len(time)):
        if event[i]:
            at_risk = time >= time[i]
            loglik += X[i] @ beta - np.log(np.sum(np.exp(X[at_risk] @ beta)))
    return -loglik


def blp(sigma, shares, X, Z, draws):
    """Demand with random coefficients: the contraction of Berry, Levinsohn and Pakes, then GMM."""
    delta = np.log(shares) - np.log(1 - shares.sum(axis=1, keepdims=True))
    taste = np.einsum("tjk,sk,k->tjs", X, draws, sigma)
    for _ in range(2000):
        u = np.exp(delta[:, :, None] + taste)
        predicted = np.mean(u / (1 + u.sum(axis=1, keepdims=True)), axis=2)
        new = delta + np.log(shares) - np.log(predicted)
        if np.max(np.abs(new - delta)) < 1e-11:
            break
        delta = new
    XX, d = X.reshape(-1, X.shape[2]), new.reshape(-1)
    W = np.linalg.inv(Z.T @ Z)
    ZX, Zd = Z.T @ XX, Z.T @ d
    beta = np.linalg.solve(ZX.T @ W @ ZX, ZX.T @ W @ Zd)
    g = Z.T @ (d - XX @ beta)
    return g @ W @ g


def nested_fixed_point(p, states, replaced, miles):
    """Engine replacement: value iteration in the likelihood, to a tolerance, so that its length moves with p."""
    cost, replacement = np.exp(p[0]), np.exp(p[1])
    drift = 1 / (1 + np.exp(-p[2]))
    utility = -cost * 0.1 * np.arange(states)
    EV = np.zeros(states)
    while True:
        keep, renew = utility + 0.9 * EV, -replacement + utility[0] + 0.9 * EV[0]
        V = np.logaddexp(keep, renew)
        new = np.zeros(states)
        for s in range(states):
            new[s] = (1 - drift) * V[s] + drift * V[min(s + 1, states - 1)]
        if np.max(np.abs(new - EV)) < 1e-9:
            break
        EV = new
    probability = 1 / (1 + np.exp(utility + 0.9 * new - (-replacement + utility[0] + 0.9 * new[0])))
    loglik = 0.0
    for d, s in zip(replaced, miles, strict=True):
        loglik += np.log(probability[s]) if d else np.log(1 - probability[s])
    return -loglik - len(miles) * (0.4 * np.log(drift) + 0.6 * np.log(1 - drift))


def extended_kalman_filter(p, y, dt=0.05):
    """A pendulum seen through the sine of its angle."""
    g, damping, q, r = np.exp(p[0]), np.exp(p[1]), np.exp(p[2]), np.exp(p[3])
    m, P = np.array([1.0, 0.0]), 0.1 * np.eye(2)
    total = 0.0
    for k in range(len(y)):
        F = np.array([[1.0, dt], [-g * np.cos(m[0]) * dt, 1 - damping * dt]])
        m = np.array([m[0] + m[1] * dt, m[1] - (g * np.sin(m[0]) + damping * m[1]) * dt])
        P = F @ P @ F.T + q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        H = np.array([[np.cos(m[0]), 0.0]])
        S = (H @ P @ H.T)[0, 0] + r
        v = y[k] - np.sin(m[0])
        total += 0.5 * (np.log(2 * np.pi * S) + v**2 / S)
        K = P @ H.T / S
        m = m + K[:, 0] * v
        P = P - K @ H @ P
    return total


def pk_by_groupby(p, data):
    """One compartment with absorption: doses and samples of each subject in a table."""
    total = 0.0
    ka, sigma = np.exp(p[0]), np.exp(p[3])
    for _, one in data.groupby("subject"):
        ke = np.exp(p[1]) * (one["weight"].iloc[0] / 70) ** -0.25
        volume = np.exp(p[2]) * one["weight"].iloc[0] / 70
        concentration = (
            one["dose"] * ka / (volume * (ka - ke)) * (np.exp(-ke * one["time"]) - np.exp(-ka * one["time"]))
        )
        residual = np.log(one["concentration"]) - np.log(concentration)
        total += np.sum(0.5 * (residual / sigma) ** 2 + np.log(sigma))
    return total


def structural_equations(p, S):
    """Three factors of three indicators each, by maximum likelihood."""
    loadings, psi, theta = np.zeros((9, 3)), np.zeros((3, 3)), np.zeros((9, 9))
    k = 0
    for j in range(3):
        for i in range(3 * j, 3 * j + 3):
            if i == 3 * j:
                loadings[i, j] = 1.0
            else:
                loadings[i, j] = p[k]
                k += 1
    for i in range(3):
        for j in range(i + 1):
            psi[i, j] = psi[j, i] = p[k]
            k += 1
    for i in range(9):
        theta[i, i] = np.exp(p[k])
        k += 1
    sigma = loadings @ psi @ loadings.T + theta
    return np.log(np.linalg.det(sigma)) + np.trace(S @ np.linalg.inv(sigma))


def reml(p, X, Z, y, group):
    """Random intercept and slope; groups of different sizes."""
    L = np.array([[np.exp(p[0]), 0.0], [p[1], np.exp(p[2])]])
    G, s2 = L @ L.T, np.exp(p[3])
    XVX, XVy, yVy, logdet = np.zeros((X.shape[1], X.shape[1])), np.zeros(X.shape[1]), 0.0, 0.0
    for g in np.unique(group):
        Xi, Zi, yi = X[group == g], Z[group == g], y[group == g]
        V = Zi @ G @ Zi.T + s2 * np.eye(len(yi))
        XVX = XVX + Xi.T @ np.linalg.solve(V, Xi)
        XVy = XVy + Xi.T @ np.linalg.solve(V, yi)
        yVy = yVy + yi @ np.linalg.solve(V, yi)
        logdet = logdet + np.linalg.slogdet(V)[1]
    beta = np.linalg.solve(XVX, XVy)
    return 0.5 * (logdet + np.linalg.slogdet(XVX)[1] + yVy - XVy @ beta)


# Data -----------------------------------------------------------------------------------------------------------------


def _series(rng, n):
    return np.where(np.arange(n) // 20 % 2, 1.5, -1.0) + 0.7 * rng.normal(size=n)


def _level(rng, n):
    y = np.cumsum(0.3 * rng.normal(size=n)) + 0.5 * rng.normal(size=n)
    y[rng.choice(n, n // 10, replace=False)] = np.nan
    return y


def _intercepts(rng):
    group = np.repeat(np.arange(100), rng.integers(3, 9, 100))
    X = np.column_stack([np.ones(group.size), rng.normal(size=group.size)])
    eta = X @ [-0.5, 1.0] + 0.8 * rng.normal(size=100)[group]
    return X, (rng.uniform(size=group.size) < 1 / (1 + np.exp(-eta))) * 1, group


def _mixture(rng, n):
    return np.concatenate([rng.normal(m, s, n // 3 + 1) for m, s in [(-2.0, 0.7), (0.5, 0.5), (3.0, 1.0)]])[:n]


def _survival(rng):
    X = rng.normal(size=(500, 3))
    return X, rng.exponential(np.exp(-X @ [0.5, -0.3, 0.2])), rng.uniform(size=500) < 0.7


def _demand(rng):
    X, draws = rng.normal(size=(10, 5, 2)), rng.normal(size=(50, 2))
    u = np.exp(
        (X @ [1.0, -0.5] + 0.3 * rng.normal(size=(10, 5)))[:, :, None] + np.einsum("tjk,sk->tjs", X, 0.7 * draws)
    )
    flat = X.reshape(-1, 2)
    return (
        np.mean(u / (1 + u.sum(axis=1, keepdims=True)), axis=2),
        X,
        np.column_stack([flat, flat**2, np.ones(50)]),
        draws,
    )


def _pendulum(rng):
    angle, speed, seen = 1.0, 0.0, []
    for _ in range(200):
        angle, speed = angle + 0.05 * speed, speed - 0.05 * (9.8 * np.sin(angle) + 0.2 * speed)
        seen.append(np.sin(angle) + 0.1 * rng.normal())
    return np.array(seen)


def _doses(rng):
    import pandas as pd

    rows = []
    for subject in range(24):
        weight, dose = rng.uniform(50, 100), rng.choice([100.0, 200.0])
        times = np.sort(rng.uniform(0.3, 24.0, rng.integers(6, 11)))
        ka, ke, v = 1.2, 0.12 * np.exp(0.1 * rng.normal()), 30.0 * weight / 70
        c = dose * ka / (v * (ka - ke)) * (np.exp(-ke * times) - np.exp(-ka * times))
        noise = np.exp(0.1 * rng.normal(size=times.size))
        rows.append(
            pd.DataFrame(
                {"subject": subject, "weight": weight, "dose": dose, "time": times, "concentration": c * noise}
            )
        )
    return pd.concat(rows, ignore_index=True)


def _indicators(rng):
    factors = rng.normal(size=(300, 3)) @ np.array([[1.0, 0.3, 0.2], [0.0, 0.9, 0.3], [0.0, 0.0, 0.9]])
    seen = np.repeat(factors, 3, axis=1) * np.tile([1.0, 0.8, 0.6], 3) + 0.6 * rng.normal(size=(300, 9))
    return np.cov(seen.T)


def _mixed(rng):
    group = np.repeat(np.arange(40), rng.integers(4, 12, 40))
    X = np.column_stack([np.ones(group.size), rng.normal(size=(group.size, 2))])
    effects = rng.normal(size=(40, 2)) * [1.0, 0.5]
    y = X @ [1.0, 2.0, -1.0] + np.sum(X[:, :2] * effects[group], axis=1) + 0.7 * rng.normal(size=group.size)
    return X, X[:, :2], y, group


def models() -> list[Case]:
    """Return the models with data that are the same in every process."""
    rng = np.random.default_rng(12)
    series, hmm = _series(rng, 1000), np.array([1.0, -1.0, -1.0, 1.0, -0.5, 0.8, 0.0])
    mixed = np.concatenate([np.zeros(3), [-1.0, 0.3, 2.0], np.zeros(3)])
    found = [Case(f"{f.__name__.replace('_', ' ')} T=1000", f, hmm, (series,)) for f in HMMS]
    found.append(
        Case("logsumexp of a list n=1000", logsumexp_of_a_list, np.array([0.5, -0.2]), (rng.normal(size=1000),))
    )
    for n in (200, 1000):
        start = np.array([-1.0, -1.0, 0.0])
        found.append(Case(f"kalman with missing values n={n}", kalman_with_missing_values, start, (_level(rng, n),)))
    found.append(Case("random intercept 100 x 15", random_intercept, np.array([0.0, 0.5, -0.5]), _intercepts(rng)))
    found += [Case(f"mixture by rows n={n}", mixture_by_rows, mixed, (_mixture(rng, n),)) for n in (100, 1000)]
    survival = _survival(rng)
    found.append(Case("cox accumulate n=500", cox_accumulate, np.zeros(3), survival))
    found.append(Case("cox loop n=500", cox_loop, np.zeros(3), survival))
    found.append(Case("blp contraction", blp, np.array([0.4, 0.4]), _demand(rng)))
    miles = rng.integers(0, 20, 300)
    replaced = (rng.uniform(size=300) < 0.02 + 0.02 * miles).tolist()
    start = np.array([-1.0, 0.5, 0.0])
    found.append(Case("nested fixed point", nested_fixed_point, start, (20, replaced, miles.tolist())))
    start = np.log([8.0, 0.3, 0.05, 0.02])
    found.append(Case("extended kalman filter T=200", extended_kalman_filter, start, (_pendulum(rng),), second=True))
    found.append(Case("pk by groupby", pk_by_groupby, np.log([1.0, 0.1, 25.0, 0.2]), (_doses(rng),), second=True))
    start = np.concatenate([np.full(6, 0.7), [1.0, 0.2, 1.0, 0.2, 0.2, 1.0], np.full(9, -0.7)])
    found.append(Case("structural equations", structural_equations, start, (_indicators(rng),), second=True))
    found.append(Case("reml", reml, np.array([0.0, 0.0, -0.5, 0.0]), _mixed(rng), second=True))
    return found


HMMS = (hmm_first_step_peeled, hmm_branch_on_first_step, hmm_emission_in_loop)
