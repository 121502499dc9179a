import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.platform.db import Database
from core.platform.deadletters import DeadLetterRepo
from core.platform.errors import RetryLater
from core.platform.ids import Holder, JobId, TenantId
from core.platform.jobs import LEASE, Handler, Job, JobKind, JobRepo, next_run, retry_delay
from core.platform.runner import JobRunner
from tests.conftest import Clock

KIND = "test.kind"


class Jobs:
    """A tenant's jobs as a test uses them."""

    def __init__(self, database: Database, tenant_id: TenantId, clock: Clock) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._clock = clock

    async def add(self, **options: Any) -> JobId:
        async with self._database.uow(self._tenant_id) as uow:
            return await JobRepo(uow.db).add(self._tenant_id, KIND, options.pop("due_at", self._clock()), **options)

    async def get(self, job_id: JobId) -> Job:
        async with self._database.uow(self._tenant_id) as uow:
            job = await JobRepo(uow.db).get(self._tenant_id, job_id)
        assert job
        return job

    async def run(self, job_id: JobId, handle: Handler, holder: str = "me", **options: Any) -> bool:
        runner = JobRunner(self._database, {KIND: JobKind(KIND, handle, **options)}, Holder(holder), self._clock)
        return await runner.run(self._tenant_id, job_id)

    async def claim(self, job_id: JobId, holder: str, concurrency: int = 4) -> Job | None:
        async with self._database.uow(self._tenant_id) as uow:
            kind = JobKind(KIND, nothing, concurrency=concurrency)
            return await JobRepo(uow.db).claim(self._tenant_id, job_id, kind, Holder(holder), self._clock())

    async def due_at(self, job_id: JobId) -> Any:
        async with self._database.uow(self._tenant_id) as uow:
            return await uow.db.fetchval("SELECT due_at FROM due WHERE kind = 'job' AND row_id = $1", job_id)


@pytest.fixture
def jobs(database: Database, tenant_id: TenantId, clock: Clock) -> Jobs:
    return Jobs(database, tenant_id, clock)


async def nothing(_: Job) -> None:
    return


async def fail(_: Job) -> None:
    raise ValueError("no luck")


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (8, 3600), (40, 3600)])
def test_retry_delay_doubles_to_an_hour(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts, 0) == timedelta(seconds=seconds)
    assert retry_delay(attempts, 1) == timedelta(seconds=seconds) * 1.15


def test_next_run_stays_on_its_grid_and_makes_nothing_up(clock: Clock) -> None:
    due, every = clock(), timedelta(hours=1)
    assert next_run(due, every, due + timedelta(minutes=5)) == due + every
    assert next_run(due, every, due + timedelta(hours=5, minutes=5)) == due + every * 6


async def test_a_job_runs_once_and_is_due_no_more(jobs: Jobs) -> None:
    job_id = await jobs.add()
    assert await jobs.run(job_id, nothing)
    assert not await jobs.run(job_id, nothing)
    assert (await jobs.get(job_id)).state == "done"
    assert await jobs.due_at(job_id) is None


async def test_a_job_does_not_run_before_its_time(jobs: Jobs, clock: Clock) -> None:
    job_id = await jobs.add(due_at=clock() + timedelta(minutes=1))
    assert not await jobs.run(job_id, nothing)
    clock.forward(minutes=1)
    assert await jobs.run(job_id, nothing)


async def test_one_key_is_one_living_job_at_the_earlier_time(jobs: Jobs, clock: Clock) -> None:
    late = await jobs.add(key="k", due_at=clock() + timedelta(hours=2))
    early = await jobs.add(key="k", due_at=clock() + timedelta(hours=1))
    assert late == early
    assert (await jobs.get(late)).due_at == await jobs.due_at(late) == clock() + timedelta(hours=1)
    clock.forward(hours=1)
    await jobs.run(late, nothing)
    assert await jobs.add(key="k") != late


async def test_only_one_of_many_runners_gets_the_job(jobs: Jobs) -> None:
    job_id, runs = await jobs.add(), []

    async def note(job: Job) -> None:
        runs.append(job.fence)
        await asyncio.sleep(0)

    outcomes = await asyncio.gather(*(jobs.run(job_id, note, holder=f"worker {n}") for n in range(6)))
    assert sorted(outcomes) == [False] * 5 + [True]
    assert runs == [1]


async def test_a_failure_is_retried_later_and_kept(jobs: Jobs, clock: Clock) -> None:
    job_id = await jobs.add()
    await jobs.run(job_id, fail)
    job = await jobs.get(job_id)
    assert (job.state, job.attempts, job.last_error) == ("due", 1, "ValueError: no luck")
    assert clock() + timedelta(seconds=25) < job.due_at < clock() + timedelta(seconds=35)


