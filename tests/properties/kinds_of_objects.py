"""Kinds of programs about objects: subclasses of containers, derivatives inside, what is outside changing between calls."""

# ruff: noqa: E501 - tables of program text

from __future__ import annotations

from kinds import Core, Draw, indented, kind

# Subclasses of containers ---------------------------------------------------------------------------------------------


def _mapping(d: Draw) -> tuple[str, str, str, str, str]:
    """Return base, how to make one of numbers and one of the parameters, the body of a method, and more of the class."""
    base = d.pick(
        "dict",
        "collections.OrderedDict",
        "collections.UserDict",
        "collections.defaultdict",
        "collections.ChainMap",
        "collections.Counter",
    )
    first = {"collections.defaultdict": "float, "}.get(base, "")
    numbers = f"{first}{{'a': {d.number()}, 'b': {d.number()}, 'c': {d.number()}}}"
    traced = f"{first}{{'a': {d.smooth()}, 'b': {d.smooth()}, 'c': {d.number()}}}"
    body = d.pick(
        "return sum(self.values()) * v", "return self['a'] * v + self['b'] ** 2", "return sum(w * v ** k for k, w in enumerate(self.values()))", "return sum(w * v for k, w in self.items() if k != 'b')", "return len(self) * v + self.get('a', 0.0)",
        "return max(self.values()) * v", "return np.sum(np.array(list(self.values())) * v)", "return sum(self[k] * v for k in self)", "return (self['a'] if 'a' in self else 2.0) * v", "return v * super().__getitem__('b') if hasattr(super(), '__getitem__') else v",
    )  # fmt: skip
    extra = d.pick(
        "",
        "",
        "\n\ndef __missing__(self, key):\n    return 0.7",
        "\n\n@property\ndef size(self):\n    return len(self)",
        "\n\ndef __setitem__(self, key, value):\n    super().__setitem__(key, value * 1.0)",
        "\n\nscale = 1.5",
    )
    return base, numbers, traced, body, extra


def _sequence(d: Draw) -> tuple[str, str, str, str, str]:
    base = d.pick("list", "collections.deque", "collections.UserList", "tuple", "list", "collections.deque")
    numbers = f"[{d.numbers(3)}]"
    traced = f"[{d.smooth()}, {d.smooth()}, {d.number()}]"
    body = d.pick(
        "return sum(self) * v", "return self[0] * v + self[-1] ** 2", "return sum(w * v ** k for k, w in enumerate(self))", "return len(self) * v + self[1]", "return np.dot(np.array(self), [v, 1.0, v])", "return max(self) * v",
        "total = 0.0\nfor w in self:\n    total = total * v + w\nreturn total", "return np.mean(list(self)) * v", "return sum(reversed(self)) * v + sorted(self)[0]", "a, b, c = self\nreturn a * v + b * c",
    )  # fmt: skip
    extra = d.pick(
        "",
        "",
        "\n\n@property\ndef last(self):\n    return self[-1]",
        "\n\ndef __call__(self, v):\n    return self.total(v)",
        "\n\nscale = 1.5",
    )
    return base, numbers, traced, body, extra


def _record(d: Draw) -> tuple[str, str, str, str, str]:
    base = d.pick("collections.namedtuple('P', 'a b c')", "NT", "types.SimpleNamespace", "DC", "FZ")
    form = f"a={d.number()}, b={d.number()}, c={d.number()}"
    traced = f"a={d.smooth()}, b={d.smooth()}, c={d.number()}"
    body = d.pick(
        "return self.a * v + self.b ** 2",
        "return self.a * self.b * v + self.c",
        "return math.sin(self.a * v) + self.c",
        "return sum([self.a, self.b]) * v",
    )
    extra = d.pick("", "\n\n@property\ndef both(self):\n    return self.a * self.b", "\n\nscale = 1.5")
    return base, form, traced, body, extra


