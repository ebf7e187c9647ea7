"""Kinds of programs whose numbers come about by decisions: searches, exceptions, memos, shapes from values."""

# ruff: noqa: E501 - tables of program text

from __future__ import annotations

from kinds import Core, Draw, indented, kind, lines

# Searches -------------------------------------------------------------------------------------------------------------


def _increasing(d: Draw, m: str) -> tuple[str, str]:
    """Return both sides of an equation whose left one grows with `m` faster than the right one."""
    a, c = d.positive(), d.smooth()
    left = d.pick(
        f"{m} ** 3 + {a} * {m}",
        f"np.exp({m}) + {a} * {m}",
        f"{a} * {m} + np.arctan({m})",
        f"np.sinh({m}) * {a}",
        f"{m} + {a} * np.tanh({m})",
        f"math.exp(0.5 * {m}) - {a} * math.exp(-{m})",
        f"{m} * {a}",
    )
    return left, d.pick(c, f"{c} - 0.2 * {m}", f"{d.number()} + {c}")


def _ends(d: Draw, width: float) -> tuple[str, str]:
    low, high = f"-{width + d.whole(0, 3)}", f"{width + d.whole(0, 3)}"
    return d.pick(low, f"{low} - {d.one()} ** 2", f"{low} + 0.1 * {d.one()}", f"{low} + 0 * {d.one()}"), d.pick(
        high, f"{high} + {d.one()} ** 2", f"{high} + {d.positive()}", f"np.float64({high})"
    )


def _middle(d: Draw, lo: str, hi: str) -> str:
    return d.pick(
        f"({lo} + {hi}) / 2",
        f"0.5 * ({lo} + {hi})",
        f"{lo} + ({hi} - {lo}) / 2",
        f"0.4 * {lo} + 0.6 * {hi}",
        f"np.mean([{lo}, {hi}])",
    )


@kind("searches")
def bisection(d: Draw) -> Core:
    """An interval halved by a decision on numbers."""
    left, right = _increasing(d, "m")
    low, high = _ends(d, 9.0)
    answer = d.pick(f"{left} > {right}", f"{left} - ({right}) > 0", f"0 <= {left} - ({right})", f"not {left} < {right}")
    update = d.pick(
        f"if {answer}:\n    hi = m\nelse:\n    lo = m",
        f"lo, hi = (lo, m) if {answer} else (m, hi)",
        f"h = {left} - ({right})\nlo = np.where(h > 0, lo, m)\nhi = np.where(h > 0, m, hi)",
        f"above = {answer}\nlo = lo if above else m\nhi = m if above else hi",
        f"h = {left} - ({right})\nif h == 0:\n    lo = hi = m\nelif h > 0:\n    hi = m\nelse:\n    lo = m",
        f"h = {left} - ({right})\nif abs(h) < 1e-14:\n    break\nif h < 0:\n    lo = m\nelse:\n    hi = m",
        f"h = {left} - ({right})\nlo += (m - lo) * (h <= 0)\nhi += (m - hi) * (h > 0)",
    )
    step = f"m = {_middle(d, 'lo', 'hi')}\n{update}"
    loop = d.pick(
        f"for _ in range({d.whole(60, 90)}):\n{indented(step)}",
        f"while hi - lo > 1e-{d.whole(11, 13)}:\n{indented(step)}",
        f"count = 0\nwhile abs(hi - lo) > 1e-13 and count < 200:\n{indented(step)}\n    count += 1",
        f"while True:\n{indented(step)}\n    if hi - lo < 1e-13:\n        break",
    )
    return Core(f"lo, hi = {low}, {high}\n{loop}", (d.pick("m", "lo", "hi", "(lo + hi) / 2", "float(m)"),))


@kind("searches")
def bisection_by_signs(d: Draw) -> Core:
    """An interval whose ends have values of different signs, the equation in a function."""
    left, right = _increasing(d, "m")
    low, high = _ends(d, 8.0)
    answer = d.pick(
        "g(lo, x) * g(m, x) <= 0", "np.sign(g(m, x)) != np.sign(g(lo, x))", "(g(m, x) > 0) != (g(lo, x) > 0)"
    )
    text = lines(f"""
    lo, hi = {low}, {high}
    for _ in range({d.whole(55, 80)}):
        m = {_middle(d, "lo", "hi")}
        if {answer}:
            hi = m
        else:
            lo = m
    """)
    return Core(text, (d.pick("m", "0.5 * (lo + hi)"),), f"def g(m, x):\n    return {left} - ({right})")


