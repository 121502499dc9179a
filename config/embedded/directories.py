"""Folders that nobody else can look into."""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.errors import EmbeddedError, explain
from config.embedded.layout import Layout

SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103  # sun_path without its NUL
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
# PostgreSQL and asyncpg split socket folders at commas; anything unusual goes elsewhere instead of being quoted.
PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._+-]*")
NAMES_TRIED = 4


def make_home(home: Path) -> Path:
    """Resolve the home and create it, 0700, if it is missing; an existing folder keeps its mode."""
    try:
        resolved = home.resolve()
        resolved.parent.mkdir(parents=True, exist_ok=True)
        resolved.mkdir(mode=0o700, exist_ok=True)
        make_private(resolved / "secrets")
    except OSError as error:
        raise EmbeddedError(
            f"Cannot keep data in {home}: {explain(error)}; set PARLEY_HOME to another folder."
        ) from error
    return resolved


def make_private(path: Path, owner: int | None = None) -> None:
    """Create the folder with mode 0700 for `owner` (default: this account).

    Raises PermissionError where something else has that name: a link, another account's folder, one open to others.
    """
    expected = os.geteuid() if owner is None else owner
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        if expected != os.geteuid():
            os.chown(path, expected, -1)
    if not _is_private(path, expected):
        raise PermissionError(errno.EPERM, "is not a private folder of this account", str(path))


@contextmanager
def socket_directory(layout: Layout, owner: int) -> Iterator[Path]:
    """An empty private folder with a short plain path, removed afterwards.

    The caller holds the server lock, so whatever lies in it is a dead server's.
    """
    path = _first_private(_socket_directories(layout, owner), owner)
    if path is None:
        places = f"$XDG_RUNTIME_DIR, $TMPDIR, /tmp or {layout.root}"
        raise EmbeddedError(f"No folder for the socket of {layout.service.label}: make {places} writable.")
    _empty(path)
    try:
        yield path
    finally:
        if path.exists():
            _empty(path)
            path.rmdir()


def _first_private(paths: Iterable[Path], owner: int) -> Path | None:
    for path in paths:
        try:
            make_private(path, owner)
        except OSError:
            continue  # taken by a stranger, or nothing can be made there: the next name
        return path
    return None


def _empty(path: Path) -> None:
    for leftover in path.iterdir():
        leftover.unlink(missing_ok=True)


def _socket_directories(layout: Layout, owner: int) -> Iterator[Path]:
    environment = (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"))
    for base in (*environment, "/tmp", str(layout.root)):  # noqa: S108 - the folder inside is checked
        if not base or (owner != os.geteuid() and not _is_open_to_all(Path(base))):
            continue
        for number in range(NAMES_TRIED):
            suffix = f"-{number}" if number else ""
            path = Path(base) / f"parley-{owner}-{layout.key}-{layout.service}{suffix}"
            if _fits(path):
                yield path


def _fits(path: Path) -> bool:
    longest = os.fsencode(path / LONGEST_SOCKET_NAME)
    return len(longest) <= SOCKET_PATH_BYTES and PLAIN_PATH.fullmatch(str(path)) is not None


def _is_private(path: Path, owner: int) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) & 0o077 == 0


def _is_open_to_all(path: Path) -> bool:
    """Whether any account can walk down to the folder."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
