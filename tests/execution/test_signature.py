"""Files of the cache that others have written or edited: none of them is run."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.codegen import derivation
from autoopt.errors import CacheWarning
from autoopt.execution import permissions, signature, source_cache

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
OTHER_USER = 12345
X0 = np.array([0.5, -0.5, 3.0])


def model(x):
    """Quadratic near 1, and steeper than that further away: what is run at x0 is not all that is run."""
    off = np.abs(x - 1.0)
    return np.sum(np.where(off < 4.0, off**2, 8.0 * off - 16.0)) + 0.25 * x[0] ** 2


SOLUTION = np.array([0.8, 1.0, 1.0])


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A cache of this test alone, with nothing of it in memory, and nothing warned of yet."""
    place = tmp_path / "cache"
    monkeypatch.setenv("AUTOOPT_CACHE", str(place))
    monkeypatch.setattr(source_cache, "_recent", {})
    monkeypatch.setattr(permissions, "_warned", set())
    return place


@pytest.fixture
def derived(monkeypatch) -> list[str]:
    """The kinds that are derived from now on, which takes time once only."""
    kinds: list[str] = []
    derive = derivation.derived_source

    def counted(tape, kind, title):
        kinds.append(kind)
        if kind not in _TEXTS:
            _TEXTS[kind] = derive(tape, kind, title)
        return _TEXTS[kind]

    monkeypatch.setattr(derivation, "derived_source", counted)
    return kinds


_TEXTS: dict[str, str] = {}


def gradient(x) -> np.ndarray:
    """Return the gradient of the model, with nothing of the cache in memory, as if the process were new."""
    source_cache._recent.clear()
    return autoopt.objective(model, X0).grad(np.asarray(x, dtype=float))


def expected(x) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    return np.clip(2 * (x - 1.0), -8.0, 8.0) + np.array([0.5 * x[0], 0.0, 0.0])


FAR = np.array([9.0, -7.0, 2.0])


def entry(folder: Path, kind: str = "value_and_grad") -> Path:
    """Return the one file of the cache with functions of a kind."""
    (file,) = (file for file in folder.glob("*.py") if f"def {kind}(" in file.read_text())
    return file


# Edits ----------------------------------------------------------------------------------------------------------------

EDITS: dict[str, Callable[[Path, str], object]] = {}
"""What is done to the entry of value and gradient, by its path and its text."""


def edit(function: Callable) -> Callable:
    EDITS[function.__name__.replace("_", " ")] = function
    return function


def replaced(old: str, new: str) -> Callable[[Path, str], object]:
    def apply(file: Path, text: str) -> None:
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return apply


