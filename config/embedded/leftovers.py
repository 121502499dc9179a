"""Servers that outlived their supervisor."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from config.embedded.deadline import Deadline
from config.embedded.errors import EmbeddedError
from config.embedded.locks import FileLock

PATIENCE = 60.0  # seconds for a server to write everything out
LSOF = "/usr/sbin/lsof"


def recorded_pid(pid_file: Path) -> int | None:
    """The pid on the first line, if there is such a file and such a line."""
    try:
        first = pid_file.read_text(encoding="ascii", errors="replace").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def take_over(lock: FileLock, pid_file: Path, stop: signal.Signals) -> None:
    """Wait until no process of an earlier server is alive, asking it to stop, and take the lock it held.

    Afterwards the pid file can only be stale; it is removed, because its pid may by now be another process's, and
    PostgreSQL would wait for that one for ever. A server that somebody else started in the folder is an error.
    """
    if not lock.try_exclusive():
        _signal_owner(pid_file, stop)
        if not Deadline(PATIENCE).wait_for(lock.try_exclusive):
            _signal_owner(pid_file, signal.SIGKILL)
            if not Deadline(5).wait_for(lock.try_exclusive):
                raise EmbeddedError(f"An old server still runs in {pid_file.parent} and does not stop: end it by hand.")
    if stranger := _owner(pid_file):
        raise EmbeddedError(f"Process {stranger}, not started by Parley, serves {pid_file.parent}: stop it first.")
    pid_file.unlink(missing_ok=True)


def _signal_owner(pid_file: Path, number: signal.Signals) -> None:
    if pid := _owner(pid_file):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _owner(pid_file: Path) -> int | None:
    """The recorded process, if it is the one that serves this folder: servers work in their data folder."""
    pid = recorded_pid(pid_file)
    return pid if pid and _working_folder(pid) == pid_file.parent else None


def _working_folder(pid: int) -> Path | None:
    if sys.platform == "linux":
        try:
            return Path(os.readlink(f"/proc/{pid}/cwd"))
        except OSError:
            return None  # gone, a zombie, or another account's
    told = subprocess.run(  # noqa: S603 - a fixed program
        [LSOF, "-a", "-p", str(pid), "-d", "cwd", "-Fn"], capture_output=True, text=True, check=False
    )
    names = [line[1:] for line in told.stdout.splitlines() if line.startswith("n")]
    return Path(names[0]) if names else None
