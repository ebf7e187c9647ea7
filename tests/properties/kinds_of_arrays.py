"""Kinds of programs about arrays: `out=` and views of every origin, and complex numbers on the way."""

# ruff: noqa: E501 - tables of program text

from __future__ import annotations

from kinds import Core, Draw, indented, kind

# Views and out= -------------------------------------------------------------------------------------------------------

VIEWS = {
    "matrix": (
        "np.einsum('ii->i', B)", "np.einsum('ij->ji', B)", "np.einsum('ij->ij', B)", "B.T", "B.ravel()", "B.reshape(-1)", "B.reshape(n * n)", "B[0]", "B[:, 1]", "B[::-1]", "B[:, ::-1]",
        "B.T[1]", "np.transpose(B)", "B.swapaxes(0, 1)", "np.swapaxes(B, 0, 1)", "np.moveaxis(B, 0, 1)", "np.flip(B)", "np.fliplr(B)", "np.flipud(B, )", "np.rot90(B)", "np.rot90(B, 2)",
        "B.flat", "B.real", "np.real(B)", "B.view()", "B[...]", "B[None]", "B[:, None]", "np.expand_dims(B, 0)", "np.atleast_3d(B)", "np.asarray(B)", "np.asanyarray(B)", "B[1:, 1:]",
        "B.ravel()[::n + 1]", "B.reshape(-1)[1:n + 1]", "B.flatten()", "np.ravel(B)", "np.squeeze(B)", "B.squeeze()", "np.array(B, copy=False) if False else B", "B.copy()",
        "np.lib.stride_tricks.as_strided(B, shape=(n,), strides=(B.strides[0] + B.strides[1],))", "np.lib.stride_tricks.sliding_window_view(B, 2, axis=1, writeable=True)",
        "np.lib.stride_tricks.sliding_window_view(B.ravel(), 2, writeable=True)", "np.split(B, n)[1]", "np.vsplit(B, n)[0]", "np.hsplit(B, n)[1]", "np.array_split(B, 2)[0]", "next(iter(B))",
        "list(B)[-1]", "B[np.arange(n)]", "B[[0, 1]]", "np.require(B)", "np.ascontiguousarray(B)", "np.broadcast_to(B, (n, n)).copy()", "np.triu(B)", "B.diagonal().copy()", "B.astype(float, copy=False)",
        "B.astype(float)", "B.transpose(1, 0)", "B.transpose()", "np.lib.stride_tricks.as_strided(B)", "B[0:1][0]", "B[slice(None), 0]", "B[-1, ::-1]", "B.T.reshape(-1)", "B.ravel('F')", "B.ravel('K')",
        "B.reshape(-1, order='F')", "B.reshape((n * n, 1))", "B.take([0], axis=0)", "B[B > 9.0]", "np.matrix_transpose(B)", "B.mT", "np.permute_dims(B, (1, 0))", "np.unstack(B)[0]",
    ),
    "vector": (
        "B", "B[:]", "B[::-1]", "B[1:]", "B[:-1]", "B[::2]", "B.reshape(-1, 1)", "B[None, :]", "B[:, None]", "np.atleast_2d(B)", "B.T", "B.real", "B.view()", "B.flat", "np.flip(B)", "B.ravel()",
        "np.lib.stride_tricks.sliding_window_view(B, 2, writeable=True)", "np.lib.stride_tricks.sliding_window_view(B, 1, writeable=True)", "B[...]", "np.asarray(B)", "B.copy()", "np.split(B, [1])[1]",
        "np.expand_dims(B, 1)", "np.lib.stride_tricks.as_strided(B, shape=(2,), strides=(B.strides[0],))", "np.einsum('i->i', B)", "B.squeeze()", "B[np.newaxis][0]", "memory(B)", "np.reshape(B, (1, -1))", "B[-1:]",
    ),
}  # fmt: skip


