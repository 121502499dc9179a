"""From the outbox to Redis Streams, at least once.

An event stays due until every consumer that wants it has left a receipt. What Redis lost (FLUSHALL, a crash, a
restart without its file) has no receipt, so it is published again after RECEIPT_WAIT: Redis may forget everything.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from redis.asyncio import Redis

from core.platform import metrics
from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.due import DueKind, DueRepo
from core.platform.ids import TenantId
from core.platform.outbox import OutboxRepo, StoredEvent

RECEIPT_WAIT = timedelta(seconds=30)
BATCH = 500
STREAM_LENGTH = 100_000  # entries; older ones are trimmed, the outbox still has them


def stream_of(kind: str) -> str:
    """One stream for each kind of event; entries carry the tenant, keys that end with it would need a scan."""
    return f"parley:events:{kind}"


class Relay:
    """`wanted`: kind of event → names of the consumers that must leave a receipt."""

    def __init__(self, database: Database, redis: "Redis", wanted: Mapping[str, Sequence[str]], clock: Clock) -> None:
        self._database = database
        self._redis = redis
        self._wanted = wanted
        self._clock = clock

    async def run_once(self) -> int:
        """Publishes one batch of due events; returns how many rows it looked at. Raises ConnectionError of redis."""
        async with self._database.sweep() as db:
            due = await DueRepo(db).list_due(DueKind.EVENT, self._clock(), BATCH)
        for tenant_id, rows in groupby(sorted(due), key=lambda row: row.tenant_id):
            await self._relay_tenant(tenant_id, [row.row_id for row in rows])
        return len(due)

    async def _relay_tenant(self, tenant_id: TenantId, event_ids: list[int]) -> None:
        now = self._clock()
        async with self._database.uow(tenant_id) as uow:
            outbox = OutboxRepo(uow.db)
            claimed = await outbox.claim(tenant_id, event_ids, now, now + RECEIPT_WAIT)
            receipts = await outbox.list_receipts(tenant_id, [event.id for event in claimed])
            finished = [e.id for e in claimed if self._is_done(e, receipts)]
            await DueRepo(uow.db).delete(tenant_id, DueKind.EVENT, finished)
        done = set(finished)
        await self._publish(tenant_id, [event for event in claimed if event.id not in done])

    def _is_done(self, event: StoredEvent, receipts: Mapping[int, set[str]]) -> bool:
        wanted = self._wanted.get(event.kind, ())
        return bool(wanted) and receipts.get(event.id, set()).issuperset(wanted)

    async def _publish(self, tenant_id: TenantId, events: list[StoredEvent]) -> None:
        if not events:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                pipe.xadd(stream_of(event.kind), entry_of(event), maxlen=STREAM_LENGTH, approximate=True)
            await pipe.execute()
        unwanted = [event.id for event in events if not self._wanted.get(event.kind)]
        async with self._database.uow(tenant_id) as uow:
            await OutboxRepo(uow.db).mark_published(tenant_id, [event.id for event in events], self._clock())
            await DueRepo(uow.db).delete(tenant_id, DueKind.EVENT, unwanted)
        metrics.EVENTS_PUBLISHED.inc(len(events))


def entry_of(
    event: StoredEvent,
) -> dict[bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float]:
    """Ids only: texts stay in Postgres under row level security."""
    return {"tenant": event.tenant_id, "event": event.id, "kind": event.kind, "subject": event.subject_id}
