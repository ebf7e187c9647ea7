"""A function, its gradient and its Hessian-vector product as decorators, under PyAutoDiff's names.

    @autoopt.gradient(wrt="y")          f(3.0, 5.0) binds x = 3.0 and y = 5.0, and returns df/dy
    def f(x, y):
        return x * y

What a call differentiates by becomes one dict of parameters, {"y": 5.0}, and all else data; what is compiled is kept
for calls of the same form.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autoopt.errors import UsageError
from autoopt.objectives import transforms
from autoopt.objectives.adapted import gathered
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.standins.followed import FOLLOWED
from autoopt.wording import listed, near

Wrt = str | int | Sequence[str | int] | None


def function(f: Callable | None = None) -> Callable:
    """Return `f` evaluated by compiled NumPy code, which is traced when it is first called.

    Parameters
    ----------
    f : callable, f(*args) -> scalar or array
        Plain NumPy code. Without it a decorator is returned: ``@autoopt.function()``.

    Returns
    -------
    callable
        Takes what `f` takes, and returns its value: a number, or an array. Where a branch is decided otherwise, or
        anything that `f` reads outside has changed, it is traced again.

    Examples
    --------
    >>> import autoopt
    >>> @autoopt.function
    ... def f(x):
    ...     return x**2
    >>> f(5.0)
    25.0
    """
    return _decorated(f, None, _value, "function")


def gradient(f: Callable | None = None, *, wrt: Wrt = None) -> Callable:
    """Return the function that gives the gradient of `f`.

    Parameters
    ----------
    f : callable, f(*args) -> scalar
        Plain NumPy code. Without it a decorator is returned: ``@autoopt.gradient(wrt="y")``.
    wrt : name or position of an argument, or a sequence of them, optional
        What to differentiate by: numbers, arrays of any shape, or nests of dicts, lists and tuples. By default all
        arguments.

    Returns
    -------
    callable
        Takes what `f` takes. Returns the gradient in the structure of the argument; a tuple of gradients in the order
        of `wrt` if that is a sequence, and in the order of the arguments if there are several and `wrt` is left out.

    Examples
    --------
    >>> import autoopt
    >>> @autoopt.gradient(wrt=("y", "x"))
    ... def f(x, y):
    ...     return x * y
    >>> [float(slope) for slope in f(3.0, 5.0)]
    [3.0, 5.0]
    """
    return _decorated(f, wrt, _gradient, "gradient")


def hessian_vector(f: Callable | None = None, *, wrt: Wrt = None) -> Callable:
    """Return the function that gives the product of the Hessian of `f` with `vectors`.

    Parameters
    ----------
    f, wrt
        See `gradient`. Several arguments are one point: the product is that with the Hessian by all of them.

    Returns
    -------
    callable
        Takes what `f` takes, and by name `vectors` (or `_vectors`, where `f` has an argument of that name): of the
        structure of the argument, a tuple of such if there are several. Returns the product in the same structure.

    Examples
    --------
    >>> import autoopt
    >>> @autoopt.hessian_vector
    ... def f(x):
    ...     return x**3
    >>> float(f(2.0, vectors=1.0))
    12.0
    """
    return _decorated(f, wrt, _product, "hessian_vector")


# One call of a decorated function -------------------------------------------------------------------------------------


class _Form(NamedTuple):
    """What calls must have in common to share compiled code.

    Attributes
    ----------
    parts : tuple of (str, int or str)
        What the parameters are called, and where they stand among the arguments: by position or by name.
    positional : int
        How many arguments there are by position.
    names : tuple of str
        Those by name.
    """

    parts: tuple[tuple[str, int | str], ...]
    positional: int
    names: tuple[str, ...]

    def gathered(self, f: Callable) -> Callable:
        """Return `f` as a function of the dict of its parameters, and of its other arguments."""
        places = [place for _, place in self.parts]
        own = {place: k for k, place in enumerate([*places, *self.others])}
        return gathered(f, tuple(own[k] for k in range(self.positional)), {name: own[name] for name in self.names})

    @property
    def others(self) -> list[int | str]:
        """Where the data stand."""
        places = {place for _, place in self.parts}
        return [place for place in (*range(self.positional), *self.names) if place not in places]


def _value(made: Callable, parts: dict, data: list, vectors: Any) -> Any:
    return made(parts, *data)


def _gradient(made: Callable, parts: dict, data: list, vectors: Any) -> tuple:
    return tuple(made(parts, *data).values())


def _product(made: Callable, parts: dict, data: list, vectors: Any) -> tuple:
    direction = vectors if isinstance(vectors, tuple) and len(parts) > 1 else (vectors,)
    if len(direction) != len(parts):
        raise UsageError(
            f"vectors has {len(direction)} parts for {len(parts)} arguments.",
            remedy=f"pass a tuple of one for each of {listed(list(parts))}.",
        )
    return tuple(made(parts, dict(zip(parts, direction, strict=True)), *data).values())


_TRANSFORMS = {_value: transforms.value, _gradient: transforms.grad, _product: transforms.hvp}


class _Decorated:
    """What a decorator has made of a function; `signature` is None where Python knows none."""

    def __init__(self, f: Callable, wrt: Wrt, evaluate: Callable, name: str) -> None:
        self.function, self.evaluate, self.name = f, evaluate, name
        try:
            self.signature: inspect.Signature | None = inspect.signature(f)
        except (TypeError, ValueError):
            self.signature = None
        self.single = isinstance(wrt, str | int)
        self.wrt = None if wrt is None else self._checked([wrt] if isinstance(wrt, str | int) else list(wrt))
        self.compiled: dict[_Form, Callable] = {}

    def _checked(self, wrt: list) -> list[str | int]:
        """Return what is differentiated by, if `f` has such arguments."""
        parameters = self.signature.parameters if self.signature else {}
        names = [name for name, one in parameters.items() if one.kind is not one.VAR_POSITIONAL]
        is_open = not parameters or any(
            one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters.values()
        )
        for one in wrt:
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise UsageError(f"wrt={one!r} is not understood.", remedy="pass names or positions of arguments.")
            if not is_open and (one not in names if isinstance(one, str) else not 0 <= one < len(names)):
                raise UsageError(
                    f"{self.function.__name__} has no argument {one!r}.{near(str(one), names)}",
                    definition(self.function),
                    f"choose of {listed(names)}.",
                )
        if not wrt:
            raise UsageError("wrt names no argument.", remedy="leave it out for all, or name those that are meant.")
        same = [names[one] if isinstance(one, int) and one < len(names) else one for one in wrt]
        if len(set(same)) < len(same):
            raise UsageError(f"wrt={tuple(wrt)!r} names an argument twice.", remedy="name each once.")
        return wrt

    def __call__(self, args: tuple, options: dict[str, Any]) -> Any:
        """Return the value, or derivatives, at these arguments."""
        vectors = self._vectors(options)
        form, values = self._arranged(args, options)
        if not form.parts:
            return self.function(*args, **options)  # a value of data alone
        made = self.compiled.get(form)
        if made is None:
            self._require_numbers({name: values[place] for name, place in form.parts})
            made = self.compiled[form] = _TRANSFORMS[self.evaluate](form.gathered(self.function))
        return self._result(made, form, values, vectors)

    def _require_numbers(self, parts: dict[str, Any]) -> None:
        """Raise a UsageError that names the arguments which cannot be differentiated by."""
        try:
            Structure.of(parts)
        except UsageError as problem:
            happened = problem.happened.replace("x0 holds", f"The arguments that {self.name} differentiates by hold")
            remedy = "name those that are finite numbers or arrays of them, as in wrt=('x', 'y')."
            raise UsageError(happened, definition(self.function), remedy) from None

    def followed(self, tracer: Any, substitute: Callable) -> Callable:
        """Return what stands in for it in an objective that is traced."""
        from autoopt.objectives.nested import Transformed  # few objectives take derivatives themselves

        own = substitute(self.function)

        def stand_in(*args: Any, **options: Any) -> Any:
            if self.evaluate is _value:
                return own(*args, **options)
            vectors = self._vectors(options)
            form, values = self._arranged(args, options)
            made = Transformed(tracer, _TRANSFORMS[self.evaluate], form.gathered(own), 0)
            return self._result(made, form, values, vectors)

        return stand_in

    def _result(self, made: Callable, form: _Form, values: dict, vectors: Any) -> Any:
        parts = {name: values[place] for name, place in form.parts}
        found = self.evaluate(made, parts, [values[place] for place in form.others], vectors)
        alone = self.single or (self.wrt is None and len(parts) == 1)
        return found[0] if alone and self.evaluate is not _value else found

    def _vectors(self, options: dict[str, Any]) -> Any:
        """Take the direction out of the keywords."""
        if self.evaluate is not _product:
            return None
        own = self.signature.parameters if self.signature else {}
        name = "_vectors" if "_vectors" in options or "vectors" in own else "vectors"
        if name not in options:
            raise UsageError(f"hessian_vector was called without {name}.", remedy=f"call it as f(x, {name}=v).")
        return options.pop(name)

    def _arranged(self, args: tuple, options: dict[str, Any]) -> tuple[_Form, dict[int | str, Any]]:
        """Return the form of a call, and its arguments by their places."""
        labels: dict[int | str, str] = {}
        if self.signature is not None:
            bound = self.signature.bind(*args, **options)
            if self.wrt is not None and not all(self._is_given(one, bound) for one in self.wrt):
                bound.apply_defaults()
            args, options = bound.args, bound.kwargs
            labels = dict(enumerate(self._labels(len(args))))
        values: dict[int | str, Any] = dict(enumerate(args))
        values.update(options)
        places = list(self._places(values, labels))
        named = tuple((labels.get(place, str(place)), place) for place in places)
        return _Form(named, len(args), tuple(options)), values

    def _is_given(self, one: str | int, bound: inspect.BoundArguments) -> bool:
        return one in bound.arguments if isinstance(one, str) else one < len(bound.args)

    def _labels(self, count: int) -> Iterator[str]:
        """Yield what the first arguments by position are called."""
        assert self.signature is not None
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, one in self.signature.parameters.items() if one.kind in kinds]
        rest = next((n for n, one in self.signature.parameters.items() if one.kind is one.VAR_POSITIONAL), "")
        for k in range(count):
            yield names[k] if k < len(names) else f"{rest}_{k - len(names)}"

    def _places(self, values: dict[int | str, Any], labels: dict[int | str, str]) -> Iterator[int | str]:
        """Yield where the arguments stand that are differentiated by."""
        by_name = {label: place for place, label in labels.items()}
        if self.wrt is not None:
            for one in self.wrt:
                place = by_name.get(one, one) if isinstance(one, str) else one
                if place not in values:
                    raise UsageError(f"{self.name} was called without the argument {one!r}.", remedy="pass it.")
                yield place
            return
        for place, value in values.items():
            if self.evaluate is _value:
                if _is_real(value):
                    yield place
            elif not (place == 0 and labels.get(0) == "self"):
                yield place


def _is_real(value: Any) -> bool:
    """Whether a value is a number or an array of floats, which compiled code takes as parameters."""
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def _decorated(f: Callable | None, wrt: Wrt, evaluate: Callable, name: str) -> Callable:
    """Return the function that a decorator makes of `f`, or the decorator if there is no `f` yet."""
    if f is None:
        return functools.partial(_decorated, wrt=wrt, evaluate=evaluate, name=name)
    if not callable(f):
        raise UsageError(
            f"autoopt.{name} takes a function, not {f!r}.",
            remedy=f"put @autoopt.{name} above its definition.",
        )
    made = _Decorated(f, wrt, evaluate, name)

    @functools.wraps(f)
    def derivative(*args: Any, **options: Any) -> Any:
        for part in (*args, *options.values()):
            if type(part) is TracedArray:
                return made.followed(part.tracer, part.tracer.substitute)(*args, **options)
        return made(args, options)

    setattr(derivative, FOLLOWED, made.followed)
    return derivative