@kind("out= and views")
def writes_through_views(d: Draw) -> Core:
    """A base, a view of some origin, writes through it and behind it, reads of both, in any order."""
    shape = d.pick("matrix", "matrix", "vector")
    if shape == "matrix":
        base = d.pick(
            "np.zeros((n, n))",
            "np.ones((n, n))",
            "np.outer(x, x)",
            "np.eye(n) * " + d.one(),
            "np.empty((n, n))\nB[:] = " + d.smooth(),
            "np.arange(n * n, dtype=float).reshape(n, n)",
            "np.full((n, n), 0.5)",
            "np.array([x, x ** 2, np.sin(x)][:n])",
            "np.zeros((n, n), order='F')",
            "np.tile(x, (n, 1))",
            "x[:, None] * x",
        )
    else:
        base = d.pick(
            "np.zeros(n)",
            "x.copy()",
            "x * 1.0",
            "np.sin(x)",
            "np.empty(n)\nB.fill(" + d.smooth() + ")",
            "np.ones_like(x)",
            "np.array(x)",
            "np.linspace(0, 1, n)",
        )
    steps = [f"V = {d.pick(*VIEWS[shape])}"]
    if d.chance(0.3):
        steps.append(
            "V = "
            + d.pick("V[...]", "V[::-1]", "V[1:]", "V.T", "V.reshape(-1)", "V.ravel()", "V.view()", "V[0]", "V.real")
        )
    writes = [_write(d, shape) for _ in range(d.whole(1, 3))]
    steps.extend(writes)
    if d.chance(0.3):
        steps.insert(d.whole(1, len(steps)), f"before = {d.weights('B')}")
    else:
        steps.append("before = 0.0")
    if d.chance(0.2):
        steps.insert(1, f"B[0] {d.pick('=', '+=', '*=')} {d.smooth()}")
    steps.append(f"r = {d.weights('B')}")
    text = f"n = len(x)\nB = {base}\n" + "\n".join(steps)
    return Core(
        text,
        ("r", "before", d.pick("np.sum(np.asarray(V))", d.smooth(), "np.size(np.asarray(V)) * 0.1")),
        "\n\n\ndef memory(B):\n    return B[:2]",
    )


def _write(d: Draw, shape: str) -> str:
    s, t = d.smooth(), d.smooth()
    return d.pick(
        f"V[:] = {s}",
        "V[...] = " + s,
        f"V[0] = {s}",
        f"V[-1] += {s}",
        f"V[0] *= {s}",
        f"V += {s}",
        f"V *= {s}",
        f"V -= {s}",
        f"V[V > {d.number()}] = {s}",
        f"np.copyto(V, {s})",
        f"np.copyto(B, {s}, where=B > {d.number()})",
        f"np.add(V, {s}, out=V)",
        f"np.multiply(V, {s}, out=V)",
        "np.sin(V, out=V)",
        "np.exp(0.3 * V, V)",
        f"V.fill({s})",
        f"np.put(B, [0, 1], [{s}, {t}])",
        f"np.put(V, [0], {s})",
        f"np.place(B, B > {d.number()}, [{s}, {t}])",
        f"np.putmask(V, V < {d.number()}, {s})",
        f"np.add.at(B, [0, 0, 1], {s})",
        f"np.subtract.at(V, 0, {s})",
        f"np.fill_diagonal(B, {s})" if shape == "matrix" else f"B.put([0], {s})",
        "np.fill_diagonal(B, x)" if shape == "matrix" else "B[:] = x",
        f"B[np.diag_indices(n)] += {s}"
        if shape == "matrix"
        else f"B.itemset(0, {s}) if hasattr(B, 'itemset') else B.put(0, {s})",
        f"np.put_along_axis(B, np.zeros((1, n), dtype=int), {s}, axis=0)"
        if shape == "matrix"
        else f"np.put_along_axis(B, np.array([1]), {s}, axis=0)",
        f"B[0] = {d.vector()}" if shape == "matrix" else f"B[:] = {d.vector()}",
        f"B[1:] -= {s}",
        "V.sort()",
        "V.partition(0)",
        "V[0], V[-1] = V[-1] * 2, V[0]",
        f"np.negative(V, out=V, where=V > {d.number()})",
        "np.clip(V, -1.0, 1.0, out=V)",
        f"for i in range(len(V)):\n    V[i] = V[i] * {s}",
        f"for row in V:\n    row *= {s}" if shape == "matrix" else "for i, v in enumerate(V):\n    V[i] = v ** 2",
        f"B.flat[{d.whole(0, 1)}] = {s}",
        f"B.real[0] = {s}",
        "np.cumsum(V, axis=0, out=V)",
        f"V.__iadd__({s})",
        f"V.__setitem__(0, {s})",
        f"V.itemset(0, {s}) if hasattr(V, 'itemset') else None",
        "np.nan_to_num(V, copy=False)",
        "with np.nditer(V, op_flags=['readwrite']) as it:\n    for e in it:\n        e[...] = 2 * e",
        "np.divide(1.0, 2.0 + V ** 2, out=V)",
        f"np.maximum(V, {s}, out=V)",
    )


