"""Tracing: a plain function, run once on traced arrays, becomes a tape."""

from autoopt.tracing.trace import Trace, trace

__all__ = ["Trace", "trace"]
