"""`autoopt profile MODEL`: fit a model file and print the profile interval of each parameter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from autoopt.cli import ending
from autoopt.cli.fitting import STATUSES, fits, fitted, require_minimum, watched
from autoopt.cli.on_model import JSON
from autoopt.cli.table import lines, number, plain
from autoopt.errors import InferenceError
from autoopt.fitting.fit import Fit

NOT_IDENTIFIED = STATUSES["not identified"]


@dataclass
class Row:
    """A parameter's estimate, its intervals, the profile that they are of, and what is to be said of them."""

    name: str
    estimate: float
    wald: np.ndarray
    interval: np.ndarray
    profile: Any = None
    notes: tuple[str, ...] = ()
    failed: bool = False


@click.command()
@fits
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME",
              help="Profile this parameter; repeatable. All that are not fixed if not given.")  # fmt: skip
@click.option("--points", is_flag=True, help="Print all that was solved: values of the parameter, and the deviance.")
@JSON
@click.pass_context
def profile(ctx: click.Context, quiet: bool, parameters: tuple, points: bool, as_json: bool, **given: Any) -> None:
    """Fit the Python file MODEL and print the profile interval of each parameter, beside Wald's.

    A profile interval ends where the deviance, with the other parameters fitted again, comes to the quantile of
    chi-squared; for least squares to that of Student's t. Its kind is a likelihood or least squares. Exit status as for
    `autoopt fit`.
    """
    rows: list[Row] = []
    status = 0
    with watched(quiet) as progress:
        found = fitted(progress=progress, **given)
        require_minimum(ctx, found, "There is no profile")
        try:
            for name in parameters or [name for name in found.names if name in found.case.names]:
                rows.append(_row(found, name))
        except KeyboardInterrupt as stop:
            status = ending.status(stop)
    click.echo(json.dumps(_facts(found, rows), indent=2, allow_nan=False) if as_json else _text(found, rows, points))
    ctx.exit(status or (NOT_IDENTIFIED if any(row.failed for row in rows) else 0))


def _row(found: Fit, name: str) -> Row:
    """Return the profile of one parameter; where it shows that the fit is no minimum, with that as a note."""
    solved = found.profile(name)
    place = found.names.index(name)
    row = Row(name, found.params[place], found.conf_int()[place], np.full(2, np.nan), solved)
    try:
        row.interval = solved.interval()
    except InferenceError as error:
        row.notes, row.failed = (str(error),), True
    row.notes += tuple(solved.notes)
    return row


def _text(found: Fit, rows: list[Row], points: bool) -> str:
    ends = [f"{100 * tail:.4g} %" for tail in ((1 - found.level) / 2, (1 + found.level) / 2)]
    head = ["parameter", "estimate", *ends, f"Wald {ends[0]}", ends[1]]
    cells = [
        [row.name, number(row.estimate, ".6g"), *(number(end, ".5g") for end in (*row.interval, *row.wald))]
        for row in rows
    ]
    parts = [f"{found.source}: profile intervals of probability {found.level:g}", lines([head, *cells])]
    for row in rows if points else []:
        pairs = zip(row.profile.values, row.profile.statistics, strict=True)
        parts.append(lines([[row.name, "deviance"], *([f"{x:.8g}", f"{loss:.6g}"] for x, loss in pairs)], left=0))
    if notes := [f"Note: {note}" for row in rows for note in row.notes]:
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def _facts(found: Fit, rows: list[Row]) -> dict[str, Any]:
    return {
        "model": found.source,
        "level": found.level,
        "parameters": [
            {
                "name": row.name,
                "estimate": plain(row.estimate),
                "interval": [plain(end) for end in row.interval],
                "open": [bool(np.isinf(end)) for end in row.interval],
                "wald": [plain(end) for end in row.wald],
                "values": [plain(value) for value in row.profile.values],
                "statistics": [plain(loss) for loss in row.profile.statistics],
                "notes": list(row.notes),
            }
            for row in rows
        ],
    }
