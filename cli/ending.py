"""How a run may end from outside: signals, and output that cannot be written."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from autoopt import atomic

INTERRUPTED, TERMINATED, NOT_WRITTEN = 130, 143, 1


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken as Ctrl-C is: the best point so far is shown."""


@contextlib.contextmanager
def termination() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM in the body."""
    try:
        before = signal.signal(signal.SIGTERM, _terminate)
    except ValueError:  # not the main thread, which alone may set handlers
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def status(stop: BaseException) -> int:
    """Return the exit status of an interruption, also of one that was raised again with what had been reached."""
    cause: BaseException | None = stop
    while cause is not None:
        if isinstance(cause, Terminated):
            return TERMINATED
        cause = cause.__context__
    return INTERRUPTED


def refuse_folder(output: Path | None) -> None:
    """Refuse a file for a result in a folder that is not there, before anything is computed."""
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"There is no folder {output.parent} for --output.")


def show(text: str, output: Path | None) -> bool:
    """Print the result, or write it to a file whole; where that fails show it elsewhere. Return whether it was written.

    A reader that closed its end of a pipe (`| head`) wants no more, which is left to click.
    """
    if output is None:
        try:
            click.echo(text)
            sys.stdout.flush()
            return True
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _say(f"The result cannot be written to stdout: {error.strerror or error}. It is:")
            click.echo(text, err=True)
            _abandon_stdout()
            return False
    try:
        atomic.write(output, text + "\n")
        return True
    except OSError as error:
        _say(f"The result cannot be written to {output}: {error.strerror or error}. It is printed instead.")
        show(text, None)
        return False


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _say(message: str) -> None:
    click.echo(f"Error: {message}", err=True)


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that Python does not complain at its end of what is left in the buffer."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
