"""Smooth functions written with kinks, at zeros, at ties and beside them; true kinks, which keep their convention."""

import numpy as np
import pytest

import autoopt
from autoopt.objectives import one_sided
from autoopt.objectives.objective import printed
from autoopt.tape.kinks import KINKS

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(9, 3))
Y = (X[:, 0] > 0) * 1.0
ROWS = RANDOM.normal(size=(20, 3))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_loss(w):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - z * Y)


def max_loss(w):
    z = X @ w
    return np.sum(np.maximum(z, 0) - z * Y + np.log1p(np.exp(-np.abs(z))))


def where_loss(w):
    z = X @ w
    return np.sum(np.where(z > 0, z, 0) - z * Y + np.log(1 + np.exp(-abs(z))))


def masked_loss(w):
    z = X @ w
    return np.sum(z * (z > 0) - z * Y + np.log1p(np.exp(-np.abs(z))))


def clipped_loss(w):
    z = X @ w
    return np.sum(np.clip(z, 0, None) - z * Y + np.log1p(np.exp(-np.abs(z))))


def branch_loss(w):
    total = 0.0
    for row, y in zip(X, Y, strict=True):
        z = row @ w
        total += (z if z > 0 else 0.0) - z * y + np.log1p(np.exp(-abs(z)))
    return total


def builtin_loss(w):
    return sum(max(row @ w, 0) - (row @ w) * y + np.log1p(np.exp(-abs(row @ w))) for row, y in zip(X, Y, strict=True))


def recurrent(softplus):
    def f(w):
        state, total = 0.0, 0.0
        for row in ROWS:
            state = 0.5 * state + row @ w
            total += softplus(state)
        return total

    return f


def safe_sigmoid(x):
    return np.sum(np.where(x >= 0, 1 / (1 + np.exp(-abs(x))), np.exp(-abs(x)) / (1 + np.exp(-abs(x)))))


def distance(x):
    return np.abs(x[:, None] - x[None])


def matern(order):
    def f(x):
        s = np.sqrt(2 * order) * distance(x)
        return np.sum({1.5: 1 + s, 2.5: 1 + s + s**2 / 3}[order] * np.exp(-s))

    return f


def matern_by_squares(order):  # the same function of the square, by its series: smooth to second order
    def f(x):
        d2 = (x[:, None] - x[None]) ** 2
        return np.sum({1.5: 1 - 1.5 * d2, 2.5: 1 - 5 / 6 * d2}[order] + 0 * d2)

    return f


def by_hand(x):
    m = np.where(x[0] > x[1], x[0], x[1])
    return m + np.log(np.exp(x[0] - m) + np.exp(x[1] - m))


