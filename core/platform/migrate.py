"""Brings a database to the schema that this code expects: plain SQL files, in order, once, under one lock.

A file is one transaction. Where it must not be, it says so, block by block:

    -- parley: outside transaction     the statement below runs by itself (write it so that it can run twice)
    -- parley: index on partitions     the CREATE INDEX below is built concurrently on each partition, then attached

Every lock is waited for at most LOCK_TIMEOUT, so that a migration never queues the whole product behind itself.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg
import structlog
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.platform.db import CONNECT_ERRORS, CONNECT_SECONDS, unavailable
from core.platform.errors import Misconfigured, Unavailable

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
DIRECTIVE = re.compile(r"^-- parley: (outside transaction|index on partitions)\s*$", re.M)
PARTITION_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX (\w+) ON (\w+) (.+)", re.S)
LOCK = 7_274_153_926_114_021_697  # any constant: the advisory lock of Parley's migrations
LOCK_TIMEOUT = "5s"
MIGRATION_WAIT = "5min"
ROLES = ("parley_owner", "parley_app", "parley_sweep", "parley_search")

log = structlog.get_logger(__name__)
Admin = asyncpg.Connection  # a login that may create roles, or already belongs to parley_owner


class Migration(NamedTuple):
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Path) -> list[Migration]:
    """Reads NNNN_name.sql files; raises Misconfigured on a gap, a double number or a stray name."""
    migrations = []
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if not match:
            raise Misconfigured(f"migrations/{path.name} is not named NNNN_name.sql: rename it.")
        migrations.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [m.version for m in migrations] != list(range(1, len(migrations) + 1)):
        raise Misconfigured("The numbers of migrations/*.sql have a gap or a double: number them 0001, 0002, ….")
    return migrations


async def migrate(dsn: str, migrations: Sequence[Migration], login: str | None = None) -> list[Migration]:
    """Applies what is missing and returns it. Many processes may call it at once: one works, the others wait.

    `login`: the one that the application connects with, where it is another than the DSN's; it may then act as
    parley_app.
    """
    try:
        db = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    except CONNECT_ERRORS as error:
        raise unavailable(error) from error
    try:
        await _lock(db)
        done = await _applied(db)
        pending = check_history(done, migrations)
        if pending:
            await _prepare_owner(db)
            for migration in pending:
                await _apply(db, migration)
            await db.execute("RESET ROLE")
        if login is not None:
            await _admit(db, login)
        return pending
    finally:
        await db.close()


def check_history(done: dict[int, str], migrations: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied; raises Misconfigured when the database and the code tell different stories."""
    newest = max(done, default=0)
    if newest > len(migrations):
        raise Misconfigured(
            f"The database has schema {newest:04}, newer than this code's {len(migrations):04}: update Parley."
        )
    for migration in migrations[:newest]:
        if done.get(migration.version) != migration.checksum:
            raise Misconfigured(
                f"Migration {migration.version:04}_{migration.name} was applied with another text than the file has "
                "now: restore the file and put the change into a new one."
            )
    return list(migrations[newest:])


async def schema_version(db: "asyncpg.Connection[asyncpg.Record]") -> int:
    return max(await _applied(db), default=0)


async def _applied(db: "asyncpg.Connection[asyncpg.Record]") -> dict[int, str]:
    if await db.fetchval("SELECT to_regclass('public.schema_migrations')") is None:
        return {}
    try:
        rows = await db.fetch(APPLIED)
    except asyncpg.InsufficientPrivilegeError:  # a plain login: it reads as the application does
        rows = await _as_application(db)
    return {row["version"]: row["checksum"] for row in rows}


async def _as_application(db: "asyncpg.Connection[asyncpg.Record]") -> list[asyncpg.Record]:
    try:
        await db.execute("SET ROLE parley_app")
        rows = await db.fetch(APPLIED)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Misconfigured(
            "This database login may neither migrate nor act as parley_app: run «GRANT parley_app TO login» as an "
            "administrator, or set DATABASE_ADMIN_URL."
        ) from error
    await db.execute("RESET ROLE")
    return list(rows)


APPLIED = "SELECT version, checksum FROM public.schema_migrations"


