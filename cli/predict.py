"""`autoopt predict RUN`: print the predictions of a fit for new data, with their bands, as CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from autoopt.cli import ending, values
from autoopt.cli.fitting import QUIET, require_minimum, watched
from autoopt.cli.on_model import JSON, MISSING, READING, given, reading_of
from autoopt.cli.table import plain
from autoopt.fitting.other_data import new_data
from autoopt.fitting.restoring import restored
from autoopt.fitting.scales import SCALES


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path), shell_complete=values.files)
@click.option("--data", metavar="FILE", shell_complete=values.files,
              help="New data, of which the columns that the model's predict takes are used; those of the fit if not "
              "given.")  # fmt: skip
@given(MISSING, *READING)
@click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, metavar="P",
              show_default=True, help="Probability that a band covers.")  # fmt: skip
@click.option("--scale", type=click.Choice(list(SCALES)),
              help="On which bands are symmetric: logit for probabilities, log for rates, else identity; the model's "
              "predict_scale if not given.")  # fmt: skip
@click.option("--observation", is_flag=True,
              help="Bands of new observations in place of their means, for least squares.")  # fmt: skip
@QUIET
@JSON
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write the predictions there instead of to stdout.")  # fmt: skip
@click.pass_context
def predict(
    ctx: click.Context, run: Path, data: str | None, missing: str, level: float, scale: str | None, observation: bool,
    quiet: bool, as_json: bool, output: Path | None, **reading: Any,
) -> None:  # fmt: skip
    """Print what a fit predicts: mean, standard error and the ends of a band, a line for each row.

    RUN is the directory of a run, the result.json of `autoopt fit MODEL -o result.json`, or a model file that has data
    of its own. The model defines predict(params, *data), whose arguments are columns by their names, and may say
    predict_scale.
    """
    ending.require_room(output)
    with watched(quiet, str(run)) as progress:
        found = restored(run, progress=progress)
        require_minimum(ctx, found, "There is no prediction")
        read = reading_of(reading)
        table = None if data is None else new_data(found.case, data, read)
        predicted = found.predict(table, level=level, scale=scale, missing=missing)
    for note in predicted.notes:
        click.echo(f"Note: {note}", err=True)
    ends = predicted.conf_int(observation=observation)
    columns = _columns(predicted.mean, predicted.se, ends[..., 0], ends[..., 1])
    as_json = as_json or (output is not None and output.suffix == ".json")
    ctx.exit(0 if ending.show(_json(columns) if as_json else _csv(columns), output) else ending.NOT_WRITTEN)


def _columns(*arrays: np.ndarray) -> dict[str, np.ndarray]:
    """Return mean, se, lower and upper by name; several numbers for each row are numbered."""
    columns = {}
    for name, array in zip(("mean", "se", "lower", "upper"), arrays, strict=True):
        table = np.reshape(array, (len(array), -1) if array.ndim else (1, 1))
        for k in range(table.shape[1]):
            columns[name if table.shape[1] == 1 else f"{name}[{k}]"] = table[:, k]
    return columns


def _csv(columns: dict[str, np.ndarray]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        writer.writerow("" if np.isnan(value) else repr(value) for value in row)
    return text.getvalue().rstrip("\n")


def _json(columns: dict[str, np.ndarray]) -> str:
    told: dict[str, Any] = {name: [plain(value) for value in column] for name, column in columns.items()}
    return json.dumps(told, indent=2, allow_nan=False)
