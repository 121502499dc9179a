"""A row in every table of a tenant, made from the catalogue, so that a new table cannot be forgotten."""

from typing import Any

import asyncpg

SPECIAL: dict[str, str] = {
    "role": "'owner'", "state": "'due'", "kind": "'group'", "direction": "'in'", "channel": "'chat'", "hours": "24",
    "trigger": "'manual'", "rating": "5",
}  # fmt: skip
BY_TYPE = {
    "bigint": "1", "integer": "1", "smallint": "1", "text": "'x'", "boolean": "true", "jsonb": "'{}'", "bytea": "'x'",
    "timestamp with time zone": "timestamptz '2026-01-01'", "interval": "interval '1 day'",
}  # fmt: skip
OVERRIDES = {
    ("conversations", "status"): "NULL",
    ("digest_windows", "status"): "'pending'",
    ("digest_windows", "ends_at"): "timestamptz '2026-01-02'",
    ("digests", "ends_at"): "timestamptz '2026-01-02'",
    ("sources", "state"): "'ok'",
    ("deliveries", "state"): "'queued'",
    ("bot_updates", "state"): "'pending'",
    ("bot_people", "language"): "'ru'",
}
COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
TABLES = """
SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') ORDER BY 1
"""


async def fill_every_table(admin: "asyncpg.Connection[asyncpg.Record]", tenant_id: int) -> list[str]:
    """As the superuser, foreign keys not checked; returns the tables' names."""
    tables = [row["name"] for row in await admin.fetch(TABLES)]
    await admin.execute("SET session_replication_role = replica")
    for table in tables:
        if not await admin.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant_id):
            await _insert(admin, table, tenant_id)
    await admin.execute("RESET session_replication_role")
    return tables


async def _insert(admin: Any, table: str, tenant_id: int) -> None:
    columns = await admin.fetch(COLUMNS, table)
    values = [_value(table, row["name"], row["type"], tenant_id) for row in columns]
    names = ", ".join(f'"{row["name"]}"' for row in columns)
    await admin.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})")


def _value(table: str, name: str, type_: str, tenant_id: int) -> str:
    if name == "tenant_id":
        return str(tenant_id)
    return OVERRIDES.get((table, name)) or SPECIAL.get(name) or BY_TYPE[type_]
