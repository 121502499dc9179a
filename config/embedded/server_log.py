"""The file that takes everything a server prints."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

KEPT_BYTES = 8 * 2**20
QUOTED_BYTES = 64 * 2**10
# PostgreSQL and initdb name their severity, Redis marks a warning by # after the date, Python ends with the error.
TELLING = re.compile(
    r"\b(?P<severe>(?:FATAL|PANIC|ERROR|error):.*)"
    r"|^\d+:\w .* # (?P<warned>.*)"
    r"|^(?P<raised>[\w.]+(?:Error|Exception):.*)"
)
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
    """The last thing said about an error, without its date, else the last line that is not blank."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found = [match for line in lines if (match := TELLING.search(line)) and not NOISE.search(line)]
    if found:
        return str(found[-1][found[-1].lastgroup or 0])
    return lines[-1] if lines else ""


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
