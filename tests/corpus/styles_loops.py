"""Beginner's loops, Fortran in Python, in-place arrays of every kind, views, out=, add.at."""

import math

import numpy as np

from corpus.table import Case

rng = np.random.default_rng(1010)
A = rng.normal(size=(4, 3))
b = rng.normal(size=4)
D5 = rng.normal(size=5)


def least_squares_by_elements(x, A, b):
    m, n = A.shape
    r = np.zeros(m)
    for i in range(m):
        s = 0.0
        for j in range(n):
            s = s + A[i, j] * x[j]
        r[i] = s - b[i]
    f = 0.0
    for i in range(m):
        f = f + r[i] * r[i]
    return f


def rosenbrock_while(x):
    n = len(x)
    i = 0
    f = 0.0
    while i < n - 1:
        f += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
        i += 1
    return f


def fortran_trigonometric(X):
    N = X.size
    F = np.empty(N)
    SUM = 0.0
    for J in range(1, N + 1):
        F[J - 1] = math.cos(X[J - 1])
        SUM = SUM + F[J - 1]
    for J in range(1, N + 1):
        F[J - 1] = N + J - math.sin(X[J - 1]) - SUM - J * F[J - 1]
    return float(np.dot(F, F))


def extended_powell(x):
    f = np.zeros_like(x)
    f[0::4] = x[0::4] + 10 * x[1::4]
    f[1::4] = math.sqrt(5) * (x[2::4] - x[3::4])
    f[2::4] = (x[1::4] - 2 * x[2::4]) ** 2
    f[3::4] = math.sqrt(10) * (x[0::4] - x[3::4]) ** 2
    return sum(f**2)


def broyden_tridiagonal(x):
    out = []
    n = len(x)
    for i in range(n):
        left = 0 if i == 0 else x[i - 1]
        right = 0 if i == n - 1 else x[i + 1]
        out.append((3 - 2 * x[i]) * x[i] - left - 2 * right + 1)
    out = np.array(out)
    return (out**2).sum()


def chebyquad(x):
    """T_i by recurrence over python lists."""
    n = x.shape[0]
    total = 0.0
    prev, cur = [1.0] * n, [2 * xi - 1 for xi in x]
    for i in range(1, n + 1):
        mean = sum(cur) / n
        integral = 0.0 if i % 2 else -1.0 / (i * i - 1)
        total += (mean - integral) ** 2
        prev, cur = cur, [2 * (2 * xi - 1) * c - p for xi, c, p in zip(x, cur, prev)]
    return total


def view_updates(x, b):
    """y is a view of z: what is added to y is added to z."""
    z = x * 1.0
    y = z[1:4]
    y += b[:3]
    y[0] *= 2
    w = z.reshape(2, 3)
    w[1] -= w[0]
    z[-1] = z[-1] ** 2
    return np.sum(w * w) + np.prod(z[:2])


def transpose_view(x):
    M = x.copy().reshape(3, 2)
    T = M.T
    T[0] += 1.5
    T[1, 1:] *= T[0, :2]
    d = M.ravel()
    d[::2] += d[1::2]
    return (M**3).sum()


def out_arguments(x, b):
    work = np.empty(4)
    np.multiply(x, b, out=work)
    np.exp(work, out=work)
    work += 1
    np.log(work, work)
    total = np.zeros(())
    np.add(total, work.sum(), out=total)
    return total


def scatter_counts(x, idx, w):
    hist = np.zeros(3)
    np.add.at(hist, idx, x * w)
    np.subtract.at(hist, [0, 0], x[:2])
    np.maximum.at(hist, 1, 0.3)
    return np.sum(hist**2) + np.bincount(idx, weights=x, minlength=4)[1] ** 2


def flat_iteration(X):
    s = 0.0
    for v in X.flat:
        s += v**4
    X = X.flatten()
    s += X[-1] * X[0]
    for v in np.nditer(np.ones(2)):
        s += float(v)
    return s