@kind("out= and views")
def results_into_out(d: Draw) -> Core:
    """Functions that put their result into an array."""
    v, w = d.vector(), d.vector()
    call = d.pick(
        "np.multiply.outer(v, w, out=B)", "np.add.outer(v, w, out=B)", "np.outer(v, w, out=B)", "np.outer(v, w, B)", "np.matmul(C, C, out=B)", "np.dot(C, C, out=B)", "C.dot(C, out=B)",
        "np.add(v, w, out=B[0])", "np.multiply(v, w, B[0])", "np.sin(v, out=B[:, 1])", "np.sum(C, axis=0, out=B[0])", "C.sum(axis=1, out=B[:, 0])", "np.mean(C, axis=0, out=B[-1])",
        "np.cumsum(C, axis=1, out=B)", "C.cumsum(axis=0, out=B)", "np.cumprod(C, axis=0, out=B)", "np.add.accumulate(C, axis=0, out=B)", "np.add.reduce(C, axis=0, out=B[0])", "np.maximum.reduce(C, out=B[1])",
        "np.einsum('i,j->ij', v, w, out=B)", "np.einsum('ij,jk->ik', C, C, out=B)", "np.clip(C, -0.5, 0.5, out=B)", "C.clip(-0.5, 0.5, out=B)", "np.take(C, [1, 0] + list(range(2, n)), axis=0, out=B)",
        "np.take(v, [0] * n, out=B[0])", "v.take([1] * n, out=B[0])", "np.stack([v] * n, out=B)", "np.concatenate([v, w], out=B2)", "np.concatenate([v[:1]] * n, out=B[0])", "np.compress([True, True] + [False] * (n - 2), C, axis=0, out=B[:2])",
        "np.choose(np.array([0, 1] + [0] * (n - 2)), [v, w], out=B[0])", "np.max(C, axis=0, out=B[0])", "np.min(C, axis=1, out=B[:, 0])", "np.std(C, axis=0, out=B[0])", "C.var(axis=0, out=B[0])", "np.prod(C, axis=0, out=B[0])",
        "np.exp(C, out=B, where=C > 0)", "np.divide(C, 2.0 + C, out=B, where=C > 0)", "np.add(v, w, out=(B[0],))", "np.modf(v, B[0], B[1])", "np.frexp(v, B[0], np.zeros(n, dtype=np.int32))", "np.round(v, 1, out=B[0])", "v.round(1, B[0])",
        "np.trace(C, out=B[0, 0:1].reshape(()))", "np.diagonal(C).sum(out=B[0, 0, ...])", "np.median(C, axis=0, out=B[0])", "np.percentile(C, 40, axis=0, out=B[0])", "np.quantile(C, 0.3, axis=0, out=B[0])", "np.nansum(C, axis=0, out=B[0])",
        "np.linalg.multi_dot([C, C, C], out=B)", "np.inner(v, w) * np.ones(n, out=None) if False else np.copyto(B, C)", "np.ldexp(v, 1, out=B[0])", "np.hypot(v, w, out=B[0])", "np.add.reduceat(v, [0, 1], out=B[0, :2])", "np.sqrt(np.add(C * C, 1.0, out=B), out=B)",
        "np.vecdot(C, C, out=B[0])", "np.ptp(C, axis=0, out=B[0])", "np.nanmax(C, axis=0, out=B[0])", "np.cross(v, w, out=B[0]) if False else np.subtract(v, w, out=B[1])", "np.fmax(C, 0.0, B)", "np.heaviside(C, 0.5, out=B)", "np.matmul(C, v, out=B[:, 1])", "np.dot(C, v, B[0])",
    )  # fmt: skip
    after = d.pick("", f"\nB {d.pick('*=', '+=')} {d.smooth()}", "\nB[0] = B[-1]", "\nv = v * 2\nB[-1] -= v")
    base = d.pick(
        "np.zeros((n, n))",
        "np.ones((n, n))",
        "np.full((n, n), 0.3)",
        "np.zeros((n, n), order='F')",
        "np.zeros((n, n)).T",
        "np.zeros((n, n, 2))[..., 0]",
        "np.zeros((2 * n, n))[::2]",
        "C * 0.5",
    )
    result = d.pick("", "R = ")
    text = f"n = len(x)\nv = {v}\nw = {w}\nC = np.outer(v, w) + {d.number()}\nB = {base}\nB2 = np.zeros(2 * n)\n{result}{call}{after}"
    return Core(text, (d.weights("B"), d.pick("np.sum(B2 ** 2)", "B2[-1] * B2[0]")))


