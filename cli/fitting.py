"""What commands that fit a model have in common: the options of a fit, and the call of `autoopt.fit` they stand for."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from autoopt.cli import ending, values
from autoopt.cli.on_model import DATA, MODEL, Assignment, data_of, given
from autoopt.cli.progress import Progress
from autoopt.execution.engines import ENGINES
from autoopt.fitting.fit import Fit, fit
from autoopt.fitting.kinds import KINDS
from autoopt.stages import listening

STATUSES = {"converged": 0, "not converged": 3, "not verified": 4, "not identified": 5, "interrupted": 130}
"""The exit status of a command, by the status of its fit."""

OUTPUT = click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
                      help="Write the result there instead of stdout; as JSON if FILE ends in .json.")  # fmt: skip

METHOD = click.option("--method", metavar="NAME", shell_complete=values.methods,
                      help="As listed by `autoopt methods`; chosen to fit if not given.")  # fmt: skip

SOLVING = (
    click.option("--kind", type=click.Choice(list(KINDS)), metavar="KIND",
                 help="What the objective returns, in place of the model's kind: " + ", ".join(KINDS) + "."),
    click.option("--start", type=click.Path(exists=True, path_type=Path), metavar="FILE", shell_complete=values.files,
                 help="Where to start: a result.json, a run directory, or JSON or CSV of names and values; parameters "
                 "that it does not name start where x0 has them."),
    click.option("--weights", metavar="COL", shell_complete=values.columns,
                 help="Column that says how much each row counts, for objectives that return an array or a "
                 "sum over rows."),
    click.option("--robust", is_flag=True,
                 help="Standard errors that hold where the likelihood is wrong: the sandwich, HC0."),
    click.option("--cluster", metavar="COL", shell_complete=values.columns,
                 help="Standard errors for rows that depend on one another within the groups that this column names."),
    click.option("--covariance", metavar="NAME", shell_complete=values.covariances,
                 help="How standard errors are computed: observed, opg, robust, HC1, HC2, HC3; observed if not given."),
    click.option("--penalty", type=click.Choice(["firth"]),
                 help="Firth's penalty of a likelihood: estimates are finite where classes are separated."),
    click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, metavar="P",
                 show_default=True, help="Probability that an interval covers its parameter."),
    click.option("--fixed", "--fix", "fixed", multiple=True, metavar="NAME[=VALUE]",
                 help="Hold a parameter where it starts or at a value, or tie it, as in --fixed 'b=2 * a'; "
                 "repeatable, in place of the model's fixed."),
    click.option("--scale", metavar="SIZE",
                 help="Typical size of the parameters; `auto` takes one for each from the curvature at the start."),
    click.option("--option", "options", type=Assignment(), multiple=True, metavar="NAME=VALUE",
                 help="Option of the method, under SciPy's name; repeatable."),
    click.option("--tol", type=click.FloatRange(0, min_open=True), metavar="TOL", help="Tolerance, as in SciPy."),
    click.option("--maxiter", type=click.IntRange(1), metavar="N", help="Most iterations."),
    click.option("--engine", type=click.Choice(list(ENGINES)), default="auto", show_default=True,
                 help="What runs the derived code."),
    click.option("--threads", type=click.IntRange(1), metavar="N",
                 help="In how many threads sums over rows of large data are run; as many as BLAS uses if not given."),
    click.option("--workers", metavar="CLUSTER",
                 help="Where rows are held and summed: local:4 (processes of this machine), dask:4, ray:4, or an "
                 "address: tcp://10.0.0.1:8786 of a scheduler of Dask, ray://10.0.0.1:10001 of Ray."),
    click.option("--derivatives", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
                 help="A module that `autoopt derive` wrote, edited or not, in place of derived code."),
    click.option("--verify", type=click.Choice(["start", "periodic", "off"]), default="start", show_default=True,
                 help="Compare the derived code with the objective."),
)  # fmt: skip
"""The options of a fit, beside those of its data and its method."""

QUIET = click.option("--quiet", is_flag=True, help="No progress on stderr.")


def fits(command: Callable) -> Callable:
    """Give a command the argument MODEL and the options of a fit, which it passes to `fitted`."""
    return given(MODEL, *DATA, METHOD, *SOLVING, QUIET)(command)


@contextlib.contextmanager
def watched(quiet: bool, name: str = "") -> Iterator[Progress | None]:
    """Show the progress of the block on stderr, unless it is to be quiet; what users' code prints goes there too."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        progress = None if quiet else stack.enter_context(Progress(sys.stderr, name))
        stack.enter_context(listening(progress))
        yield progress


