"""The composition root: opens what a process stands on, and closes it in reverse."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis

import migrations
from config.embedded import Embedded, EmbeddedError, start
from config.policies import load_defaults
from config.settings import Settings
from core.platform.clock import Clock, utc_now
from core.platform.db import Database
from core.platform.errors import Misconfigured, Unavailable
from core.platform.ids import Holder, new_holder
from core.platform.migrate import load_migrations, migrate
from core.platform.policies import Policies
from core.platform.secretbox import SecretBox, new_key

MIGRATIONS = Path(migrations.__path__[0])
KEY_FILE = "parley-secret-keys"


@dataclass(frozen=True)
class Addresses:
    """Where the servers are; `redis_url` is None for a command that has no need of Redis."""

    admin_dsn: str
    database_dsn: str
    redis_url: str | None


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    addresses: Addresses
    database: Database
    redis: "Redis | None"
    policies: Policies
    clock: Clock
    holder: Holder

    def need_redis(self) -> "Redis":
        if self.redis is None:
            raise Unavailable("This process was started without Redis: set REDIS_URL.")
        return self.redis

    def secret_box(self) -> SecretBox:
        """Raises Misconfigured where real servers are used and no key was set."""
        keys = self.settings.parley_secret_keys
        if not keys and self.settings.database_url is not None:
            raise Misconfigured(
                "PARLEY_SECRET_KEYS is not set: make a key with `parley secrets new-key` and keep it safe."
            )
        return SecretBox(keys or [own_secret_key(self.settings.home)])


@asynccontextmanager
async def open_runtime(settings: Settings, app: str, *, redis: bool = True, pool: int = 10) -> AsyncIterator[Runtime]:
    """Servers (embedded where none is configured), schema, pool. Raises AppError when something cannot be had."""
    async with AsyncExitStack() as stack:
        addresses = await find_servers(stack, settings, redis=redis)
        await migrate(addresses.admin_dsn, load_migrations(MIGRATIONS), login_of(addresses.database_dsn))
        database = await Database.open(addresses.database_dsn, name=app, size=pool)
        stack.push_async_callback(database.close)
        client = _open_redis(addresses.redis_url)
        if client is not None:
            stack.push_async_callback(client.aclose)
        yield Runtime(
            settings=settings,
            addresses=addresses,
            database=database,
            redis=client,
            policies=Policies(database, load_defaults()),
            clock=utc_now,
            holder=new_holder(app),
        )


async def find_servers(stack: AsyncExitStack, settings: Settings, *, redis: bool) -> Addresses:
    """The configured servers; embedded ones for what is not configured, held until the stack unwinds."""
    want_postgres, want_redis = settings.database_url is None, redis and settings.redis_url is None
    embedded = await _start_embedded(settings, want_postgres=want_postgres, want_redis=want_redis)
    if embedded is not None:
        stack.callback(embedded.close)
    servers = embedded.servers if embedded else None
    redis_url = settings.redis_url or (servers.redis_url if servers else None)
    if settings.database_url is not None:
        admin = settings.database_admin_url or settings.database_url
        return Addresses(admin, settings.database_url, redis_url if redis else None)
    assert servers is not None  # noqa: S101 - without DATABASE_URL it was started above
    return Addresses(servers.admin_dsn, servers.database_dsn, redis_url if redis else None)


async def _start_embedded(settings: Settings, *, want_postgres: bool, want_redis: bool) -> Embedded | None:
    if not (want_postgres or want_redis):
        return None
    try:
        return await asyncio.to_thread(
            start,
            settings.home,
            want_postgres=want_postgres,
            want_redis=want_redis,
            redis_server=settings.parley_redis_server,
        )
    except EmbeddedError as error:
        raise Unavailable(str(error)) from error


def login_of(dsn: str) -> str | None:
    """The user that a DSN names, in either of its places; None where the environment decides."""
    parts = urlsplit(dsn)
    return unquote(parts.username) if parts.username else next(iter(parse_qs(parts.query).get("user", [])), None)


def _open_redis(url: str | None) -> "Redis | None":
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss"} and not (parts.path.strip("/").isdecimal() or parts.path in {"", "/"}):
        raise Misconfigured(
            "REDIS_URL cannot be used (its path is no database number): it looks like redis://host:6379/0."
        )
    try:
        client: Redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=10, health_check_interval=30)
    except ValueError as error:
        raise Misconfigured(f"REDIS_URL cannot be used ({error}): it looks like redis://host:6379/0.") from error
    return client


def own_secret_key(home: Path) -> str:
    """The key of an installation with embedded servers: made once, readable by its user only."""
    path = home / "secrets" / KEY_FILE
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_key())
    try:
        os.link(draft, path)  # unlike a rename it never replaces the key of a process that was faster
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