ZERO, TIE, MIXED = np.zeros(3), np.full(3, 0.3), np.array([0.0, 0.3, 0.3])
POINTS = (ZERO, TIE, MIXED, np.array([0.2, -0.7, 1.1]))
SMOOTH = {
    "max": (max_loss, log_loss),
    "where": (where_loss, log_loss),
    "mask": (masked_loss, log_loss),
    "clip": (clipped_loss, log_loss),
    "branch": (branch_loss, log_loss),
    "builtin": (builtin_loss, log_loss),
    "in a recurrence": (
        recurrent(lambda z: max(z, 0) + np.log1p(np.exp(-abs(z)))),
        recurrent(lambda z: np.logaddexp(0, z)),
    ),
    "sigmoid": (safe_sigmoid, lambda x: np.sum(sigmoid(x))),
    "tanh": (
        lambda x: np.sum(np.sign(x) * (1 - np.exp(-2 * abs(x))) / (1 + np.exp(-2 * abs(x)))),
        lambda x: np.sum(np.tanh(x)),
    ),
    "softsign squared": (lambda x: np.sum((x / (1 + abs(x))) ** 2), None),
    "log cosh": (lambda x: np.sum(abs(x) + np.log1p(np.exp(-2 * abs(x)))), lambda x: np.sum(np.logaddexp(x, -x))),
    "logaddexp": (by_hand, lambda x: np.logaddexp(x[0], x[1])),
    "max of pair": (
        lambda x: np.max(x[:2]) + np.log(np.sum(np.exp(x[:2] - np.max(x[:2])))),
        lambda x: np.logaddexp(x[0], x[1]),
    ),
    "two hinges": (lambda x: np.sum(np.maximum(x, 0) ** 2 + np.maximum(-x, 0) ** 2), lambda x: np.sum(x**2)),
    "cubes": (lambda x: np.sum(abs(x) ** 3 * np.sign(x)), lambda x: np.sum(x**3)),
    "cos": (lambda x: np.sum(np.cos(abs(x))), lambda x: np.sum(np.cos(x))),
    "cosh": (lambda x: np.sum(np.cosh(abs(x))), lambda x: np.sum(np.cosh(x))),
    "exp of two": (lambda x: np.sum(np.exp(abs(x)) + np.exp(-abs(x))), lambda x: np.sum(np.exp(x) + np.exp(-x))),
    "max and min squared": (
        lambda x: np.maximum(x[0], x[1]) ** 2 + np.minimum(x[0], x[1]) ** 2,
        lambda x: x[0] ** 2 + x[1] ** 2,
    ),
    "max and min": (lambda x: np.max(x[:2]) * np.min(x[:2]), lambda x: x[0] * x[1]),
    "builtin max and min": (lambda x: max(x[0], x[1]) ** 2 + min(x[0], x[1]) ** 2, lambda x: x[0] ** 2 + x[1] ** 2),
    "norm": (lambda x: np.cos(np.linalg.norm(x)), lambda x: 1 - np.sum(x**2) / 2 + np.sum(x**2) ** 2 / 24),
    "copysign": (lambda x: np.sum(np.copysign(x**2, x) * np.sign(x)), lambda x: np.sum(x**2)),
    "square of a root": (lambda x: np.sum(np.sqrt(x**4)), lambda x: np.sum(x**2)),
    "hypot": (lambda x: np.cos(np.hypot(x[0], x[1])), None),
    "plus and minus": (lambda x: np.sum((x + abs(x)) * (x - abs(x)) + x**2), lambda x: np.sum(x**2)),
    "select": (
        lambda x: np.sum(np.select([x < 0, x >= 0], [np.expm1(-abs(x)), np.expm1(-abs(x))]) * -abs(x)),
        None,
    ),
}


def reference(f, g, x):
    """Return the gradient and Hessian of the smooth form, by complex steps and differences of them."""
    f = g or f
    e, h = np.eye(x.size), 1e-4
    gradient = np.array([np.imag(f(x + 1e-30j * u)) / 1e-30 for u in e])
    rows = [
        [(np.imag(f(x + 1e-30j * u + h * v)) - np.imag(f(x + 1e-30j * u - h * v))) / (2 * h * 1e-30) for v in e]
        for u in e
    ]
    return gradient, np.array(rows)


CLOSED = {name: pair for name, pair in SMOOTH.items() if pair[1] is not None and name not in ("norm",)}


