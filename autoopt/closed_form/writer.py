r"""What a formula refers to and how its parts are called while it is written, entry by entry or as an array.

How each kind of node is written is a function in `BY_ENTRIES` and `AS_ARRAYS`, which two other files fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from autoopt.closed_form.functions import FUNCTIONS
from autoopt.closed_form.making import opened
from autoopt.closed_form.reading import NoForm
from autoopt.closed_form.symbols import Symbols, subscripted
from autoopt.closed_form.text import APPLIED, ATOM, POWER, Text, applied_to, atom, bracketed, plus, power
from autoopt.closed_form.tree import Array, Index, Node, Reduction

Free = tuple[Index, ...]

BY_ENTRIES: dict[type, Callable[[Writer, Any], Text]] = {}
"""How a number that may depend on indices is written, by the class of its node."""

AS_ARRAYS: dict[type, Callable[[Writer, Any, Free], Shown | None]] = {}
"""How an array is written whose axes are the indices that are given, None if it has no such form."""

CLASHES = {
    "sigma": ("sigma", r"\operatorname{expit}"),
    "psi": ("psi", r"\operatorname{digamma}"),
    "Phi": ("Phi", r"\operatorname{ndtr}"),
    "log Phi": ("Phi", r"\operatorname{log\,ndtr}"),
    "gamma": ("Gamma", r"\operatorname{gamma}"),
    "gammaln": ("Gamma", r"\operatorname{lgamma}"),
}
"""Functions whose symbol may be the user's, with the name that they have then."""


class Shown(NamedTuple):
    """An array as text; `plain` if it is made of sums and products of matrices and of functions alone."""

    text: Text
    plain: bool


def by_entries(kind: type) -> Callable[[Callable], Callable]:
    """Register how a kind of node is written entry by entry."""

    def register(write: Callable) -> Callable:
        BY_ENTRIES[kind] = write
        return write

    return register


def as_array(kind: type) -> Callable[[Callable], Callable]:
    """Register how a kind of node is written as an array."""

    def register(write: Callable) -> Callable:
        AS_ARRAYS[kind] = write
        return write

    return register


class Writer:
    """Writes formulas, and collects what they refer to.

    Parameters
    ----------
    symbols : Symbols
    function : str
        What the objective is called.

    Attributes
    ----------
    used : dict of Array to None
        What was referred to, in the order in which it was met.
    words : dict of str to None
        The conventions that were used.
    indices : dict of Index to str
        The letters of indices.
    lengths : dict of Index to set of int
        Those of the axes along which an index runs by itself.
    """

    def __init__(self, symbols: Symbols, function: str) -> None:
        self.symbols, self.function = symbols, function
        self.used: dict[Array, None] = {}
        self.words: dict[str, None] = {}
        self.indices: dict[Index, str] = {}
        self.lengths: dict[Index, set[int]] = {}
        self._fresh: dict[Array, str] = {}
        self._owners: dict[str, Array] = {}

    def entry(self, whole: Node) -> Text:
        """Return a number that may depend on indices, by their letters."""
        return BY_ENTRIES[type(whole)](self, whole)

    def array(self, x: Node, free: Free) -> Shown | None:
        """Return an array whose axes are the indices `free`, None if it has no such notation."""
        if not set(free) <= x.indices:
            return None
        write = AS_ARRAYS.get(type(x))
        return write(self, x, free) if write else None

    def plainly(self, x: Node, free: Free) -> Text | None:
        """Return an array without indices, if it is plain."""
        with self.trial() as back:
            shown = self.array(x, free)
            if shown is not None and shown.plain:
                return shown.text
            back()
        return None

    @contextmanager
    def trial(self) -> Iterator[Callable[[], None]]:
        """Write something that may not be used: what is yielded takes back what it refers to."""
        before = dict(self.used), dict(self.words), {k: set(v) for k, v in self.lengths.items()}

        def back() -> None:
            self.used, self.words, self.lengths = before

        yield back

    def symbol(self, array: Array) -> Text:
        """Return what an array is called."""
        self.used[array] = None
        if array.slope is not None:
            return self.gradient(array.slope)
        if array.of is not None and array.of[0] != "cholesky":
            function, matrix = array.of
            inside = self.symbol(matrix)
            if function == "inverse":
                return power(inside, atom("-1"))
            whole = Text(rf"\det {inside.at(ATOM)}", APPLIED, is_open=True)
            return whole if function == "det" else Text(rf"\log \lvert {whole.text} \rvert", APPLIED, is_open=True)
        if not array.name:
            if array not in self._fresh:
                self._fresh[array] = self.symbols.fresh(len(array.shape))
            return atom(self._fresh[array])
        symbol = self.symbols.of(array.name)
        if self._owners.setdefault(symbol, array) is not array:
            raise NoForm(f"two arrays that are called {array.name}", array.where or self._owners[symbol].where)
        return self.called(symbol)

    def called(self, symbol: str) -> Text:
        if symbol.startswith(r"\log "):
            return Text(symbol, APPLIED, is_open=True)
        return Text(symbol, POWER) if "'" in symbol else atom(symbol)

    def gradient(self, array: Array) -> Text:
        """Return what the slope by an array is called."""
        below = self.symbol(array).text
        if not array.shape:
            return atom(rf"\frac{{\partial {self.function}}}{{\partial {below}}}")
        return Text(rf"\nabla_{{{below}}} {self.function}", POWER)

    def with_indices(self, array: Array, at: Sequence[str]) -> Text:
        """Return the symbol of an entry."""
        if not at:
            return self.symbol(array)
        if array.slope is not None:
            self.used[array] = None
            below = self.with_indices(array.slope, at).text
            return atom(rf"\frac{{\partial {self.function}}}{{\partial {below}}}")
        symbol = self.symbol(array)
        if array.of is not None and array.of[0] != "cholesky":
            return atom(subscripted(bracketed(symbol.text), tuple(at)))
        return self.called(subscripted(symbol.text, tuple(at)))

    @contextmanager
    def letters(self, indices: Sequence[Index]) -> Iterator[tuple[str, ...]]:
        """Give letters to indices for a while."""
        before = dict(self.indices)
        for index in indices:
            self.indices[index] = self.symbols.index(self.indices.values())
            self.lengths[index] = set()
        yield tuple(self.indices[index] for index in indices)
        self.indices = before

    def runs(self, index: Index) -> bool:
        """Whether an index stands by itself at an axis of its length, so that it is clear how far it goes."""
        return self.lengths[index] == {index.length}

    def applied(self, function: str, operands: list[Text]) -> Text:
        """Return a function by its symbol, or its name where the symbol is the user's."""
        taken = self.symbols.taken
        if "e" in taken and function in ("exp", "softplus"):
            whole = Text(rf"\exp\left( {operands[0].text} \right)", POWER)
            return whole if function == "exp" else applied_to(r"\log", plus(atom("1"), whole))
        self.words[function] = None
        letter, name = CLASHES.get(function, ("", ""))
        if letter and letter in taken:  # of a name such as `_1st` nothing stands before the underscore
            return applied_to(name, operands[0])
        return FUNCTIONS[function].write(*operands)


def unnested(x: Node) -> tuple[Free, Node]:
    """Return the indices of reductions of one kind that stand one right in another, and what is reduced."""
    indices: list[Index] = []
    kind = x.kind if isinstance(x, Reduction) else ""
    while isinstance(x, Reduction) and x.kind == kind:
        index, x = opened(x)
        indices.append(index)
    return tuple(indices), x
