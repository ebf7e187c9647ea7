"""Random generators that the objective makes or seeds itself: each call draws the same numbers, which are constants.

A draw of a location-scale family with parameters that are followed is `location + scale * draw`, the draw being the
standard one of the same stream; each is compared with what the generator itself draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, indices
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.types import real, type_stand_in

_MAKERS = ("Generator", "RandomState", "SeedSequence", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64", "Random")
_STATE = ("get_state", "getstate", "bit_generator", "spawn")


def refused_random(tracer: Recorder, method: Callable) -> Callable:
    """Return a stand-in for a method of a random generator from outside, which a trace must not use."""

    def refuse(*args, **kwargs):
        raise TracingError(
            f"The objective draws random numbers ({method.__name__}) that no seed in it fixes, "
            "so every call is another function.",
            tracer.location(),
            "seed it inside the objective, or draw once, before the fit, and pass the numbers through args.",
        )

    return refuse


def draws(value: Any) -> bool:
    """Whether `value` is a random generator, of NumPy or of the standard library."""
    module = type(value).__module__
    return module.startswith("numpy.random") or module == "random"


class Random:
    """Stands in for a random generator from outside, which a trace must not use before it has seeded it."""

    def __init__(self, tracer: Recorder, original: Any) -> None:
        self._tracer, self._original, self._drawing = tracer, original, None

    def __getattr__(self, name):
        found = getattr(self._original, name)
        if name == "seed":
            return self._seed
        return refused_random(self._tracer, found) if self._drawing is None else getattr(self._drawing, name)

    def _seed(self, seed=None, *args):
        if seed is None:
            refused_random(self._tracer, self._original.seed)()
        self._original.seed(indices.decided(self._tracer, seed), *args)
        legacy = isinstance(self._original, np.random.RandomState)
        self._drawing = Draws(self._tracer, self._original) if legacy else self._original


def makes_generator(kind: type) -> bool:
    """Whether `kind` is a class of generators, of NumPy or of the standard library, or of what seeds them."""
    known = kind.__module__.startswith("numpy.random") or kind.__module__ == "random"
    return known and (kind.__name__ in _MAKERS or kind.__name__ == "SystemRandom")


def maker(tracer: Recorder, kind: type) -> type:
    """Return the stand-in for a class of generators."""
    return type_stand_in(tracer, kind, lambda tracer, *args, **kwargs: made(tracer, kind, *args, **kwargs))


def made(tracer: Recorder, make: Callable, *args: Any, **kwargs: Any) -> Any:
    """Return a generator that the objective makes: without a seed every call would be another function."""
    given = [*args, *kwargs.values()]
    if not given or given[0] is None or make.__name__ == "SystemRandom" or type(given[0]) is Random:
        refused_random(tracer, make)()
    if type(given[0]) is Draws and make.__name__ == "default_rng":
        return given[0]
    generator = make(*map(partial(_plain, tracer), args), **{key: _plain(tracer, part) for key, part in kwargs.items()})
    return Draws(tracer, generator) if isinstance(generator, np.random.Generator | np.random.RandomState) else generator


def _plain(tracer: Recorder, value: Any) -> Any:
    """Return an argument as plain numbers, guarded, and generators as they are."""
    if type(value) is Draws:
        return value._original
    return real(indices.decided(tracer, value))


def is_of_module(value: Any) -> bool:
    """Whether `value` is a function of `np.random` or `random` that uses or seeds the module's own generator."""
    seeds = getattr(value, "__name__", "") == "seed" and str(getattr(value, "__module__", "")).startswith(
        "numpy.random"
    )
    return seeds or draws(getattr(value, "__self__", None))


def of_module(tracer: Recorder, function: Callable) -> Callable:
    """Return the stand-in for a function of `np.random` or `random`: refused until the objective has seeded it."""
    name, generator = function.__name__, getattr(function, "__self__", None)
    module = "random" if type(generator).__module__ == "random" else "numpy"
    if draws(generator) and generator is not _own(module):
        return getattr(Random(tracer, generator), name)  # a method of a generator from outside

    def call(*args, **kwargs):
        if name == "seed" and (args or kwargs) and next(iter((*args, *kwargs.values()))) is not None:
            if module not in tracer.seeded and drawn(tracer, tracer.drawn, states()):
                refused_random(tracer, function)()  # numbers were drawn before
            tracer.seeded.add(module)
            return function(*_plain(tracer, args), **{key: _plain(tracer, part) for key, part in kwargs.items()})
        if name in ("set_state", "setstate"):
            tracer.seeded.discard(module)
        elif name not in ("get_state", "getstate") and module not in tracer.seeded:
            refused_random(tracer, function)()
        if module == "random" or name in ("get_state", "set_state"):
            return function(*args, **kwargs)
        return getattr(Draws(tracer, generator), name)(*args, **kwargs)

    return call


