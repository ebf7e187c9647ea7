"""scipy.spatial.distance: each metric by its definition on the last axis, for two points, pairs and all pairs.

At distance 0 the slope is 0, as of norms and absolute values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from scipy.spatial import distance

from autoopt.tape.signatures import Unsupported
from autoopt.tracing.formulas.table import array, formula

# Metrics on the last axis ---------------------------------------------------------------------------------------------


def _euclidean(u, v, w=None):
    return np.linalg.norm(u - v if w is None else np.sqrt(w) * (u - v), axis=-1)


def _sqeuclidean(u, v, w=None):
    return _sum((u - v) ** 2, w)


def _cityblock(u, v, w=None):
    return _sum(np.abs(u - v), w)


def _chebyshev(u, v, w=None):
    return np.max(np.abs(u - v) if w is None else np.abs(u - v) * (np.asarray(w) > 0), axis=-1)


def _minkowski(u, v, p=2, w=None):
    """The p-norm of the difference."""
    weights = 1.0 if w is None else np.power(w, 1 / p)
    return np.linalg.norm(weights * (u - v), ord=p, axis=-1)


def _seuclidean(u, v, V):
    return np.linalg.norm((u - v) / np.sqrt(V), axis=-1)


def _mahalanobis(u, v, VI):
    delta = u - v
    return np.sqrt(np.sum((delta @ VI) * delta, axis=-1))


def _cosine(u, v, w=None):
    return 1.0 - _sum(u * v, w) / np.sqrt(_sum(u * u, w) * _sum(v * v, w))


def _correlation(u, v, w=None):
    shares = 1.0 / u.shape[-1] if w is None else np.asarray(w) / np.sum(w)
    centred = (part - np.sum(part * shares, axis=-1, keepdims=True) for part in (u, v))
    return _cosine(*centred, w)


def _canberra(u, v, w=None):
    """The sum of |u - v| / (|u| + |v|), where 0 / 0 counts as 0."""
    total = np.abs(u) + np.abs(v)
    empty = total == 0
    return _sum(np.where(empty, 0.0, np.abs(u - v) / np.where(empty, 1.0, total)), w)


def _braycurtis(u, v, w=None):
    return _sum(np.abs(u - v), w) / _sum(np.abs(u + v), w)


def _jensenshannon(p, q, base=None):
    """The square root of the mean of the relative entropies of p and q to their mean."""
    from scipy.special import rel_entr

    p, q = (part / np.sum(part, axis=-1, keepdims=True) for part in (p, q))
    mean = (p + q) / 2.0
    divergence = np.sum(rel_entr(p, mean), axis=-1) + np.sum(rel_entr(q, mean), axis=-1)
    return np.sqrt(divergence / (2.0 if base is None else 2.0 * np.log(base)))


def _hamming(u, v, w=None):
    weights = np.ones(u.shape[-1]) if w is None else np.asarray(w)
    return np.sum((u != v) * (weights / np.sum(weights)), axis=-1)


def _sum(terms, w):
    return np.sum(terms if w is None else w * terms, axis=-1)


METRICS: dict[str, Callable] = {
    "euclidean": _euclidean,
    "sqeuclidean": _sqeuclidean,
    "cityblock": _cityblock,
    "chebyshev": _chebyshev,
    "minkowski": _minkowski,
    "seuclidean": _seuclidean,
    "mahalanobis": _mahalanobis,
    "cosine": _cosine,
    "correlation": _correlation,
    "canberra": _canberra,
    "braycurtis": _braycurtis,
    "jensenshannon": _jensenshannon,
    "hamming": _hamming,
}
_SHORT = {
    "euclid": "euclidean",
    "sqe": "sqeuclidean",
    "sqeuclid": "sqeuclidean",
    "cheby": "chebyshev",
    "chebychev": "chebyshev",
    "js": "jensenshannon",
}


def _of_two(name: str) -> Callable:
    """Return the formula of a metric of two points, under SciPy's parameter names."""

    def measure(*args, **kwargs):
        arguments = inspect.signature(getattr(distance, name)).bind(*args, **kwargs).arguments
        first, second, *given = arguments.items()
        options = {key: value for key, value in given if value is not None}
        if set(options) - set(inspect.signature(METRICS[name]).parameters):
            raise Unsupported(f"scipy.spatial.distance.{name} with {', '.join(options)}=", "leave it out")
        return METRICS[name](array(first[1]), array(second[1]), **options)

    return measure


for _name in METRICS:
    formula(getattr(distance, _name))(_of_two(_name))


# Pairs ----------------------------------------------------------------------------------------------------------------


def _metric(name, options: dict, points: Callable) -> Callable:
    """Return a metric with its options, which follow from all `points` where SciPy takes them from there."""
    if callable(name):
        raise Unsupported("scipy.spatial.distance with a function for its metric", "call the function for each pair")
    name = _SHORT.get(name, name)
    if name not in METRICS:
        raise Unsupported(f"scipy.spatial.distance with metric={name!r}", "write the distance with NumPy functions")
    options = {key: value for key, value in options.items() if value is not None and key != "out"}
    if name == "seuclidean" and "V" not in options:
        options["V"] = np.var(points(), axis=0, ddof=1)
    if name == "mahalanobis" and "VI" not in options:
        options["VI"] = np.transpose(np.linalg.inv(np.cov(np.transpose(points()))))
    return lambda u, v: METRICS[name](u, v, **options)


@formula(distance.cdist)
def cdist(XA, XB, metric="euclidean", **kwargs):
    measure = _metric(metric, kwargs, lambda: np.concatenate([XA, XB]))
    return measure(XA[:, None, :], XB[None, :, :])


@formula(distance.pdist)
def pdist(X, metric="euclidean", **kwargs):
    measure = _metric(metric, kwargs, lambda: X)
    first, second = np.triu_indices(X.shape[0], 1)
    return measure(X[first], X[second])


@formula(distance.squareform)
def squareform(X, force="no", checks=True):
    if np.ndim(X) == 2:
        return X[np.triu_indices(X.shape[0], 1)]
    n = int(np.ceil(np.sqrt(2 * len(X))))
    rows, columns = np.triu_indices(n, 1)
    place = np.zeros((n, n), int)
    place[rows, columns] = place[columns, rows] = 1 + np.arange(len(X))
    return np.take(np.concatenate([np.zeros(1), X]), place)