def analytic(g, x):
    """Return the derivatives of the smooth form by autoopt, which has no kinks there, checked against differences."""
    objective = autoopt.objective(g, np.array([0.37, -0.41, 0.73]))
    gradient, hessian = objective.grad(x), objective.hess(x)
    e, h = np.eye(x.size), 1e-5
    with np.errstate(all="ignore"):
        slopes = [(g(x + h * u) - g(x - h * u)) / (2 * h) for u in e]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-7)
    return gradient, hessian


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.sampled(6)
def test_smooth_functions_with_kinks_have_their_derivatives_everywhere(name) -> None:
    kinked, smooth = CLOSED[name]
    objective = autoopt.objective(kinked, ZERO)
    for x in POINTS:
        gradient, hessian = analytic(smooth, x)
        np.testing.assert_allclose(objective.grad(x), gradient, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(objective.hess(x), hessian, rtol=1e-8, atol=1e-9)
        p = np.array([0.3, -1.0, 0.7])
        np.testing.assert_allclose(objective.hessp(x, p), hessian @ p, rtol=1e-8, atol=1e-9)


def test_matern_kernels_at_equal_points() -> None:
    for order, curvature in ((1.5, -3.0), (2.5, -5 / 3)):
        hessian = autoopt.hessian(matern(order))(np.array([0.3, 0.3]))
        np.testing.assert_allclose(hessian, 2 * curvature * np.array([[1, -1], [-1, 1]]), rtol=1e-7)


@pytest.mark.slow
def test_norms_and_roots_at_zero() -> None:
    np.testing.assert_allclose(autoopt.hessian(SMOOTH["norm"][0])(ZERO), -np.eye(3), atol=1e-9)
    np.testing.assert_allclose(autoopt.hessian(SMOOTH["hypot"][0])(np.zeros(2)), -np.eye(2), atol=1e-9)


TRUE = {
    "abs": (lambda x: np.sum(np.abs(x)), np.zeros(3)),
    "hinge": (lambda x: np.sum(np.maximum(0, x)), np.full(3, 0.5)),
    "hinge squared": (lambda x: np.sum(np.maximum(0, x) ** 2), np.zeros(3)),
    "median": (lambda x: np.median(x), np.full(3, 1 / 3)),
    "max": (lambda x: np.max(x), np.full(3, 1 / 3)),
    "where": (lambda x: np.sum(np.where(x > 0, 2 * x, x)), np.ones(3)),
}


@pytest.mark.parametrize("name", [name for name in TRUE if name != "median"])
def test_true_kinks_keep_their_convention(name) -> None:
    f, slopes = TRUE[name]
    objective = autoopt.objective(f, np.array([0.4, -0.2, 0.1]))
    for _ in range(2 * 3):  # closer and less close looks
        np.testing.assert_allclose(objective.grad(ZERO), slopes, atol=1e-12)


def test_a_kink_and_a_smooth_part_at_one_point() -> None:
    def f(w):
        return np.sum(np.abs(w[:1])) + np.sum(np.where(w[1:] > 0, w[1:], 0) + np.log(1 + np.exp(-abs(w[1:]))))

    np.testing.assert_allclose(autoopt.grad(f)(ZERO), [0, 0.5, 0.5], atol=1e-12)
    np.testing.assert_allclose(autoopt.hessian(f)(ZERO), np.diag([0, 0.25, 0.25]), atol=1e-9)


def test_ties_that_are_everywhere_are_looked_at_once() -> None:
    objective = autoopt.objective(lambda x: np.sum(distance(x)), np.array([0.1, 0.5, 0.9]))
    for point in RANDOM.normal(size=(4, 3)):
        objective.value_and_grad(point)
    compiled = objective.dispatch.paths[0].compiled["value_and_grad"]
    assert compiled.stationary == 3
    np.testing.assert_allclose(objective.grad(np.array([0.1, 0.5, 0.9])), [-4, 0, 4])


def sigmoids_of_rows(w, X):
    z = X @ w
    e = np.exp(-np.abs(z))
    return np.sum(np.where(z >= 0, 1 / (1 + e), e / (1 + e)))


@pytest.mark.parametrize("transform", [True, False])
def test_ties_that_were_everywhere_are_counted_anew_in_data_that_are_written_into(transform) -> None:
    X = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.5, -1.0]])
    w = np.array([1.0, 1.0])
    function = autoopt.grad(sigmoids_of_rows) if transform else None
    objective = autoopt.objective(sigmoids_of_rows, w, X)

    def gap(w):
        s = 1 / (1 + np.exp(-X @ w))
        return np.abs((function(w, X) if transform else objective.grad(w)) - X.T @ (s * (1 - s))).max()

    assert max(gap(w), gap(1.1 * w)) < 1e-15
    X[1], X[2] = [1.0, -1.0], [2.0, -2.0]
    assert gap(w) < 1e-15


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_ties_that_are_everywhere_are_those_of_the_data_that_are_bound(engine) -> None:
    def f(w, rows):
        z = rows @ w
        return np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))

    def smooth(w, rows):
        return rows.T @ sigmoid(rows @ w)

    padded, full = X.copy(), X.copy()
    padded[:4] = 0.0
    one = autoopt.objective(f, np.ones(3), padded, engine=engine)
    one.value_and_grad(np.ones(3))
    other = one.twin()
    assert other.rebind((full,))
    for point in (np.array([0.3, -0.2, 0.1]), ZERO, np.array([1.0, 2.0, -0.5])):
        for objective, rows in ((one, padded), (other, full), (one, padded)):
            np.testing.assert_allclose(objective.grad(point), smooth(point, rows), rtol=1e-9, atol=1e-12)
    assert one.dispatch.paths[0].compiled["value_and_grad"].stationary == 4
    assert other.dispatch.paths[0].compiled["value_and_grad"].stationary == 0
    one.hess(ZERO), other.hess(ZERO)
    for objective, rows in ((one, padded), (other, full)):
        np.testing.assert_allclose(objective.hess(ZERO), 0.25 * rows.T @ rows, rtol=1e-9, atol=1e-12)


