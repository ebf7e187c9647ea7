"""The recorder of one trace: it turns calls on traced arrays into steps of a tape.

NumPy and Python give every operation on a traced array to `elementwise`, if its arguments are operands alone, or to
`call`. The numbers are computed as they would be without a trace, and one step says which function of which earlier
steps they are:

    def loss(x, y):             step 0 = parameter x            depends on PARAMETER
                                step 1 = argument y             on DATA
        r = y - 2.0 * x         step 2 = 2.0                    CONSTANT
                                step 3 = multiply(2, 0)         PARAMETER, as the highest of its inputs
                                step 4 = subtract(1, 3)
        if x[0] > 0:            step 5 = getitem(0, 0), step 6 = 0, step 7 = greater(5, 6), guard: step 7 is True
            r = r + y.mean()    step 8 = mean(1)                DATA: computed once per data set
                                step 9 = add(4, 8)
        return r @ r            step 10 = matmul(9, 9)          the tape's output

What holds after each of them: the inputs of a step come before it, and the steps, replayed on the leaves of this run,
give the numbers that its arrays carry. The record is straight: where Python asks for a number (a branch, an index, a
length) it gets this run's, and what depends on the parameters becomes a guard, so the tape is known to hold for all
parameters that answer alike; what depends on data alone marks the tape as one of these data (`data_decided`).

Steps are appended by `tuple.__new__` in `elementwise` itself, since a loop takes this way a million times.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoopt.errors import Location
from autoopt.origin import is_library
from autoopt.parameters import is_masked
from autoopt.tape.operations import component, pack, put
from autoopt.tape.simplify import SHAPED_BY_VALUE
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Guard, Leaf, Slot, Step, Tape
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.clocks import Moment
from autoopt.tracing.recording.comparisons import COMPARISONS
from autoopt.tracing.recording.failing import RETURNING, is_handled, may_raise, returned, returned_number
from autoopt.tracing.recording.nests import Nests, fitting, flattened, holds_functions
from autoopt.tracing.recording.recorder import ComplexValues, WrittenArrays
from autoopt.tracing.recording.sites import Sites
from autoopt.tracing.recording.texts import is_for_a_reader

_FLOAT = np.dtype(float)
_COMPLEX = np.dtype(complex)
_ARRAYS = (np.ndarray, np.generic)
_step = tuple.__new__

MOST_STEPS = 4_000_000
"""A longer trace is refused: it would need more than about 3 GB until the loop is an array step."""

MOST_BYTES = 2**31
"""A trace is refused, too, that keeps more bytes than this of arrays that do not depend on its parameters."""


class Steps(Sites, Nests):
    """The steps of one run, as they are appended to its tape: leaves, constants, calls and versions of arrays."""

    point: Any = None

    def __init__(self, array: type[Any], pair: type[Any]) -> None:
        Sites.__init__(self)
        Nests.__init__(self, array, pair)
        self.tape = Tape()
        self.steps = self.tape.steps
        self._kept = 0
        self._constants: dict[Any, int] = {}
        self._arrays: dict[int, tuple[np.ndarray, np.ndarray, int]] = {}
        self.origins: dict[int, tuple] = {}

    def leaf(self, leaf: Leaf, value: np.ndarray | float, origin: tuple | None = None) -> Any:
        """Return the traced array of an input of the tape, which is had as `origin` says, if not found by itself."""
        level = PARAMETER if leaf.kind == "parameter" else DATA
        index = self._append(None, (), leaf, value, level, None)
        if level == DATA:
            self.tape.values[index] = value
            if origin is not None:
                self.origins[index] = origin
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
            raise refusals.time_of_day(self)
        if is_masked(value) and type(value) is not self.array:
            raise refusals.masked(self)
        if isinstance(value, np.matrix) and type(value) is not self.array:
            raise refusals.matrix(self)
        return value

    def _array_constant(self, value: np.ndarray) -> int:
        """Return the step of a plain array; a copy is kept, as the user may go on writing into it."""
        constant = self._arrays.get(id(value))
        if constant and constant[0] is value and np.array_equal(constant[1], value, equal_nan=value.dtype.kind == "f"):
            return constant[2]
        if value.dtype == object:
            raise refusals.objects(self, value)
        kept = value.copy()
        self._kept += kept.nbytes
        if self._kept > MOST_BYTES:
            what = f"makes more than {MOST_BYTES:,} bytes of arrays that do not depend on its parameters"
            raise refusals.length(self, what)
        index = self._append(None, (), None, kept, CONSTANT, self.site())
        self.tape.values[index] = kept
        self._arrays[id(value)] = (value, kept, index)
        return index

    def name_arrays(self, name_of: Callable[[np.ndarray], str | None]) -> None:
        """Give arrays that were met inside the objective the names that `name_of` has for them."""
        for array, _, index in self._arrays.values():
            if (name := name_of(array)) is not None:
                self.steps[index] = self.steps[index]._replace(template=name)

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
            raise _too_long(self)
        return len(steps) - 1

    def _template(self, value: Any, sources: list[int], levels: list[int]) -> Any:
        """Return `value` with arrays replaced by slots, and note their steps in `sources`."""
        kind = type(value)
        if kind is self.array:
            if value.tracer is not self:
                raise refusals.stranger(self, value)
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
        return fitting(value) if kind is int else value

    def origin(self, steps: Sequence[int]) -> Location | None:
        """Return the user's line that made the first of `steps` that some line made."""
        site = next((self.steps[step].site for step in steps if self.steps[step].site), None)
        return Location.of_instruction(*site) if site else None

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

    def _version(
        self, operation: Callable, sources: list[int], template: Any, shape: tuple, dtype: np.dtype, level: int
    ) -> tuple[int, int]:
        self.steps.append(Step(operation, tuple(sources), template, shape, dtype, level, self.site()))
        if len(self.steps) > MOST_STEPS:
            raise _too_long(self)
        return len(self.steps) - 1, level