@kind("out= and views")
def buffers(d: Draw) -> Core:
    """Arrays filled bit by bit, copied and changed, inside lists, by inner functions and through arguments."""
    s, t, v = d.smooth(), d.smooth(), d.vector()
    text, helpers = d.pick(
        (f"B = np.zeros((2, len(x)))\nrows = list(B)\nrows[0][:] = {v}\nrows[1] += {s}", ""),
        (f"def fill(A):\n    A[:] = {v}\nB = np.zeros((3, len(x)))\nfill(B[1])\nfill(B[:1])", ""),
        (f"B = np.ones((len(x), len(x)))\nfill(B, {s})\nfill(B.T, {t})", f"def fill(A, v):\n    A[0] = v\n    A[{d.pick('0', '1')}, 1] *= v"),
        (f"B = {v}\nC = B\nB = B + 1\nC {d.pick('*=', '+=')} {s}\nB = B * C", ""),
        (f"B = ({v}) * 1.0\nC = B\nC {d.pick('*=', '+=')} {s}\nC[0] = {t}", ""),
        (f"B = np.zeros((len(x), len(x)))\nfor i in range(len(x)):\n    for j in range(i + 1):\n        B[i, j] = B[j, i] = x[i] * {s} + x[j]", ""),
        (f"B = np.zeros(5)\nlow, high = B[:3], B[2:]\nlow += {s}\nhigh *= {t}\nlow[2] += high[1] + 1", ""),
        (f"B = np.zeros(6)\nW = np.lib.stride_tricks.sliding_window_view(B, 3)\nB[1:4] = {s}\nB = B + W.sum(axis=1).mean()", ""),
        (f"B = np.arange(6.0)\nW = np.lib.stride_tricks.sliding_window_view(B, 2)\nB[{d.whole(0, 5)}] = {s}\nB[2] += {t}\nB = B * W.sum(axis=0)[0]", ""),
        (f"pieces = {{'a': np.zeros(2), 'b': np.ones(2)}}\npieces['a'][0] = {s}\npieces['b'] *= {t}\nB = np.concatenate(list(pieces.values()))", ""),
        (f"B = np.zeros((2, 3))\nA = B.reshape(3, 2)\nA[1] = [{s}, {t}]\nB[0] += 1.0", ""),
        (f"B = np.zeros((2, 2, 2))\nB[0].T[1] = {s}\nB.swapaxes(0, 2)[1, 0] -= {t}\nnp.einsum('iij->ij', B)[0] += {s}", ""),
        (f"B = np.zeros(4)\nB.reshape(2, 2)[:] = [[{s}, 1.0], [0.5, {t}]]\nB.reshape(2, 2).T[0] *= 2", ""),
        (f"B = np.zeros(4, dtype=complex)\nB.real = {s}\nB.imag[1:] = {t}\nB = np.abs(B * (1 + 0.5j))", ""),
        (f"B = np.zeros(3, dtype=complex)\nR = B.real\nR[:] = {s}\nB.imag += {t}\nB = B.real * R + B.imag ** 2", ""),
        (f"B = np.zeros(4).view(complex)\nB[0] = {s} + 1j * {t}\nB = B.view(float)", ""),
        (f"z = np.zeros(2, dtype=complex)\nz[:] = {s} * np.exp(1j * {t})\nB = z.view(float) + 1", ""),
        (f"B = np.zeros(2, dtype=[('a', float), ('b', float)])\nB['a'] = {s}\nB['b'][0] = {t}\nB = B['a'] * 2 + B['b']", ""),
        (f"out = []\nB = np.zeros(2)\nfor k in range(3):\n    B[0] = {s} * k\n    out.append({d.pick('B', 'B.copy()', 'B[:1]', 'B * 1')})\n    B[1] += {t}\nB = np.concatenate(out)", ""),
        (f"B = np.zeros(3)\nA, C = B, B[1:]\nA[1] = {s}\nC[1] = C[0] * {t}\nB[C > 0.1] += 1", ""),
        (f"B = np.broadcast_arrays(x, np.zeros((2, 1)))[0].copy()\nB[0] = {s}", ""),
        (f"B = np.vander(x, 3)\nB[:, 0] = B[:, 1] * {s}\nB.T[2] -= x", ""),
        (f"B = np.stack([x, x])\nx = x.copy()\nx[0] = {s}\nB += x", ""),
        (f"x = x.copy()\nB = x[::-1]\nx[0] += {t}\nx *= {s}", ""),
        (f"B = np.r_[x, {s}]\nB[:len(x)] += B[1:]\nB[1:] -= B[:-1]", ""),
        (f"B = np.c_[x, x]\nB[:, 1] = B[::-1, 0]\nB[0] = {s}", ""),
        (f"A = np.zeros((2, 2))\nB = np.block([[A, A]])\nA[:] = {s}\nB += A.sum() * {t}", ""),
        (f"B = np.lib.stride_tricks.as_strided(np.zeros(8), shape=(3, 2), strides=(16, 8))\nB[1] = {s}\nB[:, 0] += {t}", ""),
        (f"A = np.zeros(7)\nB = np.lib.stride_tricks.as_strided(A, shape=(3, 3), strides=(16, 8))\nA[{d.whole(1, 5)}] = {s}\nA[2:5] += {t}", ""),
    )  # fmt: skip
    return Core(text, (d.weights("B"),), helpers)


