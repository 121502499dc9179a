"""What a bench measures and how it is shown; and a database of its own for it, dropped afterwards."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from config.runtime import MIGRATIONS, Addresses, find_servers
from config.settings import Settings
from core.access.model import Tenant
from core.access.service import do_found_tenant
from core.platform.db import CONNECT_ERRORS, Database, unavailable
from core.platform.errors import Misconfigured
from core.platform.migrate import load_migrations, migrate


class Result(NamedTuple):
    """`ratio` is ours to floor; whether more or less is better follows from `unit` (per second, or seconds)."""

    name: str
    ours: float
    floor: float
    unit: str
    n: int

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    def as_json(self) -> dict[str, str | float | int]:
        return {
            "name": self.name,
            "ours": round(self.ours, 4),
            "floor": round(self.floor, 4),
            "ratio": round(self.ratio, 3),
            "unit": self.unit,
            "n": self.n,
        }


class Bench(NamedTuple):
    """A migrated database of its own, with one tenant; `admin` may do anything in it."""

    database: Database
    admin: "asyncpg.Connection[asyncpg.Record]"
    addresses: Addresses
    tenant: Tenant


@asynccontextmanager
async def open_bench(settings: Settings, *, redis: bool = False) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        addresses = await find_servers(stack, settings, redis=redis)
        name = f"parley_bench_{secrets.token_hex(4)}"
        await _create_database(stack, addresses.admin_dsn, name)
        own = Addresses(
            _with_database(addresses.admin_dsn, name), _with_database(addresses.database_dsn, name), addresses.redis_url
        )
        await migrate(own.admin_dsn, load_migrations(MIGRATIONS))
        database = await Database.open(own.database_dsn, name="bench")
        stack.push_async_callback(database.close)
        admin = await asyncpg.connect(own.admin_dsn)
        stack.push_async_callback(admin.close)
        yield Bench(database, admin, own, await do_found_tenant(database, "bench", "Bench"))


async def _create_database(stack: AsyncExitStack, admin_dsn: str, name: str) -> None:
    try:
        server = await asyncpg.connect(admin_dsn)
    except CONNECT_ERRORS as error:
        raise unavailable(error) from error
    stack.push_async_callback(server.close)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.InsufficientPrivilegeError as error:
        raise Misconfigured("This makes a database of its own: set DATABASE_ADMIN_URL to a login that may.") from error
    stack.push_async_callback(server.execute, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _with_database(dsn: str, name: str) -> str:
    parts = urlsplit(dsn)
    path = f"/{name}"
    if not parts.netloc:  # urlunsplit drops the empty authority of postgresql:///name?host=…
        return f"{parts.scheme}://{path}" + (f"?{parts.query}" if parts.query else "")
    return urlunsplit(parts._replace(path=path))


def middle(values: list[float]) -> float:
    return float(median(values))