async def test_a_service_s_own_word_decides_when_to_come_back(jobs: Jobs, clock: Clock) -> None:
    async def flooded(_: Job) -> None:
        raise RetryLater("flood", 777)

    job_id = await jobs.add()
    await jobs.run(job_id, flooded)
    assert (await jobs.get(job_id)).due_at == clock() + timedelta(seconds=777)


async def test_after_the_last_try_a_dead_letter_tells_and_revives(
    jobs: Jobs, database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    job_id = await jobs.add()
    for _ in range(3):
        assert await jobs.run(job_id, fail, max_attempts=3)
        clock.forward(hours=2)
    assert (await jobs.get(job_id)).state == "dead"
    assert not await jobs.run(job_id, nothing)
    async with database.uow(tenant_id) as uow:
        letters = await DeadLetterRepo(uow.db).list_open(tenant_id)
        assert [(letter.origin, letter.row_id, letter.attempts) for letter in letters] == [("job", job_id, 3)]
        assert await JobRepo(uow.db).revive(tenant_id, job_id, clock())
    assert await jobs.run(job_id, nothing)


async def test_a_repeated_job_goes_on(jobs: Jobs, clock: Clock) -> None:
    job_id = await jobs.add(key="nightly", every=timedelta(hours=1))
    started = clock()
    await jobs.run(job_id, nothing)
    assert (await jobs.get(job_id)).due_at == await jobs.due_at(job_id) == started + timedelta(hours=1)


async def test_a_lost_process_s_job_is_taken_over_and_its_late_word_does_not_count(
    jobs: Jobs, clock: Clock, database: Database, tenant_id: TenantId
) -> None:
    job_id = await jobs.add()
    first = await jobs.claim(job_id, "first")
    assert first
    assert await jobs.claim(job_id, "second") is None
    clock.forward(seconds=LEASE.total_seconds())
    second = await jobs.claim(job_id, "second")
    assert second
    assert second.fence == first.fence + 1
    async with database.uow(tenant_id) as uow:
        assert not await JobRepo(uow.db).mark_done(first, clock())
        assert not await JobRepo(uow.db).renew(first, clock() + LEASE)
        assert await JobRepo(uow.db).mark_done(second, clock())


async def test_no_more_run_at_once_than_the_kind_allows(jobs: Jobs) -> None:
    ids = [await jobs.add() for _ in range(4)]
    claims = await asyncio.gather(*(jobs.claim(job_id, "w", concurrency=2) for job_id in ids))
    assert sum(claim is not None for claim in claims) == 2


async def test_a_paused_kind_waits_and_goes_on(
    jobs: Jobs, database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    job_id = await jobs.add()
    async with database.uow(tenant_id) as uow:
        await JobRepo(uow.db).pause(tenant_id, KIND, "test")
    assert not await jobs.run(job_id, nothing)
    assert await jobs.due_at(job_id) > clock()
    async with database.uow(tenant_id) as uow:
        await JobRepo(uow.db).resume(tenant_id, KIND, clock())
    assert await jobs.due_at(job_id) == clock()
    assert await jobs.run(job_id, nothing)


async def test_a_run_that_takes_too_long_is_ended_and_retried(jobs: Jobs) -> None:
    async def endless(_: Job) -> None:
        await asyncio.Event().wait()

    job_id = await jobs.add()
    assert await jobs.run(job_id, endless, limit=timedelta(milliseconds=20))
    assert (await jobs.get(job_id)).last_error == "TimeoutError: "


async def test_a_stopped_process_gives_its_job_back_uncounted(jobs: Jobs, clock: Clock) -> None:
    started = asyncio.Event()

    async def endless(_: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    job_id = await jobs.add()
    running = asyncio.create_task(jobs.run(job_id, endless))
    await started.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    job = await jobs.get(job_id)
    assert (job.state, job.attempts, job.due_at) == ("due", 0, clock())


async def test_a_kind_that_nobody_knows_is_left_for_others(
    jobs: Jobs, database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    job_id = await jobs.add()
    runner = JobRunner(database, {}, Holder("me"), clock)
    assert not await runner.run(tenant_id, job_id)
    assert (await jobs.get(job_id)).state == "due"


async def test_due_rows_are_rebuilt_from_the_jobs(
    jobs: Jobs, database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    job_id = await jobs.add()
    async with database.uow(tenant_id) as uow:
        await uow.db.execute("DELETE FROM due WHERE tenant_id = $1", tenant_id)
        await JobRepo(uow.db).rebuild_due(tenant_id)
    assert await jobs.due_at(job_id) == clock()
