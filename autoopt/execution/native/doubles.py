"""Doubles and their bits as operands of Python's operators, each of which is an instruction.

So that a formula of `exponentials.py` reads as a formula. There are no branches: `select` computes both sides, which is
what lets LLVM do several entries of an array at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoopt.execution.native.code import Code, literal


@dataclass(frozen=True)
class Test:
    """A condition."""

    code: Code
    text: str

    def __and__(self, other: Test) -> Test:
        return Test(self.code, self.code.put(f"and i1 {self.text}, {other.text}"))

    def __or__(self, other: Test) -> Test:
        return Test(self.code, self.code.put(f"or i1 {self.text}, {other.text}"))


@dataclass(frozen=True)
class Bits:
    """64 bits, as a whole number."""

    code: Code
    text: str

    def _with(self, operation: str, other: Bits | int) -> Bits:
        text = other.text if isinstance(other, Bits) else str(other)
        return Bits(self.code, self.code.put(f"{operation} i64 {self.text}, {text}"))

    def __add__(self, other: Bits | int) -> Bits:
        return self._with("add", other)

    def __sub__(self, other: Bits | int) -> Bits:
        return self._with("sub", other)

    def __rsub__(self, other: int) -> Bits:
        return Bits(self.code, self.code.put(f"sub i64 {other}, {self.text}"))

    def __and__(self, other: Bits | int) -> Bits:
        return self._with("and", other)

    def __or__(self, other: Bits | int) -> Bits:
        return self._with("or", other)

    def __xor__(self, other: Bits | int) -> Bits:
        return self._with("xor", other)

    def __lshift__(self, places: int) -> Bits:
        return self._with("shl", places)

    def __rshift__(self, places: int) -> Bits:
        return self._with("lshr", places)

    def odd(self) -> Test:
        """Whether the last bit is 1."""
        return Test(self.code, self.code.put(f"trunc i64 {self.text} to i1"))

    def double(self) -> Double:
        """Return the number of these bits."""
        return Double(self.code, self.code.put(f"bitcast i64 {self.text} to double"))


@dataclass(frozen=True, eq=False)
class Double:
    """A number in a register."""

    code: Code
    text: str

    def _with(self, operation: str, *operands: Double | float) -> str:
        texts = (x.text if isinstance(x, Double) else literal(x, "f") for x in operands)
        return self.code.put(f"{operation} double {', '.join(texts)}")

    def _computed(self, operation: str, *operands: Double | float) -> Double:
        return Double(self.code, self._with(operation, *operands))

    def __add__(self, other: Double | float) -> Double:
        return self._computed("fadd", self, other)

    def __radd__(self, other: float) -> Double:
        return self._computed("fadd", other, self)

    def __sub__(self, other: Double | float) -> Double:
        return self._computed("fsub", self, other)

    def __rsub__(self, other: float) -> Double:
        return self._computed("fsub", other, self)

    def __mul__(self, other: Double | float) -> Double:
        return self._computed("fmul", self, other)

    def __rmul__(self, other: float) -> Double:
        return self._computed("fmul", other, self)

    def __truediv__(self, other: Double | float) -> Double:
        return self._computed("fdiv", self, other)

    def __rtruediv__(self, other: float) -> Double:
        return self._computed("fdiv", other, self)

    def __neg__(self) -> Double:
        return self._computed("fneg", self)

    def __abs__(self) -> Double:
        return Double(self.code, self.code.call("llvm.fabs.f64", self.text))

    def __lt__(self, other: Double | float) -> Test:
        return Test(self.code, self._with("fcmp olt", self, other))

    def __gt__(self, other: Double | float) -> Test:
        return Test(self.code, self._with("fcmp ogt", self, other))

    def equals(self, other: Double | float) -> Test:
        """Whether both are the same number; NaN is none."""
        return Test(self.code, self._with("fcmp oeq", self, other))

    def bits(self) -> Bits:
        """Return the bits of the number."""
        return Bits(self.code, self.code.put(f"bitcast double {self.text} to i64"))

    def with_sign_of(self, other: Double) -> Double:
        """Return the number with another's sign."""
        return Double(self.code, self.code.call("llvm.copysign.f64", self.text, other.text))

    def within(self, low: float, high: float) -> Double:
        """Return the nearest number that is not below `low` nor above `high`; NaN stays."""
        raised = select(self < low, low, self)
        return select(raised > high, high, raised)


def fma(a: Double, b: Double | float, c: Double | float) -> Double:
    """Return a * b + c, rounded once."""
    texts = (x.text if isinstance(x, Double) else literal(x, "f") for x in (a, b, c))
    return Double(a.code, a.code.call("llvm.fma.f64", *texts))


def select(test: Test, yes: Double | float, no: Double | float) -> Double:
    """Return one of two numbers."""
    texts = (f"double {x.text if isinstance(x, Double) else literal(x, 'f')}" for x in (yes, no))
    return Double(test.code, test.code.put(f"select i1 {test.text}, {', '.join(texts)}"))


def polynomial(x: Double, coefficients: Sequence[float]) -> Double:
    """Return c[0] + c[1] * x + c[2] * x**2 + ...; even and odd powers apart, side by side."""
    square = x * x
    return fma(x, horner(square, coefficients[1::2]), horner(square, coefficients[::2]))


def horner(x: Double, coefficients: Sequence[float]) -> Double | float:
    """Return c[0] + c[1] * x + c[2] * x**2 + ..., from the highest power down."""
    total: Double | float = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = fma(x, total, coefficient)
    return total


def quick_sum(a: Double | float, b: Double) -> tuple[Double, Double]:
    """Return a + b and what rounding takes from it, where |a| >= |b| or a = 0 (Dekker, 1971)."""
    total = a + b
    return total, b - (total - a)


def exact_sum(a: Double | float, b: Double) -> tuple[Double, Double]:
    """Return a + b and what rounding takes from it (Knuth)."""
    total = a + b
    second = total - a
    return total, (a - (total - second)) + (b - second)


def exact_product(a: Double, b: Double | float) -> tuple[Double, Double]:
    """Return a * b and what rounding takes from it."""
    product = a * b
    return product, fma(a, b, -product)


def written(
    name: str, formula: Callable[..., Double], unknown: Callable[..., Test] | None = None
) -> Callable[..., str]:
    """Return what emits a function of doubles, whose formula stands in the module once under its name.

    The code fails as a whole where `unknown` holds.
    """

    def emit(code: Code, *texts: str) -> str:
        if unknown is not None:
            code.fail_if_ever(unknown(*(Double(code, text) for text in texts)).text)
        return code.function(name, lambda body, *names: formula(*(Double(body, x) for x in names)).text, *texts)

    return emit
