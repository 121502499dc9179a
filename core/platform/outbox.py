"""Events, written in the transaction of the rows they speak of, so that no crash can part the two.

An event says which row changed; whoever consumes it reads the row. It reaches each consumer at least once, in no
promised order; a receipt, written with the consumer's effect, makes the effect happen once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.platform import correlation
from core.platform.db import Repo
from core.platform.due import DueKind, DueRepo
from core.platform.ids import EventId, TenantId


class Event(BaseModel):
    """`payload` holds ids, times and counts, never texts."""

    model_config = ConfigDict(frozen=True)

    kind: str
    subject_id: int
    payload: dict[str, Any] = {}


class StoredEvent(Event):
    tenant_id: TenantId
    id: EventId
    created_at: datetime
    correlation_id: str | None


class OutboxRepo(Repo):
    async def add(self, tenant_id: TenantId, events: Sequence[Event], now: datetime) -> list[EventId]:
        rows = await self._db.fetch(
            ADD,
            tenant_id,
            [e.kind for e in events],
            [e.subject_id for e in events],
            [e.payload for e in events],
            now,
            correlation.current(),
        )
        ids = [EventId(row["id"]) for row in rows]
        await DueRepo(self._db).add(tenant_id, DueKind.EVENT, ids, now)
        return ids

    async def get(self, tenant_id: TenantId, event_id: EventId) -> StoredEvent | None:
        row = await self._db.fetchrow(GET, tenant_id, event_id)
        return StoredEvent.model_validate(dict(row)) if row else None

    async def claim(
        self, tenant_id: TenantId, event_ids: Sequence[int], now: datetime, look_again_at: datetime
    ) -> list[StoredEvent]:
        """Those of `event_ids` that are due and that nobody else publishes; due again at `look_again_at`."""
        rows = await self._db.fetch(CLAIM, tenant_id, event_ids, now, look_again_at)
        return [StoredEvent.model_validate(dict(row)) for row in rows]

    async def mark_published(self, tenant_id: TenantId, event_ids: Sequence[int], now: datetime) -> None:
        await self._db.execute(MARK_PUBLISHED, tenant_id, event_ids, now)

    async def add_receipt(self, tenant_id: TenantId, event_id: EventId, consumer: str) -> bool:
        """False when this consumer has done this event before, or when the event is gone (retention)."""
        return await self._db.fetchval(ADD_RECEIPT, tenant_id, event_id, consumer) is not None

    async def finish(self, tenant_id: TenantId, event_id: EventId, wanted: int) -> None:
        """The event is due no more once it has `wanted` receipts; where two come at once, the relay notices later."""
        await self._db.execute(FINISH, tenant_id, event_id, wanted)

    async def list_receipts(self, tenant_id: TenantId, event_ids: Sequence[int]) -> dict[int, set[str]]:
        rows = await self._db.fetch(LIST_RECEIPTS, tenant_id, event_ids)
        return {row["event_id"]: set(row["consumers"]) for row in rows}

    async def reopen(self, tenant_id: TenantId, event_id: EventId, consumer: str, now: datetime) -> None:
        """Takes a consumer's receipt back and makes the event due: the consumer gets it again."""
        await self._db.execute(DELETE_RECEIPT, tenant_id, event_id, consumer)
        await DueRepo(self._db).add(tenant_id, DueKind.EVENT, [event_id], now)

    async def rebuild_due(self, tenant_id: TenantId, now: datetime) -> int:
        """Makes every event due again that some consumer may not have seen; receipts keep effects from repeating."""
        return int((await self._db.execute(REBUILD_DUE, tenant_id, now)).split()[-1])

    async def count_waiting(self, tenant_id: TenantId) -> tuple[int, int]:
        """Events not yet published, and those published that some consumer has not done."""
        row = await self._db.fetchrow(COUNT_WAITING, tenant_id)
        return (row["unpublished"], row["unfinished"]) if row else (0, 0)

    async def delete_older(self, tenant_id: TenantId, before: datetime) -> int:
        """Forgets events that nobody waits for any more."""
        return int((await self._db.execute(DELETE_OLDER, tenant_id, before)).split()[-1])


ADD = """
INSERT INTO outbox (tenant_id, kind, subject_id, payload, created_at, correlation_id)
SELECT $1, e.kind, e.subject_id, e.payload, $5, $6
FROM unnest($2::text[], $3::bigint[], $4::jsonb[]) AS e (kind, subject_id, payload)
RETURNING id
"""
GET = """
SELECT tenant_id, id, kind, subject_id, payload, created_at, correlation_id FROM outbox WHERE tenant_id = $1 AND id = $2
"""
# The row in `due` is the claim: whoever moves it forward publishes; SKIP LOCKED lets several relays share the work.
CLAIM = """
WITH mine AS (
    SELECT row_id FROM due
    WHERE tenant_id = $1 AND kind = 'event' AND row_id = ANY($2::bigint[]) AND due_at <= $3
    ORDER BY row_id FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE due SET due_at = $4 FROM mine
    WHERE due.tenant_id = $1 AND due.kind = 'event' AND due.row_id = mine.row_id
    RETURNING due.row_id
)
SELECT o.tenant_id, o.id, o.kind, o.subject_id, o.payload, o.created_at, o.correlation_id
FROM outbox o JOIN moved ON moved.row_id = o.id WHERE o.tenant_id = $1 ORDER BY o.id
"""
MARK_PUBLISHED = "UPDATE outbox SET published_at = $3 WHERE tenant_id = $1 AND id = ANY($2::bigint[])"
ADD_RECEIPT = """
INSERT INTO event_receipts (tenant_id, event_id, consumer)
SELECT tenant_id, id, $3 FROM outbox WHERE tenant_id = $1 AND id = $2
ON CONFLICT DO NOTHING RETURNING event_id
"""
FINISH = """
DELETE FROM due WHERE tenant_id = $1 AND kind = 'event' AND row_id = $2
AND (SELECT count(*) FROM event_receipts WHERE tenant_id = $1 AND event_id = $2) >= $3
"""
LIST_RECEIPTS = """
SELECT event_id, array_agg(consumer) AS consumers FROM event_receipts
WHERE tenant_id = $1 AND event_id = ANY($2::bigint[]) GROUP BY event_id
"""
DELETE_RECEIPT = "DELETE FROM event_receipts WHERE tenant_id = $1 AND event_id = $2 AND consumer = $3"
REBUILD_DUE = """
INSERT INTO due (tenant_id, kind, row_id, due_at)
SELECT o.tenant_id, 'event', o.id, $2 FROM outbox o
WHERE o.tenant_id = $1 AND NOT EXISTS (SELECT FROM event_receipts r WHERE r.tenant_id = $1 AND r.event_id = o.id)
ON CONFLICT DO NOTHING
"""
COUNT_WAITING = """
SELECT count(*) FILTER (WHERE o.published_at IS NULL) AS unpublished,
       count(*) FILTER (WHERE o.published_at IS NOT NULL) AS unfinished
FROM due d JOIN outbox o ON o.tenant_id = d.tenant_id AND o.id = d.row_id WHERE d.tenant_id = $1 AND d.kind = 'event'
"""
DELETE_OLDER = """
DELETE FROM outbox o WHERE o.tenant_id = $1 AND o.created_at < $2
AND NOT EXISTS (SELECT FROM due d WHERE d.tenant_id = $1 AND d.kind = 'event' AND d.row_id = o.id)
"""
