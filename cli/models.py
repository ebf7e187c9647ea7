"""`autoopt models`: list the models that are fitted by their names, and what may be set of each."""

from __future__ import annotations

import json

import click

from autoopt.cli.on_model import JSON
from autoopt.models import MODELS


@click.command()
@JSON
def models(as_json: bool) -> None:
    """List the models that are fitted by their names: the response of each, and what --set sets.

    Settings are columns (offset, exposure, event, strata), numbers (alpha) or words, as in --set exposure=years.
    """
    rows = [(row.name, row.form.said, list(row.form.settings), row.description) for row in MODELS.values() if row.form]
    if as_json:
        names = ("model", "response", "settings", "description")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    cells = [["model", "response", "settings"], *([name, said, ", ".join(given)] for name, said, given, _ in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