def test_pairwise_distances_whose_diagonal_rounds_to_zero() -> None:
    def f(w):
        points = w.reshape(3, 2)
        squares = np.sum(points**2, 1)
        return np.sum(np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * points @ points.T, 0)))

    def plain(w):
        points = w.reshape(3, 2)
        return 2 * sum(np.sqrt(np.sum((points[i] - points[j]) ** 2)) for i in range(3) for j in range(i))

    w = np.array([0.1, 0.7, 0.3, 0.9, 1.3, 0.2])
    np.testing.assert_allclose(autoopt.grad(f)(w), autoopt.grad(plain)(w), rtol=1e-6)


def cardinal(r):
    return np.sin(r) / r if r > 0 else 1.0


CARDINAL = {
    "root": (lambda x: cardinal(np.sqrt(x @ x)), -1 / 3),
    "norm": (lambda x: cardinal(np.linalg.norm(x)), -1 / 3),
    "sum": (lambda x: x @ x * np.exp(-x @ x) + cardinal(np.linalg.norm(x)), 5 / 3),
    "where": (lambda x: (lambda r: np.where(r > 0, np.sin(r) / np.where(r > 0, r, 1), 1))(np.hypot(*x)), -1 / 3),
    "cosine": (lambda x: (lambda r: np.where(r > 0, (1 - np.cos(r)) / np.where(r > 0, r, 1) ** 2, 0.5))(np.hypot(*x)),
               -1 / 12),
}  # fmt: skip


@pytest.mark.slow_for("where-zeros", "sum-beside")
@pytest.mark.parametrize("start", [[0.0, 0.0], [0.3, 0.4]], ids=["zeros", "beside"])
@pytest.mark.parametrize("name", CARDINAL)
@pytest.mark.sampled(7)
def test_a_branch_of_zero_has_the_curvature_around(name, start) -> None:
    """Where rounding covers it close by, too: (1 - cos r) / r**2 has few digits there."""
    f, curvature = CARDINAL[name]
    objective = autoopt.objective(f, np.array(start))
    zero, direction = np.zeros(2), np.array([0.3, 1.0])
    np.testing.assert_allclose(objective.grad(zero), 0.0, atol=1e-9)
    np.testing.assert_allclose(objective.hess(zero), curvature * np.eye(2), atol=1e-6)
    np.testing.assert_allclose(objective.hessp(zero, direction), curvature * direction, atol=1e-6)


HELD = {
    "maximum": lambda u: np.maximum(u, 0),
    "clip": lambda u: np.clip(u, 0, None),
    "clip on both sides": lambda u: np.clip(u, 0, 1e9),
    "abs": np.abs,
    "where": lambda u: np.where(u > 0, u, 0),
    "mask": lambda u: u * (u > 0),
}


