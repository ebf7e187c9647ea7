"""The command `autoopt`: its subcommands, and how an error becomes a message and an exit status."""

from __future__ import annotations

import traceback

import click

import autoopt
from autoopt.cli import ending
from autoopt.cli.fit import fit
from autoopt.cli.methods import methods
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
    """Optimise plain NumPy objectives with exact derivatives.

    \b
    autoopt fit MODEL     minimise the objective of a model file
    autoopt methods       list the methods and what each uses
    """


main.add_command(fit)
main.add_command(methods)