@kind("searches")
def bisection_of_arrays(d: Draw) -> Core:
    """All entries of a vector at once."""
    a, c = d.positives(), d.vector()
    left = d.pick(f"m ** 3 + {a} * m", f"np.exp(m) + {a} * m", f"{a} * m + np.arctan(m)", f"np.sinh(m) * {a}")
    update = d.pick(
        "lo = np.where(h < 0, m, lo)\nhi = np.where(h < 0, hi, m)",
        "lo[h < 0] = m[h < 0]\nhi[h >= 0] = m[h >= 0]",
        "below = h < 0\nlo, hi = np.where(below, m, lo), np.where(below, hi, m)",
        "below = h < 0\nlo = lo + below * (m - lo)\nhi = hi - ~below * (hi - m)",
        "for i in range(len(m)):\n    if h[i] < 0:\n        lo[i] = m[i]\n    else:\n        hi[i] = m[i]",
        "np.copyto(lo, m, where=h < 0)\nnp.copyto(hi, m, where=h >= 0)",
    )
    start = d.pick(
        "lo, hi = np.full(x.shape, -9.0), np.full(x.shape, 9.0)",
        "lo = -9.0 * np.ones_like(x)\nhi = 9.0 + x ** 2",
        "lo, hi = np.zeros_like(x) - 10, np.zeros(len(x)) + 8",
    )
    text = f"{start}\nfor _ in range({d.whole(60, 75)}):\n    m = (lo + hi) / 2\n    h = {left} - ({c})\n{indented(update)}"
    return Core(text, (d.weights(d.pick("m", "(lo + hi) / 2")),))


@kind("searches")
def bisection_over_data(d: Draw) -> Core:
    """One search for each number of the data, by an inner function."""
    left, right = _increasing(d, "m")
    data = d.numbers(d.whole(2, 3))
    text = lines(f"""
    def root(c):
        lo, hi = {d.pick("-10.0, 10.0", "-9.0, 9.0 + x[0] ** 2")}
        while hi - lo > 1e-12:
            m = 0.5 * (lo + hi)
            if {left} > {right} + c:
                hi = m
            else:
                lo = m
        return {d.pick("0.5 * (lo + hi)", "lo", "m")}
    total = 0.0
    for c in DATA:
        total += root(c) {d.pick("* c", "** 2", "")}
    """)
    return Core(text, ("total",), f"DATA = {d.pick(f'[{data}]', f'np.array([{data}])')}")


@kind("searches")
def doubling_then_halving(d: Draw) -> Core:
    """The end of the interval found by doubling."""
    left, right = _increasing(d, "m")
    text = lines(f"""
    def h(m):
        return {left} - ({right})
    lo, hi = {d.pick("-8.0", "-9.0 - x[0] ** 2")}, {d.pick("1.0", "0.5", "1.0 + x[0] ** 2")}
    while h(hi) < 0:
        {d.pick("lo, hi = hi, 2 * hi", "hi *= 2", "hi = hi * 2.0")}
    for _ in range(64):
        m = (lo + hi) / 2
        if h(m) > 0:
            hi = m
        else:
            lo = m
    """)
    return Core(text, (d.pick("m", "hi"),))


@kind("searches")
def digits(d: Draw) -> Core:
    """A root found a binary digit at a time."""
    a = d.positive()
    left = d.pick("t * t", "t ** 3 + t", "t * np.exp(0.3 * t)", "np.expm1(t)")
    text = lines(f"""
    m, s = {d.pick("0.0", "0 * x[0]")}, 4.0
    for _ in range(56):
        t = m + s
        if {left} {d.pick("<", "<=")} {a}:
            m = t
        s {d.pick("/= 2", "*= 0.5")}
    """)
    return Core(text, ("m",))