# Complex numbers on the way -------------------------------------------------------------------------------------------


@kind("complex intermediates")
def complex_numbers(d: Draw) -> Core:
    """A chain of complex operations on numbers or vectors, and a real number made of the last."""
    real, imaginary = d.pick((d.smooth(), d.smooth()), (d.vector(), d.vector()), (d.vector(), d.smooth()))
    start = d.pick(
        f"({real}) + 1j * ({imaginary})",
        f"np.exp(1j * ({real})) * (1.2 + 0.3j)",
        f"({real}) * (0.8 - 0.6j) + 1.1",
        f"1j * ({real}) + 2.0",
        f"np.asarray({real}) + 1j * np.asarray({imaginary})",
        f"np.asarray({real}).astype(complex) + 0.7j",
        f"np.multiply(1j, {real}) + 1",
    )
    if d.chance(0.15):
        start = f"complex({d.smooth()}, {d.smooth()})"
    steps = [f"z = {start}"]
    for _ in range(d.whole(1, 3)):
        k = d.whole(2, 3)
        steps.append(
            "z = "
            + d.pick(
                "np.exp(z)", "np.exp(1j * z)", "np.sqrt(z)", "np.log(z + 3.3)", "z ** 2", f"z ** {k}", "z ** 0.5", "z ** -1.5", "1 / (z + 2.5)", "z * np.conj(z)", "np.conj(z)", "z.conj()" , "np.sin(z)", "np.cos(z)", "np.tanh(z)",
                "np.sinh(z)", "np.cosh(z)", "z * z + (1 - 0.5j)", "z / np.abs(z)", "np.abs(z) * np.exp(0.5j * np.angle(z))", "np.arctan(z)", "np.log1p(z / 5)", "np.expm1(z)", "z + 1j * z.real", "z.real + 1j * np.sin(z.imag)",
                "np.square(z)", "np.reciprocal(z + 3)", "np.power(z, 2)", "np.where(np.abs(z) > 1, z, z * 2)", "np.arcsin(z / 4)", "np.arccosh(z + 3)", "np.arcsinh(z)", "np.exp2(z)", "np.tan(z / 3)", "np.log2(z + 4)", "np.log10(z + 4)",
                "-z", "+z * 0.5", "2j - z", "z * (z.imag + 1)", "np.multiply(z, 1 + 1j)", "np.arctanh(z / 4)", "np.arccos(z / 4)", "z ** (1 + 0.5j)", "np.real_if_close(z) + 0.2j", "np.sign(z.real) * z", "np.nan_to_num(z)", "(z - 1) * (z + 1j)", "np.negative(z)",
            )
        )  # fmt: skip
    final = d.pick(
        "np.real(z)", "z.real", "np.imag(z)", "z.imag", "np.abs(z)", "abs(z)", "np.abs(z) ** 2", "np.angle(z)", "np.real(z * np.conj(z))", "(z * z.conj()).real", "np.angle(z + 4)", "np.arctan2(z.imag, z.real + 5)", "np.linalg.norm(np.atleast_1d(z))",
        "np.real(np.sum(z))", "np.abs(np.sum(z))", "np.sum(np.atleast_1d(z)).imag", "np.real(np.prod(np.atleast_1d(z)))", "np.vdot(z, z).real", "np.mean(z).real", "np.var(np.atleast_1d(z))", "np.std(np.atleast_1d(z) * 1j)", "np.abs(np.cumsum(np.atleast_1d(z)))", "np.real(np.dot(z, z))", "np.hypot(z.real, z.imag)", "np.log(np.abs(z))",
    )  # fmt: skip
    return Core("\n".join(steps), (d.weights(final) if d.chance(0.7) else f"np.sum({final})",))


