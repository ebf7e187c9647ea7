"""`autoopt.resume`: the fit of a run directory, gone on with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autoopt.errors import RunError
from autoopt.fitting.fit import fit
from autoopt.fitting.fitted import Fit
from autoopt.runs import storing
from autoopt.runs.run import read


def resume(
    run_dir: str | os.PathLike,
    function: object = None,
    data: object = None,
    *,
    force: bool = False,
    **given: Any,
) -> Fit:
    """Go on with the fit of a run directory, from the best point that it had come to.

    Parameters
    ----------
    run_dir : path
        What `fit` was called with as `run_dir`.
    function, data : optional
        The objective and its data where these are no files, as `fit` was given them; the model file, if it has moved.
    force : bool
        Whether to go on although model, data or versions have changed, or the run has ended.
    **given
        Arguments of `fit` in place of those that the run was begun with, as ``options={"maxiter": 1000}`` or
        ``progress=True``; those that were too large to be kept, such as tables.

    Returns
    -------
    Fit
        As `fit` returns it. Its counts are those of this part of the run.

    Raises
    ------
    RunError
        If there is no such run, it has ended (the message shows the result), another process is at work on it, what it
        depends on has changed, or both its checkpoints are damaged.

    Examples
    --------
    >>> import tempfile, numpy as np, autoopt
    >>> def squares(x):
    ...     return np.sum((x - 3.0) ** 2)
    >>> folder = tempfile.mkdtemp()
    >>> found = autoopt.fit(squares, [0.0, 1.0], run_dir=folder)
    >>> autoopt.resume(folder, squares, force=True).params
    array([3., 3.])
    """
    call = dict(read(run_dir).run["call"])
    own = {"model": function, "data": data, **given}
    call |= {name: {"value": None} for name, value in own.items() if value is not None}
    if lost := [name for name, one in call.items() if "value" not in one]:
        shown = " and ".join(f"{name} {call[name]['kind']}" for name in lost)
        raise RunError(
            f"The run {Path(run_dir)} was begun with {shown}, which could not be written down.",
            remedy=f"pass the same again: autoopt.resume(run_dir, {_again(lost)}).",
        )
    arguments = {name: storing.restored(one["value"]) for name, one in call.items()}
    arguments |= {name: value for name, value in own.items() if value is not None}
    arguments |= {"run_dir": run_dir, "resume": "force" if force else True}
    return fit(arguments.pop("model"), **arguments)


def _again(names: list[str]) -> str:
    return ", ".join(f"{'function' if name == 'model' else name}=..." for name in names)
