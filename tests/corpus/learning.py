"""Machine learning and smoothing: networks, factorisations, embeddings, splines, robust and penalised regression."""

import functools

import numpy as np
from scipy.interpolate import BSpline
from scipy.special import erf, huber, logsumexp, xlogy

from corpus.table import Case

rng = np.random.default_rng(808)
X = rng.normal(size=(14, 3))
y = X @ np.array([1.0, -0.5, 0.2]) + 0.2 * rng.standard_t(2, 14)
sign = np.sign(y)


def two_layer_network(params, X, y):
    W1, b1, W2, b2 = params
    hidden = np.tanh(X @ W1 + b1)
    return np.mean((hidden @ W2 + b2 - y) ** 2)


def deep_network(params, X, y):
    """List of (W, b); ReLU by np.maximum; weight decay."""
    h = X
    for i, (W, b) in enumerate(params):
        h = h @ W + b
        if i < len(params) - 1:
            h = np.maximum(h, 0)
    decay = sum((W**2).sum() for W, _ in params)
    return ((h[:, 0] - y) ** 2).mean() + 1e-2 * decay


def gelu_batchnorm(p, X, y):
    W = p["W"]
    a = X @ W
    a = (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 1e-5) * p["gain"] + p["shift"]
    g = 0.5 * a * (1 + erf(a / np.sqrt(2)))
    return np.square(g.sum(1) - y).mean()


def attention(W, X, y):
    d = X.shape[1]
    Q, K, V = X @ W[0], X @ W[1], X @ W[2]
    S = Q @ K.T / np.sqrt(d)
    A = np.exp(S - S.max(axis=-1, keepdims=True))
    A /= A.sum(axis=-1, keepdims=True)
    return (((A @ V).mean(axis=1) - y) ** 2).sum()


def simple_rnn(p, seq):
    Wx, Wh, wo = p["Wx"], p["Wh"], p["wo"]
    h = np.zeros(2)
    loss = 0
    for t in range(len(seq) - 1):
        h = np.tanh(Wx * seq[t] + Wh @ h)
        loss += (np.inner(wo, h) - seq[t + 1]) ** 2
    return loss


def matrix_factorisation(p, ratings, n, m, k, reg=0.1):
    U = p[: n * k].reshape(n, k)
    V = p[n * k :].reshape(m, k)
    loss = 0
    for (i, j), r in ratings.items():
        loss += (r - np.dot(U[i], V[j])) ** 2
    return loss + reg * (np.sum(U * U) + np.sum(V * V))


def matrix_factorisation_masked(p, R, mask):
    U, V = p
    E = np.where(mask, R - U @ V.T, 0)
    return np.linalg.norm(E) ** 2 + 0.1 * (np.linalg.norm(U, "fro") ** 2 + np.linalg.norm(V) ** 2)


def mds_stress(p, D):
    P = p.reshape(-1, 2)
    stress = 0.0
    for i in range(len(P)):
        for j in range(i):
            stress += (np.sqrt(((P[i] - P[j]) ** 2).sum()) - D[i, j]) ** 2
    return stress


def tsne(Y, P):
    d2 = ((Y[:, None] - Y[None]) ** 2).sum(-1)
    num = 1 / (1 + d2)
    np.fill_diagonal(num, 0.0)
    Q = num / num.sum()
    return (xlogy(P, P) - xlogy(P, np.maximum(Q, 1e-12))).sum()


def soft_kmeans(centers, X, beta=2.0):
    d = np.sum((X[:, None, :] - centers[None, :, :]) ** 2, axis=2)
    return -logsumexp(-beta * d, axis=1).sum() / beta


def hard_kmeans(centers, X):
    return sum(min(np.sum((x - c) ** 2) for c in centers) for x in X)


def soft_svm(w, X, s, C=1.0):
    margin = 1 - s * (X @ w[:-1] + w[-1])
    return 0.5 * w[:-1] @ w[:-1] + C * np.sum(np.log1p(np.exp(5 * margin)) / 5)


def squared_hinge(w, X, s):
    return (np.clip(1 - s * X.dot(w), 0, None) ** 2).sum() + 0.05 * np.linalg.norm(w) ** 2


def huber_by_where(b, X, y, delta=0.5):
    r = y - X @ b
    a = np.abs(r)
    return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()


def huber_scipy(b, X, y):
    return huber(0.5, y - X @ b).sum()


def tukey_biweight(b, X, y, c=4.685):
    u = (y - X @ b) / c
    inside = np.abs(u) < 1
    rho = np.full(u.shape, c**2 / 6)
    rho[inside] = c**2 / 6 * (1 - (1 - u[inside] ** 2) ** 3)
    return rho.sum()