def _own(module: str) -> Any:
    """Return the generator that the functions of a module use."""
    return np.random.mtrand._rand if module == "numpy" else sys.modules["random"]._inst


def of_distribution(tracer: Recorder, distribution: Any, args: tuple, kwargs: dict) -> Any:
    """Return what `rvs` of a distribution of scipy.stats draws from the `random_state=` that it is given."""
    kwargs = dict(kwargs)
    state = kwargs.pop("random_state", None)
    if type(state) is Random or (state is None and "numpy" not in tracer.seeded):
        refused_random(tracer, distribution.rvs)()
    state = _plain(tracer, state)
    names = [name for name in (distribution.shapes or "").replace(",", " ").split()] + ["loc", "scale", "size"]
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    moving = [key for key, part in given.items() if tracer.level(part) == PARAMETER]
    if not moving:
        given = {key: _plain(tracer, part) for key, part in given.items()}
        return distribution.rvs(**given, random_state=state)
    if not isinstance(distribution, _continuous()) or not {"loc", "scale"}.issuperset(moving):
        raise Draws(tracer, None)._refusal("rvs", _REMEDY)
    plain = tracer.concrete(given)
    expected = distribution.rvs(**plain, random_state=deepcopy(state))
    given, size = {key: given[key] if key in moving else plain[key] for key in given}, plain.get("size")
    location, scale = given.pop("loc", 0.0), Draws(tracer, None)._never_negative(given.pop("scale", 1.0))
    given["size"] = np.shape(expected) if size is None and np.ndim(expected) else size
    found = location + scale * distribution.rvs(**given, random_state=state)
    if np.shape(found) != np.shape(expected) or not np.allclose(tracer.concrete(found), expected, 1e-9, 1e-12):
        raise Draws(tracer, None)._refusal("rvs", _REMEDY)
    return found


def _continuous() -> type:
    from scipy.stats import rv_continuous

    return rv_continuous


class Draws:
    """Stands in for a generator of NumPy that the objective has made."""

    def __init__(self, tracer: Recorder, original: Any) -> None:
        self._tracer, self._original = tracer, original

    @property
    def __class__(self):
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._original, name)
        if name == "spawn":
            return lambda count: [Draws(self._tracer, part) for part in found(count)]
        return partial(self._draw, name) if callable(found) and name not in _STATE else found

    def _draw(self, name: str, *args: Any, **kwargs: Any) -> Any:
        tracer = self._tracer
        if name == "shuffle":
            return self._shuffle(*args, **kwargs)
        if kwargs.get("out") is not None:
            raise self._refusal(f"{name}(out=...)", "leave out out=, and use what it returns.")
        args = tuple(map(tracer.whole, args))
        kwargs = {key: tracer.whole(part) for key, part in kwargs.items()}
        if tracer.level((args, kwargs)) == PARAMETER:
            return self._followed(name, args, kwargs)
        args, kwargs = _plain(tracer, args), {key: _plain(tracer, part) for key, part in kwargs.items()}
        found = getattr(self._original, name)(*args, **kwargs)
        if type(found) is np.ndarray and found.dtype.kind in "fiub":
            return tracer.array(tracer, tracer.constant(found), found, 0)
        return found

    def _shuffle(self, x: Any, axis: int = 0) -> None:
        """Put the entries of an array or a list in another order."""
        if axis != 0:
            raise self._refusal("shuffle(axis=...)", _REMEDY)
        plain, places = np.array(self._tracer.concrete(x)), np.arange(len(x))
        deepcopy(self._original).shuffle(plain)
        self._original.shuffle(places)
        if not np.array_equal(plain, np.array(self._tracer.concrete(x))[places], equal_nan=plain.dtype.kind == "f"):
            raise self._refusal("shuffle", _REMEDY)
        if isinstance(x, list):
            x[:] = [x[k] for k in places]
        else:
            x[...] = x[places]

    def _followed(self, name: str, args: tuple, kwargs: dict) -> Any:
        """Return a draw with parameters that are followed, and have the generator go on as it would."""
        tracer = self._tracer
        if name not in _FAMILIES:
            raise self._refusal(name, _REMEDY)
        names, build = _FAMILIES[name]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        before = deepcopy(self._original)
        try:
            expected = getattr(before, name)(*tracer.concrete(args), **tracer.concrete(kwargs))
        except Exception:
            tracer.tape.caught = True
            raise
        shapes = (np.shape(part) for key, part in given.items() if key in names[:2])
        size = given.pop("size", None)
        size = np.shape(expected) if size is None and any(shapes) else _plain(tracer, size)
        try:
            found = build(self, size, **given)
        except TypeError:
            raise self._refusal(name, _REMEDY) from None
        if np.shape(expected) != np.shape(found) or not np.allclose(tracer.concrete(found), expected, 1e-9, 1e-12):
            raise self._refusal(name, _REMEDY)
        return found

    def _refusal(self, name: str, remedy: str) -> TracingError:
        return UnsupportedFunctionError(
            f"The objective draws random numbers by .{name} with an argument that depends on its parameters, or that "
            "is written into; this is not followed.",
            self._tracer.location(),
            remedy,
        )

    def _never_negative(self, scale: Any) -> Any:
        """Return a scale; that none of it is negative, for which NumPy raises, holds for this record."""
        if self._tracer.level(scale) == PARAMETER:
            bool(functions.call_function(self._tracer, np.any, (scale < 0,), {}))
        return scale


