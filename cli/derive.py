"""`autoopt derive MODEL`: write the derivatives of a model file as a module of NumPy code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autoopt.cli import ending
from autoopt.cli.on_model import on_model, opened
from autoopt.exporting.module import source


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write there instead of to stdout.")  # fmt: skip
@click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True, help="2 for the Hessian as well.")
@click.option("--hvp", is_flag=True, help="Products of the Hessian with a direction as well.")
@click.option("--latex", "as_latex", is_flag=True, help="Formulas instead of code: LaTeX, or Markdown for FILE.md.")
@on_model
@click.pass_context
def derive(ctx: click.Context, output: Path | None, order: int, hvp: bool, as_latex: bool, **given: Any) -> None:
    """Write the derivatives of the Python file MODEL as a module of NumPy code.

    It runs without autoopt. Its functions take what the objective takes: value_and_grad(params, *data), grad, with
    --order 2 hess, with --hvp hvp and linearize. Run as a program the module tests itself. With --latex it writes the
    model and its gradient as a text with formulas.
    """
    if as_latex and (hvp or order == 2):
        raise click.UsageError("--latex writes the model and its gradient; it goes with neither --order 2 nor --hvp.")
    ending.require_room(output)
    kinds = ["gradient", *(["hessian"] if order == 2 else []), *(["hvp"] if hvp else [])]
    is_markdown = output is not None and output.suffix in (".md", ".markdown")
    with opened(**given) as model:
        if as_latex:
            from autoopt.closed_form.latex import latex  # loads scipy.special, which other commands do without

            text = model.told(latex, "markdown" if is_markdown else "latex")
        else:
            text = model.told(source, kinds)
    ctx.exit(0 if ending.show(text.rstrip("\n"), output) else ending.NOT_WRITTEN)
