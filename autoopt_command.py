"""The command `autoopt`, before anything is imported: Ctrl-C while Python loads NumPy and SciPy shows no traceback."""

import os
import signal
import sys


def main() -> None:
    """Import the command line and run it."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    from autoopt.cli.main import main as command

    signal.signal(signal.SIGINT, handler)
    command(prog_name="autoopt")


def _stop(number: int, frame: object) -> None:
    """End at once: nothing is there yet that could be lost, and imports may swallow an exception."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"Interrupted.\n")
    os._exit(130)


if __name__ == "__main__":
    main()
