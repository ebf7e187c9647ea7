"""Texts made of traced values: json."""

from __future__ import annotations

import json
from typing import Any

from autoopt.tracing.standins.table import stands_in


@stands_in(json.dumps)
def _json(tracer, value, *args, **kwargs):
    return json.dumps(_shown(tracer, value), *args, **kwargs)


def _shown(tracer, value: Any) -> Any:
    """Return what is in lists and dictionaries with the numbers of traced values in their place, as for any text."""
    if type(value) is tracer.array:
        return tracer.show(value)
    if isinstance(value, dict):
        return {key: _shown(tracer, part) for key, part in value.items()}
    return [_shown(tracer, part) for part in value] if isinstance(value, list | tuple) else value
