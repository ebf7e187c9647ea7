r"""A reader of the LaTeX that is written: what the text says, in numbers, by nothing but the text.

Vectors are columns, so that juxtaposition is the product of matrices; sums run over an index until an entry is not
there, or to the limit below the sign. It knows nothing of the library.
"""

from __future__ import annotations

import re

import numpy as np
from scipy import special

TOKEN = re.compile(
    r"\s*(@\d+;|\\left|\\right|\\begin\{\w+\}|\\end\{\w+\}|\\operatorname\{[^}]*\}|\\mathbf\{1\}"
    r"|\\mathrm\{F\}|\\text\{[^}]*\}|\\log\\Gamma|\\log\\Phi|\\[a-zA-Z]+|\\\\|\d+(?:\.\d+)?|.)"
)
FUNCTIONS = {
    r"\log": np.log,
    r"\log\Gamma": special.gammaln,
    r"\log\Phi": special.log_ndtr,
    r"\psi": special.psi,
    r"\exp": np.exp,
    r"\sigma": special.expit,
    r"\Phi": special.ndtr,
    r"\tanh": np.tanh,
    r"\sin": np.sin,
    r"\cosh": np.cosh,
    r"\sinh": np.sinh,
    r"\cos": np.cos,
    r"\arctan": np.arctan,
    r"\det": np.linalg.det,
    r"\operatorname{sign}": np.sign,
    r"\operatorname{erf}": special.erf,
    r"\operatorname{expit}": special.expit,
    r"\operatorname{lgamma}": special.gammaln,
    r"\operatorname{digamma}": special.psi,
    r"\operatorname{ndtr}": special.ndtr,
    r"\operatorname{log\,ndtr}": special.log_ndtr,
    r"\operatorname{chol}": np.linalg.cholesky,
}
SIGNS = {"<": np.less, ">": np.greater, "=": np.equal, r"\le": np.less_equal, r"\ge": np.greater_equal}
SIGNS[r"\ne"] = np.not_equal
ENDS = {"}", ")", r"\right", "&", r"\\", "]", ",", r"\rvert", r"\rVert", r"\end{cases}", "+", "-", ":", r"\odot"}
ENDS |= {*SIGNS, r"\wedge", r"\vee", r"\text{if }", r"\text{otherwise}"}
SLOPE = "slope of "


def plain(value):
    return value[0, 0] if np.shape(value) == (1, 1) else value


def column(value):
    value = np.asarray(value, dtype=float)
    return value.reshape(-1, 1) if value.ndim == 1 else value


def parted(symbol):
    """Return a symbol and the indices that stand below it: those at the end that are small letters."""
    own = re.fullmatch(r"\\frac\{\\partial (.+?)\}\{\\partial (.*)\}", symbol)
    if own:
        inside, indices = parted(own[2])
        return SLOPE + inside, indices
    if whole := re.fullmatch(r"\\nabla_\{(.*)\} \S+", symbol):
        return SLOPE + whole[1], []
    if below := re.fullmatch(r"(.*)_\{(.+), ([a-z](?: [a-z])*)\}", symbol):
        inside = below[2] if len(below[2]) == 1 else f"{{{below[2]}}}"
        return f"{below[1]}_{inside}", below[3].split(" ")
    if plainly := re.fullmatch(r"(.*)_(?:\{([a-z](?: [a-z])*)\}|([a-z]))", symbol):
        return plainly[1], (plainly[2] or plainly[3]).split(" ")
    return symbol, []


