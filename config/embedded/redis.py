"""Redis as a server of a home."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from config.embedded.children import Launcher
from config.embedded.directories import make_private
from config.embedded.identity import Identity, own
from config.embedded.layout import Layout

DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec")
FAST = ("--appendonly", "no")
ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Redis:
    program: Path
    folder: Path
    identity: Identity
    durable: bool

    stop_signal = signal.SIGTERM

    @property
    def pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def prepare(self, launcher: Launcher) -> None:
        make_private(self.folder, launcher.identity.owner)

    def command(self, sockets: Path) -> list[str | Path]:
        # It works in its folder and names no other path: a second parser would want them quoted.
        endpoint = ("--port", "0", "--unixsocket", self.socket(sockets), "--unixsocketperm", "600")
        files = ("--pidfile", self.pid_file.name, "--daemonize", "no", "--save", "")
        return [self.program, *endpoint, *files, *(DURABLE if self.durable else FAST)]

    def socket(self, sockets: Path) -> Path:
        return sockets / "redis.sock"

    def answers(self, sockets: Path) -> bool:
        """Whether it serves already; while it loads its file it answers, but with an error."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket(sockets)))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def redis(layout: Layout, program: Path, durable: bool) -> Redis:
    return Redis(program, layout.data, own(), durable)


def url(socket_path: Path) -> str:
    return f"unix://{socket_path}"