@pytest.mark.slow_for("clip on both sides", "mask")
@pytest.mark.parametrize("held", HELD)
@pytest.mark.sampled(7)
def test_kernels_of_distances_between_equal_points(held) -> None:
    """Two rows are the same for all parameters, as in every kernel matrix each is the same as itself."""
    rows = np.array([[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [0.3, 0.4]])

    def f(w):
        points = rows * w
        gram = points @ points.T
        squares = np.diag(gram)[:, None] + np.diag(gram) - 2 * gram
        distances = np.sqrt(HELD[held](squares))
        return np.sum((1 + distances) * np.exp(-distances))

    def plain(w):
        u = [np.sqrt(np.sum(((a - b) * w) ** 2)) for k, a in enumerate(rows) for b in rows[:k] if np.any(a != b)]
        return 2 * sum((1 + d) * np.exp(-d) for d in u)

    w = np.array([1.0, 0.7])
    objective = autoopt.objective(f, w)
    for point in (w, 1.1 * w):
        np.testing.assert_allclose(objective.grad(point), autoopt.grad(plain)(point), rtol=1e-6)
        np.testing.assert_allclose(objective.hess(point), autoopt.hessian(plain)(point), rtol=1e-5)


@pytest.mark.slow
def test_symmetric_functions_at_equal_eigenvalues() -> None:
    def squares(x):
        return np.sum(np.linalg.eigvalsh(np.array([[x[0], x[1]], [x[1], x[2]]])) ** 2)

    def singular(x):
        return np.sum(np.linalg.svd(x.reshape(2, 2), compute_uv=False) ** 2)

    np.testing.assert_allclose(autoopt.hessian(squares)(np.array([1.0, 0.0, 1.0])), np.diag([2.0, 4.0, 2.0]), atol=1e-7)
    np.testing.assert_allclose(autoopt.hessian(singular)(np.array([1.0, 0, 0, 1.0])), 2 * np.eye(4), atol=1e-7)


def test_quotients_beyond_where_their_parts_overflow() -> None:
    def part(x):
        return np.exp(x)[0] / np.exp(x).sum()

    p = 1 / (1 + np.exp(-1.0))
    slope, curvature = p * (1 - p), p * (1 - p) * (1 - 2 * p)
    x = np.array([700.0, 699.0])
    np.testing.assert_allclose(autoopt.grad(part)(x), [slope, -slope], rtol=1e-9)
    np.testing.assert_allclose(autoopt.hessian(part)(x), curvature * np.array([[1, -1], [-1, 1]]), rtol=1e-9)
    assert autoopt.grad(lambda x: np.sum(1 / np.cosh(x)))(np.array([800.0, -800.0])).tolist() == [0, 0]
    u = np.array([0.7])
    derived = autoopt.hessian(lambda x: np.sum(1 / np.cosh(x)))(u)[0, 0]
    np.testing.assert_allclose(derived, (np.tanh(u) ** 2 - 1 / np.cosh(u) ** 2) / np.cosh(u))


def test_the_exported_source_does_not_count_ties() -> None:
    text = printed(max_loss, ZERO)
    assert "Tied" not in text and "count_nonzero" not in text
    namespace: dict = {}
    exec(text, namespace)
    np.testing.assert_allclose(namespace["value_and_grad"](ZERO, X, Y)[1], X.T @ (0.5 - Y), rtol=1e-12)


@pytest.mark.parametrize("function", KINKS)
def test_every_function_with_a_kink_is_met_by_a_function_here(function) -> None:
    """Each entry of the table finds the tie of a call of its own."""
    calls = {
        np.clip: lambda x: np.sum(np.clip(x, 0.0, 1.0)),
        np.max: lambda x: np.max(x),
        np.min: lambda x: np.min(x),
        np.linalg.norm: lambda x: np.linalg.norm(x),
        np.linalg.matrix_norm: lambda x: np.linalg.matrix_norm(x.reshape(1, 3)),
        np.quantile: lambda x: np.quantile(x, 0.5),
        np.percentile: lambda x: np.percentile(x, [25, 75]).sum(),
        np.argsort: lambda x: x[np.argsort(x)][0],
        np.argmax: lambda x: x[np.argmax(x - np.array([0.0, 0.0, 1.0]))],
        np.argmin: lambda x: x[np.argmin(np.array([0.0, 0.0, 1.0]) - x)],
    }
    zero = dict.fromkeys((np.maximum, np.minimum, np.fmax, np.fmin, np.hypot), 0.0)
    zero |= dict.fromkeys((np.less, np.less_equal, np.greater, np.greater_equal), 0.0)
    second = zero | {np.copysign: 1.0, np.heaviside: 1.0}
    more = [second[function]] if function in second else []
    call = calls.get(function, lambda x: np.sum(x * function(x, *more)))

    def f(x):
        return call(x) + np.sum(x**2)

    objective = autoopt.objective(f, np.array([0.5, 0.2, 0.9]))
    objective.value_and_grad(np.array([0.5, 0.2, 0.9]))
    compiled = objective.dispatch.paths[0].compiled["value_and_grad"]
    with pytest.raises(compiled.tied):
        compiled.run(np.zeros(3))


def test_a_limit_is_found_to_rounding() -> None:
    limit, error = one_sided.extrapolated(lambda h: np.array([np.exp(h), np.sin(h) / h]), one_sided._STEPS)
    np.testing.assert_allclose(limit, [1.0, 1.0], rtol=1e-14)
    assert np.all(error < 1e-12)
