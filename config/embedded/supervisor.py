"""The parent of one server of one home: starts it, starts it again if it dies, stops it when its last user has left.

Run as `python -m config.embedded.supervisor SERVICE HOME PROGRAM [--fast]`; ends at once and leaves a process behind.
"""

import argparse
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from config.embedded.children import Launcher
from config.embedded.deadline import Deadline
from config.embedded.directories import socket_directory
from config.embedded.errors import EmbeddedError, explain
from config.embedded.identity import Identity
from config.embedded.layout import Layout, Service
from config.embedded.leftovers import take_over
from config.embedded.locks import FileLock
from config.embedded.postgres import postgres
from config.embedded.redis import redis
from config.embedded.secrets import write_whole
from config.embedded.server_log import ServerLog

PAUSE = 0.1  # seconds between looks at the server and its users
START_PAUSE = 0.02
STOP_SECONDS = 60.0
LONGEST_REST = 10.0  # seconds before a server that keeps dying is started again


class Server(Protocol):
    @property
    def folder(self) -> Path: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def pid_file(self) -> Path: ...
    @property
    def stop_signal(self) -> signal.Signals: ...
    def prepare(self, launcher: Launcher) -> None:
        """Make whatever the first start needs."""

    def command(self, sockets: Path) -> list[str | Path]: ...
    def socket(self, sockets: Path) -> Path: ...
    def answers(self, sockets: Path) -> bool: ...


class Supervisor:
    """The caller holds the supervisor lock of the home and has one thread."""

    def __init__(self, layout: Layout, server: Server, users: FileLock) -> None:
        self._layout = layout
        self._server = server
        self._users = users
        self._told_to_leave = False

    def run(self) -> None:
        """Serve until the last user leaves or a signal says so; EmbeddedError if the server does not come up."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._leave)
        for deaths in itertools.count():
            self._serve()
            rest = Deadline(min(LONGEST_REST, PAUSE * 2**deaths))
            if self._leaving() or rest.wait_for(self._leaving, PAUSE):
                return

    def _leave(self, *_signal: object) -> None:
        self._told_to_leave = True

    def _leaving(self) -> bool:
        """Once true it stays so: the users' lock is kept, and newcomers wait for it until this process has gone."""
        self._told_to_leave = self._told_to_leave or self._users.try_exclusive()
        return self._told_to_leave

    def _serve(self) -> None:
        """One life of the server: returns when it has died or is no longer wanted."""
        server, layout = self._server, self._layout
        with FileLock(layout.server_lock) as lock:
            take_over(lock, server.pid_file, server.stop_signal)
            with socket_directory(layout, server.identity.owner) as sockets:
                launcher = Launcher(server.identity, lock)
                server.prepare(launcher)
                self._run_process(launcher, sockets)

    def _run_process(self, launcher: Launcher, sockets: Path) -> None:
        log = ServerLog(self._layout.log)
        with log.open() as output:
            written = log.size()
            command, stop = self._server.command(sockets), self._server.stop_signal
            process = launcher.start(command, self._server.folder, output, on_orphaned=stop)
        try:
            while not self._server.answers(sockets):
                if process.poll() is not None:
                    raise self._did_not_start(log.telling_line(since=written))
                if self._leaving():
                    return
                time.sleep(START_PAUSE)
            write_whole(self._layout.ready, str(self._server.socket(sockets)))
            reachable = self._server.socket(sockets).exists  # cleaners of temporary folders are known to take it away
            while process.poll() is None and reachable() and not self._leaving():
                time.sleep(PAUSE)
        finally:
            self._layout.ready.unlink(missing_ok=True)
            _stop(process, self._server.stop_signal)

    def _did_not_start(self, line: str) -> EmbeddedError:
        reason = line or "it printed nothing"
        return EmbeddedError(f"{self._layout.service.label} did not start: {reason} (see {self._layout.log}).")


def main(arguments: Sequence[str]) -> None:
    order = _parse(arguments)
    layout = Layout(order.home, order.service)
    with FileLock(layout.supervisor_lock) as lock, FileLock(layout.users_lock) as users:
        if not lock.try_exclusive():
            return  # another one was faster
        if os.fork() > 0:
            os._exit(0)  # nobody has to wait for what is left behind, and it holds the lock already
        try:
            Supervisor(layout, _server(layout, order.program, durable=not order.fast), users).run()
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            write_whole(layout.failure, _sentence(layout, error))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="config.embedded.supervisor")
    parser.add_argument("service", type=Service)
    parser.add_argument("home", type=Path)
    parser.add_argument("program", type=Path, help="the folder of PostgreSQL's programs, or redis-server")
    parser.add_argument("--fast", action="store_true", help="for tests: what a crash leaves may be lost")
    return parser.parse_args(arguments)


def _server(layout: Layout, program: Path, durable: bool) -> Server:
    if layout.service is Service.POSTGRES:
        return postgres(layout, program, durable)
    return redis(layout, program, durable)


def _sentence(layout: Layout, error: Exception) -> str:
    if isinstance(error, EmbeddedError):
        return str(error)
    reason = explain(error) if isinstance(error, OSError) else str(error)
    return f"{layout.service.label} could not be started in {layout.root}: {reason}; or set {layout.service.setting}."


def _stop(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
