"""Elementwise operations: a table by scalar operation, and what NumPy's broadcasting makes needless."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, reduce
from importlib import import_module

import numpy as np
import pytensor.scalar.math as psm
from pytensor import scalar as ps
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Shape_i

from autoopt.codegen.code import (
    AND,
    COMPARISON,
    OR,
    PRODUCT,
    SUM,
    UNARY,
    XOR,
    Code,
    call,
    dtype_text,
    infix,
    literal,
    negative,
    plus,
    product,
    starts_negative,
)
from autoopt.codegen.code import power as infix_power
from autoopt.codegen.printers.arrays import dimshuffle
from autoopt.codegen.printers.table import READ_ONLY, STEMS, NoSource, Printer, View, prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops import scalars
from autoopt.ops.analytic import Part
from autoopt.ops.patterns import rank
from autoopt.ops.releases import GAMMAS

SCALARS: dict[type, Printer] = {}
OPERATORS = {
    ps.Sub: ("-", SUM), ps.TrueDiv: ("/", PRODUCT), ps.IntDiv: ("//", PRODUCT), ps.Mod: ("%", PRODUCT),
    ps.LT: ("<", COMPARISON), ps.GT: (">", COMPARISON), ps.LE: ("<=", COMPARISON), ps.GE: (">=", COMPARISON),
    ps.EQ: ("==", COMPARISON), ps.NEQ: ("!=", COMPARISON), ps.AND: ("&", AND), ps.OR: ("|", OR), ps.XOR: ("^", XOR),
}  # fmt: skip
FUNCTIONS = {
    ps.RoundHalfToEven: "np.round", ps.Abs: "np.abs", psm.Psi: "scipy.special.digamma",
    ps.ScalarMaximum: "np.maximum", ps.ScalarMinimum: "np.minimum",
}  # fmt: skip
_NAMES: dict[type, str] = {  # of those that Python has an operator for, or NumPy a function
    ps.Sub: "difference", ps.TrueDiv: "ratio", ps.Exp: "exp", ps.Log: "log", ps.Sqrt: "root", ps.Log1p: "log1p",
    ps.Sin: "sin", ps.Cos: "cos", ps.Tanh: "tanh", psm.Sigmoid: "sigmoid", ps.Abs: "abs", ps.Sign: "sign",
    ps.Expm1: "expm1", psm.Psi: "digamma", psm.GammaLn: "gammaln",
    ps.GT: "mask", ps.LT: "mask", ps.GE: "mask", ps.LE: "mask", ps.EQ: "mask", ps.NEQ: "mask",
}  # fmt: skip
STEMS |= _NAMES
PLAIN = ("int64", "float64")


def scalar(*kinds: type, stem: str | None = None, view: View | None = None) -> Callable:
    """Register how the scalar operations `kinds` are written, as `prints` does for those on arrays."""

    def register(write: Callable[..., Code]) -> Callable[..., Code]:
        for kind in kinds:
            SCALARS[kind] = Printer(write, view)
            if stem:
                STEMS[kind] = stem
        return write

    return register


def _scalar_view(node: Apply) -> View | None:
    """Return the view that an elementwise operation makes; all but those that compute nothing make new arrays."""
    view = next((SCALARS[kind].view for kind in type(node.op.scalar_op).__mro__ if kind in SCALARS), None)
    return view if isinstance(view, View) else None


@prints(Elemwise, view=_scalar_view)
def elementwise(writer: Writer, node: Apply, *operands: Code) -> Code:
    """Any elementwise operation."""
    return _apply(writer, node, node.op.scalar_op, _broadcasting(writer, node, list(operands)))


@prints(ScalarOp)
def scalar_operation(writer: Writer, node: Apply, *operands: Code) -> Code:
    """The same on PyTensor's scalar types, which compute shapes and indices."""
    return _apply(writer, node, node.op, list(operands))


def _apply(writer: Writer, node: Apply, op: ScalarOp, operands: list[Code]) -> Code:
    operands = _cast_operands(node, op, operands)
    for kind in type(op).__mro__:
        if kind in SCALARS:
            return SCALARS[kind].write(writer, node, *operands)
        if kind in OPERATORS:
            return _operator(node, *OPERATORS[kind], *operands)
    name = _function(op)
    if name is None:
        raise NoSource(op)
    return call(name, *operands)