def _array(d: Draw) -> tuple[str, str, str, str, str]:
    base = d.pick("set", "frozenset", "float", "int", "str", "set")
    form = {
        "set": f"[{d.numbers(3)}]",
        "frozenset": f"[{d.numbers(3)}]",
        "float": d.number(),
        "int": str(d.whole(1, 4)),
        "str": "'1.5'",
    }[base]
    body = {
        "set": "return sum(sorted(self)) * v",
        "frozenset": "return len(self) * v + max(self)",
        "float": "return self * v + float(self) ** 2",
        "int": "return self * v + int(self)",
        "str": "return float(self) * v + len(self)",
    }[base]
    return base, form, form, body, ""


@kind("subclasses of containers")
def subclass(d: Draw) -> Core:
    """A class of a container with methods of its own, of numbers or of parameters, kept anywhere."""
    base, numbers, traced, body, extra = d.pick(_mapping, _sequence, _sequence, _mapping, _record, _array)(d)
    helpers = "import collections\nimport dataclasses\nimport types\nfrom typing import NamedTuple\n\n\n"
    helpers += "class NT(NamedTuple):\n    a: float = 1.0\n    b: float = 2.0\n    c: float = 3.0\n\n\n@dataclasses.dataclass\nclass DC:\n    a: float = 1.0\n    b: float = 2.0\n    c: float = 3.0\n\n\n@dataclasses.dataclass(frozen=True)\nclass FZ:\n    a: float\n    b: float\n    c: float\n\n\n"
    methods = f"def total(self, v):\n{indented(body)}{extra}"
    helpers += f"class O({base}):\n{indented(methods)}\n"
    if d.chance(0.2):
        helpers += "\n\nclass Base(O):\n    pass\n\n\nO = Base\n"
    argument = d.pick(d.one(), f"({d.smooth()})", f"float({d.one()})")
    inside = d.pick(
        "o.total(V)",
        "o.total(V) * o.total(1.0)",
        "O.total(o, V)",
        "sum(o.total(v) for v in x)",
        "getattr(o, 'total')(V)",
    ).replace("V", argument)
    place = d.pick(
        "global",
        "global",
        "inside",
        "inside",
        "attribute",
        "argument",
        "default",
        "closure",
        "dictionary",
        "class",
        "list",
    )
    arguments: tuple[str, ...] = ()
    changed = ""
    if place == "inside":
        text = f"o = O({traced})\nr = {inside}"
        if base in ("dict", "collections.OrderedDict", "collections.UserDict"):
            changed = d.pick(
                "",
                "o['a'] = V\n",
                "o.update(b=V)\n",
                "o.pop('c')\no['c'] = V\n",
                "o = O({**o, 'b': V})\n",
                "o.setdefault('d', V)\n",
            )
        elif base in ("list", "collections.deque", "collections.UserList"):
            changed = d.pick(
                "",
                "o.append(V)\no.pop()\n",
                "o[0] = V\n",
                "o.reverse()\n",
                "o = O(v * V for v in o)\n",
                "o.insert(0, V)\no.pop()\n",
            )
        text = text.replace("\n", "\n" + changed.replace("V", argument), 1)
    elif place == "attribute":
        helpers += f"\n\nclass Holder:\n    def __init__(self):\n        self.o = O({numbers})\n\n\nHOLDER = Holder()\n"
        text = f"o = HOLDER.o\nr = {inside}"
    elif place == "argument":
        helpers += f"\n\nDATA = O({numbers})\n"
        arguments = ("data",)
        text = f"o = data\nr = {inside}"
    elif place == "default":
        helpers += f"\n\ndef held(o=O({numbers})):\n    return o\n"
        text = f"o = held()\nr = {inside}"
    elif place == "closure":
        helpers += f"\n\ndef make():\n    kept = O({numbers})\n    return lambda: kept\n\n\nheld = make()\n"
        text = f"o = held()\nr = {inside}"
    elif place == "dictionary":
        helpers += f"\n\nTABLE = {{'o': O({numbers})}}\n"
        text = f"o = TABLE['o']\nr = {inside}"
    elif place == "class":
        helpers += f"\n\nclass Holder:\n    o = O({numbers})\n"
        text = f"o = Holder.o\nr = {inside}"
    elif place == "list":
        helpers += f"\n\nITEMS = [O({numbers}), O({numbers})]\n"
        text = f"r = 0.0\nfor o in ITEMS:\n    r = r + {inside}"
    else:
        helpers += f"\n\no = O({numbers})\n"
        text = f"r = {inside}"
    return Core(text, ("r",), helpers, arguments)


