"""What the catalogue says about the walls between tenants, for `parley doctor` and the tests."""

from core.platform.db import Repo

# Tables without a tenant, each with its reason.
WITHOUT_TENANT = {"schema_migrations": "which migrations ran: about the database, not about a tenant"}


class GuardRepo(Repo):
    async def get_server_version(self) -> tuple[int, str]:
        """(180004, "PostgreSQL 18.4")."""
        number = int(await self._db.fetchval("SHOW server_version_num"))
        return number, f"PostgreSQL {(await self._db.fetchval('SHOW server_version')).split()[0]}"

    async def folds_russian(self) -> bool:
        return bool(
            await self._db.fetchval("SELECT lower('ЁЖ') = 'ёж' AND to_tsvector('russian', 'ЛАМПЫ') @@ 'ламп'::tsquery")
        )

    async def get_vector_version(self) -> str | None:
        version: str | None = await self._db.fetchval(
            "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector'"
        )
        return version

    async def is_bound_by_policies(self) -> bool:
        return bool(
            await self._db.fetchval("SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user")
        )

    async def list_open_tables(self) -> list[str]:
        """Tables, partitioned tables and partitions on which row level security is not enabled and forced."""
        return [row["name"] for row in await self._db.fetch(LIST_OPEN, list(WITHOUT_TENANT))]

    async def list_tables(self) -> list[tuple[str, bool]]:
        """Every table of Parley, partitions too, with whether it has a tenant_id."""
        return [(row["name"], row["has_tenant"]) for row in await self._db.fetch(LIST_TABLES)]

    async def list_keys_without_tenant(self) -> list[str]:
        """Foreign keys whose first column is not tenant_id: key checks bypass row level security."""
        return [row["name"] for row in await self._db.fetch(LIST_LOOSE_KEYS)]


TABLES = """
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'parts') AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
LIST_OPEN = f"""
SELECT n.nspname || '.' || c.relname AS name {TABLES}
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND NOT c.relname = ANY($1::text[])
ORDER BY 1
"""
LIST_TABLES = f"""
SELECT n.nspname || '.' || c.relname AS name,
       EXISTS (SELECT FROM pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS has_tenant
{TABLES} ORDER BY 1
"""
LIST_LOOSE_KEYS = """
SELECT k.conrelid::regclass::text || '.' || k.conname AS name
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
WHERE k.contype = 'f' AND (a.attname <> 'tenant_id' OR f.attname <> 'tenant_id') ORDER BY 1
"""
