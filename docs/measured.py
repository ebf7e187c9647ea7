"""Keep what a benchmark printed for the page of benchmarks, with its command, the day and the releases.

python -m benchmarks.estimator_tables | python docs/measured.py estimators
"""

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "measured"

COMMANDS = {
    "constants": ("python -m benchmarks.machine_constants", ["numpy", "scipy", "pyarrow", "dask"]),
    "cost_model": ("python -m benchmarks.cost_model", []),
    "estimators": ("python -m benchmarks.estimator_tables", ["numpy", "scipy", "scikit-learn", "glum"]),
    "estimators_2": ("python -m benchmarks.estimator_tables --threads 2", ["numpy", "scipy", "scikit-learn", "glum"]),
    "exported": ("python -m benchmarks.exported", ["numpy", "scipy", "pytensor"]),
    "memory": ("python -m benchmarks.memory", ["numpy", "scipy"]),
    "parquet": ("python -m benchmarks.parquet_fit", ["numpy", "scipy", "pyarrow"]),
    "passes": ("python -m benchmarks.passes", ["numpy", "scipy"]),
    "rows": ("python -m benchmarks.row_tables", ["numpy", "scipy"]),
    "rows_2": ("python -m benchmarks.row_tables --threads 2", ["numpy", "scipy"]),
}


def text(name, printed, day):
    """Return what the page includes."""
    command, packages = COMMANDS[name]
    releases = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    machine = f"Python {', '.join([platform.python_version(), *releases])}; {os.cpu_count()} processors"
    return f"$ {command}\n{day}, {machine}\n\n{printed.strip(chr(10)).rstrip()}\n"


if __name__ == "__main__":
    chosen = sys.argv[1]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    (FOLDER / f"{chosen}.txt").write_text(text(chosen, sys.stdin.read(), today), encoding="utf-8")