@kind("subclasses of containers")
def objects_with_operators(d: Draw) -> Core:
    """Classes with operators of their own: vectors, polynomials, intervals, dual numbers, parameters by name."""
    s, t = d.smooth(), d.smooth()
    helpers, text = d.pick(
        ("class Vec(list):\n    def __add__(self, other):\n        return Vec(a + b for a, b in zip(self, other))\n\n    def __mul__(self, k):\n        return Vec(a * k for a in self)\n\n    def dot(self, other):\n        return sum(a * b for a, b in zip(self, other))", f"v = Vec(x) + Vec([{d.numbers(3)}])\nr = (v * ({s})).dot(v)"),
        ("class Poly(tuple):\n    def __call__(self, t):\n        total = 0.0\n        for c in reversed(self):\n            total = total * t + c\n        return total\n\n    def derivative(self):\n        return Poly(k * c for k, c in enumerate(self))[1:]", f"p = Poly([1.0, {s}, {t}])\nr = p(0.7) + sum(p.derivative()) + Poly(p.derivative())({d.one()})"),
        ("class Dual:\n    def __init__(self, v, d=0.0):\n        self.v, self.d = v, d\n\n    def __mul__(self, o):\n        o = o if isinstance(o, Dual) else Dual(o)\n        return Dual(self.v * o.v, self.v * o.d + self.d * o.v)\n\n    __rmul__ = __mul__\n\n    def __add__(self, o):\n        o = o if isinstance(o, Dual) else Dual(o)\n        return Dual(self.v + o.v, self.d + o.d)", f"z = Dual({s}, 1.0)\nw = z * z + 2.0 * z + {t}\nr = w.v + w.d * 0.5"),
        ("class Params(dict):\n    def __getattr__(self, name):\n        return self[name]", f"p = Params(a={s}, b={t})\np.update(c={d.one()})\nr = p.a * p.b + p['c']"),
        ("class Stack(list):\n    def push(self, v):\n        self.append(v)\n        return self\n\n    def peek(self):\n        return self[-1]", f"q = Stack().push({s}).push({t})\nr = q.peek() * q.pop() + q.peek()"),
        ("import collections\n\n\nclass Window(collections.deque):\n    def mean(self):\n        return sum(self) / len(self)", f"q = Window(maxlen={d.whole(2, 3)})\nr = 0.0\nfor v in [{s}, {t}, *x]:\n    q.append(v)\n    r += q.mean() * q[0]"),
        ("import collections\n\n\nclass Named(collections.namedtuple('Named', 'a b')):\n    __slots__ = ()\n\n    def norm(self):\n        return math.hypot(self.a, self.b)", f"p = Named({s}, {t})\nq = p._replace(a={d.one()})\nr = p.norm() + q.norm() ** 2"),
        ("class Matrix(list):\n    def __matmul__(self, v):\n        return [sum(a * b for a, b in zip(row, v)) for row in self]", f"M = Matrix([[{d.numbers(2)}], [{s}, 1.0]])\nr = sum(M @ [x[0], {t}])"),
        ("class Arr(np.ndarray):\n    def total(self):\n        return self.sum() * 2", f"v = np.array([{d.numbers(2)}]).view(Arr)\nr = v.total() * ({s})"),
        ("class Arr(np.ndarray):\n    def total(self):\n        return self.sum() * 2", f"v = (x * ({s})).view(Arr)\nr = v.total()"),
        ("import collections.abc\n\n\nclass Lookup(collections.abc.Mapping):\n    def __init__(self, **kw):\n        self.kept = kw\n\n    def __getitem__(self, k):\n        return self.kept[k]\n\n    def __iter__(self):\n        return iter(self.kept)\n\n    def __len__(self):\n        return len(self.kept)", f"o = Lookup(a={s}, b={t})\nr = sum(o.values()) * o['a'] + len(o)"),
        ("import collections.abc\n\n\nclass Row(collections.abc.Sequence):\n    def __init__(self, *v):\n        self.v = v\n\n    def __getitem__(self, k):\n        return self.v[k]\n\n    def __len__(self):\n        return len(self.v)", f"o = Row({s}, {t}, 2.0)\nr = sum(o) * o[-1] + sum(a * b for a, b in zip(o, reversed(o)))"),
        ("import enum\n\n\nclass Rate(float, enum.Enum):\n    LOW = 0.4\n    HIGH = 1.3", f"r = Rate.LOW * ({s}) + (Rate.HIGH.value if {d.switch()} else Rate.LOW.value) * ({t})"),
        ("class Angle(float):\n    def turned(self):\n        return math.sin(self)", f"r = Angle({s}).turned() + Angle({d.number()}) * ({t})"),
        ("class Log(dict):\n    def __missing__(self, k):\n        self[k] = 0.0\n        return 0.0", f"o = Log()\nfor i, v in enumerate([{s}, {t}, x[0]]):\n    o[i % 2] += v * (i + 1)\nr = o[0] * o[1]"),
    )  # fmt: skip
    return Core(text, ("r",), helpers)


