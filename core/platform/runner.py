"""Runs one due job: claim, handle within the kind's time limit, record how it ended."""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from core.platform import metrics
from core.platform.clock import Clock
from core.platform.correlation import correlated
from core.platform.db import Database
from core.platform.deadletters import DeadLetterRepo
from core.platform.errors import RetryLater
from core.platform.ids import Holder, JobId, TenantId
from core.platform.jobs import LEASE, Job, JobKind, JobRepo, retry_delay

BUSY_WAIT = timedelta(seconds=2)  # a kind that is paused or at its limit is looked at again after this

log = structlog.get_logger(__name__)


class JobRunner:
    """`kinds`: every kind of job that this process can run."""

    def __init__(self, database: Database, kinds: Mapping[str, JobKind], holder: Holder, clock: Clock) -> None:
        self._database = database
        self._kinds = kinds
        self._holder = holder
        self._clock = clock

    async def run(self, tenant_id: TenantId, job_id: JobId) -> bool:
        """True when this call ran the job; False when it was not its turn. Never raises for what a handler raises."""
        claimed = await self._claim(tenant_id, job_id)
        if claimed is None:
            return False
        job, kind = claimed
        with correlated(job.correlation_id), metrics.JOB_SECONDS.labels(kind.name).time():
            error = await self._handle(job, kind)
        outcome = await self._record(job, kind, error)
        metrics.JOBS_FINISHED.labels(kind.name, outcome).inc()
        return True

    async def _claim(self, tenant_id: TenantId, job_id: JobId) -> tuple[Job, JobKind] | None:
        now = self._clock()
        async with self._database.uow(tenant_id) as uow:
            jobs = JobRepo(uow.db)
            job = await jobs.get(tenant_id, job_id)
            if job is None:
                return None
            kind = self._kinds.get(job.kind)
            if kind is None:
                log.warning("job.unknown_kind", kind=job.kind, job_id=job_id)
            claimed = await jobs.claim(tenant_id, job_id, kind, self._holder, now) if kind else None
            if claimed is None:
                await jobs.postpone(tenant_id, job_id, max(job.due_at, now + BUSY_WAIT))
                return None
        assert kind is not None  # noqa: S101 - a claim needs a kind
        return claimed, kind

    async def _handle(self, job: Job, kind: JobKind) -> Exception | None:
        heartbeat = asyncio.create_task(self._keep_lease(job))
        try:
            async with asyncio.timeout(kind.limit.total_seconds()):
                await kind.handle(job)
        except asyncio.CancelledError:  # this process stops; another may go on at once
            await self._give_back(job)
            raise
        except Exception as error:
            log.warning("job.failed", kind=job.kind, job_id=job.id, attempt=job.attempts, error=type(error).__name__)
            return error
        finally:
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
        return None

    async def _keep_lease(self, job: Job) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            async with self._database.uow(job.tenant_id) as uow:
                if not await JobRepo(uow.db).renew(job, self._clock() + LEASE):
                    log.warning("job.lease_lost", kind=job.kind, job_id=job.id)
                    return

    async def _give_back(self, job: Job) -> None:
        now = self._clock()
        async with self._database.uow(job.tenant_id) as uow:
            await JobRepo(uow.db).give_back(job, now)

    async def _record(self, job: Job, kind: JobKind, error: Exception | None) -> str:
        now = self._clock()
        async with self._database.uow(job.tenant_id) as uow:
            jobs = JobRepo(uow.db)
            if error is None:
                return "done" if await jobs.mark_done(job, now) else "lost"
            text = f"{type(error).__name__}: {error}"
            if job.attempts < kind.max_attempts:
                return "retry" if await jobs.mark_retry(job, now + self._delay(job, error), text, now) else "lost"
            if not await jobs.mark_dead(job, text, now):
                return "lost"
            await DeadLetterRepo(uow.db).add(job.tenant_id, "job", job.kind, job.id, text, job.attempts, now)
            return "dead"

    def _delay(self, job: Job, error: Exception) -> timedelta:
        if isinstance(error, RetryLater) and error.seconds is not None:
            return timedelta(seconds=error.seconds)
        return retry_delay(job.attempts, random.uniform(-1, 1))  # noqa: S311 - spreads load, guards nothing
