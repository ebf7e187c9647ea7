"""Data of every kind: pandas, scipy.sparse, integers, booleans, dicts, lists, strings, None, captured arrays."""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from corpus.table import Case

rng = np.random.default_rng(1515)
n = 12
frame = pd.DataFrame(
    {
        "income": rng.normal(size=n),
        "age": rng.integers(20, 60, n),
        "urban": rng.random(n) < 0.5,
        "region": rng.choice(["n", "s", "w"], n),
        "y": rng.poisson(2, n),
    }
)
sparse = sp.random(10, 4, density=0.4, random_state=3, format="csr")
target = rng.normal(size=10)
images = rng.integers(0, 255, (6, 4, 4), dtype=np.uint8)


def poisson_frame(b, df):
    eta = b[0] + b[1] * df["income"] + b[2] * df.urban + b[3] * (df["age"] - 40) / 10
    return -(df["y"] * eta - np.exp(eta)).sum()


def poisson_values(b, df):
    X = df[["income", "age"]].values.astype(float)
    X[:, 1] = (X[:, 1] - X[:, 1].mean()) / X[:, 1].std()
    y = df["y"].to_numpy()
    eta = X @ b
    return np.sum(np.exp(eta) - y * eta)


def group_means(b, df):
    total = 0.0
    for i, (name, part) in enumerate(df.groupby("region")):
        total += np.sum((part["income"].values - b[i]) ** 2) * len(part)
    return total


def row_iteration(b, df):
    sse = 0.0
    for row in df.itertuples(index=False):
        sse += (row.y - b[0] - b[1] * row.income - (b[2] if row.urban else 0)) ** 2
    return sse


def dummies(b, df):
    D = pd.get_dummies(df["region"]).astype(float)
    codes = pd.Categorical(df["region"]).codes
    return np.sum((df["y"].values - D.values @ b - 0.1 * b[codes]) ** 2)


def series_arithmetic(b, s):
    resid = s - b[0] * s.shift(1).fillna(0.0) - b[1]
    return (resid**2).mean()


def sparse_least_squares(w, X, y, lam=0.1):
    r = X @ w - y
    return 0.5 * r @ r + lam * (w @ w) + X.dot(w).max() * 0


def sparse_logistic(w, X, y):
    z = X @ w
    g = X.T @ (1 / (1 + np.exp(-z)) - (y > 0))
    return np.sum(np.logaddexp(0, z) - (y > 0) * z) + 0.1 * g @ g


def sparse_products(w, X):
    Y = X.multiply(X).tocsc()
    return np.sum(np.square(Y * w)) + np.sum(X.sum(axis=0).A1 * w if hasattr(X.sum(axis=0), "A1") else np.asarray(X.sum(axis=0)).ravel() * w) + np.sum(X.toarray() @ w)


def graph_laplacian(u, edges, n):
    L = sp.lil_matrix((n, n))
    for i, j in edges:
        L[i, i] += 1
        L[j, j] += 1
        L[i, j] -= 1
        L[j, i] -= 1
    return u @ (L.tocsr() @ u) + np.sum((u - 1) ** 4)


def dict_of_everything(theta, data):
    X, y, opts = data["X"], data["y"], data["options"]
    r = np.array(y) - X @ theta
    if opts.get("robust"):
        loss = np.sqrt(1 + r**2).sum()
    else:
        loss = (r**2).sum()
    return loss + (opts["ridge"] or 0.0) * theta @ theta


def list_data(p, xs, ys, label, nothing):
    if nothing is None and label.startswith("lin"):
        return sum((yi - p[0] - p[1] * xi) ** 2 for xi, yi in zip(xs, ys))
    return 0.0


def integer_images(w, images):
    Z = images / 255.0
    s = np.tensordot(Z, w, axes=2)
    return np.sum(np.log1p(np.exp(s))) + images.astype(float)[0].ravel() @ w.ravel() / 255


def boolean_data(p, flags, k):
    q = 1 / (1 + np.exp(-p))
    return -np.sum(np.where(flags, np.log(q), np.log1p(-q))) + (q * flags).sum() + k % 2 * q[~flags].prod() + q[flags].sum() ** 2


def ragged_lists(p, groups):
    return sum(np.var(p[0] * np.array(g) + p[1] * np.array(g) ** 2) / len(g) for g in groups if len(g) > 1)


def structured_array(p, obs):
    pred = p[0] * np.exp(-obs["t"] / np.exp(p[1]))
    return np.sum(((obs["v"] - pred) / obs["err"]) ** 2)


def string_labels(p, labels):
    levels = sorted(set(labels))
    index = {level: i for i, level in enumerate(levels)}
    u = p - p.mean()
    return -sum(u[index[s]] for s in labels) + len(labels) * np.log(np.exp(u).sum())


