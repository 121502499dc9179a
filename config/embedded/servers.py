"""Both servers of a home, as a process gets hold of them."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from config.embedded.binaries import postgres_programs, redis_program
from config.embedded.cluster import ADMIN, APP
from config.embedded.deadline import Deadline
from config.embedded.directories import make_home
from config.embedded.errors import EmbeddedError, explain
from config.embedded.layout import Layout, Service
from config.embedded.postgres import dsn
from config.embedded.redis import url
from config.embedded.secrets import Passwords
from config.embedded.share import Share


@dataclass(frozen=True)
class Servers:
    """Addresses for asyncpg and redis-py; '' for a server that was not asked for.

    `admin_dsn` is the superuser's, `database_dsn` that of the role which row security binds; both name one database.
    """

    admin_dsn: str = field(default="", repr=False)
    database_dsn: str = field(default="", repr=False)
    redis_url: str = ""


class Embedded:
    """A share in running servers. They stop when the last share is closed or its process has died."""

    def __init__(self, servers: Servers, shares: ExitStack) -> None:
        self.servers = servers
        self._shares = shares

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the share, without waiting for the servers to stop; a second time does nothing."""
        self._shares.close()


def start(
    home: Path,
    *,
    want_postgres: bool = True,
    want_redis: bool = True,
    timeout: float = 120,
    durable: bool = True,
    redis_server: str | None = None,
) -> Embedded:
    """Join the servers of a home, starting those that do not run; blocks for at most `timeout` seconds.

    Any number of processes may call it at once. Without `durable` a crash may lose data: for tests; whoever starts a
    server decides that for all who join. `redis_server` names the program to use. Raises EmbeddedError.
    """
    programs = _programs(want_postgres, want_redis, redis_server)
    home, deadline = make_home(home), Deadline(timeout)
    with ExitStack() as stack:
        shares = {
            service: stack.enter_context(Share(Layout(home, service), program, durable))
            for service, program in programs.items()
        }
        sockets = _settle(shares, deadline)
        return Embedded(_servers(home, sockets), stack.pop_all())


def _programs(want_postgres: bool, want_redis: bool, redis_server: str | None) -> dict[Service, Path]:
    programs = {}
    if want_postgres:
        programs[Service.POSTGRES] = postgres_programs()
    if want_redis:
        programs[Service.REDIS] = redis_program(redis_server)
    return programs


def _settle(shares: dict[Service, Share], deadline: Deadline) -> dict[Service, Path]:
    """Always in the same order, so that two starters cannot wait for each other."""
    try:
        for share in shares.values():
            share.claim(deadline)
        return {service: share.settle(deadline) for service, share in shares.items()}
    except OSError as error:
        raise EmbeddedError(
            f"Cannot start the embedded servers: {explain(error)}; set PARLEY_HOME to another folder."
        ) from error


def _servers(home: Path, sockets: dict[Service, Path]) -> Servers:
    admin = app = redis = ""
    if socket := sockets.get(Service.POSTGRES):
        path = Layout(home, Service.POSTGRES).secrets
        passwords = Passwords.load(path)
        if passwords is None:
            raise EmbeddedError(f"{path} has gone while PostgreSQL runs: end every user of {home} and start again.")
        admin, app = dsn(socket, ADMIN, passwords.admin), dsn(socket, APP, passwords.app)
    if socket := sockets.get(Service.REDIS):
        redis = url(socket)
    return Servers(admin, app, redis)
