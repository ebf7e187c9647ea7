"""What stands in for the things of libraries: a row for each, by the name of its module.

    pd.Series(x)                   # a class of pandas.core.series               row "pandas", column `makers`
    table.loc[2:]                  # table: an object of pandas.core.frame       row "pandas", column `objects`
    stats.norm.logpdf(x)           # norm: of scipy.stats._continuous_distns     row "scipy.stats", column `objects`
    np.ma.log(x)                   # an object of numpy.ma.core that is called   row "numpy.ma", column `callables`
    special.logsumexp(x)           # written in Python, scipy.special._logsumexp row "scipy.special", column `functions`
    optimize.rosen(x)              # written in Python, scipy.optimize._optimize row "scipy", column `functions`

The row that counts is the nearest one above the module that fills the column. A column is a function of the instrument,
the thing and its name, which returns `NotImplemented` of what it does not know: `Instrument` goes on asking then. Which
column is asked when, the instrument says, as a thing may be known in several ways.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from autoopt.origin import DATA_LIBRARIES
from autoopt.tracing.arrays.types import type_stand_in
from autoopt.tracing.frames.labelled import Labelled
from autoopt.tracing.frames.library import data_library
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins import calls, elements, modes
from autoopt.tracing.standins import python as scalars

StandIn = Callable[[Any, Any, str], Any]
"""A function of the instrument, a thing of a library and its name that returns what stands in for the thing."""


@dataclass(frozen=True)
class Library:
    """What stands in for the things of a library.

    Attributes
    ----------
    makers : StandIn or None
        For functions and classes, before anything else is known of them.
    objects : StandIn or None
        For objects of its classes.
    methods : StandIn or None
        For bound methods of these.
    callables : StandIn or None
        For what can be called, in whichever language it is written.
    functions : StandIn or None
        For functions that are written in Python.
    """

    makers: StandIn | None = None
    objects: StandIn | None = None
    methods: StandIn | None = None
    callables: StandIn | None = None
    functions: StandIn | None = None


def stand_in(column: str, module: str, instrument: Any, value: Any, name: str = "") -> Any:
    """Return what the row of a module has in a column for a thing, NotImplemented if it has nothing."""
    make = _nearest(column, module)
    return NotImplemented if make is None else make(instrument, value, name)


@functools.cache
def _nearest(column: str, module: str) -> StandIn | None:
    """Return what the nearest row at or above a module has in a column."""
    while module:
        if module in LIBRARIES and (make := getattr(LIBRARIES[module], column)) is not None:
            return make
        module = module.rpartition(".")[0]
    return None


def maker(instrument: Any, value: Any) -> Any:
    """Return the stand-in for a function or class of a library that makes objects with stand-ins of their own."""
    if not isinstance(value, type | FunctionType | BuiltinFunctionType):
        return NotImplemented
    return stand_in("makers", str(getattr(value, "__module__", "") or ""), instrument, value)


def object_of(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for an object of a class of a library."""
    replaced = stand_in("objects", type(value).__module__, instrument, value, name)
    if replaced is not NotImplemented:
        return replaced
    if isinstance(value, np.errstate):
        return modes.entered(instrument.tracer, value)
    if isinstance(value, np.vectorize):
        instrument.note(vars(value))
        inner = instrument.substitute(value.pyfunc)
        return elements.Vectorized(instrument.tracer, inner, value.otypes or "", value.excluded)
    return NotImplemented


def called(instrument: Any, value: Callable) -> Any:
    """Return the stand-in for something of a library that can be called."""
    return stand_in("callables", str(getattr(value, "__module__", "") or type(value).__module__), instrument, value)


# Libraries of tables --------------------------------------------------------------------------------------------------


def _tables(instrument: Any, library: str) -> Labelled:
    """Return what keeps the stand-ins for the objects of a library of tables."""
    row = data_library(library)
    instrument.outside.notes.states.update(row.states)
    return instrument.kept(library, row.tables)


def _table(instrument: Any, value: Any, name: str) -> Any:
    instrument.note(value)
    return _tables(instrument, _library_of(type(value))).wrap(value, name or None)