def item_and_tolist(X):
    rows = X.tolist()
    corner = X.item(0, 1) * X[1, 0].item() + X.item(-1)
    return sum(sum(v * v for v in row) for row in rows) + corner


def enumerate_zip(x, names):
    d = {}
    for i, (name, v) in enumerate(zip(names, x)):
        d[name] = v * (i + 1)
    return d["a"] * d["b"] - d["c"] ** 2 + sum(d.values()) ** 2 + max(d.values())


def python_builtins(x):
    lo, hi = min(x), max(x)
    spread = abs(hi - lo)
    p = pow(x[0], 3) + pow(2.0, x[1]) + divmod(x[2], 1)[1]
    q = sum(abs(v) for v in x) + sum([v for v in x if v > 0], start=0.5)
    return spread + p + q + round(x[1]) * x[2] + all(v > -10 for v in x) * x[0] + len(sorted(x)) * sorted(x)[1]


def list_surgery(x):
    L = list(x)
    L.insert(0, L.pop())
    L.extend([L[0] * L[1], 2.0])
    L[1:3] = [L[2], L[1] ** 2]
    L.reverse()
    first, *middle, last = L
    return np.array(L).dot(np.arange(len(L))) + first * last - np.prod(middle)


def nested_lists(x):
    M = [[0.0] * 3 for _ in range(3)]
    for i in range(3):
        for j in range(3):
            M[i][j] = x[i] * x[j] + (i == j)
    det = M[0][0] * (M[1][1] * M[2][2] - M[1][2] * M[2][1]) - M[0][1] * (M[1][0] * M[2][2] - M[1][2] * M[2][0]) + M[0][2] * (M[1][0] * M[2][1] - M[1][1] * M[2][0])
    return np.log(det) + np.linalg.det(np.array(M))


def stacks(x):
    a, b = np.array_split(x, 2)
    M = np.vstack([a, b, a * b])
    N = np.hstack((M, np.ones((3, 1))))
    C = np.column_stack((a, b))
    S = np.stack([C, C + 1], axis=-1)
    B = np.block([[N[:, :3], np.zeros((3, 2))], [np.ones((2, 3)), C[:2]]])
    return np.sum(B @ B.T) + S.prod() + np.dstack((C, C)).sum()


def rolling(x):
    y = np.roll(x, 1)
    y[0] = 0
    z = np.flip(np.cumsum(x)) + np.tile(x[:2], 3) + np.repeat(x[:3], 2)
    return np.sum(y * z) + np.take(x, [0, -1]).prod() + np.pad(x, (1, 2))[1:4].sum() ** 2


def meshgrid_potential(p, gx, gy):
    Xg, Yg = np.meshgrid(gx, gy)
    V = np.zeros(Xg.shape)
    for k in range(0, len(p), 3):
        V += p[k] * np.exp(-((Xg - p[k + 1]) ** 2) - (Yg - p[k + 2]) ** 2)
    return (V[1:-1, 1:-1] ** 2).sum() + V[..., 0].sum() + V[None, :, 1].mean()


def laplace_ndindex(u):
    U = np.pad(u, 1, mode="constant")
    e = 0
    for i, j in np.ndindex(*u.shape):
        e += (4 * U[i + 1, j + 1] - U[i, j + 1] - U[i + 2, j + 1] - U[i + 1, j] - U[i + 1, j + 2]) ** 2
    return e


def gaussian_elimination(x, n=3):
    M = np.eye(n) * 3 + x[: n * n].reshape(n, n)
    rhs = np.arange(1.0, n + 1)
    for k in range(n):
        piv = k + int(np.argmax(np.abs(M[k:, k])))
        if piv != k:
            M[[k, piv]] = M[[piv, k]]
            rhs[k], rhs[piv] = rhs[piv], rhs[k]
        for i in range(k + 1, n):
            m = M[i, k] / M[k, k]
            M[i, k:] -= m * M[k, k:]
            rhs[i] -= m * rhs[k]
    sol = np.zeros(n)
    for i in range(n - 1, -1, -1):
        sol[i] = (rhs[i] - M[i, i + 1 :] @ sol[i + 1 :]) / M[i, i]
    return sol @ sol


