"""`autoopt methods`: list the methods and what each uses."""

from __future__ import annotations

import click

from autoopt.fitting.fit import methods as table


@click.command()
def methods() -> None:
    """List the methods: the derivatives each uses, and what it takes."""
    rows = [["method", "uses", "takes", ""]]
    for name, row in sorted(table().items()):
        rows.append([name, ", ".join(sorted(row.uses)), ", ".join(sorted(row.takes)), row.description])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
