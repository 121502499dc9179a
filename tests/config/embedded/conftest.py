import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import asyncpg
import pytest
from redis.asyncio import Redis

from config.embedded import Servers
from config.embedded.deadline import Deadline
from config.embedded.layout import Layout, Service
from config.embedded.leftovers import recorded_pid
from config.embedded.locks import is_held
from config.embedded.share import CHECKOUT
from tests.config.embedded.processes import is_alive, parent_of

SECONDS = 20.0
USER = (sys.executable, "-m", "tests.config.embedded.user")


class UserOptions(TypedDict, total=False):
    env: Mapping[str, str]
    stderr: int
    own_session: bool
    command: Sequence[str]


class User:
    """Another process with a share in the servers of `home`."""

    def __init__(self, home: Path, **options: Unpack[UserOptions]) -> None:
        self.process = subprocess.Popen(
            [*options.get("command", USER), str(home)],
            cwd=CHECKOUT,
            env=options.get("env"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=options.get("stderr"),
            text=True,
            start_new_session=options.get("own_session", False),
        )
        assert self.process.stdin
        assert self.process.stdout
        self._stdin, self.stdout = self.process.stdin, self.process.stdout

    def servers(self) -> Servers:
        """Wait until it has started."""
        return Servers(**json.loads(self.stdout.readline()))

    def leave(self) -> int:
        self._stdin.close()
        return int(self.process.wait(SECONDS))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)

    def close(self) -> None:
        self.kill()
        self._stdin.close()
        self.stdout.close()


class Home:
    """A home seen from outside: which of its processes live, without asking the code under test to start anything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = Layout(path, Service.POSTGRES)
        self.redis = Layout(path, Service.REDIS)

    def pid(self, layout: Layout) -> int:
        name = "postmaster.pid" if layout.service is Service.POSTGRES else "redis.pid"
        pid = recorded_pid(layout.data / name)
        assert pid is not None
        return pid

    def supervisor(self, layout: Layout) -> int:
        return parent_of(self.pid(layout))

    def is_stopped(self) -> bool:
        locks = (
            lock for layout in (self.postgres, self.redis) for lock in (layout.supervisor_lock, layout.server_lock)
        )
        return not any(lock.exists() and is_held(lock) for lock in locks)

    def wait_stopped(self) -> None:
        assert Deadline(SECONDS).wait_for(self.is_stopped)


async def check_answers(servers: Servers) -> None:
    """Both servers let the application in."""
    connection = await asyncpg.connect(servers.database_dsn)
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        assert await redis.ping()


def kill(pid: int) -> None:
    """And wait until it is dead: the signal arrives later than the call returns."""
    os.kill(pid, signal.SIGKILL)
    assert Deadline(SECONDS).wait_for(lambda: not is_alive(pid))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path.resolve() / "home")
    yield home
    home.wait_stopped()


class NewUser:
    """Starts users of one home, or of another one, and ends them all."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._users: list[User] = []

    def __call__(self, home: Path | None = None, **options: Unpack[UserOptions]) -> User:
        self._users.append(User(home or self._home, **options))
        return self._users[-1]

    def close(self) -> None:
        for user in self._users:
            user.close()


@pytest.fixture
def user(home: Home) -> Iterator[NewUser]:
    users = NewUser(home.path)
    yield users
    users.close()


@pytest.fixture
def another_process() -> Iterator[int]:
    """The pid of a process of this account that has nothing to do with any server."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process.pid
    process.kill()
    process.communicate()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)
