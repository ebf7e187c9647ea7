"""Choices, rankings, comparisons and tests: logit in its many forms."""

import numpy as np
from numpy import exp, log
from scipy.special import expit, log_softmax, logsumexp, softmax

from corpus.table import Case

rng = np.random.default_rng(202)
m, J = 20, 3
Z = rng.normal(size=(m, J, 2))
chosen = rng.integers(0, J, size=m)
onehot = np.eye(J)[chosen]
W = np.column_stack([np.ones(m), rng.normal(size=m)])


def multinomial_logit(theta, X, y, J):
    """Category 0 is the base."""
    B = np.zeros((X.shape[1], J))
    B[:, 1:] = theta.reshape(X.shape[1], J - 1)
    V = X @ B
    V = V - V.max(axis=1, keepdims=True)
    P = exp(V) / exp(V).sum(axis=1, keepdims=True)
    return -log(P[np.arange(len(y)), y]).sum()


def conditional_logit(b, Z, onehot):
    return -(onehot * log_softmax(Z @ b, axis=1)).sum()


def softmax_cross_entropy(W_, X, y):
    p = softmax(X @ W_, axis=-1)
    return -np.mean(np.log(p[range(len(y)), y])) + 0.01 * np.sum(W_**2)


def nested_logit(theta, Z, y):
    """Alternatives 0 and 1 share a nest."""
    b, lam = theta[:2], 1 / (1 + np.exp(-theta[2]))
    V = np.einsum("ijk,k->ij", Z, b)
    nests = [[0, 1], [2]]
    IV = np.empty((len(y), 2))
    logp = np.empty(V.shape)
    for g, alts in enumerate(nests):
        IV[:, g] = np.log(np.sum(np.exp(V[:, alts] / lam), axis=1))
    denom = np.log(np.exp(lam * IV).sum(axis=1))
    for g, alts in enumerate(nests):
        for a in alts:
            logp[:, a] = V[:, a] / lam - IV[:, g] + lam * IV[:, g] - denom
    ll = 0
    for i in range(len(y)):
        ll += logp[i, y[i]]
    return -ll


class MixedLogitPanel:
    """Simulated likelihood with the same draws for all choices of a person."""

    def __init__(self, Z, y, person, draws):
        self.Z, self.y, self.person, self.draws = Z, y, person, draws

    def prob(self, beta):
        u = np.tensordot(beta, self.Z, axes=([1], [2]))
        u -= u.max(axis=2, keepdims=True)
        e = np.exp(u)
        return (e / e.sum(axis=2, keepdims=True))[:, np.arange(len(self.y)), self.y]

    def __call__(self, theta):
        mean, sd = theta[:2], np.exp(theta[2:])
        beta = mean + sd * self.draws
        p = self.prob(beta)
        nll = 0.0
        for who in np.unique(self.person):
            seq = p[:, self.person == who].prod(axis=1)
            nll -= np.log(seq.mean())
        return nll


def bradley_terry(skill, games):
    s = np.concatenate([[0.0], skill])
    nll = 0.0
    for winner, loser in games:
        nll += np.log1p(np.exp(-(s[winner] - s[loser])))
    return nll


def bradley_terry_dict(skill, names, results):
    rating = dict(zip(names, skill))
    total = 0
    for (a, b), (wins, losses) in results.items():
        p = 1 / (1 + np.exp(rating[b] - rating[a]))
        total -= wins * np.log(p) + losses * np.log(1 - p)
    return total + 0.5 * sum(r**2 for r in rating.values())


def plackett_luce(theta, rankings):
    nll = 0.0
    for r in rankings:
        u = theta[r]
        for k in range(len(r) - 1):
            nll -= u[k] - logsumexp(u[k:])
    return nll


def plackett_luce_cumulative(theta, rankings):
    u = theta[rankings]
    lse = np.logaddexp.accumulate(u[:, ::-1], axis=1)[:, ::-1]
    return (lse - u).sum()


def rasch(params, R):
    nperson, nitem = R.shape
    ability = params[:nperson]
    difficulty = params[nperson:]
    ll = 0.0
    for p in range(nperson):
        for i in range(nitem):
            z = ability[p] - difficulty[i]
            if R[p, i] == 1:
                ll += -np.log(1 + np.exp(-z))
            else:
                ll += -np.log(1 + np.exp(z))
    return -ll + 0.5 * np.sum(ability**2)


def irt_2pl(params, R):
    n_items = R.shape[1]
    a = np.exp(params["log_a"])
    b = params["b"]
    th = params["theta"]
    p = expit(a[None, :] * (th[:, None] - b[None, :]))
    p = np.clip(p, 1e-9, 1 - 1e-9)
    assert p.shape[1] == n_items
    return -(R * np.log(p) + (1 - R) * np.log(1 - p)).sum() + 0.5 * (th**2).sum() + 0.5 * (params["log_a"] ** 2).sum()