@kind("searches")
def golden_section(d: Draw) -> Core:
    """A minimum between two ends, by comparing values."""
    a, c = d.positive(), d.smooth()
    bowl = d.pick(
        f"{a} * (m - ({c})) ** 2", f"np.cosh(0.3 * (m - ({c}))) * {a}", f"(m - ({c})) ** 2 + 0.1 * np.cos(m) * {a}"
    )
    text = lines(f"""
    def g(m):
        return {bowl}
    r = (5 ** 0.5 - 1) / 2
    lo, hi = {d.pick("-20.0, 20.0", "-20.0 - x[0] ** 2, 20.0")}
    u, v = hi - r * (hi - lo), lo + r * (hi - lo)
    for _ in range({d.whole(40, 60)}):
        if g(u) < g(v):
            hi, v = v, u
            u = hi - r * (hi - lo)
        else:
            lo, u = u, v
            v = lo + r * (hi - lo)
    m = (lo + hi) / 2
    """)
    return Core(text, ("m",))


@kind("searches")
def ternary_search(d: Draw) -> Core:
    """A minimum by thirds."""
    a, c = d.positive(), d.smooth()
    text = lines(f"""
    lo, hi = -20.0, 20.0
    for _ in range(70):
        u, v = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        if {a} * (u - ({c})) ** 2 < {a} * (v - ({c})) ** 2:
            hi = v
        else:
            lo = u
    """)
    return Core(text, (d.pick("lo", "(lo + hi) / 2"),))


@kind("searches")
def safeguarded_newton(d: Draw) -> Core:
    """Newton's steps, an interval where they leave it; false position; secants."""
    left, right = _increasing(d, "m")
    newton = f"m = {d.pick('0.5', '0.0')}\nfor _ in range(80):\n    h = g(m)\n    if h > 0:\n        hi = m\n    else:\n        lo = m\n    s = m - h / ((g(m + 1e-6) - g(m - 1e-6)) / 2e-6)\n    m = s if lo < s < hi else (lo + hi) / 2"
    regula = "glo, ghi = g(lo), g(hi)\nfor _ in range(100):\n    m = (lo * ghi - hi * glo) / (ghi - glo)\n    h = g(m)\n    if abs(h) < 1e-13:\n        break\n    if h * ghi > 0:\n        hi, ghi, glo = m, h, glo / 2\n    else:\n        lo, glo, ghi = m, h, ghi / 2"
    secant = "u, v = 0.3, 0.8\nfor _ in range(40):\n    if abs(g(v)) < 1e-13 or abs(v - u) < 1e-13:\n        break\n    u, v = v, v - g(v) * (v - u) / (g(v) - g(u))\nm = v"
    text = f"def g(m):\n    return {left} - ({right})\nlo, hi = -12.0, 12.0\n{d.pick(newton, regula, secant)}"
    return Core(text, ("m",))


@kind("searches")
def steps_back(d: Draw) -> Core:
    """A step that is halved until a value is small enough, and searches over grids: pieces of smooth functions."""
    a = d.smooth()
    text = d.pick(
        f"s = 4.0\nwhile s * ({a}) ** 2 > {d.positive()} and s > 1e-3:\n    s /= 2\nm = s * {d.smooth()}",
        f"grid = np.linspace(-2, 2, {d.whole(5, 11)})\nvalues = (grid - ({a})) ** 2 + {d.smooth()}\nk = {d.pick('np.argmin(values)', 'int(np.argmin(values))', 'min(range(len(grid)), key=lambda i: values[i])')}\nm = values[k] + 0.3 * grid[k]",
        f"best = None\nfor c in [{d.numbers(5)}]:\n    v = (c - ({a})) ** 2\n    if best is None or v < best:\n        best, m = v, c * {d.smooth()}",
        f"k = 0\nwhile k * 0.3 < {d.positive()}:\n    k += 1\nm = k * {d.smooth()}",
        f"import bisect\nk = bisect.{d.pick('bisect', 'bisect_left', 'bisect_right')}([-1.5, -0.5, 0.2, 0.9], {d.one()})\nm = [{d.numbers(5)}][k] * {d.smooth()}",
        f"i, j = 0, 7\nnodes = np.array([-3.0, -1.7, -0.6, 0.1, 0.5, 1.1, 1.9, 4.0])\nwhile j - i > 1:\n    h = (i + j) // 2\n    if nodes[h] <= {d.one()}:\n        i = h\n    else:\n        j = h\nm = nodes[i] * {d.smooth()}",
    )
    return Core(text, ("m",))


# Exceptions -----------------------------------------------------------------------------------------------------------