@kind("complex intermediates")
def transforms(d: Draw) -> Core:
    """Fourier transforms there and back, spectra, filters."""
    v = d.vector()
    n = d.pick("", "", ", 4", ", n=5")
    text = d.pick(
        f"z = np.fft.fft(v{n})\nr = np.sum(np.abs(z) ** 2 * np.arange(len(z)))",
        f"z = np.fft.rfft(v{n})\nr = np.sum(np.abs(z) ** 2 * np.arange(len(z)))",
        "z = np.fft.fft(v)\nr = np.sum(np.fft.ifft(z * np.exp(-0.3 * np.arange(len(z)))).real * np.arange(len(z)))",
        f"r = np.sum(np.fft.irfft(np.fft.rfft(v) * {d.smooth()}, len(v)) ** 2)",
        "r = np.sum(np.real(np.fft.ifft(np.fft.fft(v) * np.fft.fft(v[::-1]))) * np.arange(len(v)))",
        f"z = np.fft.fft(v)\nr = np.angle(z[1] + 5.0) * {d.smooth()}",
        "z = np.fft.fft2(np.outer(v, v))\nr = np.sum(np.abs(z) ** 2) + z[0, 1].imag",
        "z = np.fft.fftshift(np.fft.fft(v))\nr = np.sum((z * np.linspace(0, 1, len(z))).real ** 2)",
        "z = np.fft.hfft(v)\nr = np.sum(z ** 2 * np.arange(len(z)))",
        "k = np.fft.fftfreq(len(v))\nr = np.sum(np.fft.ifft(2j * np.pi * k * np.fft.fft(v)).real ** 2 * (1 + np.arange(len(v))))",
        f"z = sum(v[k] * np.exp(-2j * np.pi * k * {d.one()}) for k in range(len(v)))\nr = abs(z) ** 2",
        f"t = np.array([{d.numbers(3)}])\nz = np.mean(np.exp(1j * np.outer(t, v)), axis=1)\nr = np.sum(np.abs(z - np.exp(-t ** 2 / 2)) ** 2)",
        f"w = np.linspace(0.1, 3, 6)\nH = 1 / (1 - w ** 2 * {d.positive()} + 1j * w * {d.positive()})\nr = np.sum(np.log(np.abs(H)) ** 2)",
        f"w = np.linspace(0.1, 3, 5)\nr = 0.0\nfor k in w:\n    z = {d.positive()} + 1j * k * {d.positive()}\n    r += (1 / z).real * k + abs(z) ** 0.5",
        f"u = np.linspace(0.05, 4, 9)\nphi = np.exp(1j * u * {d.smooth()} - 0.5 * {d.positive()} * u ** 2)\nr = np.sum(np.real(np.exp(-1j * u * 0.3) * phi / (1j * u)))",
        "z = np.fft.ifft(v)\nr = np.sum(z.real ** 2 * np.arange(len(z))) + np.sum(z.imag ** 2)",
    )
    return Core(f"v = {v}\n{text}", ("r",))