class Model:
    """The equations of a text, and the arrays that are given by their symbols."""

    def __init__(self, latex, given):
        self.arrays, self.ranks, self.rows = {}, {}, {}
        for symbol, value in given.items():
            self.arrays[symbol], self.ranks[symbol] = column(value), np.ndim(value)
            if symbol.startswith(r"\log "):  # the logarithm of what is called so
                self.arrays.setdefault(symbol[5:], np.exp(column(value)))
        for left, right in equations(latex):
            symbol, indices = parted(left)
            assert symbol not in self.rows, f"{symbol} is defined twice"
            self.rows[symbol] = indices, right

    def value(self, symbol):
        """Return the array that a symbol is."""
        if symbol not in self.arrays:
            indices, text = self.rows[symbol]
            text, _, ends = text.partition(r", \quad ")
            formula = Formula(text, self)
            lengths = dict(end.split(" < ") for end in ends.split(", ") if ends)
            known = [int(lengths[k]) if k in lengths else None for k in indices]
            self.arrays[symbol] = column(self.entries(formula, indices, {}, self.shape(symbol) or known))
        return self.arrays[symbol]

    def shape(self, symbol):
        """Return how far the indices of a slope go: as those of what it is taken by."""
        if not symbol.startswith(SLOPE):
            return ()
        value = self.value(symbol.removeprefix(SLOPE))
        return np.shape(value)

    def entries(self, formula, indices, known, shape):
        if not indices:
            return plain(formula.at(known))
        found = []
        for k in range(shape[0] or 300):
            try:
                found.append(self.entries(formula, indices[1:], known | {indices[0]: k}, shape[1:]))
            except IndexError:
                if shape[0]:
                    raise
                break
        if not found:
            raise IndexError
        return np.array(found)