def _operator(node: Apply, symbol: str, level: int, left: Code, right: Code) -> Code:
    """Python's operator; NumPy's function where both are Python integers and zero would raise."""
    if symbol in ("/", "//", "%") and all(_is_python_number(v) for v in node.inputs):
        return call({"/": "np.true_divide", "//": "np.floor_divide", "%": "np.mod"}[symbol], left, right)
    if level == COMPARISON and _is_like_constant(left) and not _is_like_constant(right):
        return infix(_MIRRORED.get(symbol, symbol), level, right, left)
    return infix(symbol, level, left, right)


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _is_like_constant(code: Code) -> bool:
    """Whether a person compares others with it, as with numbers and what has a name in capitals."""
    return code.text.isupper() if code.is_name else code.is_simple


def _is_python_number(variable: Variable) -> bool:
    """True if the text computes `variable` from lengths and constants, as an int or a float of Python."""
    node = variable.owner
    if rank(variable) or node is None:
        return isinstance(variable, Constant)
    return isinstance(node.op, Shape_i) or all(_is_python_number(v) for v in node.inputs)


def _function(op: ScalarOp) -> str | None:
    """Return the NumPy or SciPy function that PyTensor names for `op`."""
    if type(op) in FUNCTIONS:
        return FUNCTIONS[type(op)]
    spec = getattr(op, "nfunc_spec", None)
    return None if spec is None else spec[0] if "." in spec[0] else f"np.{spec[0]}"


def _broadcasting(writer: Writer, node: Apply, operands: list[Code]) -> list[Code]:
    """Leave out the unit axes that broadcasting supplies, where another operand has them all."""
    ndim = rank(node.outputs[0])
    if ndim == 0:
        return operands
    whole = [i for i, v in enumerate(node.inputs) if not _stretches(v)]
    if not whole:
        whole = [max(range(len(operands)), key=lambda i: not isinstance(node.inputs[i], Constant))]
    for i, v in enumerate(node.inputs):
        if i in whole:
            continue
        if isinstance(v, Constant):
            operands[i] = literal(v.data.reshape(()))
        elif v.owner.op.new_order[0] == "x":
            operands[i] = _without_leading_axes(writer, v)
    return operands


def _stretches(variable: Variable) -> bool:
    """True if `variable` is a constant of one element or has leading unit axes put in for broadcasting."""
    if isinstance(variable, Constant):
        return variable.data.size == 1
    node = variable.owner
    return bool(node) and isinstance(node.op, DimShuffle) and node.op.new_order[0] == "x"


def _without_leading_axes(writer: Writer, variable: Variable) -> Code:
    order = list(variable.owner.op.new_order)
    while order and order[0] == "x":
        order.pop(0)
    base = variable.owner.inputs[0]
    if order == list(range(rank(base))):
        return writer.code(base)
    node = base.dimshuffle(*order).owner
    return dimshuffle(writer, node, writer.code(base))


@cache
def _ufunc(name: str) -> np.ufunc | None:
    module, _, attribute = re.sub(r"^np\.", "numpy.", name).rpartition(".")
    found = getattr(import_module(module), attribute, None)
    return found if isinstance(found, np.ufunc) else None


def _cast_operands(node: Apply, op: ScalarOp, operands: list[Code]) -> list[Code]:
    """Cast operands whose type NumPy would promote otherwise than PyTensor."""
    target = node.outputs[0].type.dtype
    dtypes = [v.type.dtype for v in node.inputs]
    if isinstance(op, ps.Cast | ps.Second) or all(d == "float64" for d in dtypes) or target == "bool":
        return operands
    weak = [code.is_simple and not code.is_name for code in operands]
    found = _numpy_type(op, dtypes, weak)
    if found == target or (found, target) == ("float64", "float32"):  # more precise, and what NumPy gives
        return operands
    first = 1 if isinstance(op, ps.Switch) else 0
    return [
        Code(f"np.{target}({code})") if i >= first and (weak[i] or (dtypes[i] != target and not rank(v))) else
        code if i < first or dtypes[i] == target else
        _as_type(target, v, code)
        for i, (v, code) in enumerate(zip(node.inputs, operands, strict=True))
    ]  # fmt: skip