@kind("complex intermediates")
def roots_in_complex_numbers(d: Draw) -> Core:
    """Roots of polynomials, eigenvalues, matrices of complex numbers."""
    a, b, p = d.smooth(), d.smooth(), d.positive()
    text = d.pick(
        f"s = np.sqrt(({a}) ** 2 - 4 * ({b}) + 0j)\nu, w = (-({a}) + s) / 2, (-({a}) - s) / 2\nr = np.real(u * w) + np.abs(u) ** 2 + np.abs(w) ** 2",
        f"import cmath\ns = cmath.sqrt(({a}) - 2)\nr = abs(s) ** 2 + s.imag * {b}",
        f"import cmath\nz = cmath.exp(complex(0.2 * ({a}), {b}))\nr = z.real + cmath.phase(z + 9) * 2",
        f"u = ((({a}) + 1j) ** 2 + 1) ** (1 / 3)\nr = (u + np.conj(u)).real + u.imag",
        f"z = np.roots([1.0, {a}, {b} + 3.0])\nr = np.sum(np.abs(z) ** 2)",
        f"z = np.roots([1.0, {a}, {p}, 0.4])\nr = np.sum(z.real ** 3)",
        f"z = np.linalg.eigvals(np.array([[{a}, 1.0 + {p}], [-{p}, {b}]]))\nr = np.sum(np.abs(z) ** 2)",
        f"z = np.linalg.eigvals(np.array([[{a}, 1.0 + {p}], [{p}, {b}]]))\nr = np.max(z.real)",
        f"A = np.array([[{p}, 1j * {b}], [{a}, 1.5 + 0j]])\nr = abs(np.linalg.det(A)) ** 2 + np.trace(A @ A).real",
        f"A = np.array([[2 + {p}, 0.5 + 0.3j * {b}], [0.5 - 0.3j * {b}, 2.5]])\nr = np.sum(np.linalg.inv(A).real * [[1.0, 2.0], [0.5, 1.0]])",
        f"A = np.array([[2 + {p}, 0.5 + 0.3j * {b}], [0.5 - 0.3j * {b}, 2.5]])\nz = np.linalg.solve(A, np.array([1.0, 1j]))\nr = np.sum(np.abs(z) ** 2)",
        f"A = np.array([[2 + {p}, 0.5 + 0.3j * {b}], [0.5 - 0.3j * {b}, 2.5]])\nr = np.linalg.eigvalsh(A)[0]",
        f"A = np.array([[{p}, 1j * {b}], [1.0, {a}]])\nr = np.linalg.norm(A) + np.sum((A @ A.conj().T).real)",
        f"z = 0.1j + 0 * {a}\nfor k in range(5):\n    z = z * z * 0.3 + ({a}) + 0.2j * ({b})\n    if abs(z) > 3:\n        z = z / abs(z)\nr = z.real + 2 * z.imag",
        f"z = np.array([{a} + 1j, {b} - 0.5j, 1.0])\nr = np.sum(np.convolve(z, z).real * np.arange(5)) + np.polyval(z, 0.4).imag",
        f"z = np.array([{a} + 1j, {b} - 0.5j])\nr = np.real(np.outer(z, z.conj())).sum() + np.einsum('i,i->', z, z).imag",
        f"z = np.array([{a} + 1j, {b} - 0.5j])\ni = np.argmax(np.abs(z))\nr = z[i].real * 2 + np.sort(np.abs(z))[0]",
        f"z = np.linspace(0, 1, 4) * ({a}) + 1j\nz[1] *= {b}\nz[2:] = np.conj(z[:2])\nr = np.sum(z.imag * z.real) + np.abs(z[0])",
        f"q = [complex({a}, 1.0), {b} * 1j]\nr = sum(abs(v) ** 2 for v in q) + (q[0] * q[1]).real",
    )
    return Core(text, ("r",))


