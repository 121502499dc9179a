"""Who did what. Details hold ids and hashes, never texts; the application may add and read, not change."""

from datetime import datetime
from typing import Any

from core.platform.db import Repo
from core.platform.ids import TenantId


class AuditRepo(Repo):
    async def add(
        self, tenant_id: TenantId, actor: str, action: str, subject: str, details: dict[str, Any] | None = None
    ) -> None:
        """`actor` is "cli", "member:7", "job:digest"; `action` a noun.verb; `subject` a noun:id."""
        await self._db.execute(ADD, tenant_id, actor, action, subject, details or {})

    async def list_recent(self, tenant_id: TenantId, limit: int) -> list[tuple[datetime, str, str, str]]:
        rows = await self._db.fetch(LIST_RECENT, tenant_id, limit)
        return [(row["at"], row["actor"], row["action"], row["subject"]) for row in rows]


ADD = "INSERT INTO audit_log (tenant_id, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5)"
LIST_RECENT = "SELECT at, actor, action, subject FROM audit_log WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2"