class Formula:
    """A piece of LaTeX with the symbols of a model."""

    def __init__(self, text, model):
        self.model, self.known, self.dead, self.skipped = model, {}, 0, False
        names = {symbol.removeprefix(SLOPE) for symbol in {*model.arrays, *model.rows}}
        self.symbols = sorted(names, key=len, reverse=True)
        for k, symbol in enumerate(self.symbols):
            head, line, tail = symbol.rpartition("_")
            if line and "\\_" not in symbol:
                text = text.replace(f"{head}_{{{tail[1:-1] if tail[0] == '{' else tail}, ", f"@{k};_{{")
            text = re.sub(rf"(?<![\\a-zA-Z@]){re.escape(symbol)}(?![a-zA-Z'\d])", f"@{k};", text)
        count = len(self.symbols)
        self.symbols += [SLOPE + symbol for symbol in self.symbols]
        moved = lambda m: f"@{int(m[1]) + count};" + (f"_{m[2]}" if m[2] else "")  # noqa: E731
        text = re.sub(r"\\frac\{\\partial [^{}]+\}\{\\partial @(\d+);(?:_(\{[^{}]*\}|\w))?\}", moved, text)
        text = re.sub(r"\\nabla_\{@(\d+);\} (?:\\ell|[fFJQ])()", moved, text)
        self.tokens = TOKEN.findall(text.replace(r"\,", " ").replace(r"{log ndtr}", r"{log\,ndtr}"))
        self.place = 0

    def at(self, known):
        self.place, self.known = 0, known
        value = self.sum()
        assert self.place == len(self.tokens), self.tokens[self.place :]
        return plain(value)

    @property
    def token(self):
        return self.tokens[self.place] if self.place < len(self.tokens) else "}"

    def take(self, *expected):
        token = self.token
        assert not expected or token in expected, (token, expected, self.tokens)
        self.place += 1
        return token

    def group(self, read):
        if self.token != "{":
            return self.atom(digit=True)
        self.take("{")
        value = read()
        self.take("}")
        return value

    def sum(self):
        sign = self.take() if self.token in "+-" else "+"
        value = self.entrywise() if sign == "+" else -self.entrywise()
        while self.token in ("+", "-"):
            sign = self.take()
            other = self.entrywise()
            value = plain(value) + plain(other) if sign == "+" else plain(value) - plain(other)
        return value

    def entrywise(self):
        value = self.product()
        while self.token == r"\odot":
            self.take()
            value = value * self.product()
        return value

    def product(self):
        """Return a product; what follows a condition that does not hold is not looked at."""
        value, before = None, self.dead
        while value is None or self.token == r"\cdot" or self.token not in ENDS:
            if self.token == r"\cdot":
                self.take()
            is_condition = self.token == r"\mathbf{1}"
            other = plain(self.power())
            if is_condition and other == 0:
                self.dead += 1
            if value is not None:
                value = value @ other if np.ndim(value) and np.ndim(other) else value * other
            else:
                value = other
        value = 0.0 * value if self.dead > before else value
        self.dead = before
        return plain(value)

    def power(self):
        value = self.atom()
        while self.token in ("^", "_"):
            if self.take() == "_":
                value = self.entry(value)
                continue
            self.take("{")
            if self.token == r"\top":
                self.take()
                value = np.transpose(value)
            elif self.token == r"\circ":
                self.take()
                value = value ** self.sum()
            else:
                exponent = self.sum()
                is_matrix = np.ndim(value) == 2 and np.shape(value)[0] == np.shape(value)[1] > 1
                value = np.linalg.inv(value) if is_matrix and exponent == -1 else value**exponent
            self.take("}")
        return value

    def entry(self, value):
        indices = self.group(self.indices) if self.token == "{" else [self.atom(digit=True)]
        indices = [int(k) for k in indices]
        shape = np.shape(value)
        if self.dead or (self.skipped and any(k < 0 for k in indices)):
            return 1.0
        if any(k < 0 or k >= n for k, n in zip(indices, shape, strict=False)):
            raise IndexError
        return value[tuple(indices)] if len(indices) == 2 else value[indices[0], 0]

    def indices(self):
        if self.token == r"\mathrm{F}":  # of a norm
            return self.take()
        end = self.place
        while self.tokens[end] in self.known or self.tokens[end].isdigit():
            end += 1
        if self.tokens[end] == "}":
            return [self.atom() for _ in range(end - self.place)]
        found = [plain(self.sum())]
        while self.token == ",":
            self.take()
            found.append(plain(self.sum()))
        return found

    def atom(self, digit=False):
        token = self.take()
        if token.startswith("@"):
            return self.model.value(self.symbols[int(token[1:-1])])
        if re.match(r"\d", token):
            if digit and len(token) > 1:
                self.tokens[self.place - 1 : self.place] = [token[0], token[1:]]
                return int(token[0])
            return float(token) if "." in token else int(token)
        if token in self.known:
            return self.known[token]
        if token in (r"\pi", r"\infty"):
            return np.pi if token == r"\pi" else np.inf
        if token == "e":
            if self.token != "^":
                return np.e
            self.take("^")
            return np.exp(self.group(self.sum))
        if token in READERS:
            return READERS[token](self)
        return FUNCTIONS[token](plain(self.power()))

    def bracket(self):
        value = self.sum()
        if self.token == r"\right":
            self.take()
        self.take(")")
        return value

    def condition(self):
        if self.token == r"\neg":
            self.take()
            return not self.condition()
        if self.token in ("(", r"\left") and (inner := self.bracketed_condition()) is not None:
            holds = inner
        else:
            left = self.sum()
            holds = bool(SIGNS[self.take()](left, self.sum()))
        while self.token in (r"\wedge", r"\vee"):
            joined = self.take()
            other = self.condition()
            holds = (holds and other) if joined == r"\wedge" else (holds or other)
        return holds

    def bracketed_condition(self):
        """Return a condition in brackets, None if it is a number that stands in them."""
        place = self.place
        try:
            if self.take() == r"\left":
                self.take("(")
            holds = self.condition()
            if self.token == r"\right":
                self.take()
            self.take(")")
        except (AssertionError, KeyError, IndexError):
            self.place = place
            return None
        return holds