# Derivatives inside ---------------------------------------------------------------------------------------------------


@kind("nested derivatives")
def derivatives_inside(d: Draw) -> Core:
    """Gradients and Hessians by autoopt inside an objective."""
    s, t, c = d.smooth(), d.smooth(), d.number()
    g = d.pick(
        f"np.sum(np.sin(u) * {c}) + u[0] ** 2 * u[-1]",
        "np.sum(u ** 3) * 0.3 + u[0] * u[1]",
        "np.exp(0.3 * u[0]) * np.cos(u[1])",
        "np.log1p(np.sum(u ** 2))",
        "np.sum(np.tanh(u)) ** 2",
    )
    inner = f"def g(u):\n    return {g}"
    text, helpers = d.pick(
        (f"r = np.sum(autoopt.grad(g)(x) ** 2) + {s}", inner),
        (f"G = autoopt.grad(g)\nr = G(x)[0] * {s} + G(x * {t})[1]", inner),
        (f"H = autoopt.hessian(g)(x)\nr = np.trace(H) * {s} + H[0, 1]", inner),
        (f"v, G = autoopt.value_and_grad(g)(x * {t})\nr = v + G @ x", inner),
        (f"def g(u):\n    return ({g}) * {s}\nr = np.sum(autoopt.grad(g)(x) * x)", ""),
        (f"d1 = autoopt.grad(lambda t: np.sin(t) * {s} + t ** 3)\nr = d1({d.one()}) + d1({t})", ""),
        (
            f"u = np.array([{s}, {t}])\nfor _ in range({d.whole(1, 3)}):\n    u = u - 0.1 * autoopt.grad(g)(u)\nr = g(u)",
            inner,
        ),
        (f"r = np.sum(autoopt.hvp(g)(x, np.ones_like(x))) * {s}", inner),
        (f"r = np.sum(autoopt.jacobian(lambda u: np.array([u[0] ** 2 * u[1], np.sin(u[0])]))(x) ** 2) + {s}", ""),
        (f"r = autoopt.grad(g)(np.array([{c}, 0.4, 0.3]))[0] * {s}", inner),
        (
            f"def residual(t):\n    return autoopt.grad(lambda q: np.tanh({d.one()} * q))(t) + {d.one()} * t\nr = sum(residual(v) ** 2 for v in [0.1, 0.5, 0.9])",
            "",
        ),
    )
    return Core(text, ("r",), f"import autoopt\n\n\n{helpers}")