_REMEDY = "draw standard numbers (rng.standard_normal, rng.random) and transform them, or pass jac='finite-difference'."


def _located(name: str) -> Callable:
    def build(draws: Draws, size: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
        return loc + draws._never_negative(scale) * getattr(draws._original, name)(size=size)

    return build


def _scaled(name: str) -> Callable:
    def build(draws: Draws, size: Any, scale: Any = 1.0) -> Any:
        return draws._never_negative(scale) * getattr(draws._original, name)(size=size)

    return build


def _uniform(draws: Draws, size: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    return low + draws._never_negative(high - low) * draws._original.uniform(size=size)


def _lognormal(draws: Draws, size: Any, mean: Any = 0.0, sigma: Any = 1.0) -> Any:
    return np.exp(mean + draws._never_negative(sigma) * draws._original.normal(size=size))


def _gamma(draws: Draws, size: Any, shape: Any, scale: Any = 1.0) -> Any:
    if draws._tracer.level(shape) == PARAMETER:
        raise draws._refusal("gamma", "use scipy.stats.gamma.ppf of uniform draws, or pass jac='finite-difference'.")
    return draws._never_negative(scale) * draws._original.gamma(_plain(draws._tracer, shape), size=size)


def _multivariate_normal(draws: Draws, size: Any, mean: Any, cov: Any, **options: Any) -> Any:
    tracer = draws._tracer
    count = np.shape(mean)[-1]
    size = size if size is None or np.ndim(size) == 0 or size[-1:] != (count,) else size[:-1]
    if tracer.level(cov) < PARAMETER:
        return mean + draws._original.multivariate_normal(np.zeros(count), _plain(tracer, cov), size, **options)
    if options.get("method") != "cholesky":
        remedy = "write mean + rng.standard_normal((size, n)) @ np.linalg.cholesky(cov).T."
        raise draws._refusal("multivariate_normal", remedy)
    shape = () if size is None else (size,) if np.ndim(size) == 0 else tuple(size)
    factor = functions.call_function(tracer, np.linalg.cholesky, (cov,), {})
    return mean + draws._original.standard_normal((*shape, count)) @ factor.T


_FAMILIES: dict[str, tuple[tuple[str, ...], Callable]] = {
    **{name: (("loc", "scale", "size"), _located(name)) for name in ("normal", "laplace", "logistic", "gumbel")},
    **{name: (("scale", "size"), _scaled(name)) for name in ("exponential", "rayleigh")},
    "uniform": (("low", "high", "size"), _uniform),
    "lognormal": (("mean", "sigma", "size"), _lognormal),
    "gamma": (("shape", "scale", "size"), _gamma),
    "multivariate_normal": (("mean", "cov", "size"), _multivariate_normal),
}
"""The names of what a method takes by position, and how the draw is made of standard ones."""


def states() -> tuple:
    """Return where the random generators of the standard library and of NumPy are, if they are loaded."""
    modules = sys.modules
    plain = modules["random"].getstate() if "random" in modules else None
    if "numpy.random" not in modules:
        return plain, None
    name, keys, position, *rest = np.random.get_state(legacy=True)  # noqa: NPY002  (what the user may draw from)
    return plain, (name, keys.tobytes(), position, *rest)


def drawn(tracer: Recorder, before: tuple, after: tuple) -> bool:
    """Whether the run has drawn from the generators of `random` and `np.random` without having seeded them."""
    pairs = zip(("random", "numpy"), before, after, strict=True)
    return any(name not in tracer.seeded and old is not None and old != new for name, old, new in pairs)
