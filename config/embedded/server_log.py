"""The file that takes everything a server prints."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

KEPT_BYTES = 8 * 2**20
QUOTED_BYTES = 64 * 2**10
# PostgreSQL and initdb name their severity, Redis marks a warning by # after the date, Python ends with the error.
TELLING = re.compile(r"\b(?:FATAL|PANIC|ERROR|error):|FATAL CONFIG|^\d+:\w .* # |^[\w.]+(?:Error|Exception):", re.ASCII)
NOISE = re.compile(r"WARNING|is starting|Redis version|Configuration loaded|Server initialized|bye bye")


@dataclass(frozen=True)
class ServerLog:
    path: Path

    def open(self) -> BinaryIO:
        """Append to it; a file that has grown large makes room by becoming `….1`."""
        if self.size() > KEPT_BYTES:
            os.replace(self.path, self.path.with_name(f"{self.path.name}.1"))
        return open(self.path, "ab", opener=_open_private)

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def telling_line(self, since: int = 0) -> str:
        """The last line written after `since` bytes that says what went wrong; '' if nothing was written."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(max(since, self.size() - QUOTED_BYTES))
            return telling_line(file.read().decode(errors="replace"))


def telling_line(output: str) -> str:
    """The last line that names an error, else the last one that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.search(line) and not NOISE.search(line)]
    return (telling or lines or [""])[-1]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