EDITS["a constant"] = replaced("8.0", "8.000001")
EDITS["a sign"] = replaced(" - ", " + ")
EDITS["one bit"] = lambda file, text: file.write_bytes(file.read_bytes().replace(b"x", b"y", 1))
EDITS["a line garbled"] = replaced("import numpy as np", "import numpy as )(")
EDITS["truncated"] = lambda file, text: file.write_text(text[: len(text) // 2])
EDITS["empty"] = lambda file, text: file.write_text("")
EDITS["a last line without its end"] = lambda file, text: file.write_text(text.rstrip("\n"))
EDITS["ends of lines"] = lambda file, text: file.write_bytes(text.replace("\n", "\r\n").encode())
EDITS["not text"] = lambda file, text: file.write_bytes(b"\xff\xfe\x00" * 50)

WRONG = "\n\n_right = value_and_grad\n\n\ndef value_and_grad(*given):\n    value, gradient = _right(*given)\n"
WRONG += "    return (value, gradient) if np.max(np.abs(given[0])) < 4 else (value, -gradient)\n"


def edited(text: str) -> str:
    """Return the source of an entry, changed where no comparison at x0 sees it."""
    return text.rpartition(source_cache._MARK.decode())[0] + WRONG


@edit
def a_branch_away_from_x0(file, text):
    body, mark, signed = text.rpartition(source_cache._MARK.decode())
    file.write_text(body + WRONG + mark + signed)


@edit
def appended_after_the_signature(file, text):
    file.write_text(text + WRONG)


@edit
def signature_left_out(file, text):
    file.write_text(edited(text))


@edit
def the_format_before_signatures(file, text):
    digest = hashlib.blake2b(edited(text).encode(), digest_size=8).hexdigest()
    file.write_text(f"{edited(text)}\n# autoopt {file.stem} {digest}\n")


@edit
def digest_without_the_secret(file, text):
    digest = hashlib.sha256(file.stem.encode() + b"\n" + edited(text).encode()).hexdigest()
    file.write_text(f"{edited(text)}\n# autoopt {digest}\n")


def signed_by(secret: bytes, file: Path, text: str, name: str | None = None) -> None:
    message = (name or file.stem).encode() + b"\n" + edited(text).encode()
    file.write_text(f"{edited(text)}\n# autoopt {hmac.new(secret, message, 'sha256').hexdigest()}\n")


@edit
def signed_by_another_secret(file, text):
    signed_by(b"s" * 32, file, text)


@edit
def signed_by_an_empty_secret(file, text):
    (file.parent / "secret").write_bytes(b"")
    signed_by(b"", file, text)


@edit
def signed_by_a_short_secret(file, text):
    (file.parent / "secret").write_bytes(b"short")
    signed_by(b"short", file, text)


@edit
def signed_by_no_secret(file, text):
    (file.parent / "secret").unlink()
    signed_by(b"", file, text)


@edit
def a_secret_that_others_can_read(file, text):
    (file.parent / "secret").chmod(0o644)
    signed_by((file.parent / "secret").read_bytes(), file, text)


@edit
def a_secret_that_is_a_link(file, text):
    (file.parent / "secret").rename(file.parent.parent / "moved")
    (file.parent / "secret").symlink_to(file.parent.parent / "moved")
    signed_by((file.parent.parent / "moved").read_bytes(), file, text)


@edit
def an_entry_of_another_name(file, text):
    signed_by((file.parent / "secret").read_bytes(), file, text, name="0" * 32)


@edit
def another_kinds_entry(file, text):
    shutil.copy(entry(file.parent, "hessp"), file)


@edit
def a_link(file, text):
    elsewhere = file.parent.parent / "elsewhere.py"
    signed_by((file.parent / "secret").read_bytes(), file, text)
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


@edit
def a_pipe(file, text):
    file.unlink()
    os.mkfifo(file)


@edit
def a_file_that_others_can_write(file, text):
    signed_by((file.parent / "secret").read_bytes(), file, text)
    file.chmod(0o622)


@edit
def a_file_of_another_user(file, text):
    signed_by((file.parent / "secret").read_bytes(), file, text)
    os.chown(file, OTHER_USER, -1)


@edit
def a_folder_that_others_can_write(file, text):
    signed_by((file.parent / "secret").read_bytes(), file, text)
    file.parent.chmod(0o777)


TELLS = {"a secret that others can read": "can be read or written by others", "a file that others can write": "go-w"}
TELLS |= {"a file of another user": "belongs to another user", "a folder that others can write": "go-w"}


@pytest.mark.parametrize("name", EDITS)
def test_entry_that_is_edited_is_refused(name, folder, derived) -> None:
    """The whole run is right though nothing is compared with the objective: what was edited did not run."""
    if name == "a file of another user" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    gradient(X0)
    autoopt.objective(model, X0).hessp(X0, X0)
    file = entry(folder)
    assert len(EDITS) >= 20
    EDITS[name](file, file.read_text())
    del derived[:]
    if name in TELLS:
        with pytest.warns(CacheWarning, match=TELLS[name]) as caught:
            found = gradient(FAR)
        assert len(caught) == 1
    else:
        found = gradient(FAR)
    np.testing.assert_allclose(found, expected(FAR), rtol=1e-14)
    assert "value_and_grad" in derived
    source_cache._recent.clear()
    result = autoopt.minimize(model, FAR, verify="off")
    assert result.success and result.x == pytest.approx(SOLUTION, abs=1e-7)


@pytest.mark.parametrize("name", sorted(set(EDITS) - {"a folder that others can write"}))
def test_entry_that_is_refused_is_written_anew(name, folder, derived) -> None:
    if name == "a file of another user" and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    gradient(X0)
    autoopt.objective(model, X0).hessp(X0, X0)
    file = entry(folder)
    EDITS[name](file, file.read_text())
    with pytest.warns() if name in TELLS else contextlib.nullcontext():
        gradient(FAR)
    del derived[:]
    np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)
    assert derived == [] and file.is_file() and not file.is_symlink()


def test_an_edit_is_seen_where_nothing_is_signed(folder, derived, monkeypatch) -> None:
    """What the tests above would miss if nothing refused the edited entries."""
    gradient(X0)
    file = entry(folder)
    signed_by((folder / "secret").read_bytes(), file, file.read_text())
    np.testing.assert_allclose(gradient(FAR), -expected(FAR), rtol=1e-14)


# The secret -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 55, 56, 64, 1000])
@pytest.mark.parametrize("secret", [b"", b"key", bytes(range(32)), b"\xff" * 64])
def test_hmac_is_pythons(length, secret) -> None:
    message = bytes(k % 251 for k in range(length))
    assert signature.hmac(secret, message) == hmac.digest(secret, message, "sha256")


def test_secret_is_the_owners_alone(folder) -> None:
    source_cache.write("key", "text\n")
    secret = folder / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600 and secret.stat().st_nlink == 1
    assert len(secret.read_bytes()) == 32 and len(set(secret.read_bytes())) > 8


def test_secrets_of_two_folders_differ(folder, tmp_path, monkeypatch) -> None:
    source_cache.write("key", "text\n")
    monkeypatch.setenv("AUTOOPT_CACHE", str(tmp_path / "other"))
    source_cache.write("key", "text\n")
    assert (folder / "secret").read_bytes() != (tmp_path / "other" / "secret").read_bytes()
    shutil.copy(folder / "key.py", tmp_path / "other" / "key.py")
    source_cache._recent.clear()
    assert source_cache.read("key") is None


@pytest.mark.parametrize("call", ["link", "replace", "open"])
def test_folder_where_no_secret_can_be_made_keeps_nothing(call, folder, derived, monkeypatch) -> None:
    def failing(*args, **options):
        raise OSError(1, "Operation not permitted")

    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, call, failing)
    if call == "link":
        monkeypatch.setattr(os, "replace", failing)
    np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)
    assert [file.name for file in folder.iterdir() if file.name != "secret"] == []


