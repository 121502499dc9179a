"""The way to Postgres: one pool, and transactions that belong to a tenant.

Nothing outside a `UnitOfWork` can see a tenant's rows: the pool's connections run as `parley_app`, which owns nothing,
and row level security shows nothing until the transaction has named its tenant.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeAlias

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from core.platform.errors import Misconfigured, Unavailable
from core.platform.ids import TenantId

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
APP_ROLE = "parley_app"
SWEEP_ROLE = "parley_sweep"
CONNECT_SECONDS = 20

log = structlog.get_logger(__name__)


class Repo:
    """Base of each room's repository: the only place with SQL."""

    def __init__(self, db: Connection) -> None:
        self._db = db


class UnitOfWork:
    """One transaction of one tenant. No network inside it, apart from the database's own."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", tenant_id: TenantId) -> None:
        self.tenant_id = tenant_id
        self._pool = pool

    async def __aenter__(self) -> Self:
        self.db: Connection = await acquire(self._pool)
        try:
            # One round trip instead of three; the id is a number, so it may stand in the statement.
            await self.db.execute(f"BEGIN; SELECT set_config('app.tenant', '{int(self.tenant_id)}', true)")
        except BaseException:
            await self._abandon()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await self._abandon()
            return
        try:
            await self.db.execute("COMMIT")
        except BaseException:
            await self._abandon()
            raise
        await self._pool.release(self.db)  # type: ignore[arg-type]

    async def _abandon(self) -> None:
        try:
            # A connection that the server lost has no transaction to end, and must not hide why it was lost.
            with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
                await self.db.execute("ROLLBACK")
        finally:
            await self._pool.release(self.db)  # type: ignore[arg-type]


class Database:
    """The pool of one process."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool

    @classmethod
    async def open(cls, dsn: str, *, name: str, size: int = 10) -> Self:
        """Connects as the application role, whatever login the DSN names; raises Unavailable when nobody answers."""
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size,
                init=_prepare,
                timeout=CONNECT_SECONDS,
                # A startup parameter, so that the pool's RESET ALL comes back to it.
                # The search path is ours too: a role's own settings, or temporary tables, must not shadow anything.
                server_settings={
                    "role": APP_ROLE,
                    "application_name": f"parley {name}",
                    "search_path": "public, pg_temp",
                    "row_security": "on",
                },
            )
        except asyncpg.InsufficientPrivilegeError as error:
            raise Misconfigured(
                f"The login of DATABASE_URL may not act as {APP_ROLE}: run «GRANT {APP_ROLE} TO login» as an "
                "administrator, or `parley migrate` with DATABASE_ADMIN_URL."
            ) from error
        except CONNECT_ERRORS as error:
            raise unavailable(error) from error
        return cls(pool)

    async def close(self) -> None:
        await self.pool.close()

    def uow(self, tenant_id: TenantId) -> UnitOfWork:
        return UnitOfWork(self.pool, tenant_id)

    @asynccontextmanager
    async def anyone(self) -> AsyncIterator[Connection]:
        """A connection without a tenant: it sees no rows, only the functions of the directory."""
        connection = await acquire(self.pool)
        try:
            yield connection
        finally:
            await self.pool.release(connection)  # type: ignore[arg-type]

    @asynccontextmanager
    async def sweep(self) -> AsyncIterator[Connection]:
        """A read-only transaction of the sweeper, which sees `due` of all tenants and nothing else."""
        async with self.anyone() as db, db.transaction(readonly=True):
            await db.execute(f"SET LOCAL ROLE {SWEEP_ROLE}")
            yield db


CONNECT_ERRORS: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    ValueError,
)


async def acquire(pool: "asyncpg.Pool[asyncpg.Record]") -> Connection:
    try:
        return await pool.acquire(timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> Unavailable:
    """The reason in one line; a DSN is never repeated, it may hold a password."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return Unavailable(
        f"PostgreSQL cannot be reached ({reason}): check DATABASE_URL and that the server runs, "
        "or unset it to use the embedded one."
    )


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=to_json, decoder=json.loads)


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
