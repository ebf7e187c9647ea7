r"""What is said of a model: its equations, those of its gradient, the variables in both, the conventions that are used.

\ell(w) &= \sum_i \left( \log\left( 1 + e^{z_i} \right) - y_i z_i \right)
z &= X w
\nabla_{w} \ell &= X^\top (\sigma(z) - y)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autoopt.closed_form.logarithms import logarithms
from autoopt.closed_form.slopes import Slopes
from autoopt.closed_form.symbols import Symbols
from autoopt.closed_form.tree import Array, Index, Node, arrays_of
from autoopt.closed_form.writer import Writer

NOTATION = {
    "hadamard": r"$\odot$ multiplies entry by entry.",
    "entries": "Functions, quotients and numbers are taken entry by entry.",
    "hadamard power": r"$a^{\circ k}$ is the power of each entry.",
    "chol": r"$\operatorname{chol}(K)$ is the lower triangular matrix $L$ with $L L^{\top} = K$.",
    "from zero": "Indices begin at 0.",
    "sigma": r"$\sigma(t) = 1 / (1 + e^{-t})$.",
    "psi": r"$\psi$ is the derivative of $\log\Gamma$.",
    "Phi": r"$\Phi$ is the distribution function of the standard normal distribution.",
    "indicator": r"$\mathbf{1}[\cdot]$ is 1 where the condition holds, and 0 elsewhere.",
    "max": r"Where the operands of $\max$ are equal, the slope is that from either side.",
    "min": r"Where the operands of $\min$ are equal, the slope is that from either side.",
}
"""What is said of notation that is used, by the word that writers leave."""


class Equation(NamedTuple):
    left: str
    right: str


class Block(NamedTuple):
    """A sentence, and the equations below it."""

    words: str
    equations: list[Equation]


class Formulas(NamedTuple):
    """A model in index notation.

    Attributes
    ----------
    value : Node
    slopes : Slopes
    parameters : list of Array
        The parts of the parameters, in their order.
    conditions : list of Node
        What holds where the formulas do.
    """

    value: Node
    slopes: Slopes
    parameters: list[Array]
    conditions: list[Node]


class Document:
    """The text of a model.

    Parameters
    ----------
    formulas : Formulas
    """

    def __init__(self, formulas: Formulas) -> None:
        self.formulas = formulas
        arrays = [*arrays_of(formulas.value, *formulas.conditions), *formulas.parameters]
        names = {array.name for array in arrays if array.name}
        self.logarithms = logarithms(arrays)
        has_data = any(array.value is not None and array not in formulas.parameters for array in arrays)
        letters = [r"\ell", "f", "F", "J"] if has_data and "ell" not in names else ["f", "F", "J", "Q"]
        self.function = next((letter for letter in letters if letter not in names), r"\mathcal{L}")
        self.writer = Writer(Symbols(names, self.logarithms), self.function)
        self._done: set[Array] = set()

    def blocks(self) -> list[Block]:
        """Return the model's equations and those of its gradient, each with the variables that they are in."""
        shown = [self.writer.symbol(array).text for array in self.formulas.parameters]
        arguments = ", ".join(shown if len(shown) <= 12 else [*shown[:3], r"\dots", shown[-1]])
        model = [Equation(f"{self.function}({arguments})", self.writer.entry(self.formulas.value).text)]
        model += self._definitions()
        gradient = [self._slope(array) for array in self.formulas.parameters]
        gradient += self._definitions()
        blocks = [Block("The model:", model), Block("Its gradient:", gradient)]
        if self.formulas.conditions:
            limits = [f"${self.writer.entry(one).text}$" for one in self.formulas.conditions]
            blocks.append(Block(f"This holds where {' and '.join(dict.fromkeys(limits))}.", self._definitions()))
        return blocks

    def _slope(self, array: Array) -> Equation:
        """Return the slope by a part of the parameters."""
        slopes = self.formulas.slopes
        return self._definition(Array("", array.shape, slope=array), slopes.indices[array], slopes.formulas[array])

    def _by_entries(self, array: Array, indices: tuple[Index, ...], formula: Node) -> Equation:
        writer = self.writer
        with writer.letters(indices) as letters:
            left, right = writer.with_indices(array, letters).text, writer.entry(formula).text
            if array.slope is None:
                ends = [f"{one} < {k.length}" for one, k in zip(letters, indices, strict=True) if not writer.runs(k)]
                right += rf", \quad {', '.join(ends)}" if ends else ""
        return Equation(left, right)

    def _definitions(self) -> list[Equation]:
        """Return what the equations so far refer to, and what that refers to."""
        equations = []
        while ahead := [array for array in self.writer.used if array not in self._done]:
            for array in ahead:
                self._done.add(array)
                if array.body is not None and not self._is_known(array):
                    equations.append(self._definition(array, array.indices, array.body))
                if array.of is not None and array.of[0] == "cholesky":
                    self.writer.words["chol"] = None
                    matrix = self.writer.symbol(array.of[1]).text
                    symbol = self.writer.symbol(array).text
                    equations.append(Equation(symbol, rf"\operatorname{{chol}}\left( {matrix} \right)"))
        return equations

    def _definition(self, array: Array, indices: tuple[Index, ...], body: Node) -> Equation:
        text = self.writer.plainly(body, indices) if indices else None
        if text is not None:
            return Equation(self.writer.symbol(array).text, text.text)
        return self._by_entries(array, indices, body)

    def _is_known(self, array: Array) -> bool:
        """Whether an array is called by what it is the exponential of."""
        return f"log_{array.name}" in self.logarithms

    def notation(self) -> list[str]:
        """Return what is to be said of the notation that is used, and of what has no name of the user's."""
        writer = self.writer
        words = [text for word, text in NOTATION.items() if word in writer.words and word not in writer.symbols.taken]
        for array in self.writer.used:
            if array.note:
                words.append(f"${self.writer.symbol(array).text}$ is {array.note}.")
        return words


def as_latex(title: str, blocks: Sequence[Block], notation: Sequence[str]) -> str:
    """Return LaTeX: a sentence and aligned equations for each block."""
    parts = [f"% {title}", r"% \usepackage{amsmath}"]
    for block in blocks:
        parts.append(block.words)
        if block.equations:
            rows = [f"  {equation.left} &= {equation.right}" for equation in block.equations]
            parts[-1] += "\n\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"
    return "\n".join([*parts, *notation]) + "\n"


def as_markdown(title: str, blocks: Sequence[Block], notation: Sequence[str]) -> str:
    """Return Markdown: a line of words and a `$$` block for each equation."""
    parts = [f"*{title}*"]
    for block in blocks:
        parts.append(block.words)
        parts += [f"$$\n{equation.left} = {equation.right}\n$$" for equation in block.equations]
    if notation:
        parts.append(" ".join(notation))
    return "\n\n".join(parts) + "\n"


FORMATS = {"latex": as_latex, "markdown": as_markdown}
"""How the text is set, by name."""
