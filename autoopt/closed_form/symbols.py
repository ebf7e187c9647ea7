"""Names of the user's as symbols: beta -> \\beta, mu_2 -> \\mu_2, log_s -> \\log s, x_max -> x_{\\mathrm{max}}."""

from __future__ import annotations

import re
from collections.abc import Collection

GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot"}
LETTERS = "abcdghqruvwABCDGHQRUVW"
"""What is called anew, in this order: small letters for vectors and numbers, capitals for matrices."""


class Symbols:
    """One symbol for each name, no symbol for two names.

    Parameters
    ----------
    names : collection of str
        All names of the user's.
    logarithms : collection of str
        Those of the form `log_s` which are the logarithm of what `s` is, if there is such a name.
    """

    def __init__(self, names: Collection[str], logarithms: Collection[str] = ()) -> None:
        self.logarithms = set(logarithms)
        self.known: dict[str, str] = {}
        self.taken = {part for name in names for part in (name, name.partition("_")[0])}  # letters that mean the user's
        self.plain = {name for name in names if len(name) == 1}
        self._bare = {symbol_of(name) for name in names}
        for name in sorted(names):
            self.of(name)

    def of(self, name: str) -> str:
        """Return the symbol of a name."""
        if name not in self.known:
            symbol = symbol_of(name, name in self.logarithms)
            if symbol in self.known.values() or self._looks_like_an_entry(symbol):
                symbol = upright(name)
            self.known[name] = symbol
        return self.known[name]

    def _looks_like_an_entry(self, symbol: str) -> bool:
        """Whether a symbol is one of the others with a number below."""
        head, mark, below = symbol.rpartition("_")
        return bool(mark) and below.strip("{}").isdigit() and head in self._bare

    def fresh(self, ndim: int) -> str:
        """Return a letter that nothing is called by: a capital for a matrix."""
        letters = [x for x in LETTERS if x.isupper() == (ndim > 1)]
        taken = set(self.known.values())
        for count in range(100):
            for letter in letters:
                symbol = f"{letter}_{count}" if count else letter
                if symbol not in taken and letter not in self.plain:
                    self.known[f"{symbol}*"] = symbol
                    return symbol
        raise AssertionError("no letter is left")

    def index(self, taken: Collection[str]) -> str:
        """Return a letter for an index."""
        symbols = {*taken, *self.known.values()}
        return next(
            letter for letter in ("i", "j", "k", "l", "m", "r", "s", "t", "\\iota", "\\kappa") if letter not in symbols
        )


def symbol_of(name: str, is_logarithm: bool = False) -> str:
    """Return a name as it is set."""
    bare = name.rstrip("'")
    primes = name[len(bare) :]
    if is_logarithm:
        return rf"\log {symbol_of(bare.partition('_')[2])}{primes}"
    words = [word for word in bare.strip("_").split("_") if word]
    if not words:
        return upright(name)
    head, *rest = words
    parts = re.fullmatch(r"([A-Za-z]+?)(\d+)", head)
    if parts and (parts[1] in GREEK or len(parts[1]) == 1):
        head, rest = parts[1], [parts[2], *rest]
    if head not in GREEK and len(head) > 1:
        return upright(name)
    symbol = f"\\{head}" if head in GREEK else head
    if rest and rest[0] in ACCENTS:
        symbol, rest = f"{ACCENTS[rest[0]]}{{{symbol}}}", rest[1:]
    if not rest:
        return symbol + primes
    below = ",".join(_below(word) for word in rest)
    return f"{symbol}{primes}_{below}" if len(below) == 1 else f"{symbol}{primes}_{{{below}}}"


def upright(name: str) -> str:
    """Return a name of several letters."""
    bare = name.rstrip("'")
    escaped = bare.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}{name[len(bare) :]}"


def _below(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if word.isdigit() else rf"\mathrm{{{word}}}"  # upright: no index


def subscripted(symbol: str, indices: tuple[str, ...]) -> str:
    """Return a symbol with indices, after those that it has."""
    if not indices:
        return symbol
    below = " ".join(indices) if all(re.fullmatch(r"[a-zA-Z]|\\[a-z]+", k) for k in indices) else ", ".join(indices)
    if symbol.startswith((r"\log ", "(", r"\left(")):
        body = symbol.removeprefix(r"\log ")
        return rf"\log {subscripted(body, indices)}" if symbol.startswith(r"\log ") else f"{symbol}_{{{below}}}"
    head, mark, tail = symbol.rpartition("_")
    if (
        mark
        and "\\_" not in symbol
        and not tail.endswith("'")
        and (tail.startswith("{") or len(tail) == 1 or tail[0] == "\\")
    ):
        tail = tail[1:-1] if tail.startswith("{") and tail.endswith("}") else tail
        return f"{head}_{{{tail}, {below}}}"
    return f"{symbol}_{below}" if len(below) == 1 else f"{symbol}_{{{below}}}"
