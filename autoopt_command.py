"""The command `autoopt`, before anything is imported: Ctrl-C while Python loads NumPy and SciPy shows no traceback."""

import atexit
import os
import signal
import sys


def main() -> None:
    """Import the command line and run it."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # registered first it runs last: all is done
    from autoopt.cli.main import main as command

    if sys.argv[1:] and command.get_command(None, sys.argv[1]) is not None:
        import autoopt.minimize  # noqa: F401 - with NumPy and SciPy, which commands need

    signal.signal(signal.SIGINT, handler)
    try:
        command(prog_name="autoopt")
    finally:
        if handler is signal.default_int_handler:  # which, while Python ends, would end it by the signal
            signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: object) -> None:
    """End at once: nothing is there that could be lost, yet or any more, and imports may swallow an exception."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"Interrupted.\n")
    os._exit(130)


if __name__ == "__main__":
    main()
