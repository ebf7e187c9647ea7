"""`autoopt new FILE`: write a model file for the data in a CSV file, to be edited."""

from __future__ import annotations

from pathlib import Path

import click

from autoopt.cli import ending, values
from autoopt.errors import UsageError
from autoopt.proposals import proposal
from autoopt.proposals.likelihoods import LIKELIHOODS


@click.command()
@click.argument("data", metavar="FILE", type=click.Path(path_type=Path), shell_complete=values.files)
@click.option(
    "--target",
    metavar="COL",
    shell_complete=values.columns,
    help="Column to be explained; one called y, target, response, outcome or label, or the last.",
)
@click.option("--likelihood", type=click.Choice(list(LIKELIHOODS)),
              help="Chosen by the values of the target if not given.")  # fmt: skip
@click.option("--column", "columns", multiple=True, metavar="COL", shell_complete=values.columns,
              help="Column that explains the target; repeatable. All that can if not given.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write there; FILE_model.py beside the data if not given.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_context
def new(
    ctx: click.Context, data: Path, target: str | None, likelihood: str | None, columns: tuple[str, ...],
    output: Path | None, force: bool,
) -> None:  # fmt: skip
    """Write a commented model file for the data in FILE, CSV or TSV, which fits as it stands.

    The likelihood follows from the target: two values give a logistic regression, counts (whole numbers from about 0
    on, of a small mean) a Poisson one, positive numbers a gamma or log-normal one, others least squares. Texts become
    indicators; rows that lack a value are left out, as are columns that cannot explain anything. What was assumed, and
    what is left out, is said and stands in the file.
    """
    ending.require_room(output)
    output = output or data.with_name(f"{data.stem}_model.py")
    if output.exists() and not force:
        raise UsageError(f"There is a file {output}.", remedy="give --force to write over it, or -o for another name.")
    found = proposal(data, output, target, likelihood, columns)
    if not ending.show(found.text.rstrip("\n"), output):
        ctx.exit(ending.NOT_WRITTEN)
    said = [found.title, found.data, *(f"Note: {note}" for note in found.notes), f"Written to {output}. Now run"]
    click.echo("\n".join([*said, "", f"  autoopt fit {output}"]))
