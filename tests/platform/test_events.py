"""Outbox → relay → Redis Streams → consumers: at least once on the way, once in effect, whatever Redis forgets."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from core.access.service import do_found_tenant
from core.platform.clock import utc_now
from core.platform.db import Database, UnitOfWork
from core.platform.deadletters import DeadLetterRepo
from core.platform.ids import EventId, Holder, TenantId
from core.platform.outbox import Event, OutboxRepo, StoredEvent
from core.platform.relay import RECEIPT_WAIT, Relay, stream_of
from core.platform.streams import Consumer, Limits, StreamReader, wanted_by
from tests.conftest import Clock

KIND = "test.happened"
QUICK = Limits(block=timedelta(milliseconds=5), stale=timedelta(0), deliveries=3)


class House:
    """A database with one tenant, a relay and the consumers of a test."""

    def __init__(self, database: Database, redis: "Redis", clock: Clock, tenant_id: TenantId) -> None:
        self.database = database
        self.redis = redis
        self.clock = clock
        self.tenant_id = tenant_id
        self.seen: list[tuple[str, int]] = []
        self.failing = 0

    async def emit(self, count: int = 1) -> list[EventId]:
        async with self.database.uow(self.tenant_id) as uow:
            events = [Event(kind=KIND, subject_id=n, payload={"n": n}) for n in range(count)]
            return await OutboxRepo(uow.db).add(self.tenant_id, events, self.clock())

    def consumer(self, name: str) -> Consumer:
        async def handle(uow: UnitOfWork, event: StoredEvent) -> None:
            if self.failing:
                self.failing -= 1
                raise ValueError("poison")
            self.seen.append((name, event.subject_id))

        return Consumer(name, KIND, handle)

    def relay(self, *consumers: Consumer) -> Relay:
        return Relay(self.database, self.redis, wanted_by(consumers), self.clock)

    def reader(self, consumer: Consumer, wanted: int = 1, holder: str = "me") -> StreamReader:
        return StreamReader(self.database, self.redis, consumer, Holder(holder), self.clock, wanted, QUICK)

    async def drain(self, reader: StreamReader) -> None:
        """Until the stream has nothing new; the first round may only make the group."""
        await reader.run_once()
        while await reader.run_once():
            pass

    async def waiting(self) -> tuple[int, int]:
        async with self.database.uow(self.tenant_id) as uow:
            return await OutboxRepo(uow.db).count_waiting(self.tenant_id)


@pytest.fixture
async def house(fresh: Database, redis: "Redis", clock: Clock) -> House:
    tenant = await do_found_tenant(fresh, "one", "One")
    return House(fresh, redis, clock, tenant.tenant_id)


async def test_an_event_reaches_each_consumer_once_and_is_due_no_more(house: House) -> None:
    one, two = house.consumer("one"), house.consumer("two")
    await house.emit(3)
    assert await house.relay(one, two).run_once() == 3
    assert await house.waiting() == (0, 3)
    for consumer in (one, two):
        await house.drain(house.reader(consumer, wanted=2))
    assert sorted(house.seen) == sorted((name, n) for name in ("one", "two") for n in range(3))
    assert await house.waiting() == (0, 0)


async def test_a_rolled_back_transaction_emits_nothing(house: House) -> None:
    with pytest.raises(RuntimeError):
        async with house.database.uow(house.tenant_id) as uow:
            await OutboxRepo(uow.db).add(house.tenant_id, [Event(kind=KIND, subject_id=1)], house.clock())
            raise RuntimeError
    assert await house.relay(house.consumer("one")).run_once() == 0


async def test_an_event_that_nobody_wants_is_published_and_forgotten(house: House) -> None:
    await house.emit()
    await house.relay().run_once()
    assert await house.waiting() == (0, 0)
    assert await house.redis.xlen(stream_of(KIND)) == 1


async def test_two_relays_share_the_work(house: House) -> None:
    one = house.consumer("one")
    await house.emit(5)
    assert await house.relay(one).run_once() == 5
    assert await house.relay(one).run_once() == 0
    assert await house.redis.xlen(stream_of(KIND)) == 5


async def test_flushall_before_consumption_loses_nothing(house: House) -> None:
    one = house.consumer("one")
    await house.emit(4)
    await house.relay(one).run_once()
    await house.redis.flushdb()
    await house.drain(house.reader(one))
    assert house.seen == []
    house.clock.forward(seconds=RECEIPT_WAIT.total_seconds())
    await house.relay(one).run_once()
    await house.drain(house.reader(one))
    assert sorted(house.seen) == [("one", n) for n in range(4)]


async def test_the_same_event_twice_has_its_effect_once(house: House) -> None:
    one = house.consumer("one")
    await house.emit()
    await house.relay(one).run_once()
    house.clock.forward(seconds=RECEIPT_WAIT.total_seconds())
    await house.relay(one).run_once()
    assert await house.redis.xlen(stream_of(KIND)) == 2
    await house.drain(house.reader(one))
    assert house.seen == [("one", 0)]


async def test_what_a_dead_process_had_taken_is_claimed_by_another(house: House) -> None:
    one = house.consumer("one")
    await house.emit()
    await house.relay(one).run_once()
    await house.redis.xgroup_create(stream_of(KIND), "one", id="0", mkstream=True)
    await house.redis.xreadgroup("one", "dead", {stream_of(KIND): ">"})
    await house.drain(house.reader(one))
    assert house.seen == [("one", 0)]
    assert (await house.redis.xpending(stream_of(KIND), "one"))["pending"] == 0


async def test_a_trimmed_entry_does_not_stay_pending_for_ever(house: House) -> None:
    one = house.consumer("one")
    await house.emit()
    await house.relay(one).run_once()
    await house.redis.xgroup_create(stream_of(KIND), "one", id="0")
    await house.redis.xreadgroup("one", "dead", {stream_of(KIND): ">"})
    await house.redis.xtrim(stream_of(KIND), maxlen=0, approximate=False)
    await house.drain(house.reader(one))
    assert (await house.redis.xpending(stream_of(KIND), "one"))["pending"] == 0
    house.clock.forward(seconds=RECEIPT_WAIT.total_seconds())
    await house.relay(one).run_once()
    await house.drain(house.reader(one))
    assert house.seen == [("one", 0)]


async def test_a_failing_handler_is_tried_again_and_its_effect_rolled_back(house: House) -> None:
    one = house.consumer("one")
    await house.emit()
    await house.relay(one).run_once()
    house.failing = 1
    await house.drain(house.reader(one))
    assert house.seen == [("one", 0)]
    assert await house.waiting() == (0, 0)


async def test_poison_is_parked_where_somebody_sees_it_and_can_be_tried_again(house: House) -> None:
    one = house.consumer("one")
    [event_id] = await house.emit()
    await house.relay(one).run_once()
    house.failing = 100
    await house.drain(house.reader(one))
    async with house.database.uow(house.tenant_id) as uow:
        [letter] = await DeadLetterRepo(uow.db).list_open(house.tenant_id)
    assert (letter.origin, letter.kind, letter.row_id, letter.error, letter.attempts) == (
        "event",
        "one",
        event_id,
        "ValueError: poison",
        3,
    )
    house.failing = 0
    async with house.database.uow(house.tenant_id) as uow:
        await OutboxRepo(uow.db).reopen(house.tenant_id, event_id, "one", house.clock())
        await DeadLetterRepo(uow.db).mark_resolved(house.tenant_id, letter.id, utc_now())
    await house.relay(one).run_once()
    await house.drain(house.reader(one))
    assert house.seen == [("one", 0)]


async def test_old_finished_events_are_forgotten_and_waiting_ones_kept(house: House) -> None:
    one = house.consumer("one")
    await house.emit(2)
    await house.relay(one).run_once()
    await house.drain(house.reader(one))
    await house.emit(1)
    async with house.database.uow(house.tenant_id) as uow:
        assert await OutboxRepo(uow.db).delete_older(house.tenant_id, house.clock() + timedelta(days=1)) == 2


async def test_rebuild_makes_unconsumed_events_due(house: House) -> None:
    await house.emit(2)
    async with house.database.uow(house.tenant_id) as uow:
        await uow.db.execute("DELETE FROM due WHERE tenant_id = $1", house.tenant_id)
        assert await OutboxRepo(uow.db).rebuild_due(house.tenant_id, house.clock()) == 2