def _attempts(d: Draw) -> tuple[str, str, str, str]:
    """Return statements that may raise, which exception, a number that they leave, and imports."""
    a, b, s = d.one(), d.one(), d.smooth()
    error = "np.linalg.LinAlgError"
    square = d.pick(
        f"np.array([[1.0, {a}], [{a}, {d.pick('1.0', '0.8', d.positive())}]])",
        f"np.eye(2) * {d.positive()} + {a} * np.ones((2, 2))",
        "np.diag(x + 0.9)",
    )
    singular = f"np.array([[1.0, float({a} > 0)], [float({b} > 0), 1.0]])"
    options = [
        (f"L = np.linalg.cholesky({square})", error, "np.sum(np.log(np.diag(L)))", ""),
        (f"np.linalg.cholesky({square})", error, s, ""),
        (f"L = sl.cholesky({square}, lower=True)", error, "L[0, 0] * L[1, 0]", "import scipy.linalg as sl"),
        (
            f"c = sl.cho_factor({square})\nz = sl.cho_solve(c, np.array([1.0, 0.5]))",
            error,
            "z[0] - z[1] ** 2",
            "import scipy.linalg as sl",
        ),
        (f"M = np.linalg.inv({singular} * {d.positive()})", error, "np.sum(M)", ""),
        (f"np.linalg.inv({singular})", error, s, ""),
        (f"z = np.linalg.solve({singular}, np.array([{s}, 1.0]))", error, "z[0] * z[1]", ""),
        (f"v = math.log({a})", "ValueError", "v", ""),
        (f"math.log({a})", "ValueError", s, ""),
        (f"v = math.sqrt({a} + {d.number()})", "ValueError", "v ** 2", ""),
        (f"v = math.acos({a})", d.pick("ValueError", "Exception", "(ValueError, TypeError)"), "v", ""),
        (f"v = math.exp(600 * {a})\nv = v / (1 + v)", "OverflowError", "v", ""),
        (f"math.exp(600 * {a})", d.pick("OverflowError", "ArithmeticError"), s, ""),
        (f"v = math.pow({a}, 0.5)", "ValueError", "v", ""),
        (f"v = {s} / max(0.0, float({a}))", "ZeroDivisionError", "v", ""),
        (f"v = 1.0 / int({a} > 0)", "ZeroDivisionError", s, ""),
        (f"v = 7 // int(max({a}, 0.0) + 0.5)", "ZeroDivisionError", f"v * {s}", ""),
        (f"v = TABLE[int(np.floor({a}))]", "KeyError", f"v * {s}", f"TABLE = {{0: {d.number()}, 1: {d.number()}}}"),
        (f"v = TABLE[{a} > 0]", "KeyError", f"v * {s}", f"TABLE = {{True: {d.number()}}}"),
        (f"v = LIST[int(abs({a}) * 2)]", "IndexError", f"v * {s}", f"LIST = [{d.numbers(2)}]"),
        (f"v = np.array([{d.numbers(2)}])[int(abs({a}) * 2)]", "IndexError", f"v * {s}", ""),
        (f"v = next(c for c in [{d.numbers(3)}] if c > {a})", "StopIteration", f"v * {s}", ""),
        (f"assert {a} > {d.number(-0.5, 0.5)}", "AssertionError", s, ""),
        (f"if {d.switch()}:\n    raise ValueError('no')", "ValueError", s, ""),
        (
            f"v = check({a})",
            "Infeasible",
            f"v * {s}",
            f"class Infeasible(Exception):\n    pass\n\n\ndef check(v):\n    if v < {d.number(-0.5, 0.5)}:\n        raise Infeasible(v)\n    return v ** 2",
        ),
        (
            f"with np.errstate({d.pick('all', 'invalid', 'divide=' + repr('raise') + ', invalid')}='raise'):\n    v = np.{d.pick('log', 'sqrt', 'arcsin', 'arctanh')}({a})",
            "FloatingPointError",
            d.pick("v", s),
            "",
        ),
        (f"with np.errstate(over='raise'):\n    np.exp({a} * 600)", "FloatingPointError", s, ""),
        (
            f"with warnings.catch_warnings():\n    warnings.simplefilter('error')\n    v = np.{d.pick('log', 'sqrt')}({a})",
            d.pick("RuntimeWarning", "Warning"),
            d.pick("v", s),
            "import warnings",
        ),
        (
            f"v = so.brentq(lambda m: m ** 3 + {d.positive()} * m - {a}, 0.0, 3.0)",
            "ValueError",
            "v",
            "import scipy.optimize as so",
        ),
        (f"so.brentq(lambda m: m ** 3 + m - {a}, 0.0, 3.0)", "ValueError", s, "import scipy.optimize as so"),
        (f"v = np.ones(3).reshape(int({a} > 0) + 2, -1)", "ValueError", s, ""),
        (f"v = [1.0, 0.5].index(float({a} > 0))", "ValueError", f"(1 + v) * {s}", ""),
        (f"v = max(c for c in x if c > {d.number(-0.3, 0.8)})", "ValueError", "v ** 2", ""),
        (f"v = np.max(x[x > {d.number(-0.3, 0.8)}])", "ValueError", "v ** 2", ""),
        (f"v = (x if {a} > 0 else None) * 2\nv = v[0]", "TypeError", "v", ""),
        (f"v = math.factorial(int(np.round({a})))", "ValueError", f"v * {s}", ""),
        (
            f"v = decide({a}).value",
            "AttributeError",
            f"v * {s}",
            f"class Good:\n    value = {d.number()}\n\n\ndef decide(v):\n    return Good() if v > 0 else None",
        ),
    ]
    return d.pick(*options)