# Things outside that change between calls ------------------------------------------------------------------------------


@kind("changes outside")
def changes_outside(d: Draw) -> Core:
    """Something that the objective reads outside, replaced or written into between calls."""
    a, b, c = d.number(), d.number(), d.number()
    s, t = d.smooth(), d.smooth()
    helpers, reading, changes = d.pick(
        (f"K = {a}", "K", (f"K = {b}", f"K = {a}")),
        (f"K = {a}", "globals()['K']", (f"K = {b}", f"globals()['K'] = {c}")),
        (f"W = np.array([{a}, {b}])", "W[0] * W[1]", (f"W = np.array([{c}, {b}])", f"W[0] = {b}", f"W *= {c}")),
        (f"class C:\n    k = {a}", "C.k", (f"C.k = {b}", f"setattr(C, 'k', {c})")),
        (f"class C:\n    k = {a}\n\n\nc = C()", "c.k", (f"C.k = {b}", f"c.k = {c}", "del c.k")),
        (f"class B:\n    k = {a}\n\n\nclass C(B):\n    pass\n\n\nc = C()", "c.k", (f"B.k = {b}", f"C.k = {c}", f"c.__dict__['k'] = {a}")),
        (f"import os\n\nos.environ['AUTOOPT_KINDS'] = '{a}'", "float(os.environ['AUTOOPT_KINDS'])", (f"os.environ['AUTOOPT_KINDS'] = '{b}'", f"os.environ.update(AUTOOPT_KINDS='{c}')")),
        ("import os\n\nos.environ.pop('AUTOOPT_KINDS', None)", "(2.0 if os.environ.get('AUTOOPT_KINDS') else 1.0)", ("os.environ['AUTOOPT_KINDS'] = '1'", "os.environ.pop('AUTOOPT_KINDS', None)")),
        ("import os\n\nos.environ.pop('AUTOOPT_KINDS', None)", f"float(os.getenv('AUTOOPT_KINDS', '{a}'))", (f"os.environ['AUTOOPT_KINDS'] = '{b}'", "os.environ.pop('AUTOOPT_KINDS', None)")),
        (f"import types\n\nS = types.SimpleNamespace(k={a})", "S.k", (f"S.k = {b}", f"vars(S)['k'] = {c}")),
        (f"class O:\n    def __init__(self):\n        self.opt = {{'lam': {a}}}\n\n\no = O()", "o.opt['lam']", (f"o.opt['lam'] = {b}", f"o.opt = {{'lam': {c}}}", "o = O()")),
        (f"class O:\n    __slots__ = ('k',)\n\n\no = O()\no.k = {a}", "o.k", (f"o.k = {b}", f"object.__setattr__(o, 'k', {c})")),
        (f"import functools\n\ng = functools.partial(lambda v, k: v * k, k={a})", f"g({s})", (f"g.keywords['k'] = {b}", f"g = functools.partial(lambda v, k: v * k, k={c})")),
        (f"def g(v):\n    return v * g.k\n\n\ng.k = {a}", f"g({s})", (f"g.k = {b}", f"g.k = {c}")),
        (f"def g(v, k={a}):\n    return v * k", f"g({s})", (f"g.__defaults__ = ({b},)", f"g.__defaults__ = ({c},)")),
        (f"def g(v, *, k={a}):\n    return v * k", f"g({s})", (f"g.__kwdefaults__ = {{'k': {b}}}", f"g.__kwdefaults__['k'] = {c}")),
        (f"def g(v):\n    return v * {a}", f"g({s})", (f"def g(v):\n    return v ** 2 * {b}", f"g = lambda v: v + {c}")),
        (f"def g(v):\n    return v * {a}", f"g({s})", (f"g.__code__ = (lambda v: v ** 2 * {b}).__code__",)),
        (f"def outer():\n    k = {a}\n\n    def g(v):\n        return v * k\n\n    def put(new):\n        nonlocal k\n        k = new\n\n    return g, put\n\n\ng, put = outer()", f"g({s})", (f"put({b})", f"put({c})")),
        (f"def outer():\n    k = {a}\n    return lambda v: v * k\n\n\ng = outer()", f"g({s})", (f"g.__closure__[0].cell_contents = {b}",)),
        (f"class C:\n    def m(self, v):\n        return v * {a}\n\n\nc = C()", f"c.m({s})", (f"C.m = lambda self, v: v ** 2 + {b}", f"c.m = lambda v: v * {c}")),
        (f"class C:\n    def m(self, v):\n        return v * {a}\n\n\nclass D(C):\n    def m(self, v):\n        return v ** 2\n\n\nc = C()", f"c.m({s})", ("c.__class__ = D", "c.__class__ = C")),
        (f"class C:\n    @property\n    def k(self):\n        return self._k * 2\n\n\nc = C()\nc._k = {a}", "c.k", (f"c._k = {b}", f"C.k = property(lambda self: {c})")),
        (f"class C:\n    @staticmethod\n    def m(v):\n        return v * {a}", f"C.m({s})", (f"C.m = staticmethod(lambda v: v ** 2 + {b})",)),
        (f"class C:\n    k = {a}\n\n    @classmethod\n    def m(cls, v):\n        return v * cls.k", f"C.m({s})", (f"C.k = {b}",)),
        (f"L = [{a}, {b}]", "sum(L)", (f"L[0] = {c}", f"L.append({a})", "L.pop()", f"L[:] = [{b}]")),
        (f"D = {{'a': {a}}}", "sum(D.values())", (f"D['a'] = {b}", f"D['b'] = {c}", "del D['b']", f"D.update(a={c})")),
        (f"D = {{'a': {{'b': {a}}}}}", "D['a']['b']", (f"D['a']['b'] = {b}", f"D['a'] = {{'b': {c}}}")),
        ("Q = {1, 2}", "len(Q)", ("Q.add(3)", "Q.discard(1)", "Q.clear()")),
        (f"import collections\n\nQ = collections.deque([{a}, {b}], maxlen=2)", "Q[0]", (f"Q.append({c})", "Q.rotate(1)")),
        ("FLAG = False", f"(2.0 if FLAG else {a})", ("FLAG = True", "FLAG = False")),
        ("MODE = 'a'", f"({a} if MODE == 'a' else {b})", ("MODE = 'b'", "MODE = 'a'")),
        (f"F = {{'g': lambda v: v * {a}}}", f"F['g']({s})", (f"F['g'] = lambda v: v ** 2 * {b}",)),
        (f"import types\n\nM = types.ModuleType('settings')\nM.k = {a}", "M.k", (f"M.k = {b}", f"vars(M).update(k={c})")),
        (f"import dataclasses\n\n\n@dataclasses.dataclass\nclass P:\n    k: float = {a}\n\n\np = P()", "p.k", (f"p.k = {b}", f"p = P({c})", f"p = dataclasses.replace(p, k={a})")),
        (f"import itertools\n\nN = [{a}]", "max(N)", (f"N.append({b} + 2)", "N.clear(); N.append(0.3)")),
        (f"class C:\n    def __call__(self, v):\n        return v * self.k\n\n\nc = C()\nc.k = {a}", f"c({s})", (f"c.k = {b}", "C.__call__ = lambda self, v: v ** 2")),
        (f"class C:\n    def __getitem__(self, k):\n        return self.w[k]\n\n\nc = C()\nc.w = [{a}, {b}]", "c[1]", (f"c.w[1] = {c}", f"c.w = ({a}, {a})")),
        (f"class C:\n    def __getattr__(self, name):\n        return TABLE[name]\n\n\nTABLE = {{'k': {a}}}\nc = C()", "c.k", (f"TABLE['k'] = {b}", f"c.k = {c}")),
        (f"T = ({a}, [{b}])", "T[0] * T[1][0]", (f"T[1][0] = {c}", f"T = ({b}, [{a}])")),
        ("W = np.zeros((2, 2))\nV = W[0]", "V[1] + W[0, 0]", (f"W[0] = {a}", f"V[1] = {b}")),
        (f"import contextvars\n\nvar = contextvars.ContextVar('k', default={a})", "var.get()", (f"var.set({b})",)),
        ("np_sin = np.sin", f"np_sin({s})", ("np_sin = np.cos", "np_sin = lambda v: v * 2")),
        ("from math import sin as wave", f"wave({s})", ("from math import cos as wave",)),
        (f"def g(v):\n    return h(v) * {a}\n\n\ndef h(v):\n    return v ** 2", f"g({s})", (f"def h(v):\n    return v * {b}", "h = np.sin")),
        ("import string\n\nTEXT = 'ab'", "len(TEXT)", ("TEXT = 'abc'", "TEXT += 'd'")),
        ("N = 2", f"sum(np.sin(k * {d.one()}) for k in range(N))", ("N = 4", "N = 1", "N = 0")),
    )  # fmt: skip
    text = f"r = ({reading}) * ({t})"
    if d.chance(0.4):
        text = f"r = 0.0\nfor k_ in range(2):\n    r = r + ({reading}) * ({t}) * (k_ + 1)"
    if d.chance(0.3):
        text = f"def read():\n    return {reading}\nr = read() * ({t}) + {d.smooth()}"
    kept = changes[: d.whole(1, len(changes))]
    return Core(text, ("r",), helpers, (), kept)