def irt_marginal(params, R):
    """Integrate the ability out with Gauss-Hermite nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    weights = weights / weights.sum()
    k = R.shape[1]
    slope, loc = np.exp(params[:k]), params[k:]
    P = expit(np.outer(nodes, slope) - slope * loc)
    like = np.exp(R @ np.log(P).T + (1 - R) @ np.log(1 - P).T)
    return -np.sum(np.log(like @ weights))


def gravity(theta, flow, mass, dist):
    a, b, c, d = theta
    total = 0.0
    for i in range(len(mass)):
        for j in range(len(mass)):
            if i == j:
                continue
            mu = exp(a) * mass[i] ** b * mass[j] ** c / dist[i, j] ** d
            total += mu - flow[i, j] * log(mu)
    return total


def crf(params, obs, tags):
    """Linear chain: unary weights U, transitions T; forward algorithm in the log domain."""
    ntag = 3
    U = params[: ntag * obs.shape[1]].reshape(ntag, -1)
    T = params[ntag * obs.shape[1] :].reshape(ntag, ntag)
    scores = obs @ U.T
    gold = scores[0, tags[0]]
    alpha = scores[0]
    for t in range(1, len(tags)):
        gold = gold + scores[t, tags[t]] + T[tags[t - 1], tags[t]]
        alpha = logsumexp(alpha[:, None] + T, axis=0) + scores[t]
    return logsumexp(alpha) - gold + 0.1 * (params**2).sum()


def elimination_by_max(theta, Z, y):
    """Utilities shifted by Python's max, row by row."""
    nll = 0
    for row, c in zip(Z, y):
        v = [float(z[0] * theta[0] + z[1] * theta[1]) for z in row]
        top = max(v)
        nll -= v[c] - top - np.log(sum(np.exp(u - top) for u in v))
    return nll


person = np.repeat(np.arange(5), 4)
games = [(0, 1), (1, 2), (0, 2), (3, 1), (2, 3), (0, 3), (1, 0), (2, 1)]
teams = ["ajax", "celtic", "porto"]
played = {("ajax", "celtic"): (3, 1), ("celtic", "porto"): (2, 2), ("ajax", "porto"): (1, 4)}
rankings = np.array([rng.permutation(4) for _ in range(6)])
answers = (rng.random((6, 4)) < 0.6).astype(int)
mass = rng.uniform(1, 4, 5)
distance = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0))) + 0.5
flow = rng.poisson(3, (5, 5))
obs, tags = rng.normal(size=(7, 2)), rng.integers(0, 3, 7)
irt0 = {"log_a": np.zeros(4), "b": np.array([-0.5, 0.0, 0.5, 1.0]), "theta": rng.normal(size=6)}

CASES = [
    Case("multinomial_logit", multinomial_logit, rng.normal(size=4), (W, chosen, J), (np.zeros(4), np.array([1, 2, 30.0, -40])), tags="zeros fancy"),
    Case("conditional_logit", conditional_logit, np.array([0.3, -0.2]), (Z, onehot), (np.zeros(2),), tags="softmax"),
    Case("softmax_cross_entropy", softmax_cross_entropy, 0.3 * rng.normal(size=(2, 3)), (W, chosen), tags="matrix-x0 range-index"),
    Case("nested_logit", nested_logit, np.array([0.3, -0.2, 0.4]), (Z, chosen), (np.zeros(3),), tags="einsum empty loops"),
    Case("mixed_logit_panel", MixedLogitPanel(Z, chosen, person, rng.normal(size=(8, 2))), np.array([0.3, -0.2, -0.5, -0.7]), tags="object call tensordot"),
    Case("bradley_terry", bradley_terry, np.array([0.2, -0.3, 0.5]), (games,), (np.zeros(3),), tags="loops tuples"),
    Case("bradley_terry_dict", bradley_terry_dict, np.array([0.2, -0.3, 0.5]), (teams, played), tags="dict generator"),
    Case("plackett_luce", plackett_luce, np.array([0.1, 0.5, -0.4, 0.2]), (rankings,), (np.zeros(4),), tags="fancy loops"),
    Case("plackett_luce_cumulative", plackett_luce_cumulative, np.array([0.1, 0.5, -0.4, 0.2]), (rankings,), tags="ufunc-accumulate reversed"),
    Case("rasch", rasch, 0.3 * rng.normal(size=10), (answers,), (np.zeros(10),), tags="double-loop if-data"),
    Case("irt_2pl", irt_2pl, irt0, (answers,), tags="dict-x0 clip assert"),
    Case("irt_marginal", irt_marginal, 0.3 * rng.normal(size=8), (answers,), (np.zeros(8),), tags="quadrature outer"),
    Case("gravity", gravity, np.array([0.1, 0.8, 0.7, 0.9]), (flow, mass, distance), tags="continue loops"),
    Case("crf", crf, 0.3 * rng.normal(size=15), (obs, tags), (np.zeros(15),), tags="logsumexp loops"),
    Case("elimination_by_max", elimination_by_max, np.array([0.4, -0.7]), (Z[:8], chosen[:8]), tags="float max sum"),
]
