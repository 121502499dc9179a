"""Consumer groups on Redis Streams: re-created when lost, stale entries claimed, poison parked in sight."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from core.platform import metrics
from core.platform.clock import Clock
from core.platform.correlation import correlated
from core.platform.db import Database, UnitOfWork
from core.platform.deadletters import DeadLetterRepo
from core.platform.ids import EventId, Holder, TenantId
from core.platform.outbox import OutboxRepo, StoredEvent
from core.platform.relay import stream_of

Handler = Callable[[UnitOfWork, StoredEvent], Awaitable[None]]

log = structlog.get_logger(__name__)


class Consumer(NamedTuple):
    """`handle` runs in the transaction that also writes the receipt; no network in it."""

    name: str
    kind: str
    handle: Handler


class Limits(NamedTuple):
    block: timedelta = timedelta(seconds=2)  # short: after FLUSHALL a blocked reader sees only silence
    stale: timedelta = timedelta(seconds=15)  # a pending entry older than this belongs to a dead process
    deliveries: int = 5  # tries before an entry is parked
    batch: int = 100


DEFAULT_LIMITS = Limits()


class StreamReader:
    """One consumer's loop over its stream."""

    def __init__(
        self,
        database: Database,
        redis: "Redis",
        consumer: Consumer,
        holder: Holder,
        clock: Clock,
        wanted: int = 1,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """`wanted`: how many consumers this kind of event has; with the last receipt the event is due no more."""
        self._database = database
        self._redis = redis
        self._consumer = consumer
        self._holder = holder
        self._clock = clock
        self._wanted = wanted
        self._limits = limits
        self._stream = stream_of(consumer.kind)

    async def run_once(self) -> int:
        """Handles what is stale, then what is new, waiting at most `limits.block`; returns entries seen."""
        try:
            stale = await self._claim_stale()
            fresh = await self._read_new()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return 0
        for entry_id, fields, deliveries in [*stale, *fresh]:
            await self._handle_entry(entry_id, fields, deliveries)
        return len(stale) + len(fresh)

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(self._stream, self._consumer.name, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another process was faster
                raise

    async def _read_new(self) -> list[tuple[bytes, dict[bytes, bytes], int]]:
        block = max(1, int(self._limits.block.total_seconds() * 1000))
        answer: Any = await self._redis.xreadgroup(
            self._consumer.name, self._holder, {self._stream: ">"}, count=self._limits.batch, block=block
        )
        entries = answer[0][1] if answer else []
        return [(entry_id, fields, 1) for entry_id, fields in entries]

    async def _claim_stale(self) -> list[tuple[bytes, dict[bytes, bytes], int]]:
        stale = int(self._limits.stale.total_seconds() * 1000)
        pending: Any = await self._redis.xpending_range(
            self._stream, self._consumer.name, min="-", max="+", count=self._limits.batch, idle=stale
        )
        if not pending:
            return []
        tries = {entry["message_id"]: entry["times_delivered"] for entry in pending}
        claimed: Any = await self._redis.xclaim(
            self._stream, self._consumer.name, self._holder, min_idle_time=stale, message_ids=list(tries)
        )
        alive = [(entry_id, fields, tries[entry_id] + 1) for entry_id, fields in claimed if fields is not None]
        await self._forget_trimmed(set(tries) - {entry_id for entry_id, _, _ in alive}, stale)
        return alive

    async def _forget_trimmed(self, missing: set[bytes], stale: int) -> None:
        """Redis 6.2 keeps entries that were trimmed while pending for ever; the outbox publishes them again."""
        for entry_id in missing:
            still: Any = await self._redis.xpending_range(
                self._stream, self._consumer.name, min=entry_id, max=entry_id, count=1, idle=stale
            )
            if still and not await self._redis.xrange(self._stream, min=entry_id, max=entry_id):
                await self._redis.xack(self._stream, self._consumer.name, entry_id)

    async def _handle_entry(self, entry_id: bytes, fields: dict[bytes, bytes], deliveries: int) -> None:
        tenant_id, event_id = TenantId(int(fields[b"tenant"])), EventId(int(fields[b"event"]))
        try:
            await self._handle_once(tenant_id, event_id)
        except Exception as error:
            log.warning("event.failed", consumer=self._consumer.name, event_id=event_id, error=type(error).__name__)
            metrics.EVENTS_FAILED.labels(self._consumer.name).inc()
            if deliveries < self._limits.deliveries:
                return  # stays pending, is claimed again when stale
            await self._park(tenant_id, event_id, error, deliveries)
        await self._redis.xack(self._stream, self._consumer.name, entry_id)

    async def _handle_once(self, tenant_id: TenantId, event_id: EventId) -> None:
        async with self._database.uow(tenant_id) as uow:
            outbox = OutboxRepo(uow.db)
            if not await outbox.add_receipt(tenant_id, event_id, self._consumer.name):
                return
            event = await outbox.get(tenant_id, event_id)
            if event is not None:
                with correlated(event.correlation_id):
                    await self._consumer.handle(uow, event)
            await outbox.finish(tenant_id, event_id, self._wanted)
        metrics.EVENTS_CONSUMED.labels(self._consumer.name).inc()

    async def _park(self, tenant_id: TenantId, event_id: EventId, error: Exception, deliveries: int) -> None:
        async with self._database.uow(tenant_id) as uow:
            await DeadLetterRepo(uow.db).add(
                tenant_id,
                "event",
                self._consumer.name,
                event_id,
                f"{type(error).__name__}: {error}",
                deliveries,
                self._clock(),
            )
            await OutboxRepo(uow.db).add_receipt(tenant_id, event_id, self._consumer.name)
        metrics.EVENTS_PARKED.labels(self._consumer.name).inc()


def wanted_by(consumers: Sequence[Consumer]) -> dict[str, list[str]]:
    """Kind of event → consumers, as the relay needs it."""
    wanted: dict[str, list[str]] = {}
    for consumer in consumers:
        wanted.setdefault(consumer.kind, []).append(consumer.name)
    return wanted
