"""Packages that autoopt does without until they are asked for: imported then, or the pip command is told."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autoopt.errors import UsageError

EXTRAS = {
    "parquet": ("pyarrow", "Parquet and Feather files"),
    "zarr": ("zarr", "Zarr stores"),
    "hdf5": ("h5py", "HDF5 files"),
    "formula": ("formulaic", "formulas, as in --formula"),
    "plot": ("matplotlib", "pictures: Fit.plot"),
    "report": ("jinja2", "HTML reports: Fit.report"),
    "dask": ("distributed", "clusters of Dask, as in --cluster tcp://..."),
    "ray": ("ray", "clusters of Ray, as in --cluster ray:4"),
    "ipopt": ("ipyopt", "the method ipopt"),
}
"""What each extra of setup.py that a user may want installs, by name: a module, and what it is for."""


def imported(module: str, extra: str, purpose: str) -> Any:
    """Return an optional module.

    Parameters
    ----------
    module : str
        Its full name, as in an import.
    extra : str
        The extra of autoopt (setup.py) that installs it.
    purpose : str
        What it is needed for, as the subject of the message: "Parquet files".

    Raises
    ------
    UsageError
        If it is not installed; the remedy is the pip command.
    """
    package = module.partition(".")[0]
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # a part of it is missing, which pip would not mend
            raise
        verb = "need" if purpose.endswith("s") else "needs"
        raise UsageError(
            f"{purpose} {verb} {package}, which is not installed.", remedy=f'run pip install "autoopt[{extra}]".'
        ) from None
    return import_module(module)