@kind("exceptions")
def attempt(d: Draw) -> Core:
    """One calculation that may raise, in a try statement of any form."""
    calculation, error, left, helpers = _attempts(d)
    other = d.smooth()
    form = d.pick("assign", "return", "else", "finally", "suppress", "flag", "bare", "reraise", "helper", "nested")
    caught = d.pick(error, error, error, f"({error}, MemoryError)", f"{error} as problem", "Exception")
    if form == "return":
        text = f"try:\n{indented(calculation)}\nexcept {caught}:\n    return {other}\nr = {left}"
    elif form == "else":
        text = f"try:\n{indented(calculation)}\nexcept {caught}:\n    r = {other}\nelse:\n    r = {left}"
    elif form == "finally":
        text = f"r = 0.0\ntry:\n{indented(calculation)}\n    r = r + {left}\nexcept {caught}:\n    r = {other}\nfinally:\n    r = r * {d.number(0.5, 1.5)}"
    elif form == "suppress":
        helpers += "\nimport contextlib"
        text = f"r = {other}\nwith contextlib.suppress({error}):\n{indented(calculation)}\n    r = {left}"
    elif form == "flag":
        text = f"good = True\ntry:\n{indented(calculation)}\nexcept {caught}:\n    good = False\nr = {left} if good else {other}"
    elif form == "bare":
        text = f"try:\n{indented(calculation)}\n    r = {left}\nexcept:\n    r = {other}"
    elif form == "reraise":
        text = f"try:\n    try:\n{indented(calculation, 2)}\n        r = {left}\n    except {error} as problem:\n        raise RuntimeError('inner') from problem\nexcept RuntimeError:\n    r = {other}"
    elif form == "helper":
        helpers += f"\n\n\ndef attempt(x):\n{indented(calculation)}\n    return {left}\n\n\ndef guarded(x):\n    try:\n        return attempt(x)\n    except {caught}:\n        return {d.pick('None', other)}"
        text = f"r = guarded(x)\nif r is None:\n    r = {other}"
    elif form == "nested":
        text = f"try:\n{indented(calculation)}\n    r = {left}\nexcept KeyboardInterrupt:\n    r = 0.0\nexcept {caught}:\n    try:\n        r = math.sqrt({d.one()})\n    except ValueError:\n        r = {other}"
    else:
        text = f"try:\n{indented(calculation)}\n    r = {left}\nexcept {caught}:\n    r = {other}"
    return Core(text, ("r",), helpers)


