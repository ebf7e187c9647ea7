"""The text of a model file, of a likelihood and the columns of a table."""

from __future__ import annotations

import os
import shlex
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from autoopt.layout import laid_out
from autoopt.proposals.columns import Chosen, Column, Reading, chosen, reading
from autoopt.proposals.likelihoods import LIKELIHOODS, Likelihood, assumed, named, suggested
from autoopt.tables.dataset import Dataset
from autoopt.tables.description import describe, line
from autoopt.tables.readers import dataset
from autoopt.wording import listed, times

WIDE = 12
"""With more columns than these the objective takes them as a matrix, not each by its name."""

_SHOWN = 6  # columns in the title
_DESCRIBED, _WIDTH = 30, 110  # columns whose types and ranges stand in the file, and how long its lines are


@dataclass(frozen=True)
class Proposal:
    """A model file that is proposed for a table.

    Attributes
    ----------
    likelihood : str
        Its name in `LIKELIHOODS`.
    target : str
        The column that is explained.
    columns : tuple of str
        The parameters beside the intercept and those of the likelihood.
    title : str
        What the model is, in one line.
    text : str
    data : str
        What is in the columns that are used, in one line, as fits say it.
    notes : tuple of str
        What was assumed of the response, how many rows are left out, and which columns, and why.
    """

    likelihood: str
    target: str
    columns: tuple[str, ...]
    title: str
    text: str
    data: str
    notes: tuple[str, ...] = ()


def proposal(
    path: str | Path,
    output: str | Path | None = None,
    target: str | None = None,
    likelihood: str | None = None,
    columns: tuple[str, ...] = (),
) -> Proposal:
    """Return a model file for a table, which fits as it stands and is meant to be edited.

    Parameters
    ----------
    path : path
        A CSV or TSV file whose first line names its columns.
    output : path, optional
        Where the text will stand, to which the path of the data is relative; beside the data if not given.
    target : str, optional
        The column to be explained; one that is called y, target, response, outcome or label, or the last.
    likelihood : str, optional
        A name in `LIKELIHOODS`; the first that suits the response if not given.
    columns : tuple of str
        Those that explain it; all that can if there are none.

    Raises
    ------
    DataError, UsageError
        If the file cannot be read, lacks a column, or has a response for which no likelihood is known.
    """
    path = Path(path)
    read = reading(path)
    found = chosen(read, target, columns)
    y = found.target.values
    row = suggested(y) if likelihood is None else named(likelihood, y, found.target.column)
    folder = (Path(output).parent if output is not None else path.parent).absolute()
    table = dataset(path, read.said)
    writer = _Writer(row, found, read, table, os.path.relpath(path.absolute(), folder).replace(os.sep, "/"))
    name = Path(output).name if output is not None else f"{path.stem}_model.py"
    used = tuple(column.name for column in found.columns)
    text, said = writer.text(name), line(table, writer.used)
    return Proposal(row.name, found.target.column, used, writer.title, text, said, tuple(writer.notes()))


