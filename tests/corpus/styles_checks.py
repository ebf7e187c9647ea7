"""Defensive code: try/except, assert, print, logging, warnings, isinstance, dtype, eval, strings, docstrings."""

import logging
import sys
import warnings
from typing import Optional, Union

import numpy as np
from scipy.linalg import LinAlgError

from corpus.table import Case

log = logging.getLogger(__name__)
rng = np.random.default_rng(1414)


def checks_everything(x: Union[np.ndarray, list], scale: Optional[float] = None) -> float:
    if not isinstance(x, np.ndarray):
        raise TypeError("x must be an array")
    if x.ndim != 1 or x.shape[0] < 2:
        raise ValueError(f"bad shape {x.shape}")
    if x.dtype != np.float64:
        x = x.astype(np.float64)
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError
    x = np.atleast_1d(np.asarray(x, dtype=float)).ravel()
    scale = 1.0 if scale is None else scale
    assert np.all(np.isfinite(x)), "not finite"
    return float(scale * np.sum(x**2) + x[0])


def scalar_or_array(v):
    return np.exp(v) if np.isscalar(v) else np.sum(np.exp(v))


def mixed_scalars(x):
    a = x[0]
    if isinstance(a, (int, float, np.floating)):
        a = float(a)
    else:
        a = a * 1.0
    b = np.float64(x[1]) * 2
    d = np.array(x[2]).reshape(1)[0]
    return scalar_or_array(a) + scalar_or_array(np.array([b, d])) + np.ndim(b) + np.size(x)


def prints_progress(x):
    f = np.sum((x - 1) ** 4)
    print("x =", x, "f = %g" % f, f"{f:.3e} {x[0]:8.3f}", str(f), repr(x))
    log.debug("value %s at %r", f, x)
    sys.stdout.write("{}\n".format(f))
    return f


def falls_back(x):
    M = np.array([[1.0, x[0]], [x[0], 1.0]])
    try:
        L = np.linalg.cholesky(M)
        return 2 * np.sum(np.log(np.diag(L))) + x[1] ** 2
    except (np.linalg.LinAlgError, LinAlgError):
        return 10 * x[0] ** 2 + x[1] ** 2


def divides_or_not(x):
    try:
        v = 1 / len(x[2:])
    except ZeroDivisionError:
        v = 0.5
    finally:
        w = 2.0
    try:
        d = {"a": 1.0}["b"]
    except KeyError as e:
        d = len(e.args)
    return v * x[0] ** 2 + w * x[1] ** 2 + d


def evaluates_text(x, formula):
    a, b = x
    return eval(formula, {"np": np, "a": a, "b": b, "exp": np.exp}) + eval("a * b + abs(a)")


def executes_formulas(x, formulas):
    scope = {"x": x, "sin": np.sin}
    return sum(eval(compile(text, "<model>", "eval"), scope) for text in formulas)


def dispatch_by_name(x, method="square"):
    fn = getattr(np, method)
    g = globals()["scalar_or_array"]
    return fn(x).sum() + g(x) + getattr(x, "mean")() + getattr(np, "cos")(x[0])


def warns(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        z = np.log(np.abs(x))
    if np.isnan(z).any() or np.isinf(z).any():
        return np.inf
    return np.dot(z, z)


def type_names(x):
    kind = type(x).__name__
    unit = 2.0 if kind == "ndarray" else 3.0
    same = x.size == len(x) == x.shape[0] == np.shape(x)[0]
    return unit * np.sum(x**2) if same else 0.0


def numpy_scalar_types(x):
    s = np.float64(0.0)
    for v in x:
        s = s + v * np.float32(0.5) + np.int64(2) * v ** np.int32(2)
    return s.item() if hasattr(s, "item") else s


def string_keys(x, config):
    loss = {"l2": lambda r: 0.5 * r**2, "log": lambda r: np.log1p(r**2)}[config["loss"]]
    w = config.get("weights")
    r = x - config["target"]
    out = loss(r)
    if w is not None:
        out = out * w
    return out.mean() if config.setdefault("reduce", "mean") == "mean" else out.sum()


def comparisons(x):
    big = np.greater(x, 0.5) & ~np.isclose(x, 2.0) | np.less_equal(x, -3)
    n = np.logical_and(x > 0, x < 1).sum()
    eq = np.array_equal(x, x) and np.allclose(x, x + 1e-12)
    return np.sum(x[big] ** 2) + n * x[0] + bool(eq) * x[1] ** 2


def identity_functions(x):
    y = np.ascontiguousarray(np.array(x, copy=True, dtype=float, ndmin=1))
    y = np.squeeze(np.expand_dims(y, 0))
    y = np.broadcast_to(y, (2, len(y))).mean(axis=0)
    y = np.moveaxis(np.swapaxes(np.atleast_2d(y), 0, 1), 0, 1)[0]
    y = y.astype(float, copy=False).view()
    return y.real @ np.conj(y) + np.real_if_close(y).sum()


def default_mutables(x, seen=[], opts={"k": 2.0}):  # noqa: B006
    return opts["k"] * np.sum(x**2) + len(seen)


def global_counter(x):
    global EVALUATIONS
    EVALUATIONS += 1
    return np.sum(np.cosh(x)) if EVALUATIONS else 0.0


EVALUATIONS = 0
x3 = np.array([0.5, -0.3, 0.8])

CASES = [
    Case("checks_everything", checks_everything, x3, (2.0,), tags="isinstance dtype shape float assert"),
    Case("mixed_scalars", mixed_scalars, x3, tags="isinstance isscalar float64"),
    Case("prints_progress", prints_progress, x3, tags="print format logging"),
    Case("falls_back", falls_back, np.array([0.5, 0.2]), (), (np.array([1.5, 0.2]),), tags="try linalg-error"),
    Case("divides_or_not", divides_or_not, np.array([0.5, 0.2]), tags="try finally"),
    Case("evaluates_text", evaluates_text, np.array([0.5, 0.2]), ("np.sin(a) * exp(b) + a**2",), tags="eval"),
    Case("executes_formulas", executes_formulas, np.array([0.5, 0.2]), (["x[0]**2", "sin(x[1])", "x.sum()"],), tags="eval compile"),
    Case("dispatch_by_name", dispatch_by_name, x3, tags="getattr globals"),
    Case("warns", warns, x3, tags="warnings isnan"),
    Case("type_names", type_names, x3, tags="type-name shape"),
    Case("numpy_scalar_types", numpy_scalar_types, x3, tags="np.float32 item hasattr"),
    Case("string_keys", string_keys, x3, ({"loss": "log", "target": np.ones(3), "weights": np.arange(3)},), tags="dict-data strings"),
    Case("comparisons", comparisons, np.array([0.6, -0.3, 0.8]), tags="logical isclose"),
    Case("identity_functions", identity_functions, x3, tags="identity"),
    Case("default_mutables", default_mutables, x3, tags="default"),
    Case("global_counter", global_counter, x3, tags="global-write"),
]