def _numpy_type(op: ScalarOp, dtypes: list[str], weak: list[bool]) -> str | None:
    """Return the dtype that NumPy gives for operands of `dtypes`; Python numbers are `weak`."""
    numbers = {"f": 1.0, "i": 1, "u": 1}
    kinds = [numbers.get(np.dtype(d).kind, d) if w else np.dtype(d) for d, w in zip(dtypes, weak, strict=True)]
    if all(weak) or isinstance(op, ps.Switch):
        pair = dtypes[1:] if isinstance(op, ps.Switch) else dtypes
        return np.result_type(*pair).name
    if isinstance(op, ps.Reciprocal | psm.Softplus | psm.Log1mexp | scalars.Tail | scalars.Inverse | ps.Sqr):
        return None if isinstance(op, ps.Sqr) and dtypes[0] not in PLAIN else "float64"
    ufunc = _ufunc(_function(op) or "np.none")
    if ufunc is None:
        return None
    try:
        return ufunc.resolve_dtypes((np.result_type(*kinds),) * ufunc.nin + (None,) * ufunc.nout)[-1].name
    except TypeError:
        return None


def _terms(node: Apply, operands: Sequence[Code]) -> list[tuple[Variable, Code]]:
    """Return the operands, smaller arrays first where there are more than two of them."""
    pairs = list(zip(node.inputs, operands, strict=True))
    return pairs if len(pairs) == 2 else sorted(pairs, key=lambda pair: sum(not b for b in _pattern(pair[0])))


def _pattern(variable: Variable) -> tuple[bool, ...]:
    return getattr(variable.type, "broadcastable", ())


@scalar(ps.Add)
def addition(writer: Writer, node: Apply, *operands: Code) -> Code:
    return reduce(plus, sorted((code for _, code in _terms(node, operands)), key=starts_negative))


@scalar(ps.Mul, stem="product")
def multiplication(writer: Writer, node: Apply, *operands: Code) -> Code:
    pairs = sorted(_terms(node, operands), key=lambda pair: not isinstance(pair[0], Constant))
    factors = [code for _, code in pairs]
    minus = factors[0].text in ("-1.0", "-1") and node.outputs[0].type.dtype in PLAIN
    if node.outputs[0].type.dtype != "bool" and all(v.type.dtype == "bool" for v, _ in pairs[1:]):
        last = pairs[-1][0]  # NumPy's `*` of booleans alone gives booleans, and its `-` refuses them
        factors[-1] = _as_type(_number(node), last, factors[-1]) if minus or rank(last) else factors[-1]
    return negative(product(factors[1:])) if minus else product(factors)


@scalar(ps.Neg, stem="minus")
def negation(writer: Writer, node: Apply, x: Code) -> Code:
    boolean = node.inputs[0].type.dtype == "bool"
    return negative(_as_type(_number(node), node.inputs[0], x) if boolean else x)


def _number(node: Apply) -> str:
    """Return the type of numbers that booleans become in a result: what is written into it later must fit."""
    return "float64" if node.outputs[0].type.dtype == "float64" else "int64"


def _as_type(dtype: str, variable: Variable, x: Code) -> Code:
    """Return an array of another type; what has one entry may be written without its axes, as a number of Python's."""
    return call(f"np.{dtype}", x) if all(variable.type.broadcastable) else Code(f"{x:.}.astype(np.{dtype})")


@scalar(ps.Invert)
def inversion(writer: Writer, node: Apply, x: Code) -> Code:
    return Code(f"~{x.at(UNARY)}", UNARY)


@scalar(ps.Sqr, stem="square")
def square(writer: Writer, node: Apply, x: Code) -> Code:
    if node.outputs[0].type.dtype == "bool":
        return infix("&", AND, x, x)
    return Code(f"{x} * {x}", PRODUCT) if x.is_name and not rank(node.outputs[0]) else infix_power(x, Code("2"))


@scalar(ps.Pow, stem="power")
def power(writer: Writer, node: Apply, x: Code, exponent: Code) -> Code:
    """A small whole power as products, which are many times faster than NumPy's power."""
    if node.outputs[0].type.dtype == "float64" and exponent.text in ("2.0", "3.0", "4.0", "2", "3", "4"):
        name = writer.named(node.inputs[0]).text if not x.is_name else x.text
        return Code(" * ".join([name] * int(exponent.text[0])), PRODUCT)
    return call("np.power", x, exponent) if rank(node.outputs[0]) == 0 else infix_power(x, exponent)


@scalar(ps.Reciprocal, stem="inverse")
def reciprocal(writer: Writer, node: Apply, x: Code) -> Code:
    if _is_python_number(node.inputs[0]):
        return call("np.true_divide", "1.0", x)
    return infix("/", PRODUCT, Code("1.0"), x)