class _Writer:
    """Writes the parts of a model file."""

    def __init__(self, likelihood: Likelihood, found: Chosen, read: Reading, table: Dataset, file: str) -> None:
        self.likelihood, self.found, self.read, self.table, self.file = likelihood, found, read, table, file
        self.used = list(dict.fromkeys([*(column.column for column in found.columns), found.target.column]))
        self.y, self.columns = found.target.name, found.columns
        self.is_wide = len(self.columns) > WIDE
        self.assumed = assumed(likelihood, found.target.values, found.target.column)
        names = [column.name for column in self.columns]
        self.arguments = ["X"] if self.is_wide else names
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        explained = listed(names[:_SHOWN]) or "a constant"
        self.title = f"{likelihood.title}: {found.target.column} by {explained}{more}"

    def notes(self) -> list[str]:
        """Return what must be known before the file is read."""
        found, said = self.found, [self.assumed] if self.assumed else []
        if found.dropped:
            rows = times(found.dropped, "row")
            verbs = ("lacks", "is") if found.dropped == 1 else ("lack", "are")
            said.append(
                f"{rows} of {found.dropped + len(found.target.values)} {verbs[0]} a value, and {verbs[1]} left out."
            )
        return [*said, *(f"Left out: {reason}." for reason in found.left_out)]

    def text(self, name: str) -> str:
        head = [self._head(name), self._imports(), self._constants()]
        parts = ["\n\n".join(head), *self._encode(), self._data(), self._start(), self._functions()]
        return laid_out("\n\n\n".join(parts) + "\n")

    def _head(self, name: str) -> str:
        commands = [
            (f"autoopt fit {name}", "estimates, standard errors, intervals"),
            (f"autoopt check {name}", "its derivatives, compared with differences"),
            (f"autoopt profile {name}", "profile-likelihood intervals"),
            (f"autoopt predict {name} --data new.csv{self._reading()}", "predictions for other rows, with bands"),
            (f"autoopt derive {name}", "its derivatives, as NumPy code"),
        ]
        width = max(len(command) for command, _ in commands)
        why = f"{self.found.target.column} {self.likelihood.because}"
        others = ", ".join(other for other in LIKELIHOODS if other != self.likelihood.name)
        lines = [
            f'"""{_in_docstring(self.title)}.',
            "",
            f"Written by `autoopt new`, to be read and edited: {_in_docstring(why)}.",
            f"With `--likelihood` there are others: {others}.",
            *([_in_docstring(line) for line in textwrap.wrap(self.assumed, 100)]),
            "",
            *(f"    {command:<{width}}    # {purpose}" for command, purpose in commands),
            '"""',
        ]
        return "\n".join(lines)

    def _reading(self) -> str:
        """Return the options by which `autoopt predict` reads a file of this form; encodings it finds by itself."""
        marks = {"--delimiter": self.read.options.get("sep", "\t"), "--decimal": self.read.options.get("decimal", "")}
        return "".join(f" {option} {shlex.quote(mark)}" for option, mark in marks.items() if mark.strip())

    def _imports(self) -> str:
        special = "from scipy.special import gammaln\n" if self.likelihood.special else ""
        return f"from pathlib import Path\n\nimport numpy as np\nimport pandas as pd\n{special}".rstrip()

    def _constants(self) -> str:
        lines = [f"FILE = Path(__file__).parent / {self.file!r}", f"kind = {self.likelihood.kind!r}"]
        if self.likelihood.scale != "identity":
            lines.append(f"predict_scale = {self.likelihood.scale!r}  # on which bands of predictions are symmetric")
        if levels := {column.column: column.levels for column in self.columns if column.levels}:
            entries = ", ".join(f"{name!r}: {list(known)!r}" for name, known in levels.items())
            lines.append(f"LEVELS = {{{entries}}}  # of texts; what the first explains is in the intercept")
        described = describe(self.table, [*self.used[:-1][:_DESCRIBED], self.used[-1]])
        said = str(replace(described, source=self.file)).splitlines()  # also at what ends lines in names of categories
        lines += ["", *(f"# {text[:_WIDTH]}".rstrip() for text in said)]
        if self.found.left_out:
            said = [f"#   {' '.join(reason.split())}" for reason in self.found.left_out]
            lines += ["", "# Left out of the columns:", *said]
        return "\n".join(lines)

    def _encode(self) -> list[str]:
        """Return the functions that make the columns of the model of those of a table."""
        parts = []
        if any(column.levels for column in self.columns):
            parts.append(
                "def indicator(column, level):\n"
                '    """Return 1 where a text is this level, 0 where it is another of LEVELS, NaN elsewhere."""\n'
                "    return np.where(column.isin(LEVELS[column.name]), column == level, np.nan)"
            )
        lines = [
            "def encode(table):",
            f'    """Return what explains {_in_docstring(self.y)}, by predict\'s arguments, of a table like FILE."""',
        ]
        entries = [f"{column.name!r}: {_encoded(column)}" for column in self.columns]
        if self.is_wide:
            lines.append(f"    columns = {{{', '.join(entries)}}}")
            entries = ["'X': np.column_stack(list(columns.values()))"]
        return [*parts, "\n".join([*lines, f"    return {{{', '.join(entries)}}}"])]

    def _data(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.read.options.items())
        dropped = ""
        if self.found.dropped:
            verbs = ("lacks", "is") if self.found.dropped == 1 else ("lack", "are")
            what = "a finite value" if self.found.is_infinite else "a value"
            dropped = f"    # {times(self.found.dropped, 'row')} {verbs[0]} {what}, and {verbs[1]} left out\n"
        finite = ".replace([np.inf, -np.inf], np.nan)" if self.found.is_infinite else ""
        lines = [
            "def data():",
            '    """Return the data by the names of the objective\'s arguments."""',
            f"    table = pd.read_csv(FILE{options})[{self.used!r}]",
        ]
        if self.found.dropped:
            lines += [
                f"{dropped}    whole = table{finite}.dropna()",
                '    print(f"{FILE.name}: {len(table) - len(whole)} of {len(table)} rows lack a value: left out")',
                "    table = whole",
            ]
        response = f"{self.y!r}: {_values(self.found.target)}"
        return "\n".join([*lines, f"    return {{**encode(table), {response}}}"])

    def _start(self) -> str:
        y = self.found.target.values
        start = [f"'intercept': {_rounded(self.likelihood.intercept(y))}"]
        if self.is_wide:
            start.append(f"'slopes': np.zeros({len(self.columns)})")
        else:
            start += [f"{column.name!r}: 0.0" for column in self.columns]
        start += [f"{name!r}: {_rounded(begin(y))}" for name, begin in self.likelihood.others.items()]
        lines = ["# Where the fit starts: the best constant.", f"x0 = {{{', '.join(start)}}}"]
        if self.is_wide:
            names = ["intercept", *(column.name for column in self.columns), *self.likelihood.others]
            lines.append(f"names = {names!r}")
        return "\n".join(lines)

    def _functions(self) -> str:
        taken = ", ".join(["params", *self.arguments])
        return "\n\n\n".join([self._linear(taken), self._predict(taken), self._objective(taken)])

    def _linear(self, taken: str) -> str:
        slopes = ["X @ params['slopes']"] if self.is_wide else [f"params[{a!r}] * {a}" for a in self.arguments]
        total = " + ".join(["params['intercept']", *slopes])
        return f'def linear({taken}):\n    """Return {self._said(self.likelihood.linear)}."""\n    return {total}'

    def _predict(self, taken: str) -> str:
        what, expression = self.likelihood.predict
        lines = [f"def predict({taken}):", f'    """Return {self._said(what)}."""']
        return "\n".join([*lines, f"    z = linear({taken})", f"    return {expression}"])

    def _objective(self, taken: str) -> str:
        what, statements = self.likelihood.terms
        lines = [f"def objective({taken}, {self.y}):", f'    """Return {what}."""', f"    z = linear({taken})"]
        return "\n".join([*lines, *(f"    {line}" for line in self._said(statements).split("\n"))])

    def _said(self, text: str) -> str:
        return text.replace("{y}", self.y)


def _values(column: Column) -> str:
    """Return the text that gives the numbers of a column."""
    series = f"table[{column.column!r}]"
    return f"{series}.to_numpy(float)" if column.level is None else f"({series} == {column.level!r}).to_numpy(float)"


def _encoded(column: Column) -> str:
    """Return the text that gives the numbers of a column of any table."""
    return _values(column) if column.level is None else f"indicator(table[{column.column!r}], {column.level!r})"


def _rounded(value: float) -> str:
    return repr(round(value, 4) + 0.0)


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")
