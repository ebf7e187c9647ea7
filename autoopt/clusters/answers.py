"""What answers at an address: a look, before Dask connects, which waits without end for what is no scheduler."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from autoopt.errors import ClusterError

PATIENCE = 5.0
"""Seconds that a scheduler is waited for: one that is there speaks first, within a second."""

_TO_ASK = 1.0  # of these, seconds for what a web server says: it is asked when nothing else has spoken
_LARGEST = 1 << 24  # bytes of a first message of Dask's, which are some hundred
_REMEDY = "give the address that `dask scheduler` prints, as tcp://10.0.0.1:8786."


def require_scheduler(address: str) -> None:
    """Raise ClusterError if no scheduler of Dask speaks at a tcp:// address within seconds."""
    place = urlsplit(address)
    if place.scheme != "tcp":  # others speak after us
        return
    deadline = time.monotonic() + PATIENCE
    try:
        with socket.create_connection((place.hostname, place.port), PATIENCE) as connection:
            first = _heard(connection, deadline - _TO_ASK)
            if not first:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                first = _heard(connection, deadline)
    except (OSError, ValueError, OverflowError) as error:
        raise ClusterError(f"No scheduler of Dask answers at {address}: {error}", remedy=_REMEDY) from None
    if first.startswith(b"HTTP/"):
        raise ClusterError(
            f"A web server answers at {address}, such as the dashboard of a scheduler of Dask is, and no scheduler.",
            remedy="give the scheduler's own address, on port 8786 unless another was chosen: tcp://10.0.0.1:8786.",
        )
    if len(first) < 8 or int.from_bytes(first, "little") > _LARGEST:
        what = f"what answers says {first!r}" if first else f"nothing was said within {PATIENCE:g} seconds"
        raise ClusterError(f"No scheduler of Dask answers at {address}: {what}.", remedy=_REMEDY)


def _heard(connection: socket.socket, deadline: float) -> bytes:
    """Return the first eight bytes that are sent, fewer if there are no more; none if nothing is said in time."""
    first = b""
    try:
        while len(first) < 8 and (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            more = connection.recv(8 - len(first))
            if not more:
                break
            first += more
    except TimeoutError:
        pass
    return first
