"""Databases for tests: a template made once for a set of migrations, clones of it, empty ones."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg

from core.platform.migrate import Migration, migrate

LOCK = 4_117


class Copy(NamedTuple):
    admin_dsn: str
    database_dsn: str


class Cluster:
    def __init__(self, admin_dsn: str, database_dsn: str) -> None:
        self.admin_dsn = admin_dsn
        self.database_dsn = database_dsn
        self.template: str | None = None

    async def make_template(self, name: str, migrations: Sequence[Migration]) -> None:
        admin = await asyncpg.connect(self.admin_dsn)
        try:
            await admin.execute("SELECT pg_advisory_lock($1)", LOCK)
            ready = await admin.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", name)
            if not ready:  # absent, or left half-made by a run that was killed
                await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                await admin.execute(f'CREATE DATABASE "{name}"')
                await migrate(with_database(self.admin_dsn, name), migrations)
                await admin.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')
        finally:
            await admin.close()
        self.template = name

    @asynccontextmanager
    async def clone(self) -> AsyncIterator[Copy]:
        """A migrated database of its own."""
        async with self.empty(self.template) as copy:
            yield copy

    @asynccontextmanager
    async def empty(self, template: str | None = None) -> AsyncIterator[Copy]:
        """A database without a schema, unless a template is named."""
        name = f"parley_test_{secrets.token_hex(6)}"
        source = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
        admin = await asyncpg.connect(self.admin_dsn)
        try:
            await admin.execute(f'CREATE DATABASE "{name}"{source}')
            yield Copy(with_database(self.admin_dsn, name), with_database(self.database_dsn, name))
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await admin.close()


def with_database(dsn: str, name: str) -> str:
    parts = urlsplit(dsn)
    return f"{parts.scheme}://{parts.netloc}/{name}" + (f"?{parts.query}" if parts.query else "")
