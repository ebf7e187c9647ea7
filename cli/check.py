"""`autoopt check MODEL`: compare derived code, or a module of derivatives, with the objective of a model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from autoopt.check import check as compared
from autoopt.cli.on_model import on_model, opened
from autoopt.exporting.comparison import compare
from autoopt.objectives.objective import Objective


@click.command()
@click.option("--against", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A module that `autoopt derive` wrote, edited or not, to be compared.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True,
              help="Show where the time of value and gradient goes, by the lines of MODEL.")  # fmt: skip
@on_model
@click.pass_context
def check(ctx: click.Context, against: Path | None, verbose: bool, **given: Any) -> None:
    """Compare what is derived of the Python file MODEL with its objective.

    With --against, a module of derivatives is compared at x0, at random points, at equal entries, zeros and extremes;
    where it is wrong, the parameter and the line of the file are named. Exit status 4 if anything disagrees.
    """
    with opened(ctx, **given) as model:
        found = model.told(compared) if against is None else model.told(compare, against, model.names)
        times = model.told(_times) if verbose else ""
    click.echo(f"{found}\n\n{times}" if verbose else str(found))
    ctx.exit(0 if found else 4)


def _times(objective: Callable, x0: Any, args: tuple) -> str:
    """Return where the time of value and gradient goes."""
    return str(Objective(objective, x0, args).times())
