"""The recorder of one trace: it turns calls on traced arrays into steps of a tape."""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from autoopt.errors import Location, TracingError, UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.names import qualified
from autoopt.tape.operations import component, pack, put
from autoopt.tape.simplify import SHAPED_BY_VALUE
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Guard, Leaf, Slot, Step, Tape
from autoopt.tracing.recording.clocks import Moment
from autoopt.tracing.recording.comparisons import COMPARISONS
from autoopt.tracing.recording.failing import RETURNING, is_handled, may_raise, returned, returned_number
from autoopt.tracing.recording.texts import is_for_a_reader

_FLOAT = np.dtype(float)
_COMPLEX = np.dtype(complex)
_ARRAYS = (np.ndarray, np.generic)
_step = tuple.__new__
_SCALARS = (float, int, bool, np.generic)

MOST_STEPS = 4_000_000
"""A longer trace is refused: it would need more than about 3 GB until the loop is an array step."""

MOST_BYTES = 2**31
"""A trace is refused, too, that keeps more bytes than this of arrays that do not depend on its parameters."""


class Tracer:
    """Records the steps of one run of the objective.

    Attributes
    ----------
    tape : Tape
        The record so far.
    array : type
        The class of traced arrays, handed in so that this file need not know it.
    pair : type
        The class of complex values that depend on the parameters.
    types : dict of type to type
        The stand-ins for builtin types that the run has seen.
    shown : bool
        Whether a value that depends on the parameters was turned into a text that is not only shown.
    analytic : list or None
        While an integrand is traced, what is smooth in it although its steps have kinks.
    estimates : set of int
        The guards (by id) that say whether an approximation still suffices.
    free_name : callable
        Gives a name to a further input.
    outside : int
        The identity of the frame that runs the objective.
    side_effects : SideEffects
        What the run leaves outside.
    buffers : Buffers or None
        The arrays from outside that may be written into, in a run that follows this.
    wrote_outside : bool
        Whether a value of the parameters was refused as one of an array from outside, or of a plain number.
    single : Location, True or None
        Where the run has asked for single precision.
    modes : dict
        NumPy's error modes, as the user has them.
    catching : frozenset of str
        The exceptions that NumPy raises by the user's modes and filters of warnings; an objective that names one of
        them takes branches by it.
    attempts : list
        The results of what may have raised, but for those that are guarded already.
    compared : set
        The places at which the objective has compared by size.
    gaps : dict
        By how much two numbers differed that were last asked whether they do, by place.
    met : set
        The functions that are followed by a formula, with the shapes that they were given.
    literals : bool
        Whether the numbers in the user's text are traced, too.
    point : ndarray
        The parameters.
    substitute : callable
        Gives what the run sees in place of a function from outside.
    derivatives : object or None
        What is kept of the derivatives that the objective takes itself.
    seeded : set of str
        The modules ("numpy", "random") whose own generator the run has seeded.
    drawn : tuple
        Where these generators were before the run.
    codes : dict of int to (CodeType, CodeType)
        By identity: code in which they are, and the user's own, which is that of the sites.
    """

    def __init__(self, array: type, pair: type | None = None, literals: bool = False) -> None:
        self.array = array
        self.pair = pair
        self.tape = Tape()
        self.steps = self.tape.steps
        self.types: dict[type, type] = {}
        self.shown = False
        self.estimates: set[int] = set()
        self.analytic: list | None = None
        self.free_name: Callable[[str], str] = lambda name: name
        self.outside = 0
        self.point: Any = None
        self.substitute: Callable[[Any], Any] = lambda value: value
        self.derivatives: Any = None
        self.side_effects: Any = None
        self.buffers: Any = None
        self.wrote_outside = False
        self.single: Any = None
        self._kept = 0
        self._constants: dict[Any, int] = {}
        self._arrays: dict[int, tuple[np.ndarray, np.ndarray, int]] = {}
        self.modes = np.geterr()
        self.catching: frozenset[str] = frozenset()
        self.attempts: list[Any] = []
        self.compared: set[Any] = set()
        self.gaps: dict[Any, float] = {}
        self.met: set[Any] = set()
        self.literals = literals
        self.seeded: set[str] = set()
        self.drawn: tuple = ()
        self.codes: dict[int, tuple[CodeType, CodeType]] = {}
        self._sites: dict[tuple[int, int], tuple[CodeType, tuple[CodeType, int | None]]] = {}

    # Leaves -----------------------------------------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, value: np.ndarray | float) -> Any:
        """Return the traced array of an input of the tape."""
        level = PARAMETER if leaf.kind == "parameter" else DATA
        index = self._append(None, (), leaf, value, level, None)
        if level == DATA:
            self.tape.values[index] = value
        else:
            self.point = value
        return self.array(self, index, value, level)

    def constant(self, value: Any) -> int:
        """Return the step of a scalar or array that was met inside the objective."""
        kind = type(value)
        if kind is float or kind is int or kind is bool or isinstance(value, np.generic):
            key = (kind, value if value != 0 else repr(value))
            index = self._constants.get(key)
            if index is None:
                index = self._constants[key] = self._append(None, (), None, value, CONSTANT, None)
                self.tape.values[index] = value
            return index
        return self._array_constant(np.asarray(self.plain_array(value)))

    def plain_array(self, value: Any) -> Any:
        """Return an array, unless it is of a kind that means something else by the same operators."""
        if type(value) is Moment:
            raise TracingError(
                "The objective calculates with the time of day, so every call is another function.",
                self.location(),
                "take the time outside the objective, and pass it through args.",
            )
        if isinstance(value, np.ma.MaskedArray) and type(value) is not self.array:
            self.refuse_masked()
        if isinstance(value, np.matrix) and type(value) is not self.array:
            self.refuse_matrix()
        return value

    def refuse_masked(self) -> None:
        """Raise: a masked array meets traced values."""
        raise TracingError(
            "The objective calculates with a masked array: this is not followed.",
            self.location(),
            "fill or drop what is masked before the fit: .filled(...) or .compressed().",
        )

    def refuse_matrix(self) -> None:
        """Raise: an np.matrix meets traced values."""
        raise TracingError(
            "The objective calculates with an np.matrix: this is not followed.",
            self.location(),
            "turn it into an array before the fit: np.asarray(...); @ is the matrix product.",
        )

    def note_single(self) -> None:
        """Remember the first place where the objective asks for single precision, which is followed in double."""
        if self.single is None:
            self.single = self.location() or True

    def _array_constant(self, value: np.ndarray) -> int:
        """Return the step of a plain array; a copy is kept, as the user may go on writing into it."""
        known = self._arrays.get(id(value))
        if known and known[0] is value and np.array_equal(known[1], value, equal_nan=value.dtype.kind == "f"):
            return known[2]
        if value.dtype == object:
            alone = value.ndim == 0
            raise TracingError(
                f"The objective calculates with {f'a {type(value[()]).__name__}' if alone else 'an array of objects'}: "
                "this is not followed.",
                self.location(),
                f"make it {'a number: float(...)' if alone else 'an array of numbers before the fit: .astype(float)'}.",
            )
        kept = value.copy()
        self._kept += kept.nbytes
        if self._kept > MOST_BYTES:
            self.refuse_length(f"makes more than {MOST_BYTES:,} bytes of arrays that do not depend on its parameters")
        index = self._append(None, (), None, kept, CONSTANT, self.site())
        self.tape.values[index] = kept
        self._arrays[id(value)] = (value, kept, index)
        return index

    def name_arrays(self, names: dict[int, str]) -> None:
        """Give arrays that were met inside the objective the names of `names`, by identity."""
        for array, _, index in self._arrays.values():
            if id(array) in names:
                self.steps[index] = self.steps[index]._replace(template=names[id(array)])

    # Steps ------------------------------------------------------------------------------------------------------------

    def record(self, operation: Callable, inputs: tuple[int, ...], template: Any, value: Any, level: int) -> Any:
        """Append one call whose concrete result is `value` and return that as a traced array."""
        return self.array(self, self._append(operation, inputs, template, value, level, self.site()), value, level)

    def _append(
        self, operation: Callable | None, inputs: tuple[int, ...], template: Any, value: Any, level: int, site: Any
    ) -> int:
        kind = type(value)
        if kind is np.float64 or kind is float:
            shape, dtype = (), _FLOAT
        elif isinstance(value, _ARRAYS):
            shape, dtype = value.shape, value.dtype
        elif isinstance(value, (tuple, list)):
            shape, dtype = (len(value),), np.dtype(object)
        else:
            shape, dtype = (), np.asarray(value).dtype
        steps = self.steps
        steps.append(_step(Step, (operation, inputs, template, shape, dtype, level, site)))
        if len(steps) > MOST_STEPS:
            self.refuse_length()
        return len(steps) - 1

    def elementwise(self, ufunc: Callable, inputs: Sequence[Any], compute: Callable | None = None) -> Any:
        """Record a call in which every argument is an operand; `compute` gives the value if not `ufunc` itself."""
        array, sources, values, level = self.array, [], [], CONSTANT
        for operand in inputs:
            if type(operand) is array:
                if operand.tracer is not self:
                    self.refuse_stranger(operand)
                sources.append(operand.current())
                values.append(operand.value)
                if operand.level > level:
                    level = operand.level
            elif type(operand) in (list, tuple) and self.holds_traced(operand):
                return self.elementwise(ufunc, [self.whole(part) for part in inputs], compute)
            else:
                sources.append(self.constant(operand))
                values.append(operand)
        try:
            value = (compute or ufunc)(*values)
        except Exception:
            self.tape.caught = self.tape.caught or level == PARAMETER
            raise
        kind = type(value)
        if kind is np.float64 or kind is float:
            if kind is float:
                self.tape.python_numbers = True
            steps = self.steps
            steps.append(_step(Step, (ufunc, tuple(sources), None, (), _FLOAT, level, self.site())))
            if len(steps) > MOST_STEPS:
                self.refuse_length()
            result = array(self, len(steps) - 1, value, level)
            if kind is float and level == PARAMETER and ufunc not in RETURNING:
                returned_number(self, result)
            return result
        if kind is tuple:
            return self._components(ufunc, tuple(sources), None, value, level)
        if level == PARAMETER and getattr(value, "dtype", _COMPLEX if kind is complex else _FLOAT).kind == "c":
            return self._complex().elementwise(self, ufunc, inputs)
        result = self.record(ufunc, tuple(sources), None, value, level)
        if level == PARAMETER and ufunc in COMPARISONS and not is_library(sys._getframe(2).f_code):
            COMPARISONS[ufunc](self, ufunc, inputs, result)
        return result

    def refuse_stranger(self, operand: Any) -> None:
        """Raise: a traced value of another run is used in this one."""
        if type(operand.tracer) is Tracer:
            raise TracingError(
                "The objective has autoopt trace a function that uses values that depend on the parameters.",
                [place for place in (self.location(), operand.tracer.location()) if place],
                "within the objective use autoopt.grad, value_and_grad, hessian, hvp and jacobian alone, "
                "as in steps of Newton's method of a fixed number, or pass jac='finite-difference'.",
            )
        raise TracingError(
            "The objective uses a value that was kept from an earlier call.",
            [place for place in (self.location(), operand.tracer.origin([operand.step])) if place],
            "compute it anew in each call, or pass it through args.",
        )

    def refuse_length(self, what: str | None = None) -> None:
        """Raise, with the line of the outermost loop that is running: the trace would fill the memory."""
        loop, frame = None, sys._getframe(1)
        while frame is not None and id(frame) != self.outside:
            if not is_library(frame.f_code):
                loop = Location.of_loop(frame.f_code, frame.f_lasti) or loop
            frame = frame.f_back
        raise TracingError(
            f"The objective {what or f'takes more than {MOST_STEPS:,} steps'}, more than can be followed one by one.",
            loop or self.location(),
            "write the loop as operations on whole arrays, or pass jac='finite-difference'.",
        )

    def whole(self, operand: Any) -> Any:
        """Return a list of traced numbers as an array, anything else as it is."""
        return self.nested(operand) if type(operand) in (list, tuple) and self.holds_traced(operand) else operand

    def call(self, function: Callable, args: tuple, kwargs: dict, compute: Callable | None = None) -> Any:
        """Record a call of any other function; traced arrays and plain arrays among its arguments become inputs."""
        sources: list[int] = []
        levels = [CONSTANT]
        template = (self._template(args, sources, levels), self._template(kwargs, sources, levels))
        level = max(levels)
        try:
            value = (compute or function)(*self.concrete(args), **self.concrete(kwargs))
        except Exception:
            self.tape.caught = self.tape.caught or level == PARAMETER
            raise
        if level < PARAMETER and _holds_functions((args, kwargs)):
            self.tape.data_decided = self.tape.data_decided or level == DATA
            return value
        if level == DATA and _shape_by_value(function, args):
            self.tape.data_decided = True
        if isinstance(value, tuple | list):
            results = self._components(function, tuple(sources), template, value, level)
            if level == PARAMETER and may_raise(function):
                returned(self, function, results, args)
            return results
        if value is None:
            raise UnsupportedFunctionError(
                f"The objective calls {qualified(function)}, which writes into its argument; this is not followed.",
                self.location(),
                "assign to the array by indexing, as in x[mask] = values.",
            )
        if level == PARAMETER and np.iscomplexobj(value):
            return self._complex().call(self, function, args, kwargs)
        if not isinstance(value, np.ndarray | np.generic | float | int):
            if level == PARAMETER:
                raise self._leaves(function, value)
            self.tape.data_decided = self.tape.data_decided or level == DATA
            return value
        result = self.record(function, tuple(sources), template, value, level)
        if level == PARAMETER and may_raise(function):
            returned(self, function, result, args)
        return result

    def _leaves(self, function: Callable, value: Any) -> UnsupportedFunctionError:
        """Return the error for a call that gives an object, whose numbers would not be followed."""
        return UnsupportedFunctionError(
            f"The objective calls {qualified(function)} with values that depend on the parameters; "
            f"the {type(value).__name__} that it returns is not followed.",
            self.location(),
            "write the calculation with NumPy functions, or pass jac='finite-difference'.",
        )

    def _components(self, function: Callable, inputs: tuple, template: Any, values: Sequence, level: int) -> Any:
        """Record a call with several results and return them, each a step of its own, in a container of its kind.

        A bool among them is an option that was given, as the one that scipy.linalg.cho_factor hands on.
        """
        whole = self._append(function, inputs, template, values, level, self.site())
        parts = [
            bool(value) if _is_option(value) else self.record(component, (whole,), ((Slot(0), k), {}), value, level)
            for k, value in enumerate(values)
        ]
        return type(values)(*parts) if hasattr(values, "_fields") else type(values)(parts)

    def _complex(self) -> Any:
        """Return what is done with complex values that depend on the parameters."""
        from autoopt.tracing.complex import array as complex_array

        return complex_array

    def _template(self, value: Any, sources: list[int], levels: list[int]) -> Any:
        """Return `value` with arrays replaced by slots, and note their steps in `sources`."""
        kind = type(value)
        if kind is self.array:
            if value.tracer is not self:
                self.refuse_stranger(value)
            sources.append(value.current())
            levels.append(value.level)
            return Slot(len(sources) - 1)
        if kind is self.pair:
            sources.append(value.current())
            levels.append(value.level)
            return Slot(len(sources) - 1)
        if isinstance(value, np.ndarray):
            sources.append(self.constant(value))
            return Slot(len(sources) - 1)
        if kind in (tuple, list):
            return kind([self._template(part, sources, levels) for part in value])
        if kind is dict:
            return {key: self._template(part, sources, levels) for key, part in value.items()}
        if kind is slice:
            return slice(*(self._template(part, sources, levels) for part in (value.start, value.stop, value.step)))
        return _fitting(value) if kind is int else value

    def concrete(self, value: Any) -> Any:
        """Return `value` with every traced array in it replaced by the numbers that it carries."""
        kind = type(value)
        if kind is self.array or kind is self.pair:
            return value.value
        if kind in (tuple, list):
            return kind([self.concrete(part) for part in value])
        if kind is dict:
            return {key: self.concrete(part) for key, part in value.items()}
        if kind is slice:
            return slice(*(self.concrete(part) for part in (value.start, value.stop, value.step)))
        return _fitting(value) if kind is int else value

    def holds_traced(self, value: Any) -> bool:
        """Whether a traced array is in `value`, a nest of lists, tuples and dicts."""
        kind = type(value)
        if kind is self.array or kind is self.pair:
            return True
        if kind in (tuple, list):
            return any(self.holds_traced(part) for part in value)
        return kind is dict and any(self.holds_traced(part) for part in value.values())

    def level(self, value: Any) -> int:
        """Return the highest level of the traced arrays in `value`."""
        if type(value) is self.array or type(value) is self.pair:
            return value.level
        if type(value) in (tuple, list):
            return max(map(self.level, value), default=CONSTANT)
        return max(map(self.level, value.values()), default=CONSTANT) if type(value) is dict else CONSTANT

    def lift(self, value: Any) -> Any:
        """Return a plain number or array as a traced constant, anything traced as it is."""
        if type(value) is self.array or type(value) is self.pair:
            return value
        return self.array(self, self.constant(value), np.asarray(value), CONSTANT)

    # Versions of an array that is written into: steps without a traced array of their own -----------------------------

    def put(self, target: int, index: Any, value: Any, level: int) -> tuple[int, int]:
        """Record `target[index] = value` and return the new version's step and level."""
        sources, levels = [target], [level]
        template = ((Slot(0), self._template(index, sources, levels), self._template(value, sources, levels)), {})
        old = self.steps[target]
        return self._version(put, sources, template, old.shape, old.dtype, max(levels))

    def pack(self, shape: tuple[int, ...], dtype: np.dtype, elements: Sequence[int]) -> tuple[int, int]:
        """Record that an array of `shape` consists of the steps `elements` and return its step and level."""
        template = ((shape, *(Slot(k) for k in range(len(elements)))), {})
        level = max((self.steps[element].level for element in elements), default=CONSTANT)
        return self._version(pack, list(elements), template, shape, dtype, level)

    def derive(self, operation: Callable, source: int, args: tuple, kwargs: dict, value: np.ndarray, level: int) -> int:
        """Record `operation(source, *args, **kwargs)`, of the shape and dtype of `value`, and return the step."""
        return self._version(operation, [source], ((Slot(0), *args), kwargs), value.shape, value.dtype, level)[0]

    def pick(self, source: int, positions: np.ndarray, value: np.ndarray, level: int) -> int:
        """Record that `value` consists of the entries of a step at `positions` and return its step."""
        sources = [source, self.constant(positions)]
        return self._version(operator.getitem, sources, ((Slot(0), Slot(1)), {}), value.shape, value.dtype, level)[0]

    def nested(self, value: Any, dtype: Any = None) -> Any:
        """Return a nest of lists of traced scalars or arrays as one new traced array, as `np.array` would."""
        concrete = np.array(self.concrete(value), dtype=dtype)
        if concrete.dtype.kind == "c" and self.level(value) == PARAMETER:
            return self._complex().nested(self, value)
        elements = list(_flattened(value))
        if len({np.shape(self.concrete(element)) for element in elements}) > 1:
            elements = [scalar for element in elements for scalar in self._scalars(element)]
        steps = [self._element(element, concrete.dtype) for element in elements]
        step, level = self.pack(concrete.shape, concrete.dtype, steps)
        return self.array(self, step, concrete, level)

    def _scalars(self, element: Any) -> list[Any]:
        """Return the entries of an array in order, or a scalar alone."""
        return [element] if np.ndim(self.concrete(element)) == 0 else list(element.reshape(-1))

    def _element(self, element: Any, dtype: np.dtype) -> int:
        """Return the step of one element of a new array of `dtype`."""
        if type(element) is self.array:
            return (element if element.dtype == dtype else element.cast(dtype)).current()
        return self.constant(np.asarray(element, dtype=dtype)[()])

    def _version(
        self, operation: Callable, sources: list[int], template: Any, shape: tuple, dtype: np.dtype, level: int
    ) -> tuple[int, int]:
        self.steps.append(Step(operation, tuple(sources), template, shape, dtype, level, self.site()))
        if len(self.steps) > MOST_STEPS:
            self.refuse_length()
        return len(self.steps) - 1, level

    # Decisions --------------------------------------------------------------------------------------------------------

    def guard(self, traced: Any, kind: str, answer: Any) -> Any:
        """Note that Python was given `answer` in place of `traced`, and return it."""
        step = traced.current()
        guards = self.tape.guards
        if traced.level == PARAMETER:
            if guards and guards[-1].step == step and guards[-1].kind == kind == "bool":
                return answer
            site = self.site()
            self.tape.guards.append(Guard(step, kind, answer, site))
            if kind == "int" or traced.dtype.kind in "iu":
                self.tape.unfollowed[site] = None
        elif traced.level == DATA:
            self.tape.data_decided = True
        return answer

    def require_running(self, value: Any) -> None:
        """Raise if the run is over."""

    def show(self, traced: Any) -> Any:
        """Return the numbers of `traced` for a text; a text of data is a decision taken from them."""
        if traced.level == DATA:
            self.guard(traced, "array", None)
        elif traced.level == PARAMETER:
            site = self.site()
            if site is None or not is_for_a_reader(*site, escapes=not is_handled(self)):
                self.shown = self.tape.caught = True  # the text may decide anything
                self.tape.unfollowed[site] = None
        return traced.value

    # The user's line --------------------------------------------------------------------------------------------------

    def site(self) -> tuple[CodeType, int] | None:
        """Return the innermost frame outside of libraries as (code, instruction), one object for each place."""
        frame = sys._getframe(3)  # whoever calls the tracer's methods is no user
        sites = self._sites
        while frame is not None:
            code = frame.f_code
            key = (id(code), frame.f_lasti)
            known = sites.get(key)
            if known is None or known[0] is not code:
                own = self.codes[key[0]][1] if key[0] in self.codes else code
                known = sites[key] = (code, (own, None if is_library(code) else frame.f_lasti))
            if known[1][1] is not None:
                return known[1]
            frame = frame.f_back
        return None

    def origin(self, steps: Sequence[int]) -> Location | None:
        """Return the user's line that made the first of `steps` that some line made."""
        site = next((self.steps[step].site for step in steps if self.steps[step].site), None)
        return Location.of_instruction(*site) if site else None

    def is_assigned(self) -> bool:
        """Whether the user's line is at an assignment to an entry or a part, `a[i] = value`."""
        site = self.site()
        return bool(site) and site[0].co_code[site[1]] == _STORE_SUBSCR

    def location(self) -> Location | None:
        """Return the user's line that is being run."""
        site = self.site()
        return Location.of_instruction(*site) if site else None


