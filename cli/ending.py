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
    """Raise KeyboardInterrupt on SIGINT and `Terminated` on SIGTERM in the body; the second of them ends at once."""
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:  # what the first has begun, as the evaluation of the best point, takes too long
            os.write(2, b"\nEnded at once.\n")
            os._exit(TERMINATED if number == signal.SIGTERM else INTERRUPTED)
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    before = {}
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background, or under nohup
                before[number] = signal.signal(number, stop)
    except ValueError:  # not the main thread, which alone may set handlers
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def status(stop: BaseException) -> int:
    """Return the exit status of an interruption, also of one that was raised again with what had been reached."""
    cause: BaseException | None = stop
    while cause is not None:
        if isinstance(cause, Terminated):
            return TERMINATED
        cause = cause.__context__
    return INTERRUPTED


def require_room(output: Path | None) -> None:
    """Refuse a file for a result that could not be written, before anything is computed."""
    if output is None:
        return
    if not output.parent.is_dir():
        raise click.UsageError(f"There is no folder {output.parent} for --output.")
    try:
        atomic.probe(output)
    except OSError as error:
        raise click.UsageError(f"--output {output} cannot be written: {error.strerror or error}.") from error


def show(text: str, output: Path | None) -> bool:
    """Print the result, or write it to a file whole; where that fails show it elsewhere. Return whether it was written.

    A reader that closed its end of a pipe (`| head`) wants no more, which is left to click.
    """
    if output is None:
        if sys.stdout is None:  # `autoopt ... >&-`
            _say("The result cannot be written to stdout, which is closed. It is:")
            click.echo(text, err=True)
            return False
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


def any_text() -> None:
    """Have stdout and stderr write what their encoding has not as escapes, as in names of columns: `\\u03b1`."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    click.echo(f"Error: {message}", err=True)


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that Python does not complain at its end of what is left in the buffer."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
