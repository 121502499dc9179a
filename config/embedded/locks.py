"""Locks whose holders the kernel forgets when they die."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Self

from config.embedded.errors import EmbeddedError

UNSUPPORTED = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})


class FileLock:
    """An advisory lock on an open file.

    It belongs to the open file, not to the process: a child that inherits `fileno()` keeps it held until the child,
    and whoever inherited it from there, has gone. `close` gives up this process's part only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._file

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._file, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            raise EmbeddedError(
                f"The file system of {self._path.parent} has no file locks ({error.strerror}): "
                "set PARLEY_HOME to a folder on a local disk."
            ) from error
        return True


def is_held(path: Path) -> bool:
    """Whether someone holds the lock exclusively; asking takes it for a moment."""
    with FileLock(path) as lock:
        return not lock.try_exclusive()