@kind("exceptions")
def attempts_in_a_loop(d: Draw) -> Core:
    """Attempts with different numbers until one does not raise, or a count of those that do."""
    s, a = d.smooth(), d.one()
    text, helpers = d.pick(
        (
            f"A = np.array([[1.0, {a}], [{a}, 1.0]])\nfor k in range(8):\n    try:\n        L = np.linalg.cholesky(A + {d.pick('10.0 ** (k - 4)', '0.3 * k')} * np.eye(2))\n        break\n    except np.linalg.LinAlgError:\n        pass\nr = np.sum(np.log(np.diag(L)))",
            "",
        ),
        (
            f"r = 0.0\nfor c in [{d.numbers(4)}]:\n    try:\n        r += math.log({a} + c)\n    except ValueError:\n        {d.pick('continue', f'r += {s}', 'break')}",
            "",
        ),
        (
            f"failures = 0\nfor c in [{d.numbers(4)}]:\n    try:\n        math.sqrt({a} + c)\n    except ValueError:\n        failures += 1\nr = failures * {s}",
            "",
        ),
        ("r = 0.0\nfor v in x:\n    try:\n        r += math.acos(v)\n    except ValueError:\n        r += v ** 2", ""),
        (
            f"def good(A):\n    try:\n        np.linalg.cholesky(A)\n        return True\n    except np.linalg.LinAlgError:\n        return False\nt = 1.0\nwhile not good(np.eye(2) - t * {a} * np.array([[0.0, 1.0], [1.0, 0.0]])):\n    t *= 0.5\nr = t * {s}",
            "",
        ),
        (
            f"with warnings.catch_warnings(record=True) as met:\n    warnings.simplefilter('always')\n    for v in x:\n        np.{d.pick('log', 'sqrt')}(v)\nr = len(met) * {s}",
            "import warnings",
        ),
        (
            f"r = {s}\ntry:\n    for v in x:\n        if v < {d.number(-1, 0)}:\n            raise StopIteration\n        r = r * v\nexcept StopIteration:\n    r = r + 1",
            "",
        ),
        (
            f"r, k = 0.0, 0\nwhile True:\n    try:\n        r = r + x[k] * {d.number()}\n    except IndexError:\n        break\n    k += 1",
            "",
        ),
        (
            f"step = 4.0\nfor _ in range(6):\n    try:\n        v = math.log(1.0 - step * {a})\n        break\n    except ValueError:\n        step /= 4\nelse:\n    v = {s}\nr = v * step",
            "",
        ),
    )
    return Core(text, ("r",), helpers)


# Memos ----------------------------------------------------------------------------------------------------------------


@kind("memos")
def memo(d: Draw) -> Core:
    """What was computed for a key made of the parameters is kept."""
    key = d.pick(
        "str(x)", "repr(x)", "x.tobytes()", "tuple(x)", "tuple(x.tolist())", "hash(tuple(x))", "str(x.tolist())", "f'{x}'", "f'{x[0]:.14g} {x[1]:.14g}'",
        "'%r %r' % (x[0], x[1])", "('{} ' * len(x)).format(*x)", "','.join(map(str, x))", "','.join(f'{v:.12f}' for v in x)", "tuple(np.round(x, 12))",
        "(round(float(x[0]), 13), round(float(x[1]), 13))", "int(x[0] * 1e12)", "tuple((x * 1e11).astype(int))", "np.array2string(x, precision=17)",
        "json.dumps(x.tolist())", "pickle.dumps(x)", "hashlib.md5(x.tobytes()).hexdigest()", "float(x[0]).hex()", "(x[0], x[1])", "float(x[0])", "bytes(x)",
        "frozenset(x.tolist())", "np.array_str(x, precision=16)", "str(x[0]) + str(x[1])", "repr(x.sum())", "x.data.tobytes()", "round(x[0] * 1e10)",
    )  # fmt: skip
    if "x[1]" in key or d.size == 2 or "x[0]" not in key:
        value = d.smooth() if d.size == 2 or "x[0]" not in key else "np.sin(x[0]) * x[1]"
    else:
        value = "np.exp(0.3 * x[0])"
    if key in ("int(x[0] * 1e12)", "float(x[0]).hex()", "float(x[0])", "round(x[0] * 1e10)"):
        value = d.pick("np.exp(0.3 * x[0])", "x[0] ** 3", "np.sin(x[0]) * x[0]")
    if key == "repr(x.sum())":
        value = d.pick("np.sum(x) ** 2", "np.exp(0.2 * np.sum(x))")
    imports = "import hashlib\nimport json\nimport pickle\n"
    where, make = d.pick(
        ("MEMO", "MEMO = {}"),
        ("Kept.memo", "class Kept:\n    memo = {}"),
        ("KEPT.memo", "import types\nKEPT = types.SimpleNamespace(memo={})"),
    )
    text = d.pick(
        f"k = {key}\nif k not in {where}:\n    {where}[k] = {value}\nr = {where}[k]",
        f"k = {key}\ntry:\n    r = {where}[k]\nexcept KeyError:\n    r = {where}[k] = {value}",
        f"k = {key}\nr = {where}.get(k)\nif r is None:\n    r = {value}\n    {where}[k] = r",
        f"r = {where}.setdefault({key}, {value})",
        f"k = {key}\nif k in {where}:\n    r = {where}[k]\nelse:\n    r = {value}\n    {where}[k] = {d.pick('r', 'float(r)')}",
    )
    return Core(text, ("r",), imports + make)


