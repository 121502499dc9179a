"""Opening what a person named on the command line: refused at the door, in one sentence."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from core.platform.errors import BadInput


def open_import(path: Path) -> BinaryIO:
    """A file with at least one byte, opened for reading; raises BadInput for anything else."""
    try:
        path = path.expanduser()
        file = path.open("rb")
    except OSError as error:
        raise BadInput(_why_closed(path, error)) from error
    except (RuntimeError, ValueError) as error:  # ~ of nobody, a NUL in the name
        raise BadInput(f"{path} is no path: {error}.") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise BadInput(f"{path} is no ordinary file (a pipe, a device?): save it as one first.")
    if not file.read(1):
        file.close()
        raise BadInput(f"{path} is empty: export the chat again, the file should begin with {{.")
    file.seek(0)
    return file


def _why_closed(path: Path, error: OSError) -> str:
    if error.errno == errno.EISDIR:
        inner = path / "result.json"
        hint = f"try {inner}" if inner.is_file() else "name the result.json inside it"
        return f"{path} is a folder, not a file: {hint}."
    if error.errno == errno.ENOENT:
        return f"There is no file {path}: check the path (blanks need quotes)."
    if error.errno == errno.EACCES:
        return f"You may not read {path}: give yourself the right to (chmod u+r) or copy it."
    return f"{path} cannot be opened ({error.strerror}): check the path."