async def _lock(db: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Waits for whoever migrates now, not for ever: any session could hold the lock."""
    await db.execute(f"SET lock_timeout = '{MIGRATION_WAIT}'")
    try:
        await db.execute("SELECT pg_advisory_lock($1)", LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise Unavailable(
            f"Another session has held the lock of the migrations for {MIGRATION_WAIT}: end it, or wait and try again."
        ) from error


async def _admit(db: "asyncpg.Connection[asyncpg.Record]", login: str) -> None:
    """Lets the application's login act as parley_app, if this session may grant that."""
    name = await db.fetchval("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = $1", login)
    if name is None or login in ROLES:
        return
    try:
        await _grant_role(db, "parley_app", name, "INHERIT FALSE, SET TRUE")
    except asyncpg.InsufficientPrivilegeError:
        log.warning("migration.not_admitted", reason="GRANT parley_app TO the application's login as an administrator")


async def _prepare_owner(db: "asyncpg.Connection[asyncpg.Record]") -> None:
    await ensure_roles(db)
    await db.execute("SET ROLE parley_owner")
    await db.execute(
        "CREATE TABLE IF NOT EXISTS public.schema_migrations (version int PRIMARY KEY, name text NOT NULL, "
        "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    await db.execute("GRANT SELECT ON public.schema_migrations TO parley_app")


@retry(
    retry=retry_if_exception_type(asyncpg.LockNotAvailableError),
    stop=stop_after_attempt(12),
    wait=wait_random_exponential(max=10),
    reraise=True,
)
async def _apply(db: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    await db.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    plain, *blocks = DIRECTIVE.split(migration.sql)
    if not blocks:
        async with db.transaction():
            await db.execute(plain)
            await _record(db, migration)
    else:
        for directive, sql in zip(blocks[::2], blocks[1::2], strict=True):
            await (_outside(db, sql) if directive == "outside transaction" else _index_partitions(db, sql))
        await _record(db, migration)
    log.info("migration.applied", version=migration.version, name=migration.name)


async def _record(db: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    await db.execute(
        "INSERT INTO public.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
        migration.version,
        migration.name,
        migration.checksum,
    )


async def _outside(db: "asyncpg.Connection[asyncpg.Record]", sql: str) -> None:
    await db.execute(sql)


async def _index_partitions(db: "asyncpg.Connection[asyncpg.Record]", sql: str) -> None:
    """Builds an index of a partitioned table without stopping its writers; picks up where a crash left it."""
    match = PARTITION_INDEX.search(sql.strip().rstrip(";"))
    if not match:
        raise Misconfigured("A block «index on partitions» must hold one CREATE INDEX name ON table (…) statement.")
    unique, name, table, definition = match[1] or "", match[2], match[3], match[4]
    await db.execute(f"CREATE {unique}INDEX IF NOT EXISTS {name} ON ONLY {table} {definition}")
    for leaf in await db.fetch(LEAVES, table):
        await _index_leaf(db, f"CREATE {unique}INDEX CONCURRENTLY", name, leaf["schema"], leaf["leaf"], definition)


async def _index_leaf(
    db: "asyncpg.Connection[asyncpg.Record]", create: str, name: str, schema: str, leaf: str, definition: str
) -> None:
    leaf_index = f"{leaf}_{name}"[:63]
    found = await db.fetchrow(LEAF_INDEX, f"{schema}.{leaf_index}")
    if found and found["attached"]:
        return
    if found and not found["valid"]:  # a concurrent build that was interrupted leaves an invalid index behind
        await db.execute(f"DROP INDEX CONCURRENTLY {schema}.{leaf_index}")
        found = None
    if not found:
        await db.execute(f"{create} {leaf_index} ON {schema}.{leaf} {definition}")
    await db.execute(f"ALTER INDEX {name} ATTACH PARTITION {schema}.{leaf_index}")


LEAVES = """
SELECT n.nspname AS schema, c.relname AS leaf
FROM pg_partition_tree($1::text::regclass) t JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.isleaf ORDER BY c.relname
"""
LEAF_INDEX = """
SELECT i.indisvalid AS valid, EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) AS attached
FROM pg_index i WHERE i.indexrelid = to_regclass($1)
"""


@retry(
    # Roles belong to the whole cluster, the advisory lock to one database: two first starts may collide here.
    retry=retry_if_exception_type(
        (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.InternalServerError)
    ),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    reraise=True,
)
async def ensure_roles(db: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The three roles of row level security and their owner; needs a login that may create roles, the first time."""
    try:
        missing = set(ROLES) - {r["rolname"] for r in await db.fetch("SELECT rolname FROM pg_roles")}
        for role in sorted(missing):
            await db.execute(f"CREATE ROLE {role} NOLOGIN")
        login = await db.fetchval("SELECT quote_ident(session_user)")
        for role, member, options in MEMBERSHIPS:
            await _grant_role(db, role, member or login, options)
        database = await db.fetchval("SELECT quote_ident(current_database())")
        await db.execute(f"GRANT CREATE ON DATABASE {database} TO parley_owner")
        await db.execute("GRANT USAGE, CREATE ON SCHEMA public TO parley_owner")
    except asyncpg.InsufficientPrivilegeError as error:
        raise Misconfigured(
            f"The database login may not prepare the schema ({str(error).splitlines()[0]}): run `parley migrate` once "
            "with DATABASE_ADMIN_URL set to a login that may create roles."
        ) from error


# role, member (None: the login), options. The application steps into the sweeper by SET ROLE, inheriting nothing.
MEMBERSHIPS: tuple[tuple[str, str | None, str], ...] = (
    ("parley_owner", None, "INHERIT TRUE, SET TRUE"),
    ("parley_app", None, "INHERIT FALSE, SET TRUE"),
    ("parley_sweep", "parley_app", "INHERIT FALSE, SET TRUE"),
    ("parley_search", "parley_owner", "INHERIT FALSE, SET TRUE"),
)


async def _grant_role(db: "asyncpg.Connection[asyncpg.Record]", role: str, member: str, options: str) -> None:
    held = await db.fetchval(
        "SELECT EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = $1::text::regrole "
        "AND m.member = $2::text::regrole AND m.set_option)",
        role,
        member,
    )
    if not held and role != member:
        await db.execute(f"GRANT {role} TO {member} WITH {options}")
