"""The command `autoopt`: its subcommands, and how an error becomes a message and an exit status.

A file of this folder whose docstring begins with its usage in backticks, a colon and what it does (`fit.py`: "`autoopt
fit MODEL`: minimise ...") is a subcommand: it defines a click command under its own name. That first line is its line
in the help; the file itself is imported when the command is called.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import autoopt
from autoopt.cli import ending
from autoopt.errors import AutooptError, InferenceError, UsageError, VerificationError
from autoopt.wording import near

_STATUSES = {UsageError: 2, VerificationError: 4, InferenceError: 5, AutooptError: 1}


class Commands(click.Group):
    """A group that prints an AutooptError as a message; the user's mistakes get no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(usages())

    def get_command(self, ctx: click.Context | None, name: str) -> click.Command | None:
        if name not in usages():
            return None
        return _with_options_of_all(vars(import_module(f"autoopt.cli.{name}"))[name])

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args[0] not in usages() and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{near(args[0], usages())}")
        return super().resolve_command(ctx, args)

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any):
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            extra.setdefault("color", False)
        return super().make_context(info_name, args, parent, **extra)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        width = max(len(usage) for usage, _ in usages().values())
        lines = [f"{usage:<{width}}     {purpose}\n" for usage, purpose in usages().values()]
        formatter.write_paragraph()
        formatter.write("".join(f"  {line}" for line in lines))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write nothing: the commands stand in the text, with their arguments."""

    def invoke(self, ctx: click.Context):
        ending.any_text()
        try:
            with ending.termination():
                return super().invoke(ctx)
        except AutooptError as error:
            if ctx.meta.get("traceback"):
                traceback.print_exception(error)
            else:
                said = f"{error}{_elsewhere(ctx, error.remedy or '')}"
                click.echo(f"{click.style('Error:', fg='red', bold=True)} {said}", err=True)
            ctx.exit(next(status for kind, status in _STATUSES.items() if isinstance(error, kind)))
        except KeyboardInterrupt as stop:
            status = ending.status(stop)
            click.echo("Terminated." if status == ending.TERMINATED else "Interrupted.", err=True)
            ctx.exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(autoopt.__version__, prog_name="autoopt", message="%(prog)s %(version)s")
def main() -> None:
    """Optimise plain NumPy objectives with exact derivatives."""


@cache
def usages() -> dict[str, tuple[str, str]]:
    """Return of each subcommand, by name, how it is called and what it does, as its file's docstring has it."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        with file.open(encoding="utf-8") as lines:
            line = re.match(rf'"""`(autoopt {file.stem}\b[^`]*)`: (.*)\.(?:""")?$', lines.readline())
        if line:
            found[file.stem] = line[1], line[2]
    return found


def modules() -> Iterator[tuple[ModuleType, click.Command]]:
    """Yield the files of this folder that are subcommands, by name, each with its subcommand."""
    for name in usages():
        module = import_module(f"autoopt.cli.{name}")
        yield module, vars(module)[name]


def _elsewhere(ctx: click.Context, remedy: str) -> str:
    """Return a line for each option of a remedy that is none of the command which failed: which commands have it.

    Whoever reads a table does not know for which command; of those that fit, all have the same options.
    """
    own = _options(ctx.invoked_subcommand)
    lines = []
    for option in dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]*", remedy)):
        having = [name for name in usages() if option in _options(name)]
        if option not in own and not any(f"autoopt {name}" in remedy for name in having):
            lines.append(f"\n{option} is an option of autoopt {', '.join(having)}." if having else "")
    return "".join(lines)


def _options(name: str | None) -> set[str]:
    """Return the options of a subcommand."""
    if name not in usages():
        return set()
    command = vars(import_module(f"autoopt.cli.{name}"))[name]
    return {option for parameter in (*command.params, *_OF_ALL) for option in parameter.opts}


def _show_traceback(ctx: click.Context, option: click.Parameter, is_on: bool) -> None:
    ctx.meta["traceback"] = ctx.meta.get("traceback") or is_on


def _leave_out_colour(ctx: click.Context, option: click.Parameter, is_on: bool) -> None:
    if is_on:
        ctx.color = ctx.find_root().color = False


_OF_ALL = (
    click.Option(["--traceback"], is_flag=True, expose_value=False, callback=_show_traceback,
                 help="Show the full traceback of an error."),
    click.Option(["--no-color"], is_flag=True, expose_value=False, is_eager=True, callback=_leave_out_colour,
                 help="No colour on a terminal; NO_COLOR in the environment does the same."),
)  # fmt: skip
"""The options that every subcommand has."""


def _with_options_of_all(command: click.Command) -> click.Command:
    """Return a subcommand, and those of its own, with the options that all have."""
    command.params += [option for option in _OF_ALL if option not in command.params]
    for part in getattr(command, "commands", {}).values():
        _with_options_of_all(part)
    return command
