"""What commands on a model file have in common: its options, and the model opened for as long as a command works."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from autoopt.cli import values
from autoopt.designs.data import Selection
from autoopt.fitting.beside import importable
from autoopt.fitting.opening import Opened


class Assignment(click.ParamType):
    """NAME=VALUE, as (name, text)."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not (equals and name.strip().isidentifier()):
            self.fail(f"{value!r} is not of the form NAME=VALUE.", param, ctx)
        return name.strip(), text.strip()


JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
MODEL = click.argument("model", shell_complete=values.files)

READING = (
    click.option("--delimiter", metavar="MARK", help="What separates the columns of a text file."),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file, such as latin-1."),
    click.option("--decimal", metavar="MARK", help="Decimal mark of a text file."),
    click.option("--thousands", metavar="MARK", help="What stands between thousands in a text file."),
)

MISSING = click.option("--missing", type=click.Choice(["raise", "drop"]), default="raise", show_default=True,
                       help="What becomes of rows that lack a value in a column that is used.")  # fmt: skip

DATA = (
    click.option("--data", metavar="FILE", shell_complete=values.files,
                 help="CSV, TSV, Parquet, Feather, JSON lines, .npz or .npy, compressed or not, - for stdin; its "
                 "columns or arrays become the arguments of the objective that have their names. A pattern, in "
                 "quotes, or a folder names tables in several files."),
    click.option("--target", metavar="COL", shell_complete=values.columns,
                 help="Column that becomes the objective's last argument; its first data argument is then the matrix "
                 "of all other numeric columns, in file order."),
    click.option("--formula", metavar="FORMULA",
                 help="As in 'y ~ age + C(region)': the design matrix becomes the first data argument, the response "
                 "the last."),
    click.option("--category", "categories", multiple=True, metavar="COL", shell_complete=values.columns,
                 help="Column whose values are names of categories; repeatable."),
    MISSING,
    *READING,
    click.option("--set", "settings", type=Assignment(), multiple=True, metavar="NAME=VALUE",
                 help="Value for a module-level constant of the model file; repeatable."),
)  # fmt: skip
"""The options that say what of data and settings a model is opened with."""

_READING = ("delimiter", "encoding", "decimal", "thousands")


def reading_of(given: dict[str, Any]) -> dict[str, str] | None:
    """Return the argument `reading` for the options of READING, which are taken out of `given`."""
    return {name: value for name in _READING if (value := given.pop(name)) is not None} or None


def data_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `autoopt.fit` for the options of DATA, which are taken out of `given`."""
    reading = reading_of(given)
    call = {name: given.pop(name) for name in ("data", "target", "formula", "categories", "missing")}
    call["settings"] = dict(given.pop("settings"))
    return call | {"reading": reading}


def given(*options: Callable) -> Callable[[Callable], Callable]:
    """Return the decorator that gives a command these arguments and options, in the order of its help."""

    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def on_model(command: Callable) -> Callable:
    """Give a command the argument MODEL and the options that say what of data and settings it is opened with."""
    return given(MODEL, *DATA)(command)


@contextlib.contextmanager
def opened(model: str, **given: Any) -> Iterator[Opened]:
    """Give the model of a command; what the user's code prints goes to stderr."""
    call = data_of(given)
    selection = Selection(call["target"], call["formula"], tuple(call["categories"]), call["missing"])
    with contextlib.redirect_stdout(sys.stderr), importable(model):
        read, reading = call["data"], call["reading"]
        yield Opened.of(model, read, settings=call["settings"], selection=selection, reading=reading)
