"""What takes the place of functions under `functools.lru_cache`, whose results must not outlive a trace."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from autoopt.tracing.recording.recorder import Recorder

_KIND = type(functools.lru_cache(len))
_INFO = type(functools.lru_cache(len).cache_info())


def is_remembering(value: Any) -> bool:
    """Whether `value` is a Python function under `functools.lru_cache`."""
    return type(value) is _KIND and isinstance(value.__wrapped__, FunctionType)


class Remembered:
    """A function under `functools.lru_cache`, whose results of this run are kept for the time of the run.

    Traced numbers are told apart by identity: equal ones may have other derivatives.
    """

    def __init__(self, tracer: Recorder, function: Callable, parameters: dict) -> None:
        functools.update_wrapper(self, function)
        self._tracer, self._function, self._parameters = tracer, function, parameters
        self.cache_clear()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = tuple(map(self._key, args)), tuple((name, self._key(part)) for name, part in kwargs.items())
        if key not in self._results:
            self._misses += 1
            self._results[key] = self._function(*args, **kwargs), args, kwargs
        else:
            self._hits += 1
        return self._results[key][0]

    def _key(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._key, value))
        return ("traced", id(value)) if self._tracer.holds_traced(value) else (type(value), value)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def cache_clear(self) -> None:
        self._results: dict[Any, tuple] = {}
        self._hits = self._misses = 0

    def cache_info(self) -> tuple:
        return _INFO(self._hits, self._misses, self._parameters["maxsize"], len(self._results))

    def cache_parameters(self) -> dict:
        return dict(self._parameters)
