"""`autoopt report RUN`: write the HTML report of a fit."""

from __future__ import annotations

from pathlib import Path

import click

from autoopt.cli import ending, values
from autoopt.cli.fitting import QUIET, STATUSES, watched
from autoopt.fitting.restoring import restored


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path), shell_complete=values.files)
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              help="Write there; report.html in the directory of the run, or in the working folder, if not "
              "given.")  # fmt: skip
@QUIET
@click.pass_context
def report(ctx: click.Context, run: Path, output: Path | None, quiet: bool) -> None:
    """Write the report of a fit: one HTML page with summary, certificate, pictures and source.

    RUN is the directory of a run, the result.json of `autoopt fit MODEL -o result.json`, or a model file that has data
    of its own. The page needs no network. Exit status as for `autoopt fit`.
    """
    output = output or (run / "report.html" if run.is_dir() else Path("report.html"))
    ending.require_room(output)
    with watched(quiet, str(run)) as progress:
        found = restored(run, progress=progress)
        page = found.report()
    written = ending.show(page.strip(), output)
    if written:
        click.echo(f"Written to {output}.")
    ctx.exit(STATUSES[found.status] or (0 if written else ending.NOT_WRITTEN))
