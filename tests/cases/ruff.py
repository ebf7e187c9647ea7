"""What ruff says of a text, with lines of 100 columns and the rules of the project (pyproject.toml)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_BESIDE = Path(sys.executable).with_name("ruff")
_RUFF = str(_BESIDE) if _BESIDE.exists() else shutil.which("ruff")
_OPTIONS = ["--isolated", "--no-cache", "--line-length", "100"]
_RULES = ["--select", "E,F,I,UP,B,SIM,RET,PIE,NPY,RUF", "--ignore", "RUF001,RUF002,RUF003,RUF005,E741"]


def formatted(text: str) -> str:
    """Return a text as `ruff format` leaves it."""
    return _run("format", *_OPTIONS, "-", text=text).stdout


def complaints(text: str) -> str:
    """Return what `ruff check` says of a text, nothing of a clean one."""
    done = _run("check", *_OPTIONS, *_RULES, "--quiet", "--output-format", "concise", "-", text=text)
    return done.stdout + done.stderr


def _run(*arguments: str, text: str) -> subprocess.CompletedProcess:
    if _RUFF is None:
        pytest.skip("ruff is not installed")
    return subprocess.run([_RUFF, *arguments], input=text, capture_output=True, text=True)