def dates(p, stamps, y):
    days = (stamps - stamps[0]) / np.timedelta64(1, "D")
    return np.sum((y - p[0] - p[1] * np.sin(2 * np.pi * days / 7 + p[2])) ** 2)


def missing_values(p, y):
    ok = ~np.isnan(y)
    r = y[ok] - p[0] - p[1] * np.arange(len(y))[ok]
    return np.nanmean((y - p[0]) ** 2) + r @ r


def weights_none(p, x, w=None):
    w = np.ones_like(x) if w is None else np.asarray(w)
    return np.average((x - p[0]) ** 2, weights=w) + p[0] ** 4


def float32_data(p, X32):
    return np.sum((X32 @ p) ** 2) + X32.astype(np.float64)[0] @ p


CAPTURED = {"X": rng.normal(size=(5, 2)), "y": rng.normal(size=5)}


def captured_dict(b):
    return np.sum((CAPTURED["y"] - CAPTURED["X"] @ b) ** 2)


obs = np.array([(0.0, 1.0, 0.1), (1.0, 0.6, 0.2), (2.0, 0.3, 0.1)], dtype=[("t", float), ("v", float), ("err", float)])
edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
bag = {"X": rng.normal(size=(5, 2)), "y": [1.0, 2.0, 0.5, 1.0, 0.0], "options": {"robust": True, "ridge": None}}
holes = np.array([1.0, np.nan, 2.0, 3.5, np.nan])
flags = np.array([True, False, True, False])

CASES = [
    Case("poisson_frame", poisson_frame, np.array([0.1, 0.2, -0.1, 0.3]), (frame,), tags="pandas arithmetic"),
    Case("poisson_values", poisson_values, np.array([0.1, 0.2]), (frame,), tags="pandas values"),
    Case("group_means", group_means, np.array([0.1, 0.2, 0.3]), (frame,), tags="pandas groupby"),
    Case("row_iteration", row_iteration, np.array([0.1, 0.2, 0.3]), (frame,), tags="pandas itertuples"),
    Case("dummies", dummies, np.array([0.1, 0.2, 0.3]), (frame,), tags="pandas dummies"),
    Case("series_arithmetic", series_arithmetic, np.array([0.1, 0.2]), (frame["income"],), tags="pandas series"),
    Case("sparse_least_squares", sparse_least_squares, np.zeros(4) + 0.1, (sparse, target), (np.zeros(4),), tags="sparse matmul"),
    Case("sparse_logistic", sparse_logistic, np.array([0.1, 0.2, 0.3, -0.4]), (sparse, target), tags="sparse transpose"),
    Case("sparse_products", sparse_products, np.array([0.1, 0.2, 0.3, -0.4]), (sparse,), tags="sparse multiply"),
    Case("graph_laplacian", graph_laplacian, np.array([0.1, 0.2, 0.3, -0.4]), (edges, 4), tags="sparse lil"),
    Case("dict_of_everything", dict_of_everything, np.array([0.1, 0.2]), (bag,), tags="dict-data None"),
    Case("list_data", list_data, np.array([0.1, 0.2]), ([1.0, 2, 3], [1.0, 2.5, 3], "linear", None), tags="list-data None strings"),
    Case("integer_images", integer_images, 0.1 * rng.normal(size=(4, 4)), (images,), tags="uint8 tensordot"),
    Case("boolean_data", boolean_data, np.array([0.1, 0.2, 0.3, -0.4]), (flags, 3), tags="bool-data"),
    Case("ragged_lists", ragged_lists, np.array([0.1, 0.2]), ([[1.0, 2.0], [3.0], [1.0, 4.0, 2.0]],), tags="ragged"),
    Case("structured_array", structured_array, np.array([1.0, 0.2]), (obs,), tags="structured"),
    Case("string_labels", string_labels, np.array([0.1, 0.2, 0.5]), (["b", "a", "c", "a"],), tags="strings"),
    Case("dates", dates, np.array([0.1, 0.2, 0.5]), (np.array(["2020-01-01", "2020-01-03", "2020-01-08"], dtype="datetime64[D]"), np.array([0.5, 1.0, 0.0])), tags="datetime"),
    Case("missing_values", missing_values, np.array([0.1, 0.2]), (holes,), tags="nan-data"),
    Case("weights_none", weights_none, np.array([0.3]), (target,), tags="None average"),
    Case("float32_data", float32_data, np.array([0.1, 0.2]), (rng.normal(size=(4, 2)).astype(np.float32),), tags="float32"),
    Case("captured_dict", captured_dict, np.array([0.1, 0.2]), tags="global-dict"),
]