_STORE_SUBSCR = dis.opmap["STORE_SUBSCR"]


def _shape_by_value(function: Callable, args: tuple) -> bool:
    """Whether the shape of the result depends on the values of the data."""
    if function is operator.getitem:
        parts = args[1] if type(args[1]) is tuple else (args[1],)
        return any(getattr(part, "dtype", None) == np.bool_ for part in parts)
    return function in SHAPED_BY_VALUE and (function is not np.where or len(args) == 1)


def _fitting(number: int) -> int | float:
    """Return a whole number that no integer of NumPy holds as a float: an array of it would be one of objects."""
    return number if -(2**63) <= number < 2**64 else float(number)


def _is_option(value: Any) -> bool:
    """Whether one of several results is a bool: Python's own or, from SciPy 1.18 on, one in an array without axes."""
    return type(value) is bool or (type(value) is np.ndarray and value.shape == () and value.dtype == bool)


def _holds_functions(value: Any) -> bool:
    """Whether a function of the user's is among the arguments: source cannot name it."""
    if isinstance(value, tuple | list):
        return any(map(_holds_functions, value))
    if isinstance(value, dict):
        return any(map(_holds_functions, value.values()))
    return isinstance(value, FunctionType | MethodType)


def _flattened(value: Any) -> Iterator[Any]:
    """Return the innermost elements of a nest of lists and tuples, in order."""
    if type(value) in (list, tuple):
        for part in value:
            yield from _flattened(part)
    else:
        yield value
