"""The command `autoopt`: its subcommands, and how an error becomes a message and an exit status.

A file of this folder that defines a click command under its own name is a subcommand: `fit.py` has `fit`. The first
line of its docstring is its line in the help: usage in backticks, a colon, what it does.
"""

from __future__ import annotations

import pkgutil
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

import autoopt
from autoopt.cli import ending
from autoopt.errors import AutooptError, InferenceError, UsageError, VerificationError

_STATUSES = {UsageError: 2, VerificationError: 4, InferenceError: 5, AutooptError: 1}


class Commands(click.Group):
    """A group that prints an AutooptError as a message; the user's mistakes get no traceback."""

    def invoke(self, ctx: click.Context):
        try:
            with ending.termination():
                return super().invoke(ctx)
        except AutooptError as error:
            if ctx.meta.get("traceback"):
                traceback.print_exception(error)
            else:
                click.echo(f"Error: {error}", err=True)
            ctx.exit(next(status for kind, status in _STATUSES.items() if isinstance(error, kind)))
        except KeyboardInterrupt as stop:
            status = ending.status(stop)
            click.echo("Terminated." if status == ending.TERMINATED else "Interrupted.", err=True)
            ctx.exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(autoopt.__version__, prog_name="autoopt", message="%(prog)s %(version)s")
def main() -> None:
    """Optimise plain NumPy objectives with exact derivatives."""


def modules() -> Iterator[tuple[ModuleType, click.Command]]:
    """Yield the files of this folder that define a subcommand, by name, each with its subcommand."""
    for file in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if file.name in ("__main__", "main"):
            continue
        module = import_module(f"autoopt.cli.{file.name}")
        command = vars(module).get(file.name)
        if isinstance(command, click.Command):
            yield module, command


def _usage(module: ModuleType) -> tuple[str, str]:
    """Return how a subcommand is called and what it does, as its file's docstring has it."""
    usage, _, purpose = (module.__doc__ or "").partition("\n")[0].partition(": ")
    return usage.strip("`"), purpose.rstrip(".")


def _add_commands() -> None:
    """Enter the subcommands, and a line for each in the help."""
    lines = []
    for module, command in modules():
        main.add_command(command)
        lines.append(_usage(module))
    width = max(len(usage) for usage, _ in lines)
    main.help = "\n".join([main.help or "", "", "\b", *(f"{usage:<{width}}     {purpose}" for usage, purpose in lines)])


_add_commands()
