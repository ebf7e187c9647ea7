"""`autoopt fit MODEL`: minimise the objective of a model file."""

from __future__ import annotations

import ast
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from autoopt.cli import ending
from autoopt.cli.progress import Progress
from autoopt.execution.engines import ENGINES
from autoopt.fitting.fit import Fit
from autoopt.fitting.fit import fit as fit_model

STATUSES = {"converged": 0, "not converged": 3, "not verified": 4, "not identified": 5, "interrupted": 130}

_EPILOG = """\b
Exit status:
  0  converged and verified         4  derivatives differ from the objective
  1  error in the model or data     5  parameters not identified
  2  wrong usage                  130  interrupted; the best point is printed
  3  not converged                143  terminated; the same
"""


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


@click.command(epilog=_EPILOG)
@click.argument("model")
@click.option("--data", metavar="FILE", help="CSV, TSV, .npz or .npy; its columns or arrays become the arguments of "
              "the objective that have their names.")  # fmt: skip
@click.option("--target", metavar="COL", help="Column that becomes the objective's last argument; its first data "
              "argument is then the matrix of all other numeric columns, in file order.")  # fmt: skip
@click.option("--method", metavar="NAME", help="As listed by `autoopt methods`; chosen to fit if not given.")
@click.option("--set", "settings", type=Assignment(), multiple=True, metavar="NAME=VALUE",
              help="Value for a module-level constant of the model file; repeatable.")  # fmt: skip
@click.option("--fix", "fixed", multiple=True, metavar="NAME[=VALUE]",
              help="Hold a parameter where it starts or at a value, or tie it, as in --fix 'b=2 * a'; repeatable, in "
              "place of the model's fixed.")  # fmt: skip
@click.option("--scale", metavar="SIZE", help="Typical size of the parameters; `auto` takes one for each from the "
              "curvature at the start.")  # fmt: skip
@click.option("--option", "options", type=Assignment(), multiple=True, metavar="NAME=VALUE",
              help="Option of the method, under SciPy's name; repeatable.")  # fmt: skip
@click.option("--tol", type=click.FloatRange(0, min_open=True), metavar="TOL", help="Tolerance, as in SciPy.")
@click.option("--maxiter", type=click.IntRange(1), metavar="N", help="Most iterations.")
@click.option("--engine", type=click.Choice(list(ENGINES)), default="auto", show_default=True,
              help="What runs the derived code.")  # fmt: skip
@click.option("--derivatives", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A module that `autoopt derive` wrote, edited or not, in place of derived code.")  # fmt: skip
@click.option("--verify", type=click.Choice(["start", "periodic", "off"]), default="start", show_default=True,
              help="Compare the derived code with the objective.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write the result there instead of stdout; as JSON if FILE ends in .json.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.option("--traceback", is_flag=True, help="Show the full traceback of an error.")
@click.pass_context
def fit(
    ctx: click.Context, model: str, settings: tuple, options: tuple, maxiter: int | None,
    fixed: tuple, scale: str | None, as_json: bool, output: Path | None, quiet: bool, traceback: bool, **call: Any,
) -> None:  # fmt: skip
    """Minimise the objective of the Python file MODEL.

    MODEL defines objective(params, *data) and x0, a value or a function of the data. It may define data, bounds,
    constraints, names (of the parameters), fixed, method, and kind = "negative log-likelihood" for standard errors; and
    jac, hess, hessp in place of exact derivatives: functions, or "finite-difference".
    """
    ctx.meta["traceback"] = traceback
    _refuse_folder(output)
    call |= {"settings": dict(settings), "options": _options(options, maxiter)}
    call |= {"fixed": _fixed(fixed), "scale": None if scale is None else _literal(scale)}
    failure, status = None, None
    with contextlib.ExitStack() as stack:
        if not quiet:
            call["progress"] = stack.enter_context(Progress(sys.stderr))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))  # what the model prints is not the result
        try:
            fitted = fit_model(model, **call)
        except KeyboardInterrupt as stop:
            if not hasattr(stop, "fit"):
                raise
            fitted, status = stop.fit, ending.status(stop)
        except Exception as error:
            reached = getattr(error, "fit", None) or getattr(error.__cause__, "fit", None)
            if reached is None:
                raise
            fitted, failure = reached, error
    written = ending.show(_text(fitted, as_json or (output is not None and output.suffix == ".json")), output)
    if failure is not None:
        raise failure
    status = STATUSES[fitted.status] if status is None else status
    ctx.exit(status if written or status else ending.NOT_WRITTEN)


def _text(fitted: Fit, as_json: bool) -> str:
    return json.dumps(fitted.to_dict(), indent=2, allow_nan=False) if as_json else fitted.summary()


def _options(pairs: tuple[tuple[str, str], ...], maxiter: int | None) -> dict[str, Any]:
    """Return the solver's options; a value that is a Python literal is read as one."""
    options = {name: _literal(text) for name, text in pairs}
    if maxiter is not None and options.setdefault("maxiter", maxiter) != maxiter:
        raise click.UsageError(f"--maxiter {maxiter} and --option maxiter={options['maxiter']} differ.")
    return options


def _fixed(given: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what --fix holds: True where it has no value, a number, or the text of a tie."""
    pairs = [text.partition("=") for text in given]
    return {name.strip(): _literal(value.strip()) if sign else True for name, sign, value in pairs} or None


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _refuse_folder(output: Path | None) -> None:
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"There is no folder {output.parent} for --output.")
