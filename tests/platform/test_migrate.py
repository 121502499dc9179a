import asyncio
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from config.runtime import MIGRATIONS
from core.platform.db import Database
from core.platform.errors import Misconfigured, Unavailable
from core.platform.migrate import Migration, check_history, load_migrations, migrate
from tests.databases import Cluster

PLAIN = Migration(1, "ground", "SELECT 1; CREATE TABLE one (tenant_id int)")


def test_load_reads_files_in_order() -> None:
    migrations = load_migrations(MIGRATIONS)
    assert [m.version for m in migrations] == list(range(1, len(migrations) + 1))
    assert all(re.fullmatch(r"[a-z0-9_]+", m.name) for m in migrations)


@pytest.mark.parametrize(
    "names", [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"], ["notes.sql"]]
)
def test_load_refuses_gaps_doubles_and_stray_names(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(Misconfigured):
        load_migrations(tmp_path)


def test_check_history_refuses_a_newer_database() -> None:
    with pytest.raises(Misconfigured, match="newer than this code"):
        check_history({1: PLAIN.checksum, 2: "x"}, [PLAIN])


def test_check_history_refuses_an_edited_file() -> None:
    with pytest.raises(Misconfigured, match="another text"):
        check_history({1: "other"}, [PLAIN])


def test_check_history_gives_what_is_missing() -> None:
    second = Migration(2, "more", "SELECT 2")
    assert check_history({1: PLAIN.checksum}, [PLAIN, second]) == [second]


async def test_many_at_once_apply_each_migration_once(cluster: Cluster) -> None:
    async with cluster.empty() as copy:
        applied = await asyncio.gather(*(migrate(copy.admin_dsn, load_migrations(MIGRATIONS)) for _ in range(5)))
    assert sorted(map(len, applied)) == [0, 0, 0, 0, len(load_migrations(MIGRATIONS))]


async def test_a_failing_migration_leaves_nothing(cluster: Cluster) -> None:
    broken = Migration(1, "broken", "CREATE TABLE half (tenant_id int); SELECT 1 / 0")
    async with cluster.empty() as copy:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(copy.admin_dsn, [broken])
        db = await asyncpg.connect(copy.admin_dsn)
        assert await db.fetchval("SELECT to_regclass('half')") is None
        assert await db.fetchval("SELECT count(*) FROM schema_migrations") == 0
        await db.close()


async def test_the_owner_cannot_log_in_and_owns_every_table(cluster: Cluster) -> None:
    async with cluster.clone() as copy:
        db = await asyncpg.connect(copy.admin_dsn)
        owners = await db.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'parts')")
        assert [row["tableowner"] for row in owners] == ["parley_owner"]
        assert await db.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'parley_owner'") is False
        await db.close()


async def test_an_index_on_partitions_is_built_one_by_one_and_resumes(cluster: Cluster) -> None:
    migrations = load_migrations(MIGRATIONS)
    index = Migration(
        len(migrations) + 1,
        "index",
        "-- parley: index on partitions\nCREATE INDEX interactions_extra ON interactions (tenant_id, author_id) "
        "WHERE author_id IS NOT NULL;\n-- parley: outside transaction\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS more ON jobs (tenant_id, kind)",
    )
    async with cluster.clone() as copy:
        db = await asyncpg.connect(copy.admin_dsn)
        await db.execute("SET ROLE parley_owner")
        # What a killed concurrent build leaves: the parent's index, and an invalid one on a partition.
        await db.execute(
            "CREATE INDEX interactions_extra ON ONLY interactions (tenant_id, author_id) WHERE author_id IS NOT NULL"
        )
        await db.execute(
            "CREATE INDEX interactions_chat_interactions_extra ON parts.interactions_chat (tenant_id, author_id) "
            "WHERE author_id IS NOT NULL"
        )
        await db.execute("RESET ROLE")
        await db.execute(
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = 'parts.interactions_chat_interactions_extra'::regclass"
        )
        await migrate(copy.admin_dsn, [*migrations, index])
        assert await db.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'interactions_extra'::regclass")
        attached = await db.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'interactions_extra'::regclass"
        )
        assert attached == await db.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'interactions'::regclass"
        )
        assert await migrate(copy.admin_dsn, [*migrations, index]) == []
        await db.close()


async def test_a_lock_held_by_others_is_waited_for_and_never_for_long(cluster: Cluster) -> None:
    """While the first holds the table, the second's DDL gives up its place in the queue and tries again."""
    second = Migration(2, "column", "ALTER TABLE one ADD COLUMN more int")
    async with cluster.empty() as copy:
        await migrate(copy.admin_dsn, [PLAIN])
        holder = await asyncpg.connect(copy.admin_dsn)
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("LOCK TABLE one IN ACCESS SHARE MODE")
        running = asyncio.create_task(migrate(copy.admin_dsn, [PLAIN, second]))
        observer = await asyncpg.connect(copy.admin_dsn)
        while not await observer.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"):
            await asyncio.sleep(0.01)
        assert (
            await observer.fetchval("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'") == "0"
        )  # the observer's own; the migration set its own for itself only
        await transaction.rollback()
        assert await running == [second]
        await holder.close()
        await observer.close()


async def test_a_login_without_rights_is_told_what_to_do(cluster: Cluster) -> None:
    async with cluster.empty() as copy:
        with pytest.raises(Misconfigured, match="DATABASE_ADMIN_URL"):
            await migrate(copy.database_dsn, load_migrations(MIGRATIONS))


async def test_no_server_is_told_without_the_password() -> None:
    with pytest.raises(Unavailable) as caught:
        await migrate("postgresql://someone:hunter2@127.0.0.1:1/parley", [PLAIN])
    assert "hunter2" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


async def test_a_plain_login_is_admitted_by_the_migration(cluster: Cluster) -> None:
    """DATABASE_URL names a login of its own; the administrator's migration lets it act as the application."""
    login = f"plain_{secrets.token_hex(4)}"
    async with cluster.empty() as copy:
        admin = await asyncpg.connect(copy.admin_dsn)
        await admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'plain-words'")
        parts = urlsplit(copy.admin_dsn)
        dsn = f"{parts.scheme}://{login}:plain-words@{parts.netloc.rpartition('@')[2]}{parts.path}?{parts.query}"
        with pytest.raises(Misconfigured, match="DATABASE_ADMIN_URL"):
            await Database.open(dsn, name="plain")
        await migrate(copy.admin_dsn, load_migrations(MIGRATIONS), login)
        assert await migrate(dsn, load_migrations(MIGRATIONS), login) == []
        database = await Database.open(dsn, name="plain")
        async with database.anyone() as db:
            assert await db.fetchval("SELECT current_user") == "parley_app"
        await database.close()
        await admin.execute(f"DROP ROLE {login}")
        await admin.close()
