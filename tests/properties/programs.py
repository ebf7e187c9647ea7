"""Random NumPy programs as source text, for the property tests.

Statements are the functions under `@statement`, each one style of code; a `Writer` adds them one by one. Everything
random comes from the one `random.Random` that is handed in, which is hypothesis' own in the tests.
"""

# ruff: noqa: E501, UP031 - tables of program text

from __future__ import annotations

import contextlib
import random

import numpy as np
from program_writer import IN_PLACE, STATEMENTS, Impossible, Program, Writer, is_value, quiet, statement

# Plain assignments ----------------------------------------------------------------------------------------------------


@statement(12)
def calculation(w: Writer) -> str:
    return f"{w.new()} = {w.expression()}"


@statement(4)
def rebinding(w: Writer) -> str:
    name = w.having(lambda v: np.asarray(v).dtype.kind == "f")
    if name in ("x", *w.data):
        raise Impossible
    return f"{name} = {w.binary(name, w.partner(np.shape(w.scope[name]), exactly=True))}"


@statement(6)
def part(w: Writer) -> str:
    name = w.array("ffffib")
    return f"{w.new()} = {name}[{w.index(name)}]"


@statement(12)
def view(w: Writer) -> str:
    name = w.array("fffffi")
    value = w.scope[name]
    rows, size = value.shape[0], value.size
    factor = w.pick([d for d in range(1, size + 1) if size % d == 0])
    forms = [
        "{a}[%s]" % w.index(name, plain=True), "{a}[%s]" % w.index(name, plain=True), "{a}.ravel()", "np.ravel({a})", "{a}.T", "{a}.reshape(-1)",
        "{a}.reshape(%d, -1)" % factor, "np.reshape({a}, (%d, %d))" % (factor, size // factor), "{a}.reshape((-1, %d))" % factor,
        "{a}[None]", "{a}[..., None]", "{a}[::-1]", "{a}.squeeze()", "np.transpose({a})", "np.flip({a})", "{a}.swapaxes(0, -1)",
        "np.atleast_2d({a})", "np.expand_dims({a}, 0)", "{a}.T[%s]" % w.slice(value.shape[-1]), "{a}[%s].T" % w.slice(rows),
        "{a}[...]", "np.asarray({a})", "{a}[:, np.newaxis]", "np.swapaxes({a}, 0, -1)", "{a}.transpose()", "{a}.reshape(-1)[::2]", "{a}.T.ravel()",
        "{a}.T.reshape(-1)", "np.moveaxis({a}, 0, -1)", "np.rot90(np.atleast_2d({a}))", "np.fliplr(np.atleast_2d({a}))", "{a}.view()",
        "np.diagonal(np.atleast_2d({a}))", "np.split({a}, [1])[0]", "np.broadcast_to({a}, (2,) + {a}.shape)", "{a}.real", "{a}.reshape(%d, -1, order='F')" % factor,
        "{a}.flatten()", "{a}.ravel(order='F')", "np.squeeze({a}[None])", "{a}.reshape({a}.shape[::-1])", "{a}.T[0]", "np.array_split({a}, 2)[0]",
        "np.diag(np.atleast_2d({a}))", "np.atleast_1d({a})", "np.rollaxis({a}, {a}.ndim - 1)", "np.ascontiguousarray({a})", "np.ascontiguousarray({a}.T)",
    ]  # fmt: skip
    return f"{w.new()} = {w.pick(forms).format(a=name)}"


@statement(5)
def copying(w: Writer) -> str:
    name = w.array("fffib")
    form = w.pick(["{a}", "{a}", "{a}.copy()", "np.array({a})", "np.copy({a})", "+{a}", "{a}.astype(float)", "{a} * 1", "np.array({a}, copy=True)", "{a}.astype({a}.dtype)",
                   "{a}.astype(float, copy=False)", "np.asarray({a}, dtype=float)", "np.array([{a}, {a}])", "np.require({a})", "np.asanyarray({a})", "np.array({a}, ndmin=2)"])  # fmt: skip
    return f"{w.new()} = {form.format(a=name)}"


@statement(7)
def filling(w: Writer) -> str:
    shape = w.pick(
        ["3", "4", "2, 3", "3, 2", "2, 2", "2, 3, 2", f"{w.columns}", f"{w.columns}, {w.columns}", f"2, {w.columns}"]
    )
    name, other = w.new(), w.array("f")
    forms = [
        f"np.zeros(({shape},))", f"np.ones(({shape},))", f"np.full(({shape},), {w.number()})", f"np.zeros_like({other})", f"np.ones_like({other})",
        f"np.full_like({other}, {w.number()})", f"np.zeros(({shape},), dtype=int)", f"np.arange({w.columns})", f"np.arange({w.columns}, dtype=float)",
        f"np.linspace(0.1, 1.0, {w.columns})", f"np.eye({w.columns})", f"np.zeros({other}.shape)", f"np.zeros(({shape},), dtype=bool)",
        f"np.zeros(({shape},), order='F')", f"np.zeros(len({other}))", "np.array([0.5, 1.5, -0.5])",
        "np.array([[1.0, 2.0], [0.5, -1.0]])", f"np.zeros({other}.size)", f"np.repeat(0.5, {w.columns})", f"np.zeros_like({other}, dtype=int)",
    ]  # fmt: skip
    return f"{name} = {w.pick(forms)}"


@statement(3)
def empty(w: Writer) -> str:
    name, n = w.new(), w.pick([2, 3, 4])
    lines = [f"{name} = np.empty({n})"] + [f"{name}[{i}] = {w.number()}" for i in w.rng.sample(range(n), n)]
    return "\n".join(lines)


@statement(5)
def comparison(w: Writer) -> str:
    name = w.array("ffi")
    b = w.partner(w.scope[name].shape)
    form = w.pick(["{a} > {b}", "{a} <= {b}", "({a} > 0) & ({b} < 1)", "({a} > 0) | ({b} > {a})", "~({a} < 0.2)", "np.logical_and({a} > 0, {b} > 0)", "np.isfinite({a})",
                   "{a} == {b}", "np.logical_not({a} > {b})", "np.isclose({a}, {b}, atol=0.3)", "({a} > 0) ^ ({b} > 0.5)", "{a} != 0"])  # fmt: skip
    return f"{w.new()} = {form.format(a=name, b=b)}"


@statement(8)
def reduction(w: Writer) -> str:
    name = w.array("fffffib")
    axis = w.rng.randint(-w.scope[name].ndim, w.scope[name].ndim - 1)
    options = w.pick([f"axis={axis}", f"axis={axis}, keepdims=True", "", "", f"axis={axis}"])
    function = w.pick(
        [
            "sum",
            "mean",
            "max",
            "min",
            "prod",
            "std",
            "var",
            "argmax",
            "argmin",
            "any",
            "all",
            "cumsum",
            "cumprod",
            "sum",
            "mean",
            "ptp",
            "median",
            "count_nonzero",
            "argsort",
            "sort",
        ]
    )
    if function in ("cumsum", "cumprod", "argmax", "argmin", "argsort", "sort"):
        options = f"axis={axis}" if function in ("argsort", "sort") else options.replace(", keepdims=True", "")
    method = w.chance(0.5) and function not in ("median", "count_nonzero", "ptp", "sort")
    made = f"{name}.{function}({options})" if method else f"np.{function}({name}{', ' if options else ''}{options})"
    return f"{w.new()} = {made}"


@statement(4)
def product(w: Writer) -> str:
    a = w.array("fffi")
    n = w.scope[a].shape[-1]
    forms = ["np.outer({a}, {a}) * 0.3", "np.vdot({a}, {a}) * 0.1", "np.inner({a}, {a}) * 0.1", "np.trace(np.atleast_2d({a}))", "np.einsum('...i,...i->...', {a}, {a}) * 0.2", "np.linalg.norm({a})",
             "np.linalg.norm({a}, axis=-1)", "{a}.T @ {a} * 0.2", "np.kron({a}, np.array([1.0, 0.5]))", "np.linalg.solve(np.eye(%d) * 3 + np.outer({a}.ravel()[:%d], np.arange(%d)), np.ones(%d))" % (n, n, n, n),
             "np.linalg.inv(np.eye(%d) * 9 + {a}.reshape(-1, %d).T @ {a}.reshape(-1, %d))" % (n, n, n), "np.tensordot({a}, {a}, axes=[[-1], [-1]]) * 0.2", "np.linalg.det(np.eye(%d) * 2 + np.outer({a}.ravel()[:%d], {a}.ravel()[:%d]) * 0.1)" % (n, n, n)]  # fmt: skip
    if w.chance(0.6):
        with contextlib.suppress(Impossible):
            b = w.having(
                lambda v: (
                    isinstance(v, np.ndarray)
                    and v.dtype.kind == "f"
                    and v.ndim
                    and v.shape[-2 if v.ndim > 1 else 0] == n
                )
            )
            forms = ["{a} @ {b} * 0.4", "np.dot({a}, {b}) * 0.4", "np.matmul({a}, {b}) * 0.3", "{a}.dot({b}) * 0.3"]
            return f"{w.new()} = {w.pick(forms).format(a=a, b=b)}"
    return f"{w.new()} = {w.pick(forms).format(a=a)}"


@statement(5)
def joining(w: Writer) -> str:
    a = w.array("f")
    shape = w.scope[a].shape
    b = w.having(lambda v: isinstance(v, np.ndarray) and v.shape == shape)
    axis = w.rng.randint(-len(shape), len(shape) - 1)
    form = w.pick(["np.concatenate([{a}, {b}])", "np.concatenate(({a}, {b}), axis=%d)" % axis, "np.stack([{a}, {b}])", "np.stack([{a}, {b}], axis=%d)" % axis, "np.vstack([{a}, {b}])", "np.hstack([{a}, {b}])",
                   "np.column_stack([{a}, {b}])", "np.array([{a}, {b}])", "np.append({a}, {b})", "np.r_[{a}, {b}]", "np.concatenate([{a}.ravel(), [1.0, 2.0]])", "np.append({a}, 0.5)", "np.concatenate([{a}, {b}], axis=None)",
                   "np.array([{a}.sum(), {b}.sum(), 1.0])", "np.c_[{a}, {b}]", "np.dstack([{a}, {b}])", "np.block([{a}, {b}])"])  # fmt: skip
    return f"{w.new()} = {form.format(a=a, b=b)}"


@statement(6)
def rearranging(w: Writer) -> str:
    a = w.array("ffffi")
    value = w.scope[a]
    axis = w.rng.randint(-value.ndim, value.ndim - 1)
    n = value.shape[axis]
    form = w.pick([f"np.roll({{a}}, 1, axis={axis})", "np.roll({a}, -1)", f"np.diff({{a}}, axis={axis})", f"np.repeat({{a}}, 2, axis={axis})", "np.tile({a}, 2)", f"np.take({{a}}, {w.fancy(n)}, axis={axis})",
                   f"np.flip({{a}}, axis={axis})", "np.triu(np.atleast_2d({a}))", "np.tril(np.atleast_2d({a}), -1)", "np.diag({a}.ravel()[:3])", "np.pad({a}, 1)", "np.pad({a}, 1, mode='edge')", "{a}[np.argsort({a}, axis=None) % len({a})]",
                   f"np.take_along_axis({{a}}, np.argsort({{a}}, axis={axis}), axis={axis})", f"np.delete({{a}}, 0, axis={axis})", f"np.insert({{a}}, 0, 0.5, axis={axis})", "np.interp({a}, [-1.0, 0.0, 2.0], [0.3, 1.0, -0.5])",
                   "np.convolve({a}.ravel(), [0.5, 1.0, -0.3])", "np.where({a} > 0)[0] + 1", "np.nonzero({a} > 0.1)[0]", "np.select([{a} > 0.5, {a} < -0.5], [{a} * 2, -{a}], 0.3)", "np.searchsorted([-1.0, 0.0, 1.0], {a})",
                   "np.compress({a}.ravel() > 0, {a}.ravel())", "{a}[{a} > 0]", "np.extract({a} > 0, {a})", "np.piecewise({a}, [{a} > 0], [lambda t: t * 2, lambda t: t * t])", "np.outer({a}, [1.0, 2.0])", "np.cumsum({a})[::-1]", "np.gradient({a}.ravel())",
                   "np.trapezoid({a}, axis=-1)", "np.unique({a})", "np.add.outer({a}.ravel()[:3], {a}.ravel()[:3])", "np.add.reduce({a})", "np.maximum.reduce({a})", "np.add.accumulate({a})", "np.choose(({a} > 0) * 1, [{a}, {a} * 2])", "np.ediff1d({a})", "np.cross({a}.ravel()[:3], [1.0, 2.0, 3.0])",
                   "np.average({a}, axis=%d)" % axis, "np.meshgrid({a}.ravel()[:3], {a}.ravel()[:2])[0]", "np.bincount((np.abs({a}.ravel())).astype(int))"])  # fmt: skip
    return f"{w.new()} = {form.format(a=a)}"


@statement(4)
def conversion(w: Writer) -> str:
    a, s = w.array("f"), w.number()
    form = w.pick(["float({s})", "math.sin({s})", "math.exp(-abs({s}))", "int({s})", "bool({s} > 0)", "round({s}, 2)", "round({s})", "sum({a}.ravel())", "max({a}.ravel())", "min({a}.ravel())", "abs({s})", "np.float64({s})", "{a}.sum().item()",
                   "{a}.ravel().tolist()", "list({a}.ravel())", "math.sqrt(abs({s}) + 0.1)", "pow({s}, 2)", "{a}.item(0)", "sorted({a}.ravel())", "sum(t * t for t in {a}.ravel())", "[t + 1 for t in {a}.ravel()]",
                   "np.array([math.tanh(t) for t in {a}.ravel()])", "np.array([float(t) * 2 for t in {a}.ravel()])", "np.array(list(map(abs, {a}.ravel())))", "{a}.flat[0]", "{a}.flat[1:]", "len({a}) * {s}", "np.array({a}.tolist())",
                   "np.array([t for t in {a}.ravel() if t > 0] + [0.5])", "max({s}, 0.3)", "min(1.0, {s})", "math.floor({s})", "np.array({s})", "np.asarray({s}).reshape(1)", "{a}.astype(int)", "({a} > 0).astype(float)", "divmod({s}, 0.7)[1]",
                   "math.hypot({s}, 1.0)", "{a}.max().item()", "np.array([[{s}, 1.0], [2, {s}]])", "np.fromiter((t for t in {a}.ravel()), float)", "np.prod({a}.shape) * {s}", "math.fsum({a}.ravel())", "{s} if {s} > 0 else 0.5"])  # fmt: skip
    return f"{w.new()} = {form.format(a=a, s=s)}"


@statement(3)
def unpacking(w: Writer) -> str:
    a = w.array("f")
    p, q = w.new(), w.new()
    n = len(w.scope[a])
    forms = [
        f"{p}, {q} = {a}[0], {a}[-1]",
        f"{p}, *_ = {a}",
        f"{p}, {q} = {a}[:2]",
        f"{p}, {q} = {a}.sum(), {a}[0]",
        f"*_, {q} = {a}",
    ]
    if n == 2:
        forms += [f"{p}, {q} = {a}"] * 3
    if n == 3:
        forms.append(f"{p}, {q}, _ = {a}")
    return w.pick(forms)


# In place -------------------------------------------------------------------------------------------------------------


def item_assignment(w: Writer) -> str:
    name = w.own("fffffi")
    target = f"{name}[{w.index(name)}]"
    if w.chance(0.12):
        target = f"{name}.T[{w.index(name, plain=True)}]"
    elif w.chance(0.08):
        target = f"{name}[{w.index(name, plain=True)}][{w.pick(['0', '...', ':', '::-1', '-1'])}]"
    elif w.chance(0.05):
        target = f"{name}.flat[{w.pick(['0', '-1', '1:', '::2', ':'])}]"
    elif w.chance(0.05):
        target = f"{name}.ravel()[{w.pick(['0', '-1', '1:', '::2'])}]"
    return f"{target} = {w.source(target)}"


def augmented(w: Writer) -> str:
    name = w.own("fffffi")
    target = f"{name}[{w.index(name)}]"
    choice = w.rng.random()
    if choice < 0.4:
        target = name
    elif choice < 0.5:
        target = f"{name}.T[{w.index(name, plain=True)}]"
    shape = np.shape(eval(target, w.scope))
    if w.scope[name].dtype.kind == "i":
        return f"{target} {w.pick(['+=', '-=', '*=', '//='])} {w.pick(['1', '2', '3'])}"
    operator = w.pick(["+=", "-=", "*=", "/=", "+=", "**=", "//=", "%="] if w.chance(0.3) else ["+=", "-=", "*="])
    if operator == "**=":
        return f"{target} **= 2"
    if operator in ("/=", "//=", "%="):
        return f"{target} {operator} {w.rng.uniform(0.6, 2.0):.2f}"
    return f"{target} {operator} {w.partner(shape, exactly=True)}"


def writing_call(w: Writer) -> str:
    name = w.own("f")
    value = w.scope[name]
    s = w.partner(value.shape, exactly=True)
    position = w.fancy(value.shape[0])
    forms = [f"np.add.at({name}, {position}, {w.number()})", f"np.add({name}, {s}, out={name})", f"np.multiply({name}, 0.5, out={name})", f"np.copyto({name}, {s})", f"{name}.fill({w.number()})", f"{name}.sort()",
             f"np.sin({name}, out={name})", f"np.subtract.at({name}, {position}, 0.3)", f"np.maximum({name}, 0.0, out={name})", f"np.copyto({name}, {s}, where={name} > 0)", f"np.put({name}, [0, 1], {w.number()})",
             f"np.clip({name}, -0.5, 0.5, out={name})", f"np.exp(-np.abs({name}), out={name})", f"np.add({name}, 1.0, out={name}, where={name} > 0)", f"{name}.sort(axis=0)", f"np.cumsum({name}, axis=0, out={name})", f"{name}.put([0], {w.number()})",
             f"np.putmask({name}, {name} > 0.2, 0.3)", f"np.place({name}, {name} > 0.2, [0.3, 0.4])", f"np.negative({name}, {name})"]  # fmt: skip
    if value.ndim == 2:
        forms += [f"np.fill_diagonal({name}, {w.number()})", f"np.sum({name}, axis=0, out={name}[0])"]
    return w.pick(forms)


def swap(w: Writer) -> str:
    name = w.own("f")
    n = len(w.scope[name])
    i, j = w.rng.randint(0, n - 1), w.rng.randint(0, n - 1)
    forms = [f"{name}[{i}], {name}[{j}] = {name}[{j}], {name}[{i}]", f"{name}[[{i}, {j}]] = {name}[[{j}, {i}]]", f"{name}[1:] = {name}[:-1]", f"{name}[:-1] += {name}[1:]", f"{name}[:] = {name}[::-1]",
             f"{name}[1:] += {name}[:-1]", f"{name}[:] = {name}[::-1] * 0.5", f"{name} += {name}[::-1]", f"{name}[0] = {name}[-1] = {w.number()}", f"{name}[{i}], {name}[{j}] = {w.number()}, {w.number()}", f"{name}[:2] = {w.number()}, {w.number()}", f"{name} *= {name}[0]", f"{name} -= {name}.mean()"]  # fmt: skip
    return w.pick(forms)


def local_step(w: Writer) -> str:
    """Rebind a float scalar or array that is there already."""
    name = w.having(lambda v: isinstance(v, np.ndarray | np.float64 | float))
    if name in ("x", *w.data):
        raise Impossible
    return f"{name} = {w.binary(name, w.partner(np.shape(w.scope[name]), exactly=True))}"


IN_PLACE += [
    item_assignment,
    item_assignment,
    item_assignment,
    augmented,
    augmented,
    augmented,
    writing_call,
    swap,
    local_step,
]
for _make, _weight in ((item_assignment, 14), (augmented, 14), (writing_call, 4), (swap, 4)):
    statement(_weight)(_make)


@statement(6)
def fork(w: Writer) -> str:
    """A second name, copy or view of an array, then a write through one of them: does the other see it?"""
    first, second = w.own("f"), w.new()
    forms = ["{a}", "{a}.copy()", "{a}[:]", "np.array({a})", "{a}.ravel()", "{a}.T.ravel()", "{a}.flatten()", "{a}.T", "{a}[::-1]", "np.asarray({a})", "{a}.reshape(-1)", "{a}[[0]]", "{a}[0:1]",
             "{a}[None]", "{a}.astype(float)", "+{a}", "np.copy({a})", "{a} + 0", "{a}[{a} == {a}]", "np.reshape({a}, -1, order='F')", "np.atleast_2d({a})", "np.concatenate([{a}])", "{a}[..., 0:1]", "np.split({a}, [1])[0]"]  # fmt: skip
    target, number = w.pick([first, second]), w.number()
    write = w.pick(
        [
            "{t}[0] = {s}",
            "{t} *= 0.5",
            "{t}[...] += {s}",
            "{t}[-1] -= {s}",
            "{t}[0] *= 2",
            "{t}[:] = {s}",
            "{t}.sort()",
            "{t}.T[0] = {s}",
        ]
    )
    return f"{second} = {w.pick(forms).format(a=first)}\n" + write.format(t=target, s=number)


# Branches, loops, functions -------------------------------------------------------------------------------------------


@statement(5)
def branch(w: Writer) -> str:
    made = w.block(w.rng.randint(1, 2), f"if {w.condition()}:")
    if w.chance(0.3):
        made += "\n" + w.block(1, f"elif {w.condition()}:")
    if w.chance(0.5):
        made += "\n" + w.block(1, "else:")
    return made


@statement(8)
def loop(w: Writer) -> str:
    name = w.array("ffff")
    n = len(w.scope[name])
    i, row = w.new("i"), w.new("r")
    kind = w.rng.randint(0, 4)
    if kind == 0:
        return w.block(w.rng.randint(1, 2), f"for {row} in {name}:", f"{row} = {name}[0]")
    if kind == 1:
        return w.block(w.rng.randint(1, 2), f"for {i}, {row} in enumerate({name}):", f"{i} = 0; {row} = {name}[0]")
    if kind == 2:
        return w.block(
            w.rng.randint(1, 2), f"for {i} in range({n}):\n    {row} = {name}[{i}]", f"{i} = 0; {row} = {name}[0]"
        )
    if kind == 3:
        target, s = w.own("f"), w.number()
        m = len(w.scope[target])
        body = w.pick([f"{target}[{i}] = {target}[{i} - 1] * 0.5 + {s}", f"{target}[{i}] += {name}[{i} % {n}]", f"{target}[-{i}] = {target}[{i}] * {s}", f"{target}[{i}:] *= 0.9", f"{target}[:{i} + 1] += 0.1 * {s}",
                       f"{target}[{i}] = np.sin({target}[{i} - 1]) + {name}.sum()", f"if {target}[{i}].sum() > {s}:\n        {target}[{i}] -= 0.5", f"{target}[{i} - 1], {target}[{i}] = {target}[{i}], {target}[{i} - 1]"])  # fmt: skip
        return f"for {i} in range({w.pick(['', '1, '])}{m}):\n    {body}"
    flow = w.pick(["break", "continue"])
    body = w.block(1, "", f"{i} = 0; {row} = {name}[0]").lstrip("\n")
    return (
        f"for {i} in range({n}):\n    {row} = {name}[{i}]\n    if np.sum({row}) > {w.number()}:\n        {flow}\n{body}"
    )


@statement(3)
def accumulation(w: Writer) -> str:
    a = w.array("f")
    s, t, out = w.new("s"), w.new("t"), w.new()
    forms = [f"{s} = 0.0\nfor {t} in {a}:\n    {s} += np.sum({t} ** 2)", f"{s} = []\nfor {t} in {a}:\n    {s}.append(np.sin({t}))\n{out} = np.array({s})", f"{s} = []\nfor {t} in {a}:\n    {s}.append({t})\n{out} = np.stack({s})",
             f"{s} = 0\nfor {t} in range(len({a})):\n    {s} = {s} + {a}[{t}] * {t}", f"{s} = []\nfor {t} in {a}.ravel():\n    if {t} > 0:\n        {s}.append({t} * 2)\n    else:\n        {s}.append(0.5)\n{out} = np.array({s})",
             f"{s} = {a}[0]\nfor {t} in {a}[1:]:\n    {s} = {s} * 0.5 + {t}", f"{s} = {a}[0]\nfor {t} in {a}[1:]:\n    {s} += {t}", f"{out} = np.array([{t} * 2 for {t} in {a}])", f"{out} = np.array([np.sum({t}) for {t} in {a}[::-1]])",
             f"{s} = [{a}, {a} * 2]\n{s}[0] += 1.0\n{out} = {s}[1] - {s}[0]", f"{s} = {{'u': {a}}}\n{s}['u'] *= 0.5\n{out} = {s}['u'] + 1.0", f"{out} = sum([{t} for {t} in {a}])", f"{s} = np.zeros(2)\nfor {t} in {a}.ravel():\n    {s}[int({t} > 0)] += {t}",
             f"{s} = np.zeros((len({a}), 2))\nfor {t} in range(len({a})):\n    {s}[{t}, 0] = np.sum({a}[{t}])\n    {s}[{t}, 1] = {t}", f"{out} = np.zeros_like({a})\nfor {t}, {s} in zip({a}, {out}):\n    {s}[...] = {t} * 2"]  # fmt: skip
    return w.pick(forms)


@statement(3)
def convergence(w: Writer) -> str:
    s = w.new("s")
    forms = [
        "while {s} > 0.8:\n    {s} = {s} * 0.5",
        "while {s} > 0.5:\n    {s} -= 0.4",
        "n{s} = 0\nwhile {s} > 0.3 and n{s} < 5:\n    {s} = np.sin({s}) * 0.9\n    n{s} += 1",
        "while True:\n    {s} = {s} / 2\n    if not {s} >= 1.0:\n        break",
    ]
    return f"{s} = min(abs({w.number()}), 40.0)\n" + w.pick(forms).format(s=s)


@statement(4)
def function(w: Writer) -> str:
    """A local function: pure, writing into its argument, or a closure over a variable."""
    h, a, b = w.new("h"), w.array("f"), w.number()
    target = w.own("f") if w.chance(0.5) else a
    forms = [f"def {h}(u, s=2.0):\n    return np.sin(u) * s\n{w.new()} = {h}({a})", f"def {h}(u):\n    return u * {b}\n{w.new()} = {h}({a}) + {h}({b})", f"{h} = lambda u: u ** 2 + {b}\n{w.new()} = {h}({a})",
             f"def {h}(u):\n    if np.sum(u) > 0:\n        return u * 2\n    return -u\n{w.new()} = {h}({a})"]  # fmt: skip
    if target != a or a not in ("x", *w.data):
        forms += [
            f"def {h}(u):\n    u[0] = {b}\n    u *= 0.5\n{h}({target})",
            f"def {h}(u):\n    u = u[1:]\n    u += {b}\n    return u\n{w.new()} = {h}({target})",
            f"def {h}(u, *v, **kw):\n    u[-1] += v[0] * kw['s']\n    return u\n{w.new()} = {h}({target}, {b}, s=0.5)",
        ]
    return w.pick(forms)


@statement(2)
def helper(w: Writer) -> str:
    """A function of the module, some with a captured array."""
    g, a = w.new("g"), w.array("f")
    forms = [f"def {g}(u):\n    return np.tanh(u) + 0.5 * u\n", f"def {g}(u):\n    out = np.zeros_like(u)\n    for i in range(len(u)):\n        out[i] = u[i] * (i + 1)\n    return out\n",
             f"W{g} = np.array([0.5, -1.0, 2.0])\ndef {g}(u):\n    return np.sum(W{g}) * u + W{g}[1]\n", f"def {g}(u, n=3):\n    return u if n == 0 else {g}(np.sin(u), n - 1)\n", f"def {g}(u):\n    for row in u:\n        yield row * 2\n"]  # fmt: skip
    text = w.pick(forms)
    exec(text, w.scope)
    w.helpers.append(text)
    return f"{w.new()} = np.array(list({g}({a})))" if "yield" in text else f"{w.new()} = {g}({a})"


# Whole programs -------------------------------------------------------------------------------------------------------


def write(rng: random.Random, statements: int | None = None) -> Program:
    """Return a random program of so many statements (3 to 10 if None)."""
    w = Writer(rng)
    makers, weights = zip(*STATEMENTS, strict=True)
    for _ in range(statements or rng.randint(3, 10)):
        for _ in range(6):
            (make,) = rng.choices(makers, weights)
            helpers = len(w.helpers)
            try:
                with quiet():
                    text = make(w)
            except (Impossible, IndexError, ValueError, TypeError):
                continue
            if w.add(text):
                w.styles.append(make.__name__)
                break
            del w.helpers[helpers:]
    return Program(w.lines, w.helpers, list(w.scope), w.data, w.points, _result(w), w.scale, w.styles)


def _result(w: Writer) -> list[str]:
    """Return terms that together depend on every entry of the last arrays, each with a weight of its own."""
    names = [n for n, v in w.scope.items() if is_value(n, v) and not n.startswith("_")]
    own = [n for n in names if n not in w.data]
    terms = []
    for k, name in enumerate(own[-7:] if len(own) > 7 else own):
        value = w.scope[name]
        if np.ndim(value) == 0:
            terms.append(f"{0.3 + 0.1 * k:.1f} * {name}")
        else:
            weights = f"np.linspace({0.4 + 0.1 * k:.1f}, 1.7, {name}.size).reshape({name}.shape)"
            linear = w.chance(0.6) or np.asarray(value).dtype.kind == "b"
            terms.append(f"np.sum({name} * {weights})" if linear else f"np.sum(np.sin({name}) * {weights})")
    return terms
