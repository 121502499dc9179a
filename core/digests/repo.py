"""SQL of digests and of the windows they are made for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, NewType

from core.platform.db import Repo
from core.platform.ids import TenantId

DigestId = NewType("DigestId", int)
WindowId = NewType("WindowId", int)


class StoredWindow(NamedTuple):
    id: WindowId
    conversation_id: int
    starts_at: datetime
    ends_at: datetime
    status: str


class DigestRepo(Repo):
    async def add(
        self,
        tenant_id: TenantId,
        conversation_id: int,
        trigger: str,
        span: tuple[datetime, datetime],
        outcome: tuple[str, str | None, str | None, str],
        payload: dict[str, Any],
    ) -> DigestId:
        """`outcome` is (status, reason, mode, provider)."""
        return DigestId(await self._db.fetchval(ADD, tenant_id, conversation_id, trigger, *span, *outcome, payload))

    async def get_last_end(self, tenant_id: TenantId, conversation_id: int) -> datetime | None:
        """Where the newest digest that said something ended."""
        end: datetime | None = await self._db.fetchval(GET_LAST_END, tenant_id, conversation_id)
        return end

    async def get_newest_message_at(
        self, tenant_id: TenantId, channel: str, conversation_ids: Sequence[int], before: datetime
    ) -> datetime | None:
        """Of those dated before `before`: a wrong clock must not hide a whole chat."""
        newest: datetime | None = await self._db.fetchval(GET_NEWEST, tenant_id, channel, conversation_ids, before)
        return newest


class WindowRepo(Repo):
    async def add(
        self, tenant_id: TenantId, conversation_id: int, hours: int, starts_at: datetime, ends_at: datetime
    ) -> WindowId | None:
        """None when this window was formed before: it is unique by chat and end."""
        found = await self._db.fetchval(ADD_WINDOW, tenant_id, conversation_id, hours, starts_at, ends_at)
        return None if found is None else WindowId(found)

    async def get(self, tenant_id: TenantId, window_id: WindowId) -> StoredWindow | None:
        row = await self._db.fetchrow(GET_WINDOW, tenant_id, window_id)
        return StoredWindow(*row) if row else None

    async def set_status(self, tenant_id: TenantId, window_id: WindowId, status: str, reason: str | None) -> None:
        await self._db.execute(SET_WINDOW_STATUS, tenant_id, window_id, status, reason)


ADD = """
INSERT INTO digests (tenant_id, conversation_id, trigger, starts_at, ends_at, status, reason, mode, provider, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id
"""
GET_LAST_END = """
SELECT max(ends_at) FROM digests WHERE tenant_id = $1 AND conversation_id = $2 AND status = 'ready'
"""
GET_NEWEST = """
SELECT max(n.at) FROM unnest($3::bigint[]) AS c (id), LATERAL (
    SELECT i.occurred_at AS at FROM interactions i
    WHERE i.tenant_id = $1 AND i.channel = $2 AND i.conversation_id = c.id AND i.deleted_at IS NULL
        AND i.occurred_at < $4 AND i.kind NOT IN ('service', 'unsupported')
    ORDER BY i.occurred_at DESC LIMIT 1) n
"""
ADD_WINDOW = """
INSERT INTO digest_windows (tenant_id, conversation_id, hours, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, conversation_id, ends_at) DO NOTHING RETURNING id
"""
GET_WINDOW = """
SELECT id, conversation_id, starts_at, ends_at, status FROM digest_windows WHERE tenant_id = $1 AND id = $2
"""
SET_WINDOW_STATUS = "UPDATE digest_windows SET status = $3, reason = $4 WHERE tenant_id = $1 AND id = $2"