def fitted(model: str, progress: Progress | None, **options: Any) -> Fit:
    """Return the fit of a model."""
    if progress is not None:
        progress.name = model
    return fit(model, **call_of(**options), progress=progress)


def show(ctx: click.Context, work: Callable[[], Fit], as_json: bool, output: Path | None, **call: Any) -> None:
    """Print the fit that `work` returns, or the best point where it is stopped, and exit with its status.

    `call` is what a JSON document has besides.
    """
    failure, status = None, None
    try:
        found = work()
    except KeyboardInterrupt as stop:
        if not hasattr(stop, "fit"):
            raise
        found, status = stop.fit, ending.status(stop)
    except Exception as error:
        reached = getattr(error, "fit", None) or getattr(error.__cause__, "fit", None)
        if reached is None:
            raise
        found, failure = reached, error
    as_json = as_json or (output is not None and output.suffix == ".json")
    text = json.dumps(found.to_dict() | call, indent=2, allow_nan=False) if as_json else found.summary()
    written = ending.show(text, output)
    if failure is not None:
        raise failure
    status = STATUSES[found.status] if status is None else status
    ctx.exit(status if written or status else ending.NOT_WRITTEN)


def require_minimum(ctx: click.Context, found: Fit, said: str) -> None:
    """Exit with the status of a fit that is at no minimum, saying what there is not and why."""
    if found.status not in ("converged", "not identified"):
        click.echo(f"Error: {said}: the fit is {found.status}: {found.result.message}", err=True)
        ctx.exit(STATUSES[found.status])


def call_of(
    options: tuple, maxiter: int | None, fixed: tuple, scale: str | None,
    robust: bool, cluster: str | None, covariance: str | None, workers: str | None, **call: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return the arguments of `autoopt.fit` for these options."""
    if robust + (cluster is not None) + (covariance is not None) > 1:
        raise click.UsageError("Give one of --robust, --cluster and --covariance: each says how errors are computed.")
    call |= data_of(call) | {"covariance": "robust" if robust else covariance, "groups": cluster, "cluster": workers}
    return call | {
        "options": solver_options(options, maxiter),
        "fixed": _fixed(fixed),
        "scale": None if scale is None else _literal(scale),
    }


_FILES = ("data", "derivatives", "start")


def as_called(**options: Any) -> dict[str, Any]:
    """Return the call of `autoopt.fit` as JSON holds it, files with their whole path: `autoopt predict` fits by it."""
    call = {name: value for name, value in call_of(**options).items() if value not in (None, (), {})}
    return {name: os.path.abspath(value) if name in _FILES and value != "-" else value for name, value in call.items()}


def solver_options(pairs: tuple[tuple[str, str], ...], maxiter: int | None) -> dict[str, Any]:
    """Return the solver's options; a value that is a Python literal is read as one."""
    options = {name: _literal(text) for name, text in pairs}
    if maxiter is not None and options.setdefault("maxiter", maxiter) != maxiter:
        raise click.UsageError(f"--maxiter {maxiter} and --option maxiter={options['maxiter']} differ.")
    return options


def _fixed(given: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what --fixed holds: True where it has no value, a number, or the text of a tie."""
    pairs = [text.partition("=") for text in given]
    return {name.strip(): _literal(value.strip()) if sign else True for name, sign, value in pairs} or None


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)