def _over_index(reduce, empty=None):
    """Read a sum, product or extreme: `_{i, j < 5 : condition}` and what stands under it."""

    def read(f):
        f.take("_")
        f.take("{")
        letters, limits, begin = [], {}, f.place
        while f.token != "}":
            if re.fullmatch("[a-z]", f.token) and f.token not in f.known and f.token not in letters:
                letters.append(f.take())
            elif f.token == "<" and f.tokens[f.place + 1].isdigit() and f.tokens[f.place + 2] in ("}", ",", ":"):
                f.take()
                limits[letters[-1]] = int(f.take())
            elif f.token == ",":
                f.take()
            else:
                break
        if f.token == ":":
            f.take()
            begin = f.place
        has_conditions = f.token != "}"
        end = begin
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(f.tokens[end], 0)
            end += 1
        body, known, after = end, f.known, None

        def entries(rest):
            nonlocal after
            if not rest:
                holds, skipped = True, f.skipped
                if has_conditions:
                    f.place = begin
                    holds = f.condition()
                    while f.token == ",":
                        f.take()
                        holds = f.condition() and holds
                    f.skipped = skipped or not holds
                f.place = body
                value = plain(f.entrywise())
                after, f.skipped = f.place, skipped
                return [value] if holds else []
            found, letter = [], rest[0]
            for k in range(limits.get(letter, 10_000)):
                f.known = {**f.known, letter: k}
                try:
                    found += entries(rest[1:])
                except IndexError:
                    if letter in limits or not k:
                        raise
                    break
                if f.dead and letter not in limits:
                    break  # of what is not looked at one entry is enough to find its end
                assert k < 300, "a sum without an end"
            return found

        try:
            found = entries(letters)
        finally:
            f.known = known
        f.place = after
        return reduce(found) if found else empty

    return read


def _indicator(f):
    f.take("[")
    holds = f.condition()
    f.take("]")
    return float(holds)


def _cases(f):
    """Return the case that holds; in the other one entries may be missing."""
    start, depth = f.place, 0
    while f.tokens[f.place] != r"\text{if }" or depth:
        depth += {r"\begin{cases}": 1, r"\end{cases}": -1}.get(f.tokens[f.place], 0)
        f.place += 1
    f.take()
    holds = f.condition()
    f.place = start
    f.dead += not holds
    yes = f.sum()
    f.dead += 1 if holds else -1
    f.take("&")
    f.take(r"\text{if }")
    f.condition()
    f.take(r"\\")
    no = f.sum()
    f.dead -= holds
    f.take("&")
    f.take(r"\text{otherwise}")
    f.take(r"\end{cases}")
    return yes if holds else no


def _size(f):
    value = f.sum()
    f.take(r"\rvert")
    return np.abs(value)


def _norm(f):
    value = f.sum()
    f.take(r"\rVert")
    if f.token == "_":
        f.take()
        f.group(f.indices)
    return np.sqrt(np.sum(np.square(value)))


def _fraction(f):
    above = f.group(f.sum)
    return plain(above) / plain(f.group(f.sum))


def _left(f):
    f.take("(")
    return f.bracket()


def _extreme(reduce):
    def read(f):
        if f.token == "_":
            return _over_index(reduce)(f)
        f.take(r"\left")
        f.take("(")
        found = [f.sum()]
        while f.token == ",":
            f.take()
            found.append(f.sum())
        f.take(r"\right")
        f.take(")")
        return reduce(found)

    return read


READERS = {
    r"\frac": _fraction,
    r"\sqrt": lambda f: np.sqrt(f.group(f.sum)),
    r"\sum": _over_index(sum, 0.0),
    r"\prod": _over_index(np.prod, 1.0),
    r"\max": _extreme(max),
    r"\min": _extreme(min),
    r"\mathbf{1}": _indicator,
    r"\begin{cases}": _cases,
    r"\lvert": _size,
    r"\lVert": _norm,
    r"\left": _left,
    "(": Formula.bracket,
}


def equations(text):
    """Return the (left, right) of all equations of a text, LaTeX or Markdown."""
    rows = []
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", text, re.S):
        rows += [row.strip().partition(" &= ")[::2] for row in re.split(r" \\\\\n", block)]
    for row in re.findall(r"\$\$\n(.*?)\n\$\$", text, re.S):
        rows.append(row.partition(" = ")[::2])
    return rows


def value_and_slopes(text, given, parameters):
    """Return the value that a text says, and the slopes by `parameters`, of what is given by its symbols."""
    model = Model(text, given)
    (left, right) = equations(text)[0]
    assert left.endswith(")"), left
    value = Formula(right, model).at({})
    return float(value), [model.value(SLOPE + symbol) for symbol in parameters]
