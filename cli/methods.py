"""`autoopt methods`: list the methods and what each uses."""

from __future__ import annotations

import json

import click

from autoopt.cli.on_model import JSON
from autoopt.fitting.fit import methods as table


@click.command()
@JSON
def methods(as_json: bool) -> None:
    """List the methods: the derivatives each uses, and what it takes."""
    rows = [(name, sorted(row.uses), sorted(row.takes), row.description) for name, row in sorted(table().items())]
    if as_json:
        names = ("method", "uses", "takes", "description")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    cells = [["method", "uses", "takes", ""], *([name, ", ".join(a), ", ".join(b), said] for name, a, b, said in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
