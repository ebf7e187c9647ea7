"""What Python makes of a traced array: a number, a branch, a key, a text.

Whoever has a plain number has lost the derivative, so a float is refused where it depends on the parameters. A bool or
a whole number has none to lose, but is an answer that holds for this run: a guard notes it.
"""

from __future__ import annotations

import operator
import os
import sys
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.origin import is_library
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions
from autoopt.tracing.arrays.operators import BINARY_OP, REMAINDERS
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.recorder import Recorder

_CONVERT = "write the calculation with NumPy functions, or pass jac='finite-difference'."


class Conversions:
    """The methods by which Python asks an array for something else."""

    __slots__ = ()

    tracer: Recorder
    value: Any
    level: int

    def _refuse_conversion(self, target: str) -> None:
        """Raise if turning this into a plain number would drop a derivative."""
        self.tracer.require_running(self)
        if self.level == PARAMETER and self.dtype.kind not in "bi":
            self.tracer.wrote_outside = True
            if _is_masking(sys._getframe(2)):
                raise refusals.masked(self.tracer)
            if self.tracer.is_assigned():
                raise TracingError(
                    "A value that depends on the parameters is written into an array that is not followed.",
                    self.tracer.location(),
                    "make the array inside the objective, by np.zeros, np.empty or np.array.",
                )
            raise TracingError(
                f"A value that depends on the parameters is turned into {target}, which would lose its derivative.",
                self.tracer.location(),
                _CONVERT,
            )

    def __float__(self):
        if _is_text_formatting(sys._getframe(1)):
            return float(self.tracer.show(self))
        self._refuse_conversion("a Python float")
        return self.tracer.guard(self, "float", float(self.value))

    def __complex__(self):
        self._refuse_conversion("a Python complex number")
        return self.tracer.guard(self, "float", complex(self.value))

    def __bool__(self):
        if self.level == PARAMETER and self.dtype.kind == "f" and self.size == 1:  # it asks whether this is 0
            return bool(self.tracer.elementwise(np.not_equal, (self, 0.0)).reshape(()))
        answer = bool(self.value)
        return self.tracer.guard(self, "bool", answer)

    def _whole(self, convert):
        """Return the whole number that `convert` makes of the value; that it makes none is an answer as well."""
        try:
            return convert(self.value)
        except (ValueError, OverflowError):
            for question in (np.isnan, np.isinf):
                if question(self.value):
                    bool(self.tracer.elementwise(question, (self,)))
            raise

    def __int__(self):
        return self.tracer.guard(self, "int", self._whole(int))

    def __trunc__(self):
        return self.tracer.guard(self, "int", self._whole(int))

    def __index__(self):
        answer = operator.index(self.value)
        return self.tracer.guard(self, "int", answer)

    def __hash__(self):
        answer = hash(self.value)
        self._refuse_conversion("a dictionary key or set member")
        return self.tracer.guard(self, "int", answer)

    def __round__(self, ndigits=None):
        if ndigits is None:
            rounded = functions.call_function(self.tracer, np.round, (self,), {})
            return self.tracer.guard(rounded, "int", self._whole(round))
        return functions.call_function(self.tracer, np.round, (self, ndigits), {})

    def __floor__(self):
        return int(self.tracer.elementwise(np.floor, (self,)))

    def __ceil__(self):
        return int(self.tracer.elementwise(np.ceil, (self,)))

    def __repr__(self):
        return repr(self.tracer.show(self))

    def __str__(self):
        return str(self.tracer.show(self))

    def __format__(self, spec):
        return format(self.tracer.show(self), spec)

    def __reduce__(self):
        self._refuse_conversion("bytes")
        raise TypeError("a traced value cannot be pickled")

    def __bytes__(self):
        return self.tobytes()


def _is_masking(frame: Any) -> bool:
    """Whether NumPy's masked arrays ask, who come first in an operation of both."""
    while frame is not None and is_library(frame.f_code):
        if frame.f_code.co_filename.startswith(_MASKED):
            return True
        frame = frame.f_back
    return False


_MASKED = os.path.join(os.path.dirname(np.__file__), "ma")


def _is_text_formatting(frame: Any) -> bool:
    """Whether the caller is at a `%`: only "%g" % x asks for a float there, as a traced number has a `%` of its own."""
    code, place = frame.f_code.co_code, frame.f_lasti
    return code[place] == BINARY_OP and code[place + 1] in REMAINDERS
