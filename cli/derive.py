"""`autoopt derive MODEL`: write the derivatives of a model file as a module of NumPy code."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from autoopt.cli import ending
from autoopt.cli.fit import Assignment
from autoopt.errors import ObjectiveError
from autoopt.exporting.module import source
from autoopt.fitting import modelfile
from autoopt.fitting.opening import Opened
from autoopt.users_code import users_code


@click.command()
@click.argument("model")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write the module there instead of stdout.")  # fmt: skip
@click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True, help="2 for the Hessian as well.")
@click.option("--hvp", is_flag=True, help="Products of the Hessian with a direction as well.")
@click.option("--data", metavar="FILE", help="As for `autoopt fit`.")
@click.option("--target", metavar="COL", help="As for `autoopt fit`.")
@click.option("--set", "settings", type=Assignment(), multiple=True, metavar="NAME=VALUE", help="As for `autoopt fit`.")
@click.option("--traceback", is_flag=True, help="Show the full traceback of an error.")
@click.pass_context
def derive(
    ctx: click.Context, model: str, output: Path | None, order: int, hvp: bool, data: str | None, target: str | None,
    settings: tuple, traceback: bool,
) -> None:  # fmt: skip
    """Write the derivatives of the Python file MODEL as a module of NumPy code.

    It runs without autoopt. Its functions take what the objective takes: value_and_grad(params, *data), grad, with
    --order 2 hess, with --hvp hvp and linearize. Run as a program the module tests itself.
    """
    ctx.meta["traceback"] = traceback
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"There is no folder {output.parent} for --output.")
    kinds = ["gradient", *(["hessian"] if order == 2 else []), *(["hvp"] if hvp else [])]
    with contextlib.redirect_stdout(sys.stderr), modelfile.importable(model):  # what the model prints is no module
        opened = Opened.of(model, data, target, dict(settings))
        with users_code(f"The objective of {opened.model.source}", ObjectiveError):
            text = source(opened.model.objective, opened.start.given["x0"], opened.args, kinds)
    ctx.exit(0 if ending.show(text.rstrip("\n"), output) else ending.NOT_WRITTEN)
