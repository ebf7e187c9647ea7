"""`autoopt resume DIR`: go on with the fit of a run directory."""

from __future__ import annotations

from pathlib import Path

import click

import autoopt
from autoopt.cli import ending
from autoopt.cli.fit import EPILOG
from autoopt.cli.fitting import OUTPUT, QUIET, show, solver_options, watched
from autoopt.cli.on_model import JSON, Assignment
from autoopt.fitting.fit import Fit


@click.command(epilog=EPILOG)
@click.argument("run_dir", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True,
              help="Go on although model, data or versions have changed, or the run has ended.")  # fmt: skip
@click.option("--option", "options", type=Assignment(), multiple=True, metavar="NAME=VALUE",
              help="Option of the method in place of those that the run was begun with; repeatable.")  # fmt: skip
@click.option("--maxiter", type=click.IntRange(1), metavar="N", help="Most iterations of this part of the run.")
@QUIET
@JSON
@OUTPUT
@click.pass_context
def resume(
    ctx: click.Context, run_dir: Path, force: bool, options: tuple, maxiter: int | None,
    quiet: bool, as_json: bool, output: Path | None,
) -> None:  # fmt: skip
    """Go on with the fit that `autoopt fit --run-dir DIR` began, from its best point.

    Model, data and options are those of the run. It says so where one of them has changed, where the run has ended, and
    where another process is at work on it.
    """
    ending.require_room(output)
    chosen = solver_options(options, maxiter)
    given = {"options": chosen} if chosen else {}

    def work() -> Fit:
        with watched(quiet, str(run_dir)) as progress:
            return autoopt.resume(run_dir, force=force, progress=progress, **given)

    show(ctx, work, as_json, output)
