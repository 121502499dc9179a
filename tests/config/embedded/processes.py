"""What runs on this machine, as the system tells it: /proc where there is one, else ps."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    pid: int
    parent: int
    state: str
    command: str


def processes() -> list[Process]:
    if sys.platform == "linux":
        found = (_from_proc(entry) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [process for process in found if process]
    rows = _ps("-axww", "-o", "pid=,ppid=,stat=,command=").splitlines()
    return [Process(int(pid), int(parent), state, command) for pid, parent, state, command in _columns(rows)]


def parent_of(pid: int) -> int:
    return next(process.parent for process in processes() if process.pid == pid)


def is_alive(pid: int) -> bool:
    """A zombie is dead: where nobody reaps orphans it keeps its number."""
    return any(process.pid == pid and not process.state.startswith("Z") for process in processes())


def environment_of(pid: int) -> str:
    if sys.platform == "linux":
        return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace")
    return _ps("eww", "-p", str(pid))


def _from_proc(entry: Path) -> Process | None:
    try:
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended meanwhile
    return Process(int(entry.name), int(parent), state, command)


def _columns(rows: list[str]) -> list[list[str]]:
    return [row.split(None, 3) for row in rows]


def _ps(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=True).stdout