def integer_zeros_surprise(x):
    """np.zeros with dtype=int truncates what is stored: the tally has no slope."""
    tally = np.zeros(3, dtype=int)
    for v in x:
        tally[int(abs(v)) % 3] += 1
    return np.sum(x**2) + tally @ tally


def swap_and_alias(x):
    a = x.copy()
    c = a
    c[0], c[1] = c[1], c[0] * 2
    a[2] = c[0] + c[1]
    e = a[:]
    e[...] = e + 1
    return (a * np.arange(1, 4)).sum() ** 2


def horner(c, pts):
    f = 0
    for t in pts:
        v = 0
        for ck in c[::-1]:
            v = v * t + ck
        f += (v - math.exp(t)) ** 2
    return f


CASES = [
    Case("least_squares_by_elements", least_squares_by_elements, D5[:3], (A, b), (np.zeros(3),), tags="zeros double-loop"),
    Case("rosenbrock_while", rosenbrock_while, D5, (), (np.ones(5), np.zeros(5)), tags="while"),
    Case("fortran_trigonometric", fortran_trigonometric, np.full(4, 0.3), (), (np.zeros(4),), tags="empty math float"),
    Case("extended_powell", extended_powell, np.array([3.0, -1, 0, 1, 2, 1, -1, 0]), (), (np.zeros(8),), tags="zeros_like strides builtin-sum"),
    Case("broyden_tridiagonal", broyden_tridiagonal, -np.ones(5), tags="list-then-array"),
    Case("chebyquad", chebyquad, np.array([0.2, 0.4, 0.6, 0.9]), tags="lists zip"),
    Case("view_updates", view_updates, rng.normal(size=6), (b,), tags="views augmented"),
    Case("transpose_view", transpose_view, rng.normal(size=6), tags="views"),
    Case("out_arguments", out_arguments, rng.normal(size=4), (b,), (np.zeros(4),), tags="out="),
    Case("scatter_counts", scatter_counts, np.array([0.5, 1.0, -0.3, 0.8]), (np.array([0, 2, 1, 2]), b), tags="add.at"),
    Case("flat_iteration", flat_iteration, rng.normal(size=(2, 3)), tags="flat"),
    Case("item_and_tolist", item_and_tolist, rng.normal(size=(2, 2)), tags="item tolist"),
    Case("enumerate_zip", enumerate_zip, np.array([0.5, 1.0, -0.3]), ("abc",), tags="enumerate zip dict"),
    Case("python_builtins", python_builtins, np.array([0.5, 1.2, -0.3]), tags="builtins"),
    Case("list_surgery", list_surgery, rng.normal(size=4), tags="lists"),
    Case("nested_lists", nested_lists, np.array([0.5, 1.2, -0.3]), tags="nested-lists"),
    Case("stacks", stacks, rng.normal(size=6), tags="stack"),
    Case("rolling", rolling, rng.normal(size=6), tags="roll tile repeat pad"),
    Case("meshgrid_potential", meshgrid_potential, rng.normal(size=6), (np.linspace(-1, 1, 4), np.linspace(-1, 1, 5)), tags="meshgrid ellipsis newaxis"),
    Case("laplace_ndindex", laplace_ndindex, rng.normal(size=(2, 3)), tags="ndindex pad"),
    Case("gaussian_elimination", gaussian_elimination, 0.5 * rng.normal(size=9), tags="pivoting swap"),
    Case("integer_zeros_surprise", integer_zeros_surprise, np.array([0.5, 1.2, -2.3]), tags="int-array int()"),
    Case("swap_and_alias", swap_and_alias, rng.normal(size=3), tags="alias swap"),
    Case("horner", horner, rng.normal(size=4), (np.linspace(-1, 1, 4),), tags="reversed double-loop"),
]
