"""A group's messages form a window; at its end its digest is made, once."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.access.model import Role
from core.access.service import access_project, access_reader, do_found_tenant
from core.interactions.conversation_repo import SourceRepo
from core.interactions.model import Incoming, SourceId
from core.platform.db import Database
from core.platform.ids import JobId, TenantId, new_holder
from core.platform.jobs import Job
from core.platform.outbox import OutboxRepo, StoredEvent
from core.platform.policies import Policies
from core.platform.runner import JobRunner
from ingest.sink import Origin, Sink
from tests.conftest import Clock
from tests.interactions.test_versions import told
from worker.app import kinds_of, plan
from worker.jobs.digests import KIND, window_consumer

MIDNIGHT = datetime(2026, 10, 15, tzinfo=UTC)


class Group:
    """A tenant with a group, and the worker's parts that make digests of it."""

    def __init__(self, runtime: Runtime, sink: Sink, tenant_id: TenantId) -> None:
        self.runtime = runtime
        self.sink = sink
        self.tenant_id = tenant_id

    async def say(self, texts: Sequence[str], at: datetime, first: int = 1) -> None:
        batch: list[Incoming] = [
            told(
                text,
                external_id=str(n),
                occurred_at=at + timedelta(minutes=n),
                author_id=f"user{n % 3}",
                author_name=f"P{n % 3}",
            )
            for n, text in enumerate(texts, first)
        ]
        await self.sink.write(batch, at)

    async def consume(self) -> None:
        """Hands every event to the consumer, as the stream would, each twice."""
        handle = window_consumer(self.runtime).handle
        for row in await self.fetch("SELECT id FROM outbox WHERE tenant_id = $1 AND kind = 'group.message.ingested'"):
            for _ in range(2):
                async with self.runtime.database.uow(self.tenant_id) as uow:
                    event = await OutboxRepo(uow.db).get(self.tenant_id, row["id"])
                    assert isinstance(event, StoredEvent)
                    await handle(uow, event)

    async def run_due(self) -> int:
        runner = JobRunner(self.runtime.database, kinds_of(self.runtime), self.runtime.holder, self.runtime.clock)
        rows = await self.fetch("SELECT id FROM jobs WHERE tenant_id = $1 AND state = 'due' ORDER BY id")
        return sum([await runner.run(self.tenant_id, JobId(row["id"])) for row in rows])

    async def fetch(self, query: str) -> list[Any]:
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return list(await uow.db.fetch(query, self.tenant_id))


@pytest.fixture
async def group(database: Database, tenant_id: TenantId, clock: Clock) -> AsyncIterator[Group]:
    runtime = Runtime(
        settings=Settings(),
        addresses=Addresses("", "", None),
        database=database,
        redis=None,
        policies=Policies(database, load_defaults()),
        clock=clock,
        holder=new_holder("test"),
    )
    project = await access_project(database, await access_reader(database, tenant_id, Role.OWNER), None)
    async with database.uow(tenant_id) as uow:
        source_id = await SourceRepo(uow.db).add(tenant_id, project.id, "test", "one", "live")
    yield Group(runtime, Sink(database, Origin(tenant_id, project.id, SourceId(source_id)), clock), tenant_id)


TALK = [f"Обсуждаем упаковку номер {n}: крафт или пластик?" for n in range(12)]


async def test_a_window_s_digest_is_made_once_when_it_has_ended(group: Group, clock: Clock) -> None:
    await group.say(TALK, clock() - timedelta(hours=1))
    await group.consume()
    [window] = await group.fetch("SELECT hours, starts_at, ends_at, status FROM digest_windows WHERE tenant_id = $1")
    assert tuple(window) == (24, MIDNIGHT - timedelta(days=1), MIDNIGHT, "pending")
    assert await group.run_due() == 0
    clock.forward(hours=12)
    assert await group.run_due() == 1
    assert await group.run_due() == 0
    digests = await group.fetch("SELECT status, trigger, ends_at FROM digests WHERE tenant_id = $1")
    assert [tuple(d) for d in digests] == [("ready", "scheduled", MIDNIGHT)]
    assert (await group.fetch("SELECT status FROM digest_windows WHERE tenant_id = $1"))[0]["status"] == "completed"
    ready = await group.fetch("SELECT count(*) FROM outbox WHERE tenant_id = $1 AND kind = 'group.window.ready'")
    assert ready[0]["count"] == 1


async def test_more_messages_of_a_window_form_no_second_one(group: Group, clock: Clock) -> None:
    await group.say(TALK, clock() - timedelta(hours=2))
    await group.consume()
    await group.say(TALK, clock() - timedelta(hours=1), first=50)
    await group.consume()
    assert len(await group.fetch("SELECT 1 FROM digest_windows WHERE tenant_id = $1")) == 1
    assert len(await group.fetch("SELECT 1 FROM jobs WHERE tenant_id = $1")) == 1


async def test_history_that_ended_long_ago_forms_no_window(group: Group, clock: Clock) -> None:
    await group.say(TALK, clock() - timedelta(days=30))
    await group.consume()
    assert await group.fetch("SELECT 1 FROM digest_windows WHERE tenant_id = $1") == []


async def test_a_quiet_window_is_skipped_with_its_reason(group: Group, clock: Clock) -> None:
    await group.say(TALK[:2], clock() - timedelta(hours=1))
    await group.consume()
    clock.forward(hours=12)
    await group.run_due()
    [window] = await group.fetch("SELECT status, reason FROM digest_windows WHERE tenant_id = $1")
    assert tuple(window) == ("skipped", "too_few_messages")


async def test_a_run_that_died_half_way_makes_no_second_digest(group: Group, clock: Clock) -> None:
    await group.say(TALK, clock() - timedelta(hours=1))
    await group.consume()
    clock.forward(hours=12)
    [row] = await group.fetch("SELECT * FROM jobs WHERE tenant_id = $1")
    job = Job.model_validate(dict(row))
    handle = kinds_of(group.runtime)[KIND].handle
    await handle(job)
    await handle(job)
    assert len(await group.fetch("SELECT 1 FROM digests WHERE tenant_id = $1")) == 1


async def test_the_planner_gives_every_tenant_its_housekeeping_once(
    fresh: Database, clock: Clock, group: Group
) -> None:
    tenants = [await do_found_tenant(fresh, name, name) for name in ("one", "two")]
    runtime = Runtime(**{**group.runtime.__dict__, "database": fresh})
    for _ in range(2):
        await plan(runtime)
    for tenant in tenants:
        async with fresh.uow(tenant.tenant_id) as uow:
            assert await uow.db.fetchval("SELECT count(*) FROM jobs WHERE kind = 'maintenance'") == 1


async def test_housekeeping_runs_and_comes_back_tomorrow(fresh: Database, clock: Clock, group: Group) -> None:
    tenant = await do_found_tenant(fresh, "one", "One")
    runtime = Runtime(**{**group.runtime.__dict__, "database": fresh, "policies": Policies(fresh, load_defaults())})
    await plan(runtime)
    clock.forward(days=1)
    runner = JobRunner(fresh, kinds_of(runtime), runtime.holder, clock)
    async with fresh.uow(tenant.tenant_id) as uow:
        job_id = JobId(await uow.db.fetchval("SELECT id FROM jobs"))
    assert await runner.run(tenant.tenant_id, job_id)
    async with fresh.uow(tenant.tenant_id) as uow:
        row = await uow.db.fetchrow("SELECT state, due_at, last_error FROM jobs")
    assert row
    assert tuple(row) == ("due", clock() + timedelta(days=1), None)