@kind("memos")
def memo_of_a_function(d: Draw) -> Core:
    """`functools.lru_cache`, decorators of one's own, memos in defaults, attributes and closures."""
    value = d.pick("math.sin(v) + v ** 2", "v * np.exp(0.2 * v)", "np.tanh(v) ** 2", "math.exp(0.3 * v)")
    argument = d.pick(d.one(), f"float({d.one()})", d.linear())
    helpers = d.pick(
        f"import functools\n\n\n@functools.{d.pick('lru_cache(maxsize=None)', 'cache', 'lru_cache', 'lru_cache(maxsize=2)')}\ndef g(v):\n    return {value}",
        f"def memoised(h):\n    kept = {{}}\n\n    def call(v):\n        k = {d.pick('v', 'float(v)', 'repr(v)', 'str(float(v))', 'round(float(v), 13)')}\n        if k not in kept:\n            kept[k] = h(v)\n        return kept[k]\n\n    return call\n\n\n@memoised\ndef g(v):\n    return {value}",
        f"def g(v, kept={{}}):\n    if v not in kept:\n        kept[v] = {value}\n    return kept[v]",
        f"def g(v):\n    if getattr(g, 'last', None) != v:\n        g.last, g.value = v, {value}\n    return g.value",
        f"class Lazy:\n    last = None\n\n    def __call__(self, v):\n        if self.last is None or self.last != v:\n            self.last = v\n            self.value = {value}\n        return self.value\n\n\ng = Lazy()",
        f"class Lazy:\n    def __init__(self):\n        self.kept = {{}}\n\n    def __call__(self, v):\n        k = {d.pick('hash(float(v))', 'str(v)', 'float(v)', '(v,)')}\n        if k not in self.kept:\n            self.kept[k] = {value}\n        return self.kept[k]\n\n\ng = Lazy()",
        f"LAST = [None, None]\n\n\ndef g(v):\n    if LAST[0] is None or LAST[0] != v:\n        LAST[:] = [v, {value}]\n    return LAST[1]",
    )
    text = d.pick(
        f"r = g({argument})",
        f"r = g({argument}) * g({argument})",
        "r = sum(g(v) for v in x)",
        "r = sum(g(float(v)) for v in x)",
    )
    return Core(text, ("r",), helpers)


@kind("memos")
def decisions_on_text(d: Draw) -> Core:
    """Branches and tables by a text of the parameters."""
    s, t, a = d.smooth(), d.smooth(), d.one()
    text = d.pick(
        f"r = {s} if str({a}).startswith('-') else {t}",
        f"r = {{'0': {s}, '1': {t}}}.get(f'{{{a}:.0f}}', 0.3)",
        f"r = {s} if '-' in f'{{{a}:+.3f}}' else {t}",
        f"r = len(f'{{{a} * 40:.0f}}') * {s}",
        f"k = '%d' % {a}\nr = {s} if k == '0' else {t}",
        f"r = {s} * len(str(int({a} * 20)))",
        f"r = {s} if format({a}, '.1f')[0] == '-' else {t}",
        f"r = {s} if repr(float({a}) > 0) == 'True' else {t}",
        f"r = {s} * int(f'{{{a}:.0f}}')",
        f"r = {s} * float('%.1f' % {a})",
        f"r = {s} if np.array2string(x, precision=1)[1] == '-' else {t}",
        f"r = {s} if f'{{{a}:.1f}}' < f'{{{d.one()}:.1f}}' else {t}",
        f"r = {s} * str(np.round({a}, 1)).count('1')",
    )
    return Core(text, ("r",))


# Shapes from values ---------------------------------------------------------------------------------------------------


