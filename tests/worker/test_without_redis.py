"""Invariant 1: Redis may lose everything, or be away, in the middle of work; nothing is lost or done twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from config.loops import keep_running
from core.access.service import do_found_tenant
from core.platform import relay as relay_module
from core.platform.clock import utc_now
from core.platform.db import Database, UnitOfWork
from core.platform.ids import TenantId, new_holder
from core.platform.jobs import Job, JobKind, JobRepo
from core.platform.outbox import Event, OutboxRepo, StoredEvent
from core.platform.relay import Relay
from core.platform.runner import JobRunner
from core.platform.streams import Consumer, Limits, StreamReader, wanted_by
from tests.redis_server import RedisServer
from worker import wakeups
from worker.app import run_arq
from worker.wakeups import JobSweeper

STRESS = int(os.environ.get("STRESS_N", "1"))
KIND = "test.happened"
QUICK = Limits(block=timedelta(milliseconds=20), stale=timedelta(milliseconds=200))


class Work:
    """A worker with one consumer and one kind of job, both of which count what they do in Postgres."""

    def __init__(self, database: Database, server: RedisServer, tenant_id: TenantId) -> None:
        self.database = database
        self.server = server
        self.tenant_id = tenant_id
        self.runs: Counter[int] = Counter()

    async def add(self, first: int, count: int) -> None:
        async with self.database.uow(self.tenant_id) as uow:
            events = [Event(kind=KIND, subject_id=n) for n in range(first, first + count)]
            await OutboxRepo(uow.db).add(self.tenant_id, events, utc_now())
            for n in range(first, first + count):
                await JobRepo(uow.db).add(self.tenant_id, KIND, utc_now(), key=str(n), args={"n": n})

    async def consume(self, uow: UnitOfWork, event: StoredEvent) -> None:
        await uow.db.execute(
            "INSERT INTO audit_log (tenant_id, actor, action, subject) VALUES ($1, 'test', 'consumed', $2)",
            self.tenant_id,
            str(event.subject_id),
        )

    async def work(self, job: Job) -> None:
        self.runs[job.args["n"]] += 1

    async def consumed(self) -> Counter[int]:
        async with self.database.uow(self.tenant_id) as uow:
            rows = await uow.db.fetch(
                "SELECT subject FROM audit_log WHERE tenant_id = $1 AND action = 'consumed'", self.tenant_id
            )
        return Counter(int(row["subject"]) for row in rows)

    async def is_idle(self) -> bool:
        async with self.database.uow(self.tenant_id) as uow:
            return not await uow.db.fetchval("SELECT count(*) FROM due WHERE tenant_id = $1", self.tenant_id)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        redis = Redis.from_url(self.server.url, socket_timeout=2)
        consumer = Consumer("test", KIND, self.consume)
        holder = new_holder("test")
        relay = Relay(self.database, redis, wanted_by([consumer]), utc_now)
        reader = StreamReader(self.database, redis, consumer, holder, utc_now, 1, QUICK)
        sweeper = JobSweeper(self.database, self.server.url, utc_now)
        runner = JobRunner(self.database, {KIND: JobKind(KIND, self.work, concurrency=50)}, holder, utc_now)
        rounds: dict[str, Callable[[], Coroutine[Any, Any, int]]] = {
            "relay": relay.run_once,
            "reader": reader.run_once,
            "sweeper": sweeper.run_once,
            "arq": lambda: run_arq(self.server.url, runner, stop),
        }
        async with asyncio.TaskGroup() as group:
            for name, round_ in rounds.items():
                group.create_task(keep_running(name, round_, stop, idle=0.02))
            yield
            stop.set()
        await sweeper.close()
        await redis.aclose()


@pytest.fixture
async def work(fresh: Database, short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Work]:
    # The same mechanism at a tenth of its patience, so that a test need not wait half a minute for it.
    monkeypatch.setattr(relay_module, "RECEIPT_WAIT", timedelta(seconds=1))
    monkeypatch.setattr(wakeups, "WAKE_AGAIN", 0.5)
    tenant = await do_found_tenant(fresh, "one", "One")
    with RedisServer(short_dir) as server:
        yield Work(fresh, server, tenant.tenant_id)


async def _until_idle(work: Work) -> None:
    while not await work.is_idle():
        await asyncio.sleep(0.02)


async def _check(work: Work, count: int) -> None:
    assert await work.consumed() == Counter(dict.fromkeys(range(count), 1))
    assert set(work.runs) == set(range(count))


async def test_work_flows(work: Work) -> None:
    async with work.running():
        await work.add(0, 60)
        await _until_idle(work)
    await _check(work, 60)
    assert set(work.runs.values()) == {1}


async def test_flushall_in_the_middle_loses_nothing(work: Work) -> None:
    async with work.running():
        for n in range(6):
            await work.add(n * 30, 30)
            work.server.flush()
        await _until_idle(work)
    await _check(work, 180)


async def test_a_killed_redis_loses_nothing(work: Work) -> None:
    async with work.running():
        await work.add(0, 100)
        work.server.kill()
        await work.add(100, 50)
        work.server.start()
        await _until_idle(work)
    await _check(work, 150)


async def test_a_frozen_redis_loses_nothing(work: Work) -> None:
    async with work.running():
        await work.add(0, 50)
        work.server.freeze()
        await work.add(50, 50)
        work.server.thaw()
        await _until_idle(work)
    await _check(work, 100)


async def test_work_that_was_ordered_without_redis_waits_for_it(work: Work) -> None:
    work.server.kill()
    await work.add(0, 40)
    async with work.running():
        assert not await work.is_idle()
        work.server.start()
        await _until_idle(work)
    await _check(work, 40)


@pytest.mark.stress
async def test_a_storm_of_losses(work: Work) -> None:
    dice = random.Random(5)
    rounds = 20 * STRESS
    async with work.running():
        for n in range(rounds):
            await work.add(n * 50, 50)
            match dice.randrange(3):
                case 0:
                    work.server.flush()
                case 1:
                    work.server.kill()
                    work.server.start()
                case _:
                    work.server.freeze()
                    await asyncio.sleep(dice.random() / 5)
                    work.server.thaw()
        await _until_idle(work)
    await _check(work, rounds * 50)
