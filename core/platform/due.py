"""What waits for a moment. Sweepers read `due` of all tenants; whoever owns the row it names does the work."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.platform.db import Repo
from core.platform.ids import TenantId


class DueKind(StrEnum):
    EVENT = "event"  # a row of outbox
    JOB = "job"  # a row of jobs
    LANE = "lane"  # a row of delivery_lanes


class Due(NamedTuple):
    tenant_id: TenantId
    row_id: int
    due_at: datetime


class DueRepo(Repo):
    async def add(self, tenant_id: TenantId, kind: DueKind, row_ids: Sequence[int], due_at: datetime) -> None:
        await self._db.execute(ADD, tenant_id, kind, row_ids, due_at)

    async def delete(self, tenant_id: TenantId, kind: DueKind, row_ids: Sequence[int]) -> None:
        await self._db.execute(DELETE, tenant_id, kind, row_ids)

    async def list_due(self, kind: DueKind, now: datetime, limit: int) -> list[Due]:
        """Of every tenant when run as the sweeper, of one tenant inside its unit of work."""
        return [
            Due(TenantId(r["tenant_id"]), r["row_id"], r["due_at"])
            for r in await self._db.fetch(LIST, kind, now, limit)
        ]


ADD = """
INSERT INTO due (tenant_id, kind, row_id, due_at) SELECT $1, $2, unnest($3::bigint[]), $4
ON CONFLICT (tenant_id, kind, row_id) DO UPDATE SET due_at = excluded.due_at
"""
DELETE = "DELETE FROM due WHERE tenant_id = $1 AND kind = $2 AND row_id = ANY($3::bigint[])"
LIST = "SELECT tenant_id, row_id, due_at FROM due WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3"