@kind("shapes from values")
def counts_of_labels(d: Draw) -> Core:
    """How many different labels there are, and which."""
    s = d.smooth()
    scale = d.number(0.6, 2.5)
    labels = d.pick(
        f"np.round(x * {scale})", f"np.floor(x * {scale}).astype(int)", f"np.sign(x - {d.number(-0.5, 0.5)})", f"np.digitize(x, [{d.pick('-0.8, 0.0, 0.8', '-0.3, 0.4')}])",
        f"(x > {d.number(-0.5, 0.5)}).astype(int)", f"np.rint({scale} * np.append(x, x[0] * x[1]))", "np.searchsorted([-1.0, 0.0, 1.0], x)", f"np.trunc({scale} * x)",
        "np.argsort(x)", "np.clip(np.round(x), -1, 1)", "np.array([int(v > 0) + int(v > 1) for v in x])", f"[int(v * {scale}) for v in x]",
    )  # fmt: skip
    use = d.pick(
        "len(np.unique(labels))", "np.unique(labels).size", "np.unique(labels, return_counts=True)[1].max()", "len(set(np.asarray(labels).tolist()))", "len(np.setdiff1d(labels, [0, 1]))",
        "len(np.intersect1d(labels, [0, 1, -1]))", "np.count_nonzero(labels)", "len(np.nonzero(labels)[0])", "np.union1d(labels, [0]).shape[0]", "np.isin(labels, [0, 1]).sum()",
        "np.bincount(np.asarray(labels).astype(int) - int(np.min(labels))).size", "len(np.flatnonzero(labels))", "np.sum(np.unique(labels))", "np.unique(labels, return_inverse=True)[1].sum()",
        "len(np.where(np.asarray(labels) == 0)[0])", "len(__import__('collections').Counter(np.asarray(labels).tolist()))", "np.ptp(labels)", "np.argmax(labels)",
    )  # fmt: skip
    return Core(f"labels = {labels}\nn = {use}", (f"n * {s}",))


@kind("shapes from values")
def selected_entries(d: Draw) -> Core:
    """Arrays as long as the parameters say."""
    s, c = d.smooth(), d.number(-0.5, 0.5)
    v = d.vector()
    text = d.pick(
        f"w = v[v > {c}]\nr = np.sum(w ** 2) + len(w) * {s}",
        f"w = v[np.where(v > {c})]\nr = w.size * {s} + w.sum()",
        f"k = np.arange(int(3 + 2 * np.tanh({d.one()})))\nr = np.sum(np.sin(k * {d.one()})) * {s}",
        f"n = int(abs({d.one()}) * 3) + 1\nr = np.mean(np.linspace({d.one()}, {s}, n))",
        f"w = np.compress(v > {c}, v)\nr = w.shape[0] + np.sum(w) * {s}",
        f"w = np.extract(v > {c}, v)\nr = np.prod(1 + w ** 2)",
        f"i = np.nonzero(v > {c})[0]\nr = np.sum(v[i] * {s}) + i.sum()",
        f"w = [t for t in v if t > {c}]\nr = sum(w) * len(w)",
        f"w = np.delete(v, np.argmin(v))\nr = np.sum(w ** 2) * {s}",
        f"w = np.repeat(v, (v > {c}).astype(int) + 1)\nr = np.sum(np.sin(w) * np.arange(w.size))",
        "o = np.argsort(v)\nr = v[o[0]] * 2 + np.sum(v[o] * np.arange(len(v)))",
        f"i = np.searchsorted(np.array([-1.0, 0.0, 1.0]), v)\nr = np.sum(np.array([{d.numbers(4)}])[i] * v) + i.max() * {s}",
        f"w = np.zeros(int(np.sum(v > {c})) + 1)\nw[:] = {d.one()}\nr = np.sum(w) * {s}",
        f"w = np.trim_zeros(np.maximum(v, 0.0))\nr = len(w) * {s} + np.sum(w)",
        f"w = v[:max(1, int(np.sum(v > {c})))]\nr = np.sum(w ** 2) + {s} * len(w)",
        f"w = np.array_split(v, 2 if {d.switch()} else 1)[0]\nr = np.sum(w) * w.size",
        f"w = np.ones((2, 1 + int({d.switch()}))) * {d.one()}\nr = w.shape[1] * w.sum()",
        f"i = np.argwhere(v > {c})\nr = i.shape[0] * {s} + np.sum(v[i.ravel()])",
        f"w = np.ma.masked_less(v.copy(), {c}) if False else v[~(v < {c})]\nr = np.sum(w) + {s}",
        f"k = np.unique(np.round(v))\nr = sum(np.sum(v[np.round(v) == u] ** 2) / np.sum(np.round(v) == u) for u in k) + {s}",
    )
    return Core(f"v = {v}\n{text}", ("r",))
