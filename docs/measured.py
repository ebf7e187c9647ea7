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
    "estimators": ("python -m benchmarks.estimator_tables", ["numpy", "scipy", "scikit-learn", "glum"]),
    "estimators_2": ("python -m benchmarks.estimator_tables --threads 2", ["numpy", "scipy", "scikit-learn", "glum"]),
    "exported": ("python -m benchmarks.exported", ["numpy", "scipy", "pytensor"]),
    "memory": ("python -m benchmarks.memory", ["numpy", "scipy"]),
}


def text(name, printed, day):
    """Return what the page includes."""
    command, packages = COMMANDS[name]
    releases = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    machine = f"Python {platform.python_version()}, {releases}; {os.cpu_count()} processors"
    return f"$ {command}\n{day}, {machine}\n\n{printed.strip(chr(10)).rstrip()}\n"


if __name__ == "__main__":
    chosen = sys.argv[1]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    (FOLDER / f"{chosen}.txt").write_text(text(chosen, sys.stdin.read(), today), encoding="utf-8")
