"""What commands on a model file have in common: its options, and the model opened for as long as a command works."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from autoopt.cli.fit import Assignment
from autoopt.fitting import modelfile
from autoopt.fitting.opening import Opened

_SAME = "As for `autoopt fit`."


def on_model(command: Callable) -> Callable:
    """Give a command the argument MODEL and the options that say what of data and settings it is opened with."""
    for option in (
        click.option("--traceback", is_flag=True, help="Show the full traceback of an error."),
        click.option("--set", "settings", type=Assignment(), multiple=True, metavar="NAME=VALUE", help=_SAME),
        click.option("--target", metavar="COL", help=_SAME),
        click.option("--data", metavar="FILE", help=_SAME),
        click.argument("model"),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def opened(
    ctx: click.Context, model: str, data: str | None, target: str | None, settings: tuple, traceback: bool
) -> Iterator[Opened]:
    """Give the model of a command; what the user's code prints goes to stderr."""
    ctx.meta["traceback"] = traceback
    with contextlib.redirect_stdout(sys.stderr), modelfile.importable(model):
        yield Opened.of(model, data, target, dict(settings))
