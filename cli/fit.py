"""`autoopt fit MODEL`: minimise the objective of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autoopt.cli import ending
from autoopt.cli.fitting import OUTPUT, as_called, fits, fitted, show, watched
from autoopt.cli.on_model import JSON
from autoopt.fitting.fit import Fit

EPILOG = """\b
Exit status:
  0  converged and verified         4  derivatives differ from the objective
  1  error in the model or data     5  parameters not identified
  2  wrong usage                  130  interrupted; the best point is printed
  3  not converged                143  terminated; the same
"""


@click.command(epilog=EPILOG)
@fits
@click.option("--run-dir", type=click.Path(file_okay=False), metavar="DIR",
              help="Directory for all that the run leaves: checkpoint, history, result, report; `autoopt resume DIR` "
              "goes on.")  # fmt: skip
@click.option("--checkpoint", type=click.Path(dir_okay=False), metavar="FILE",
              help="File for the best point alone; where there is one of the same fit, go on from there.")  # fmt: skip
@JSON
@OUTPUT
@click.pass_context
def fit(ctx: click.Context, as_json: bool, output: Path | None, quiet: bool, **given: Any) -> None:
    """Minimise the objective of the Python file MODEL.

    MODEL defines objective(params, *data) and x0, a value or a function of the data. It may define data, bounds,
    constraints, names (of the parameters), fixed, method, and kind = "negative log-likelihood" for standard errors; and
    jac, hess, hessp in place of exact derivatives: functions, or "finite-difference".
    """
    ending.require_room(output)

    def work() -> Fit:
        with watched(quiet) as progress:
            return fitted(progress=progress, **given)

    call = {name: value for name, value in given.items() if name not in ("model", "run_dir", "checkpoint")}
    show(ctx, work, as_json, output, call=as_called(**call))
