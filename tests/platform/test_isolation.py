"""Invariant 2: every row has a tenant, and nobody sees or writes another's. Walks the catalogue, partitions too."""

import secrets
from typing import Any

import asyncpg
import pytest

from core.access.service import do_found_tenant
from core.platform.db import Database, UnitOfWork
from core.platform.guards import WITHOUT_TENANT, GuardRepo
from core.platform.ids import TenantId
from tests.databases import Cluster
from tests.rows import fill_every_table

PRIVILEGES = "SELECT", "INSERT", "UPDATE", "DELETE"


async def _tables(db: Any) -> list[str]:
    return [
        row["name"]
        for row in await db.fetch(
            "SELECT n.nspname || '.' || c.relname AS name "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' "
            "AND c.relkind IN ('r', 'p')"
        )
    ]


async def test_every_table_has_a_tenant_or_a_reason(cluster: Cluster) -> None:
    async with cluster.clone() as copy:
        db = await asyncpg.connect(copy.admin_dsn)
        tables = await GuardRepo(db).list_tables()
        assert {name for name, _ in tables} == set(await _tables(db)), "a table in a schema that nobody guards"
        without = {name.split(".")[1] for name, has_tenant in tables if not has_tenant}
        assert without == set(WITHOUT_TENANT)
        assert await GuardRepo(db).list_open_tables() == []
        await db.close()


async def test_every_foreign_key_begins_with_the_tenant(cluster: Cluster) -> None:
    async with cluster.clone() as copy:
        db = await asyncpg.connect(copy.admin_dsn)
        assert await GuardRepo(db).list_keys_without_tenant() == []
        await db.close()


async def test_the_guards_notice_what_they_are_for(cluster: Cluster) -> None:
    """The walk itself fails on a table without a tenant, an unforced policy, a loose key."""
    async with cluster.clone() as copy:
        db = await asyncpg.connect(copy.admin_dsn)
        await db.execute("CREATE TABLE loose (id int PRIMARY KEY)")
        await db.execute("CREATE TABLE looser (tenant_id bigint NOT NULL, loose_id int REFERENCES loose)")
        await db.execute("ALTER TABLE parts.interactions_chat NO FORCE ROW LEVEL SECURITY")
        guards = GuardRepo(db)
        assert ("public.loose", False) in await guards.list_tables()
        assert await guards.list_open_tables() == ["parts.interactions_chat", "public.loose", "public.looser"]
        assert await guards.list_keys_without_tenant() == ["looser.looser_loose_id_fkey"]
        await db.close()


async def test_partitions_and_their_schema_are_closed_to_the_application(database: Database) -> None:
    async with database.anyone() as db:
        assert not await db.fetchval("SELECT has_schema_privilege('parts', 'USAGE')")
        leaves = await db.fetch(
            "SELECT oid, relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'parts')"
        )
        assert leaves
        for leaf in leaves:
            for privilege in PRIVILEGES:
                assert not await db.fetchval("SELECT has_table_privilege($1::oid, $2)", leaf["oid"], privilege), leaf[
                    "relname"
                ]


async def test_the_application_role_is_bound(database: Database) -> None:
    async with database.anyone() as db:
        assert await db.fetchval("SELECT current_user") == "parley_app"
        assert await GuardRepo(db).is_bound_by_policies()
        assert await db.fetchval("SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == 0


@pytest.mark.parametrize("tenant", ["none", "empty", "other"])
async def test_without_its_tenant_every_table_yields_nothing(cluster: Cluster, tenant: str) -> None:
    async with cluster.clone() as copy:
        database = await Database.open(copy.database_dsn, name="tests")
        mine = await do_found_tenant(database, "mine", "Mine")
        other = await do_found_tenant(database, "other", "Other")
        admin = await asyncpg.connect(copy.admin_dsn)
        filled = await fill_every_table(admin, mine.tenant_id)
        assert set(filled) == {
            name.split(".")[1]
            for name, has_tenant in await GuardRepo(admin).list_tables()
            if has_tenant and name.startswith("public.")
        }
        async with database.pool.acquire() as db, db.transaction():
            if tenant != "none":
                value = "" if tenant == "empty" else str(other.tenant_id)
                await db.execute("SELECT set_config('app.tenant', $1, true)", value)
            for table in filled:
                if await db.fetchval("SELECT has_table_privilege($1, 'SELECT')", f"public.{table}"):
                    rows = await db.fetchval(
                        f"SELECT count(*) FROM public.{table} WHERE tenant_id = $1", mine.tenant_id
                    )
                    assert rows == 0, table
        await admin.close()
        await database.close()


async def test_a_foreign_row_is_refused_by_every_table(cluster: Cluster) -> None:
    async with cluster.clone() as copy:
        database = await Database.open(copy.database_dsn, name="tests")
        mine = await do_found_tenant(database, "mine", "Mine")
        other = await do_found_tenant(database, "other", "Other")
        admin = await asyncpg.connect(copy.admin_dsn)
        filled = await fill_every_table(admin, mine.tenant_id)
        for table in filled:
            await _try_to_steal(database, other.tenant_id, table, mine.tenant_id)
            assert await _count(admin, table, mine.tenant_id) >= 1
        await admin.close()
        await database.close()


async def _count(admin: Any, table: str, tenant_id: TenantId) -> int:
    return int(await admin.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant_id))


