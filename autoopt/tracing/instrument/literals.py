"""Numbers in the text of a function as traced constants.

What a function computes from its literals alone, Python computes, and the record has the result. That suffices but
where a search starts from them: of `lo, hi = 0.0, 5.0` the middles, and what is computed of these, would be numbers
without a history, and the equation that the search solves would not be on the record. So such an objective is run a
second time, with its literals traced.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

import numpy as np

from autoopt.origin import is_library


def traced(tracer: Any, code: CodeType) -> CodeType:
    """Return a function's code with its literal floats, and those of functions within it, as traced constants."""
    if is_library(code):
        return code
    replaced = code.replace(co_consts=tuple(_traced(tracer, part) for part in code.co_consts))
    tracer.codes[id(replaced)] = replaced, code
    return replaced


def _traced(tracer: Any, value: Any) -> Any:
    if type(value) is float:
        return tracer.array(tracer, tracer.constant(value), np.float64(value), 0)
    if type(value) is tuple and any(type(part) is float for part in value):
        return tuple(_traced(tracer, part) for part in value)
    return traced(tracer, value) if isinstance(value, CodeType) else value
