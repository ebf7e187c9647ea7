"""`autoopt cache`: show the folder of the source cache and its size, clear or limit it."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from autoopt.cli.on_model import JSON
from autoopt.execution import kept
from autoopt.execution.source_cache import folder

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Size(click.ParamType):
    """A number of bytes, as 200MB, 1.5G or 4096."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(?i)(\d+\.?\d*) *([kmg]?)b?", value.strip())
        if not found:
            self.fail(f"{value!r} is no size; write 200MB, 1.5GB or a number of bytes.", param, ctx)
        return int(float(found[1]) * _UNITS[found[2].lower()])


@click.group(invoke_without_command=True)
@JSON
@click.pass_context
def cache(ctx: click.Context, as_json: bool) -> None:
    """Show the folder of the source cache, how many entries it has, and their size.

    The cache keeps derivative source that was printed, never data, so that the next run need not derive it.
    AUTOOPT_CACHE names another folder, or turns the cache off with `off`.
    """
    if ctx.invoked_subcommand is not None:
        return
    place, files = folder(), kept.entries()
    size = sum(entry.size for entry in files)
    if as_json:
        path = None if place is None else str(place)
        click.echo(json.dumps({"path": path, "entries": len(files), "bytes": size}, indent=2))
    elif place is None:
        click.echo("The cache is turned off by AUTOOPT_CACHE.")
    else:
        click.echo(f"{place}\n{_said(files)}")


@cache.command()
def clear() -> None:
    """Remove all entries; derivatives are derived anew when they are next needed."""
    click.echo(f"Removed: {_said(kept.reduce(0))}")


@cache.command()
@click.argument("size", type=Size())
def limit(size: int) -> None:
    """Remove the entries that have not been used for longest until SIZE is left, as 200MB."""
    click.echo(f"Removed: {_said(kept.reduce(size))}. Left: {_said(kept.entries())}")


def _said(files: list[kept.Entry]) -> str:
    number = f"{len(files)} {'entry' if len(files) == 1 else 'entries'}"
    return f"{number}, {sum(entry.size for entry in files) / 1e6:.1f} MB"
