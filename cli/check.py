"""`autoopt check MODEL`: compare derived code, or a module of derivatives, with the objective of a model file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from autoopt.check import check_objective
from autoopt.cli.on_model import JSON, on_model, opened
from autoopt.exporting.comparison import compare
from autoopt.objectives.objective import Objective


@click.command()
@click.option("--against", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A module that `autoopt derive` wrote, edited or not, to be compared.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True,
              help="Show where the time of value and gradient goes, by the lines of MODEL.")  # fmt: skip
@JSON
@on_model
@click.pass_context
def check(ctx: click.Context, against: Path | None, verbose: bool, as_json: bool, **given: Any) -> None:
    """Compare what is derived of the Python file MODEL with its objective.

    With --against, a module of derivatives is compared at x0, at random points, at equal entries, zeros and extremes;
    where it is wrong, the parameter and the line of the file are named. Exit status 4 if anything disagrees.
    """
    with opened(**given) as model:
        found, times = model.told(_compared, against, model.names, verbose)
    if as_json:
        told = found.to_dict() | ({"times": times.to_dict()} if verbose else {})
        click.echo(json.dumps(told, indent=2, allow_nan=False))
    else:
        click.echo("\n\n".join([str(found), *([str(times)] if verbose else [])]))
    ctx.exit(0 if found else 4)


def _compared(f: Callable, x0: Any, args: tuple, against: Path | None, names: Any, verbose: bool) -> tuple[Any, Any]:
    """Return what was found, and where the time goes if that is to be shown."""
    if against is not None:
        found = compare(f, x0, args, against, names)
        return found, Objective(f, x0, args).times() if verbose else None
    objective = Objective(f, x0, args)
    return check_objective(objective, objective.structure.flatten(x0)), objective.times() if verbose else None
