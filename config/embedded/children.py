"""How a supervisor runs the programs of its server."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from config.embedded.identity import Identity
from config.embedded.locks import FileLock

PR_SET_PDEATHSIG = 1
# The tokens of whoever started us are none of a server's business; these are what a loader may need.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Launcher:
    """Children run under `identity` and keep `lock` held as long as any of them lives.

    Each dies by the signal it is given when the supervisor dies first (Linux), so the supervisor must have one thread.
    """

    identity: Identity
    lock: FileLock

    def start(
        self, command: Sequence[str | Path], folder: Path, log: BinaryIO, on_orphaned: signal.Signals
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own command lines
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(self.lock.fileno(),),
            start_new_session=True,
            preexec_fn=self._before_exec(on_orphaned),  # noqa: PLW1509 - the supervisor has one thread
        )

    def run(self, command: Sequence[str | Path], text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run to the end with `text` on stdin; what it printed is in `stdout`."""
        return subprocess.run(  # noqa: S603 - our own command lines
            command,
            cwd="/",
            env=environment(),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=(self.lock.fileno(),),
            preexec_fn=self._before_exec(signal.SIGKILL),
            check=False,
        )

    def _before_exec(self, on_orphaned: signal.Signals) -> Callable[[], None]:
        supervisor = os.getpid()

        def prepare() -> None:
            self.identity.assume()
            _die_with(supervisor, on_orphaned)  # after `assume`: a change of credentials forgets it

        return prepare


def environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": os.defpath, **inherited, "LC_ALL": "C", "TZ": "UTC"}


def _die_with(parent: int, by: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)
