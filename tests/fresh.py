"""A time in which nothing derived before is known, nor after it what was derived in it: for rules that are broken."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

from autoopt.execution import source_cache
from autoopt.execution.eager import program
from autoopt.execution.eager.derivatives import KINDS_OF_STEP
from autoopt.objectives import retained


@contextlib.contextmanager
def fresh() -> Iterator[None]:
    """Give a context in which no source is read or kept, and nothing known of the functions that were met before."""
    _forget()
    nothing = {"read": lambda key: None, "write": lambda key, text: text, "remembered": lambda key, text: text}
    with mock.patch.multiple(source_cache, **nothing), mock.patch.object(KINDS_OF_STEP, "_known", {}):
        yield
    _forget()


def _forget() -> None:
    retained.forget()
    program._quick_pull.cache_clear()