@kind("complex intermediates")
def one_loop_of_complex_numbers(d: Draw) -> Core:
    """Characteristic functions and continued fractions, term by term."""
    p, s, t = d.positive(), d.smooth(), d.smooth()
    step = d.pick(
        f"c = (np.exp((u - 1j) * 1j * K) * np.exp(-{p} * (u - 1j) ** 2)) / (1j * u + 1)\ntotal += np.sum(np.real(c)) * {s}",
        f"z = {p} + 1j * u\ntotal += np.sum(np.abs(1 / (z + K)) ** 2) * {s}",
        f"z = np.exp(1j * u * ({s})) / (1 + 1j * u * {p})\ntotal += (z * np.exp(-1j * u)).real",
        f"z = np.sqrt({p} + 1j * u * ({s}))\ntotal += z.real * np.exp(-u) + z.imag",
        f"z = ({s}) + 1j * u\nfor _ in range(3):\n    z = {p} + 1 / (z + 2)\ntotal += abs(z)",
        f"total += np.real(np.exp(-{p} * u + 1j * K * ({s}))).sum() * u",
        f"z = ({s} + 1j * K) ** 2 * u\ntotal += np.sum(z.real * z.imag) + np.angle({p} + 1j * u)",
    )
    data = f"K = np.array([{d.numbers(3)}])"
    return Core(
        f"total = 0.0\nfor i in range(1, {d.whole(3, 8)}):\n    u = {d.number(0.2, 0.6)} * i\n{indented(step)}",
        (d.pick("total", f"total * {t}"),),
        data,
    )
