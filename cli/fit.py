"""`autoopt fit MODEL`: minimise the objective of a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from autoopt.cli import ending
from autoopt.cli.fitting import STATUSES, fits, fitted, watched
from autoopt.cli.on_model import JSON
from autoopt.fitting.fit import Fit

_EPILOG = """\b
Exit status:
  0  converged and verified         4  derivatives differ from the objective
  1  error in the model or data     5  parameters not identified
  2  wrong usage                  130  interrupted; the best point is printed
  3  not converged                143  terminated; the same
"""


@click.command(epilog=_EPILOG)
@fits
@JSON
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write the result there instead of stdout; as JSON if FILE ends in .json.")  # fmt: skip
@click.pass_context
def fit(ctx: click.Context, as_json: bool, output: Path | None, quiet: bool, **given: Any) -> None:
    """Minimise the objective of the Python file MODEL.

    MODEL defines objective(params, *data) and x0, a value or a function of the data. It may define data, bounds,
    constraints, names (of the parameters), fixed, method, and kind = "negative log-likelihood" for standard errors; and
    jac, hess, hessp in place of exact derivatives: functions, or "finite-difference".
    """
    ending.require_room(output)
    failure, status = None, None
    try:
        with watched(quiet) as progress:
            found = fitted(progress=progress, **given)
    except KeyboardInterrupt as stop:
        if not hasattr(stop, "fit"):
            raise
        found, status = stop.fit, ending.status(stop)
    except Exception as error:
        reached = getattr(error, "fit", None) or getattr(error.__cause__, "fit", None)
        if reached is None:
            raise
        found, failure = reached, error
    written = ending.show(_text(found, as_json or (output is not None and output.suffix == ".json")), output)
    if failure is not None:
        raise failure
    status = STATUSES[found.status] if status is None else status
    ctx.exit(status if written or status else ending.NOT_WRITTEN)


def _text(found: Fit, as_json: bool) -> str:
    return json.dumps(found.to_dict(), indent=2, allow_nan=False) if as_json else found.summary()