def smoothed_quantile(b, X, y, tau=0.3, h=0.2):
    r = y - X @ b
    return np.sum(tau * r + h * np.log1p(np.exp(-r / h)))


def pinball(b, X, y, tau):
    r = y - X @ b
    return np.maximum(tau * r, (tau - 1) * r).mean()


def lad_lasso(b, X, y):
    return np.abs(y - X @ b).sum() + 0.5 * np.linalg.norm(b, ord=1)


def elastic_net_smooth(b, X, y, lam=0.3, mix=0.5, eps=1e-3):
    return ((y - X @ b) ** 2).mean() / 2 + lam * (mix * np.sqrt(b * b + eps).sum() + (1 - mix) / 2 * (b * b).sum())


def group_lasso(b, X, y, groups):
    return np.mean((y - X @ b) ** 2) + 0.1 * sum(np.sqrt(len(g)) * np.linalg.norm(b[g]) for g in groups)


def isotonic_penalty(f, y, lam=10.0):
    drop = np.diff(f)
    return np.sum((f - y) ** 2) + lam * np.sum(np.minimum(drop, 0) ** 2)


def total_variation(u, noisy):
    g = np.diff(u)
    return 0.5 * np.sum((u - noisy) ** 2) + np.sum(np.sqrt(g**2 + 0.01))


def penalised_spline(c, x, y, knots):
    B = np.maximum(x[:, None] - knots, 0) ** 3
    f = c[0] + c[1] * x + B @ c[2:]
    return np.sum((y - f) ** 2) + 0.1 * np.sum(c[2:] ** 2)


def bspline_fit(c, x, y, t):
    f = BSpline(t, c, 3)(x)
    return np.sum((y - f) ** 2)


def cubic_bspline_recursive(c, x, y, t):
    """Cox-de Boor by recursion."""

    def basis(i, d, u):
        if d == 0:
            return 1.0 if t[i] <= u < t[i + 1] else 0.0
        left = 0.0 if t[i + d] == t[i] else (u - t[i]) / (t[i + d] - t[i]) * basis(i, d - 1, u)
        right = 0.0 if t[i + d + 1] == t[i + 1] else (t[i + d + 1] - u) / (t[i + d + 1] - t[i + 1]) * basis(i + 1, d - 1, u)
        return left + right

    err = 0.0
    for u, v in zip(x, y):
        f = sum(c[i] * basis(i, 2, u) for i in range(len(c)))
        err += (f - v) ** 2
    return err


def movable_knots(p, x, y):
    """Piecewise linear through nodes at fixed places, heights free."""
    return np.sum((np.interp(x, np.array([-2.5, -1, 0, 1, 2.5]), p) - y) ** 2)


def neighbourhood_components(A, X, labels):
    Z = X @ A
    d = ((Z[:, None, :] - Z[None, :, :]) ** 2).sum(axis=2)
    w = np.exp(-d)
    w[np.arange(len(Z)), np.arange(len(Z))] = 0
    p = w / w.sum(axis=1)[:, None]
    same = labels[:, None] == labels[None, :]
    return -(p * same).sum()


def ica_logcosh(W, X):
    S = X @ W.T
    return np.sum(np.log(np.cosh(S))) / len(X) - np.log(abs(np.linalg.det(W)))


def canonical_correlation(w, X, Y):
    a, b = X @ w[:3], Y @ w[3:]
    return -np.corrcoef(a, b)[0, 1]


def fisher_discriminant(w, X, labels):
    z = X @ w
    z0, z1 = z[labels == 0], z[labels == 1]
    return -((np.mean(z0) - np.mean(z1)) ** 2) / (np.var(z0) + np.var(z1))


labels = np.arange(14) % 2
D = np.abs(rng.normal(size=(5, 5))) + 0.5
P = rng.uniform(0, 1, (6, 6))
np.fill_diagonal(P, 0)
P = (P + P.T) / (P + P.T).sum()
ratings = {(0, 0): 4.0, (0, 1): 2.0, (1, 1): 5.0, (2, 0): 1.0, (2, 2): 3.0}
net0 = [0.5 * rng.normal(size=(3, 4)), np.zeros(4), 0.5 * rng.normal(size=4), 0.0]
deep0 = [(0.7 * rng.normal(size=(3, 4)), np.full(4, 0.1)), (0.7 * rng.normal(size=(4, 1)), np.zeros(1))]
rnn0 = {"Wx": rng.normal(size=2), "Wh": 0.5 * rng.normal(size=(2, 2)), "wo": rng.normal(size=2)}
bn0 = {"W": rng.normal(size=(3, 2)), "gain": np.ones(2), "shift": np.zeros(2)}
b0 = np.array([0.8, -0.3, 0.1])
xs = np.sort(rng.uniform(-2, 2, 12))
ys = np.sin(xs)
knots = np.array([0, 0, 0, 0, 0.5, 1, 1, 1, 1.0])
u01 = np.linspace(0.02, 0.98, 6)
tau_loss = functools.partial(pinball, tau=0.7)