@scalar(ps.Switch, stem="chosen")
def where(writer: Writer, node: Apply, condition: Code, x: Code, y: Code) -> Code:
    return call("np.where", condition, x, y)


@scalar(ps.Clip)
def clip(writer: Writer, node: Apply, x: Code, low: Code, high: Code) -> Code:
    return call("np.clip", x, low, high)


@scalar(ps.Cast, stem="cast")
def cast(writer: Writer, node: Apply, x: Code) -> Code:
    target = node.outputs[0].type.dtype
    if rank(node.outputs[0]) == 0:
        return x if target == node.inputs[0].type.dtype else call(dtype_text(target), x)
    return Code(f"{x:.}.astype({dtype_text(target)})")


@scalar(ps.Identity, view=READ_ONLY)
def identity(writer: Writer, node: Apply, x: Code) -> Code:
    return x


@scalar(ps.Second, view=View(operand=1, writable=False))
def second(writer: Writer, node: Apply, like: Code, value: Code) -> Code:
    if _pattern(node.inputs[0]) == _pattern(node.inputs[1]) or rank(node.outputs[0]) == 0:
        return value
    shape = f"{writer.named(node.inputs[0])}.shape"
    if all(_pattern(node.inputs[1])):
        return call("np.full", shape, value, f"dtype={dtype_text(node.outputs[0].type.dtype)}")
    return call("np.broadcast_to", value, shape)


@scalar(ps.RoundHalfAwayFromZero)
def round_away(writer: Writer, node: Apply, x: Code) -> Code:
    x = writer.named(node.inputs[0])
    return call("np.trunc", f"{x} + np.copysign(0.5, {x})")


@scalar(psm.Softplus, stem="softplus")
def softplus(writer: Writer, node: Apply, z: Code) -> Code:
    """log(1 + exp(z)); on arrays six times faster than np.logaddexp."""
    if rank(node.outputs[0]) == 0:
        return call("np.logaddexp", "0.0", z)
    z = writer.named(node.inputs[0]) if not z.is_name else z
    return Code(f"np.maximum({z}, 0.0) + np.log1p(np.exp(-np.abs({z})))", SUM)


@scalar(scalars.Tail)
def tail(writer: Writer, node: Apply, z: Code) -> Code:
    return call("np.log1p", call("np.exp", f"-np.abs({z})"))


@scalar(*(type(op.scalar_op) for op in (scalars.sech, scalars.csch, scalars.inverse_expm1)))
def inverse(writer: Writer, node: Apply, x: Code) -> Code:
    op = node.op.scalar_op if isinstance(node.op, Elemwise) else node.op
    return Code(f"1.0 / np.{op.divisor.__name__}({x})", PRODUCT)


@scalar(scalars.Share)
def share(writer: Writer, node: Apply, x: Code) -> Code:
    return call("scipy.special.expit", negative(x))


@scalar(psm.Log1mexp)
def log1mexp(writer: Writer, node: Apply, x: Code) -> Code:
    """log(1 - exp(x)), x <= 0: Maechler (2012)."""
    x = writer.named(node.inputs[0]) if not x.is_name else x
    return call("np.where", f"{x} < -np.log(2.0)", f"np.log1p(-np.exp({x}))", f"np.log(-np.expm1({x}))")


@scalar(psm.TriGamma)
def trigamma(writer: Writer, node: Apply, x: Code) -> Code:
    return call("scipy.special.polygamma", 1, x)


@scalar(Part)
def part_of_complex(writer: Writer, node: Apply, x: Code, y: Code, *more: Code) -> Code:
    function, part = node.op.scalar_op.written if isinstance(node.op, Elemwise) else node.op.written
    number = Code(f"{x.at(SUM)} + 1j * {y.at(UNARY)}", SUM)
    return Code(f"scipy.special.{function}({', '.join(map(str, (number, *more)))}).{part}")


@scalar(*GAMMAS)
def incomplete_gamma(writer: Writer, node: Apply, k: Code, x: Code) -> Code:
    k = writer.named(node.inputs[0]) if not k.is_name else k
    function = GAMMAS[type(getattr(node.op, "scalar_op", node.op))]
    return Code(f"scipy.special.{function}({k}, {x}) * scipy.special.gamma({k})", PRODUCT)
