"""What a shell completes, beside commands and options: methods, columns of the data, files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def methods(ctx: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """Return the methods whose names begin so."""
    from autoopt.fitting.fit import methods as table

    return [name for name in sorted(table()) if name.startswith(begun)]


def covariances(ctx: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """Return the kinds of covariance that need no groups whose names begin so."""
    from autoopt.inference.covariances import COVARIANCES

    return [name for name, row in COVARIANCES.items() if "groups" not in row.needs and name.startswith(begun)]


def columns(ctx: click.Context, param: click.Parameter, begun: str) -> list[str]:
    """Return the columns of the file given by --data whose names begin so; a shell is told of no error."""
    from autoopt.errors import AutooptError
    from autoopt.tables.readers import OPTIONS, load

    path = str(ctx.params.get("data") or "")
    if not Path(path).is_file():  # stdin is for the command
        return []
    with contextlib.suppress(OSError, ValueError, AutooptError):
        names = load(path, {name: ctx.params.get(name) for name in OPTIONS}).names
        return [name for name in names if name.startswith(begun)]
    return []


def files(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Leave it to the shell to complete the name of a file."""
    return [CompletionItem(begun, type="file")]