CASES = [
    Case("two_layer_network", two_layer_network, net0, (X, y), tags="list-x0 unpack"),
    Case("deep_network", deep_network, deep0, (X, y), tags="list-of-tuples-x0 maximum"),
    Case("gelu_batchnorm", gelu_batchnorm, bn0, (X, y), tags="dict-x0 var"),
    Case("attention", attention, 0.4 * rng.normal(size=(3, 3, 3)), (X[:6], y[:6]), tags="tensor-x0 inplace-divide"),
    Case("simple_rnn", simple_rnn, rnn0, (y[:6],), tags="recurrence inner"),
    Case("matrix_factorisation", matrix_factorisation, 0.5 * rng.normal(size=12), (ratings, 3, 3, 2), tags="dict-data"),
    Case("matrix_factorisation_masked", matrix_factorisation_masked, (rng.normal(size=(4, 2)), rng.normal(size=(3, 2))), (rng.normal(size=(4, 3)), rng.random((4, 3)) < 0.7), tags="tuple-x0 norm"),
    Case("mds_stress", mds_stress, rng.normal(size=8), (D[:4, :4],), tags="double-loop"),
    Case("tsne", tsne, rng.normal(size=(6, 2)), (P,), tags="fill_diagonal xlogy"),
    Case("soft_kmeans", soft_kmeans, rng.normal(size=(2, 3)), (X,), tags="matrix-x0"),
    Case("hard_kmeans", hard_kmeans, X[:2] + 0.1, (X[:8],), tags="min generator iterate"),
    Case("soft_svm", soft_svm, np.array([0.3, -0.1, 0.2, 0.0]), (X, sign), (np.zeros(4), np.array([60.0, -40, 20, 5])), tags="overflow"),
    Case("squared_hinge", squared_hinge, b0, (X, sign), (np.zeros(3),), tags="clip"),
    Case("huber_by_where", huber_by_where, b0, (X, y), (np.zeros(3),), tags="where"),
    Case("huber_scipy", huber_scipy, b0, (X, y), tags="special"),
    Case("tukey_biweight", tukey_biweight, b0, (X, y), (10 * b0,), tags="mask-on-traced full"),
    Case("smoothed_quantile", smoothed_quantile, b0, (X, y), (100 * b0,), tags="log1p-exp"),
    Case("pinball", tau_loss, b0, (X, y), tags="partial maximum"),
    Case("lad_lasso", lad_lasso, b0, (X, y), kinks=(np.zeros(3), np.array([1.0, 0.0, 0.0])), tags="abs norm-1"),
    Case("elastic_net_smooth", elastic_net_smooth, b0, (X, y), (np.zeros(3),)),
    Case("group_lasso", group_lasso, b0, (X, y, [[0, 1], [2]]), kinks=(np.zeros(3),), tags="fancy norm-at-zero"),
    Case("isotonic_penalty", isotonic_penalty, rng.normal(size=8), (np.sort(rng.normal(size=8)),), kinks=(np.zeros(8),), tags="minimum"),
    Case("total_variation", total_variation, rng.normal(size=10), (rng.normal(size=10),), (np.zeros(10),)),
    Case("penalised_spline", penalised_spline, 0.1 * rng.normal(size=6), (xs, ys, np.array([-1.5, -0.5, 0.5, 1.5])), (np.zeros(6),), tags="basis"),
    Case("bspline_fit", bspline_fit, rng.normal(size=5), (u01, np.cos(u01), knots), tags="scipy.interpolate"),
    Case("cubic_bspline_recursive", cubic_bspline_recursive, rng.normal(size=5), (u01, np.cos(u01), np.linspace(-1, 2, 8)), tags="recursion chained-comparison"),
    Case("movable_knots", movable_knots, rng.normal(size=5), (xs, ys), tags="interp"),
    Case("neighbourhood_components", neighbourhood_components, 0.5 * rng.normal(size=(3, 2)), (X, labels), tags="fancy-assign"),
    Case("ica_logcosh", ica_logcosh, np.eye(3) + 0.2 * rng.normal(size=(3, 3)), (X,), tags="det abs"),
    Case("canonical_correlation", canonical_correlation, rng.normal(size=5), (X, X[:, :2] ** 2 + 1), tags="corrcoef"),
    Case("fisher_discriminant", fisher_discriminant, b0, (X, labels), tags="masks"),
]