class Tracer(Steps):
    """What a run does with each call that it meets: the interface is that of `Recorder`.

    What most runs never set is the class's: Python finds the attributes of an object fastest if it has at most 30.
    """

    is_over = False
    shown = False
    keeps_cells = True
    wrote_outside = False
    as_data = False
    single: Any = None
    analytic: list | None = None
    derivatives: Any = None
    decisions: Any = None
    side_effects: Any = None
    catching: frozenset[str] = frozenset()
    drawn: tuple = ()

    def __init__(
        self,
        array: type[Any],
        complex_values: ComplexValues,
        literals: bool = False,
        buffers: WrittenArrays | None = None,
    ) -> None:
        super().__init__(array, complex_values.ComplexArray)
        self.complex_values = complex_values
        self.types: dict[type, type] = {}
        self.estimates: set[int] = set()
        self.free_name: Callable[[str], str] = lambda name: name
        self.substitute: Callable[[Any], Any] = lambda value: value
        self.buffers = buffers
        self.modes = np.geterr()
        self.attempts: list[Any] = []
        self.compared: set[Any] = set()
        self.gaps: dict[Any, float] = {}
        self.met: set[Any] = set()
        self.literals = literals
        self.varying: dict[int, tuple[Any, str]] = {}
        self.seeded: set[str] = set()

    # Calls ------------------------------------------------------------------------------------------------------------

    def elementwise(self, ufunc: Callable, inputs: Sequence[Any], compute: Callable | None = None) -> Any:
        """Record a call in which every argument is an operand; `compute` gives the value if not `ufunc` itself."""
        array, sources, values, level = self.array, [], [], CONSTANT
        for operand in inputs:
            if type(operand) is array:
                if operand.tracer is not self:
                    raise refusals.stranger(self, operand)
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
                raise _too_long(self)
            result = array(self, len(steps) - 1, value, level)
            if kind is float and level == PARAMETER and ufunc not in RETURNING:
                returned_number(self, result)
            return result
        if kind is tuple:
            return self._components(ufunc, tuple(sources), None, value, level)
        if level == PARAMETER and getattr(value, "dtype", _COMPLEX if kind is complex else _FLOAT).kind == "c":
            return self.complex_values.elementwise(self, ufunc, inputs)
        result = self.record(ufunc, tuple(sources), None, value, level)
        if level == PARAMETER and ufunc in COMPARISONS and not is_library(sys._getframe(2).f_code):
            COMPARISONS[ufunc](self, ufunc, inputs, result)
        return result

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
        if level < PARAMETER and holds_functions((args, kwargs)):
            self.tape.data_decided = self.tape.data_decided or level == DATA
            return value
        if level == DATA and _shape_by_value(function, args):
            self.tape.data_decided = True
            if self.decisions is not None:
                self.decisions.shaped(self, len(self.steps))
        if isinstance(value, tuple | list):
            results = self._components(function, tuple(sources), template, value, level)
            if level == PARAMETER and may_raise(function):
                returned(self, function, results, args)
            return results
        if value is None:
            raise refusals.writes_into_argument(self, function)
        if level == PARAMETER and np.iscomplexobj(value):
            return self.complex_values.call(self, function, args, kwargs)
        if not isinstance(value, np.ndarray | np.generic | float | int):
            if level == PARAMETER:
                raise refusals.object_result(self, function, value)
            self.tape.data_decided = self.tape.data_decided or level == DATA
            if level == DATA and self.decisions is not None:
                self.decisions.unknown(self)
            return value
        result = self.record(function, tuple(sources), template, value, level)
        if level == PARAMETER and may_raise(function):
            returned(self, function, result, args)
        return result

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

    def nested(self, value: Any, dtype: Any = None) -> Any:
        """Return a nest of lists of traced scalars or arrays as one new traced array, as `np.array` would."""
        concrete = np.array(self.concrete(value), dtype=dtype)
        if concrete.dtype.kind == "c" and self.level(value) == PARAMETER:
            return self.complex_values.nested(self, value)
        elements = list(flattened(value))
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

    def whole(self, operand: Any) -> Any:
        """Return a list of traced numbers as an array, anything else as it is."""
        return self.nested(operand) if type(operand) in (list, tuple) and self.holds_traced(operand) else operand

    def lift(self, value: Any) -> Any:
        """Return a plain number or array as a traced constant, anything traced as it is."""
        if type(value) is self.array or type(value) is self.pair:
            return value
        return self.array(self, self.constant(value), np.asarray(value), CONSTANT)

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
            return self.decisions.answer(self, step, kind, answer) if self.decisions is not None else answer
        return answer

    def require_running(self, value: Any) -> None:
        """Raise if the run is over."""

    def show(self, traced: Any) -> Any:
        """Return the numbers of `traced` for a text; a text of data is a decision taken from them."""
        if traced.level == DATA:
            if self.decisions is None or not self._is_for_a_reader(self.site()):
                self.guard(traced, "array", None)
        elif traced.level == PARAMETER:
            site = self.site()
            if not self._is_for_a_reader(site):
                self.shown = self.tape.caught = True  # the text may decide anything
                self.tape.unfollowed[site] = None
        return traced.value

    def _is_for_a_reader(self, site: Any) -> bool:
        """Whether a text that is made at a place is shown alone."""
        return site is not None and is_for_a_reader(*site, escapes=not is_handled(self))

    def note_single(self) -> None:
        """Remember the first place where the objective asks for single precision, which is followed in double."""
        if self.single is None:
            self.single = self.location() or True


def _too_long(tracer: Any) -> Exception:
    """Return the error for more steps than can be followed."""
    return refusals.length(tracer, f"takes more than {MOST_STEPS:,} steps")


def _shape_by_value(function: Callable, args: tuple) -> bool:
    """Whether the shape of the result depends on the values of the data."""
    if function is operator.getitem:
        parts = args[1] if type(args[1]) is tuple else (args[1],)
        return any(getattr(part, "dtype", None) == np.bool_ for part in parts)
    return function in SHAPED_BY_VALUE and (function is not np.where or len(args) == 1)


def _is_option(value: Any) -> bool:
    """Whether one of several results is a bool: Python's own or, from SciPy 1.18 on, one in an array without axes."""
    return type(value) is bool or (type(value) is np.ndarray and value.shape == () and value.dtype == bool)