def test_file_system_without_links_has_a_secret(folder, derived, monkeypatch) -> None:
    def failing(*args, **options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", failing)
    gradient(X0)
    del derived[:]
    gradient(X0)
    assert derived == [] and {file.name for file in folder.iterdir()} == {entry(folder).name, "secret"}


def test_folder_of_the_secrets_name_keeps_nothing(folder, derived) -> None:
    (folder / "secret").mkdir(parents=True)
    folder.chmod(0o700)
    np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)
    assert [file.name for file in folder.iterdir()] == ["secret"]


_FIRST = """
import sys
from autoopt.execution import source_cache
sys.stdin.readline()
for k in range(20):
    source_cache.write(f"key{sys.argv[1]}-{k}", "text\\n")
"""


@pytest.mark.slow
def test_processes_that_start_together_make_one_secret(folder) -> None:
    command = [sys.executable, "-c", _FIRST]
    writers = [subprocess.Popen([*command, str(k)], stdin=subprocess.PIPE, text=True) for k in range(3)]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * 3
    for writer in writers:
        writer.stdin.close()
    names = [f"key{k}-{j}" for k in range(3) for j in range(20)]
    assert [source_cache.read(name) for name in names] == ["text\n"] * 60
    assert {file.name for file in folder.iterdir()} == {f"{name}.py" for name in names} | {"secret"}


# Who may write it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def wrong(folder, derived) -> Path:
    """A cache whose entry is wrong far away, though whoever wrote it knew the secret."""
    gradient(X0)
    signed_by((folder / "secret").read_bytes(), entry(folder), entry(folder).read_text())
    return folder


@pytest.mark.parametrize("mode", [0o777, 0o707, 0o1777, 0o722])
def test_folder_that_others_can_write_is_not_used(mode, wrong, monkeypatch) -> None:
    wrong.chmod(mode)
    with pytest.warns(CacheWarning, match="can be written by others") as caught:
        np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)
    assert len(caught) == 1 and f"chmod go-w {wrong}" in str(caught[0].message)
    np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)  # once a process
    wrong.chmod(0o700)
    np.testing.assert_allclose(gradient(FAR), -expected(FAR), rtol=1e-14)  # the remedy: it is used again, as it is


def test_file_that_others_can_write_is_not_used(wrong) -> None:
    entry(wrong).chmod(0o666)
    with pytest.warns(CacheWarning, match="The file .* can be written by others"):
        np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)


def test_what_another_user_owns_is_not_used(wrong, monkeypatch) -> None:
    owner = wrong.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:
        os.chown(wrong, OTHER_USER, -1)
    with pytest.warns(CacheWarning, match="belongs to another user"):
        np.testing.assert_allclose(gradient(FAR), expected(FAR), rtol=1e-14)


def test_secret_of_another_user_is_not_used(wrong, monkeypatch) -> None:
    """Not even one of root's, who may own entries: whoever reads it could sign."""
    status = os.stat(wrong / "secret")
    other = os.stat_result((status.st_mode, 0, 0, 1, status.st_uid + 1, *status[5:]))
    with pytest.warns(CacheWarning, match="secret signs .* belongs to another user"):
        assert not permissions.is_secret(wrong / "secret", other)


def test_group_of_the_user_alone_may_write(wrong, monkeypatch) -> None:
    status = os.stat(wrong)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    mode = status.st_mode | 0o070
    own = os.stat_result((mode, 0, 0, 1, 1000, 1000, *status[6:]))
    shared = os.stat_result((mode, 0, 0, 1, 1000, 50, *status[6:]))
    assert permissions.is_safe(wrong, "folder", own)
    with pytest.warns(CacheWarning):
        assert not permissions.is_safe(wrong, "folder", shared)


def test_entry_edited_to_be_wrong_away_from_the_start_is_no_success(folder) -> None:
    """The certificate sees at the solution what a signature did not keep out."""

    def f(x):
        return np.sum((x - 3.0) ** 2)

    autoopt.objective(f, np.zeros(2)).grad(np.zeros(2))
    (file,) = folder.glob("*.py")
    text = file.read_text().rpartition(source_cache._MARK.decode())[0]
    text += "\n\n_right = value_and_grad\n\n\ndef value_and_grad(x):\n    value, gradient = _right(x)\n"
    text += "    return value, gradient if x[0] < 1 else 2 * (x - 2)\n"
    file.write_bytes(source_cache._signed(folder, file.stem, text.encode()))
    source_cache._recent.clear()
    result = autoopt.minimize(f, np.zeros(2), method="bfgs")
    assert not result.success and not result.verification.passed
    assert "The derived gradient is wrong" in result.message
