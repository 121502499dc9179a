"""Nightly housekeeping of each tenant, by its retention policy."""

from datetime import timedelta

import structlog

from config.policies import RetentionPolicy
from config.runtime import Runtime
from core.interactions.repo import InteractionRepo
from core.platform.jobs import Job, JobKind, JobRepo
from core.platform.outbox import OutboxRepo

KIND = "maintenance"
EVERY = timedelta(days=1)

log = structlog.get_logger(__name__)


def maintenance_job(runtime: Runtime) -> JobKind:
    async def run(job: Job) -> None:
        now = runtime.clock()
        policy = await runtime.policies.get(job.tenant_id, RetentionPolicy)
        async with runtime.database.uow(job.tenant_id) as uow:
            events = await OutboxRepo(uow.db).delete_older(job.tenant_id, now - timedelta(days=policy.outbox_days))
            jobs = await JobRepo(uow.db).delete_ended(job.tenant_id, now - timedelta(days=policy.jobs_days))
            texts = await InteractionRepo(uow.db).purge_deleted(
                job.tenant_id, now - timedelta(days=policy.deleted_text_days)
            )
        log.info("maintenance.done", job_id=job.id, count=events + jobs + texts)

    return JobKind(KIND, run, concurrency=1)
