"""What takes the place of `eval`, `exec` and `globals`, which work on the variables of the instrumented copy."""

from __future__ import annotations
import __future__

import builtins
import functools
import operator
import sys
import types

from autoopt.tracing.instrument.namespaces import namespace_of
from autoopt.tracing.standins.table import stands_in


@stands_in(builtins.eval)
def _eval(tracer, source, globals=None, locals=None):
    frame = sys._getframe(1)
    namespace = frame.f_globals if globals is None else globals
    names = dict(frame.f_locals if locals is None and globals is None else locals or {})
    instrumented = namespace_of(namespace)
    if not isinstance(source, str) or instrumented is None:
        return eval(_compiled(source, frame, "eval"), namespace, names)
    names = {name: value for name, value in names.items() if name.isidentifier()}
    made = _compiled(f"lambda {', '.join(names)}: ({source.strip()})", frame, "eval").co_consts[0]
    instrumented.complete(made)
    return types.FunctionType(made, namespace)(**names)


@stands_in(builtins.exec)
def _exec(tracer, source, globals=None, locals=None, **options):
    frame = sys._getframe(1)
    namespace = frame.f_globals if globals is None else globals
    own = frame.f_locals if isinstance(frame.f_locals, dict) else dict(frame.f_locals)  # a view since Python 3.13
    names = (own if globals is None else globals) if locals is None else locals
    instrumented, source = namespace_of(namespace), _compiled(source, frame, "exec")
    if instrumented is not None:
        instrumented.complete(source)
    return exec(source, namespace, names, **options)


def _compiled(source, frame, mode):
    """Return text as code, under the `from __future__` imports of the code in `frame` instead of this file's."""
    if not isinstance(source, str | bytes):
        return source
    features = (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
    flags = frame.f_code.co_flags & functools.reduce(operator.or_, features)
    return compile(source, f"<{'eval' if mode == 'eval' else 'string'}>", mode, flags, dont_inherit=True)


@stands_in(builtins.globals)
def _globals(tracer):
    variables = sys._getframe(1).f_globals
    if (instrumented := namespace_of(variables)) is not None:
        instrumented.complete_all()
    return variables