@kind("changes outside")
def data_that_change(d: Draw) -> Core:
    """Data arguments, arrays, lists, dictionaries and objects, written into between calls."""
    a, b = d.number(), d.number()
    v = d.vector()
    make, reading, changes = d.pick(
        (
            f"np.array([{d.numbers(3)}])",
            f"np.sum(data ** 2 * {d.one()})",
            (f"DATA[0] = {a}", f"DATA *= {b}", "DATA[:] = 0.5"),
        ),
        (
            f"np.array([{d.numbers(3)}])",
            f"np.sum(np.sin(data * {d.one()})[data > 0])",
            (f"DATA[0] = {a}", "DATA[:] = -DATA", "DATA[:] = 0.5"),
        ),
        (
            f"[{d.numbers(3)}]",
            f"sum(q * {d.one()} for q in data)",
            (f"DATA[0] = {a}", f"DATA.append({b})", "DATA.pop()"),
        ),
        (
            f"{{'a': {a}, 'w': np.array([{d.numbers(2)}])}}",
            f"data['a'] * np.sum(data['w']) * {d.one()}",
            (f"DATA['a'] = {b}", f"DATA['w'][1] = {a}", "DATA['w'] = np.ones(2)"),
        ),
        (f"__import__('types').SimpleNamespace(k={a})", f"data.k * {d.smooth()}", (f"DATA.k = {b}",)),
        (
            "np.arange(4)",
            f"np.sum(np.array([{d.numbers(4)}])[data] * {d.one()})",
            ("DATA[0] = 3", "DATA[:] = DATA[::-1].copy()"),
        ),
        (
            "np.array([True, False, True])",
            f"np.sum(np.array([{d.numbers(3)}])[data]) * {d.one()}",
            ("DATA[1] = True", "DATA[:] = False"),
        ),
        (
            f"[[{a}, {b}], [1.0]]",
            f"sum(sum(row) for row in data) * {d.one()}",
            (f"DATA[0][1] = {a}", "DATA[1].append(2.0)"),
        ),
    )
    kept = changes[: d.whole(1, len(changes))]
    return Core(f"v = {v}\nr = {reading} + np.sum(v)", ("r",), f"DATA = {make}", ("data",), kept)
