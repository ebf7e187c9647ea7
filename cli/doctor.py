"""`autoopt doctor`: say what is installed and whether it works: releases, BLAS, cache, compilers, a small fit."""

from __future__ import annotations

import json
from typing import Any

import click

from autoopt.cli import values
from autoopt.cli.on_model import JSON, READING, given, reading_of
from autoopt.designs.data import describe
from autoopt.doctor import MISSING, OK, WRONG, Finding, findings

_COLOURS = {OK: "green", MISSING: "yellow", WRONG: "red"}


@click.command()
@click.option("--data", metavar="FILE", shell_complete=values.files,
              help="Also say what is in this file of data, as fits read it: type, rows and range of each "
              "column.")  # fmt: skip
@given(*READING)
@JSON
@click.pass_context
def doctor(ctx: click.Context, data: str | None, as_json: bool, **reading: Any) -> None:
    """Say what autoopt finds on this machine, and whether a derivative and a small fit come out right.

    Releases of what it needs, whether they were tested and take one another, BLAS and its threads, the folder of the
    source cache with owner, rights and size, compilers, and the extras that are there or the pip command for them. Exit
    status 1 if something is wrong.
    """
    described = None if data is None else describe(data, reading_of(reading))
    found = []
    for one in findings():
        found.append(one)
        if not as_json:
            click.echo(_line(one))
    is_well = all(one.state != WRONG for one in found)
    if as_json:
        told = {"ok": is_well, "findings": [one.to_dict() for one in found]}
        click.echo(json.dumps(told if described is None else told | {"data": described.to_dict()}, indent=2))
    else:
        if described is not None:
            click.echo(f"\n{described}")
        click.echo(f"\n{'All is well.' if is_well else 'Something is wrong.'}")
    ctx.exit(0 if is_well else 1)


def _line(found: Finding) -> str:
    state = click.style(f"{found.state:<7}", fg=_COLOURS[found.state])
    remedy = (
        f"\n{'':28}To fix this: {found.remedy}" if found.state == WRONG else f": {found.remedy}" * bool(found.remedy)
    )
    return f"  {state}  {found.name:<17} {found.text}{remedy}"
