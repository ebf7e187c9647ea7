"""What is kept on disk to be run is signed: by a secret of the user's, which stands beside it in the cache's folder.

Whoever can change a file of the cache, but not read the secret, cannot have it run. The signature is of the name of the
entry too, so that one that is put in the place of another is none. Where the secret is lost, too short, or was open to
others, a new one is made, and what the old one signed is no longer there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from autoopt.execution.permissions import content, is_secret, new_file

SECRET = "secret"
"""The file in the folder of the cache."""

_BYTES, _BLOCK = 32, 64  # of the secret, and of what SHA-256 takes at a time


def signature(folder: Path, name: str, kept: bytes) -> str | None:
    """Return the signature of what is kept as `name`, None if the folder has no secret."""
    secret = _secret(folder)
    return None if secret is None else hmac(secret, name.encode() + b"\n" + kept).hex()


def hmac(secret: bytes, message: bytes) -> bytes:
    """Return the HMAC of a message by SHA-256 (RFC 2104): the module of this name takes longer to import than to use.

    `secret` is at most 64 bytes long.
    """
    inner, outer = (bytes(byte ^ pad for byte in secret.ljust(_BLOCK, b"\0")) for pad in (0x36, 0x5C))
    return hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()


def require_secret(folder: Path) -> None:
    """Make the folder's secret if it has none; of several processes that try, all have the same one afterwards.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if _secret(folder) is not None:
        return
    new = new_file(folder, os.urandom(_BYTES))
    try:
        try:
            os.link(new, folder / SECRET)  # whole from the beginning, and never in the place of another
        except FileExistsError:
            if _secret(folder) is None:
                os.replace(new, folder / SECRET)
        except OSError:  # a file system without links
            os.replace(new, folder / SECRET)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)


def _secret(folder: Path) -> bytes | None:
    found = content(folder / SECRET, is_secret)
    return found if found is not None and len(found) == _BYTES else None
