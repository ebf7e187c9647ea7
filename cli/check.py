"""`autoopt check MODEL`: compare derived code, or a module of derivatives, with the objective of a model file."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from autoopt.check import check as compared
from autoopt.cli.fit import Assignment
from autoopt.errors import ObjectiveError
from autoopt.exporting.comparison import compare
from autoopt.fitting import modelfile
from autoopt.fitting.opening import Opened
from autoopt.users_code import users_code


@click.command()
@click.argument("model")
@click.option("--against", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A module that `autoopt derive` wrote, edited or not, to be compared.")  # fmt: skip
@click.option("--data", metavar="FILE", help="As for `autoopt fit`.")
@click.option("--target", metavar="COL", help="As for `autoopt fit`.")
@click.option("--set", "settings", type=Assignment(), multiple=True, metavar="NAME=VALUE", help="As for `autoopt fit`.")
@click.option("--traceback", is_flag=True, help="Show the full traceback of an error.")
@click.pass_context
def check(
    ctx: click.Context, model: str, against: Path | None, data: str | None, target: str | None, settings: tuple,
    traceback: bool,
) -> None:  # fmt: skip
    """Compare what is derived of the Python file MODEL with its objective.

    With --against, a module of derivatives is compared at x0, at random points, at equal entries, zeros and extremes;
    where it is wrong, the parameter and the line of the file are named. Exit status 4 if anything disagrees.
    """
    ctx.meta["traceback"] = traceback
    with contextlib.redirect_stdout(sys.stderr), modelfile.importable(model):  # what the model prints is not the result
        opened = Opened.of(model, data, target, dict(settings))
        given: tuple[Any, ...] = opened.model.objective, opened.start.given["x0"], opened.args
        with users_code(f"The objective of {opened.model.source}", ObjectiveError):
            found = compared(*given) if against is None else compare(against, *given, names=opened.names)
    click.echo(str(found))
    ctx.exit(0 if found else 4)
