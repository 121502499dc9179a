"""A user's share in one server of a home."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Self

from config.embedded.children import environment
from config.embedded.deadline import Deadline
from config.embedded.directories import make_private
from config.embedded.errors import EmbeddedError
from config.embedded.layout import Layout
from config.embedded.locks import FileLock, is_held
from config.embedded.server_log import ServerLog

CHECKOUT = Path(__file__).resolve().parents[2]
SUPERVISOR = "config.embedded.supervisor"
SUPERVISORS_TRIED = 3


class Share:
    """While it is open the server runs; when the last share closes, or its holder dies, the server stops.

    `claim` sees to it that a supervisor runs, `settle` waits for the server: two steps, so that servers start abreast.
    """

    def __init__(self, layout: Layout, program: Path, durable: bool) -> None:
        self._layout = layout
        self._order: list[str | Path] = [layout.service.value, layout.home, program, *([] if durable else ["--fast"])]
        self._log = ServerLog(layout.log)
        self._log_start = 0
        self._open = ExitStack()
        self._starting = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def claim(self, deadline: Deadline) -> None:
        """Take the share and, with the right to start, start a supervisor where none is."""
        make_private(self._layout.root)
        users = self._open.enter_context(FileLock(self._layout.users_lock))
        start = self._starting.enter_context(FileLock(self._layout.start_lock))
        for acquire in (users.try_shared, start.try_exclusive):
            if not deadline.wait_for(acquire):
                raise self._too_late()
        if not is_held(self._layout.supervisor_lock):
            self._start_supervisor()

    def settle(self, deadline: Deadline) -> Path:
        """The socket of the server, once it answers."""
        for _ in range(SUPERVISORS_TRIED):
            if not deadline.wait_for(lambda: self._is_ready() or self._is_abandoned()):
                raise self._too_late()
            if not self._is_abandoned():
                self._starting.close()
                return self._socket()
            if self._layout.failure.exists():
                raise EmbeddedError(self._layout.failure.read_text(encoding="utf-8"))
            self._start_supervisor()  # it was killed and could not say why
        raise self._did_not_start()

    def close(self) -> None:
        self._starting.close()
        self._open.close()

    def _start_supervisor(self) -> None:
        """Returns once it holds its lock; what an earlier one left to read is removed first."""
        self._layout.ready.unlink(missing_ok=True)
        self._layout.failure.unlink(missing_ok=True)
        with self._log.open() as output:
            self._log_start = self._log.size()
            done = subprocess.run(  # noqa: S603 - this interpreter and our own module
                [sys.executable, "-S", "-m", SUPERVISOR, *self._order],
                cwd=CHECKOUT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                check=False,
            )
        if done.returncode > 0:  # one that was killed is given another chance by `settle`
            raise self._did_not_start()

    def _is_ready(self) -> bool:
        """Whether something listens: the file alone may be a moment older than the server's death."""
        try:
            address = str(self._socket())
        except FileNotFoundError:
            return False
        with socket(AF_UNIX) as connection:
            return connection.connect_ex(address) == 0

    def _is_abandoned(self) -> bool:
        return not is_held(self._layout.supervisor_lock)

    def _socket(self) -> Path:
        return Path(self._layout.ready.read_text(encoding="ascii"))

    def _too_late(self) -> EmbeddedError:
        return EmbeddedError(f"{self._layout.service.label} did not answer in time: {self._last_words()}")

    def _did_not_start(self) -> EmbeddedError:
        return EmbeddedError(f"{self._layout.service.label} did not start: {self._last_words()}")

    def _last_words(self) -> str:
        line = self._log.telling_line(since=self._log_start) or "it printed nothing"
        return f"{line} (see {self._layout.log}); or set {self._layout.service.setting}."


def _environment() -> dict[str, str]:
    """What a supervisor needs to know of ours, which it outlives."""
    places = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "TMPDIR") if name in os.environ}
    return environment() | places