async def _try_to_steal(database: Database, thief: TenantId, table: str, victim: TenantId) -> None:
    """Insert for, update to, update and delete of another tenant: refused, or of no row."""
    async with database.uow(thief) as uow:
        columns = [
            r["attname"]
            for r in await uow.db.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped "
                "AND attidentity = '' AND attname <> 'tenant_id'",
                f"public.{table}",
            )
        ]
    inserting = f"INSERT INTO {table} (tenant_id) VALUES ($1)"
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.NotNullViolationError)) as caught:
        async with database.uow(thief) as uow:
            await uow.db.execute(inserting, victim)
    assert isinstance(caught.value, asyncpg.InsufficientPrivilegeError) or await _is_refused_when_complete(
        database, thief, table, victim
    )
    for statement in (
        f"UPDATE {table} SET {columns[0]} = {columns[0]} WHERE tenant_id = $1",
        f"DELETE FROM {table} WHERE tenant_id = $1",
    ):
        try:
            async with database.uow(thief) as uow:
                assert (await uow.db.execute(statement, victim)).split()[-1] == "0", statement
        except asyncpg.InsufficientPrivilegeError:
            continue  # the application has no such right on this table at all


async def _is_refused_when_complete(database: Database, thief: TenantId, table: str, victim: TenantId) -> bool:
    """A row policy is checked before NOT NULL only for complete rows: look at the policy itself instead."""
    async with database.anyone() as db:
        checks = await db.fetch(
            "SELECT with_check FROM pg_policies WHERE tablename = $1 AND policyname = 'tenant'", table
        )
    return [("app.tenant" in row["with_check"]) for row in checks] == [True]


async def test_a_pooled_connection_forgets_its_tenant(database: Database, tenant_id: TenantId) -> None:
    async with database.uow(tenant_id) as uow:
        assert await uow.db.fetchval("SELECT count(*) FROM projects") == 1
    for _ in range(database.pool.get_size() + 1):
        async with database.anyone() as db:
            assert await db.fetchval("SELECT count(*) FROM projects") == 0


async def test_the_sweeper_sees_due_rows_of_all_and_nothing_else(fresh: Database) -> None:
    one, two = [await do_found_tenant(fresh, name, name) for name in ("one", "two")]
    for tenant in (one, two):
        async with fresh.uow(tenant.tenant_id) as uow:
            await uow.db.execute("INSERT INTO due VALUES ($1, 'job', 1, now())", tenant.tenant_id)
    async with fresh.sweep() as db:
        assert await db.fetchval("SELECT count(*) FROM due") == 2
    for table in ("projects", "outbox", "interactions", "jobs"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with fresh.sweep() as db:
                await db.fetchval(f"SELECT count(*) FROM {table}")


async def test_a_unit_of_work_that_fails_leaves_nothing(database: Database, tenant_id: TenantId) -> None:
    name = secrets.token_hex(4)

    async def fail(uow: UnitOfWork) -> None:
        await uow.db.execute("INSERT INTO projects (tenant_id, slug, name) VALUES ($1, $2, $2)", tenant_id, name)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        async with database.uow(tenant_id) as uow:
            await fail(uow)
    async with database.uow(tenant_id) as uow:
        assert await uow.db.fetchval("SELECT count(*) FROM projects WHERE slug = $1", name) == 0