def _table_maker(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function or class of pandas or polars, which gives a stand-in."""
    library = _library_of(value)

    def call(tracer: Recorder, *args: Any, **kwargs: Any) -> Any:
        tables = _tables(instrument, library)
        if data_library(library).reads_files(value.__name__):
            instrument.outside.notes.file(None)
        return tables.call(value, args, kwargs)

    if isinstance(value, type):
        return type_stand_in(instrument.tracer, value, call)
    return functools.partial(call, instrument.tracer)


def _library_of(value: Any) -> str:
    return value.__module__.partition(".")[0]


# SciPy ----------------------------------------------------------------------------------------------------------------


def _sparse(instrument: Any, value: Any, name: str) -> Any:
    from autoopt.tracing.arrays.sparse import Matrices, is_sparse

    if not is_sparse(value):
        return NotImplemented
    instrument.note(value, below=True)
    return instrument.kept("scipy.sparse", Matrices).wrap(value, name)


def _sparse_maker(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function or class of scipy.sparse itself, not of its rooms for graphs and equations."""
    from autoopt.tracing.arrays import sparse_makers
    from autoopt.tracing.arrays.sparse import Matrices

    if value.__module__ == "scipy.sparse" or value.__module__.startswith(
        ("scipy.sparse.linalg", "scipy.sparse.csgraph")
    ):
        return NotImplemented

    def call(tracer: Recorder, *args: Any, **kwargs: Any) -> Any:
        return sparse_makers.made(instrument.kept("scipy.sparse", Matrices), value, args, kwargs)

    return (
        type_stand_in(instrument.tracer, value, call)
        if isinstance(value, type)
        else functools.partial(call, instrument.tracer)
    )


def _distribution(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a distribution of scipy.stats; a frozen one may be changed unnoticed."""
    from autoopt.tracing.stats import distributions  # imports scipy.special

    if not callable(value):
        instrument.note(value, below=True)
    return distributions.stand_in(instrument.tracer, value)


def _method_of_distribution(instrument: Any, value: Any, name: str) -> Any:
    return getattr(instrument.substitute(value.__self__), value.__name__)


def _curve(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for an interpolant made outside, which may change unnoticed; itself if there is none."""
    from autoopt.tracing.formulas.lookups import of_object  # imports scipy.interpolate

    instrument.note(value, below=True)
    return of_object(value) or value


def _opaque(instrument: Any, value: Any, name: str) -> Any:
    return calls.opaque(instrument.tracer, value)


def _transform(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function of scipy.fft, which looks up who is to compute it."""
    return _opaque(instrument, value, name) if type(value).__module__.endswith("uarray") else NotImplemented


def _of_integrate(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function of scipy.integrate: the sums over samples have rules of their own."""
    sums = value.__name__ in ("trapezoid", "cumulative_trapezoid")
    return (_opaque if sums else _copied)(instrument, value, name)


def _copied(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function of SciPy: its copy where something depends on the parameters."""
    if hasattr(value, "registry") and hasattr(value, "dispatch"):
        return NotImplemented
    follow = functools.partial(calls.library, instrument.tracer, value, instrument.copy(value))
    follow.__dict__.update(vars(value))  # SciPy keeps tables and counts on some of its functions
    return follow


# Others ---------------------------------------------------------------------------------------------------------------


def _masked_class(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for the class of masked arrays."""
    from autoopt.tracing.arrays import masked  # loads numpy.ma

    if value is not np.ma.MaskedArray:
        return NotImplemented
    return type_stand_in(instrument.tracer, value, functools.partial(masked.call, value))


def _of_masked(instrument: Any, value: Any, name: str) -> Any:
    from autoopt.tracing.arrays import masked

    return functools.partial(masked.call, value, instrument.tracer)


def _assertion(instrument: Any, value: Any, name: str) -> Any:
    return calls.assertion(instrument.tracer, value)


def _compiled(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for a function that numba has compiled: the Python function that it was made from."""
    original = getattr(value, "py_func", None)
    if isinstance(original, FunctionType):
        copied = instrument.substitute(original)
        copied.py_func = copied
        return copied
    original = getattr(getattr(value, "_dispatcher", None), "py_func", None)
    if original is None:
        return value
    return elements.Vectorized(instrument.tracer, instrument.substitute(original), None)


def _exact(instrument: Any, value: Any, name: str) -> Any:
    """Return the stand-in for the class `Decimal` or `Fraction`, whose numbers a trace does not follow."""
    if not isinstance(value, type) or value.__name__ not in ("Decimal", "Fraction"):
        return NotImplemented
    tracer = instrument.tracer
    kind: Any = type_stand_in(tracer, value, scalars.exact(value))
    kind.from_float = kind
    tracer.types[value] = kind
    return kind


LIBRARIES: dict[str, Library] = {
    **dict.fromkeys(DATA_LIBRARIES, Library(makers=_table_maker, objects=_table)),
    **dict.fromkeys(
        ("scipy.special", "scipy.linalg", "scipy.fftpack", "scipy.signal", "scipy.spatial"), Library(functions=_opaque)
    ),
    "scipy": Library(functions=_copied),
    "scipy.fft": Library(callables=_transform, functions=_opaque),
    "scipy.integrate": Library(functions=_of_integrate),
    "scipy.interpolate": Library(objects=_curve, functions=_opaque),
    "scipy.sparse": Library(makers=_sparse_maker, objects=_sparse),
    "scipy.stats": Library(objects=_distribution, methods=_method_of_distribution, functions=_opaque),
    "numpy.ma": Library(makers=_masked_class, callables=_of_masked),
    "numpy.testing": Library(functions=_assertion),
    "numba": Library(objects=_compiled),
    "decimal": Library(makers=_exact),
    "fractions": Library(makers=_exact),
}
"""By the name of a module, also of one within a package; those of a package hold for its modules without rows."""
