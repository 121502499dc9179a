"""Durable due jobs: a row says what to do and when, arq only wakes somebody up.

due → running → done | due again (retry, `every`) | dead (gave up, a dead letter tells)
due | running → cancelled. A run holds a lease; a process that dies lets it lapse and the job is due again.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from core.platform import correlation
from core.platform.db import Repo
from core.platform.due import DueKind, DueRepo
from core.platform.ids import Holder, JobId, TenantId

RETRY_FIRST = timedelta(seconds=30)
RETRY_CAP = timedelta(hours=1)
RETRY_JITTER = 0.15


class Job(BaseModel):
    """What a handler gets. `fence` grows with each run: a write that carries an old one must be refused."""

    model_config = ConfigDict(frozen=True)

    tenant_id: TenantId
    id: JobId
    kind: str
    key: str | None
    args: dict[str, Any]
    state: str
    due_at: datetime
    every: timedelta | None
    attempts: int
    fence: int
    last_error: str | None
    correlation_id: str | None


Handler = Callable[[Job], Awaitable[None]]


class JobKind(NamedTuple):
    """`concurrency`: runs of this kind at once within one tenant; `limit`: the longest a run may take."""

    name: str
    handle: Handler
    concurrency: int = 4
    limit: timedelta = timedelta(minutes=10)
    max_attempts: int = 10


class JobStatus(NamedTuple):
    kind: str
    state: str
    number: int
    next_due_at: datetime | None
    last_finished_at: datetime | None
    last_error: str | None


def retry_delay(attempts: int, spread: float) -> timedelta:
    """30 s · 2^(attempts − 1), at most an hour, ± 15 %; `spread` is uniform in [−1, 1]."""
    doubled: timedelta = RETRY_FIRST * 2 ** min(attempts - 1, 16)
    base = min(doubled, RETRY_CAP)
    return base * (1 + RETRY_JITTER * spread)


def next_run(due_at: datetime, every: timedelta, now: datetime) -> datetime:
    """The next time on the job's own grid after `now`: runs missed while the machine was off are not made up for."""
    missed = max(0, (now - due_at) // every)
    return due_at + every * (missed + 1)


class JobRepo(Repo):
    async def add(
        self,
        tenant_id: TenantId,
        kind: str,
        due_at: datetime,
        *,
        key: str | None = None,
        args: Mapping[str, Any] | None = None,
        every: timedelta | None = None,
        triggered_by: str | None = None,
    ) -> JobId:
        """A living job with the same key is moved to the earlier of both times instead: one key, one job."""
        row = await self._db.fetchrow(
            ADD, tenant_id, kind, due_at, key, dict(args or {}), every, triggered_by, correlation.current()
        )
        assert row is not None  # noqa: S101 - INSERT … ON CONFLICT DO UPDATE always returns its row
        if row["state"] == "due":
            await DueRepo(self._db).add(tenant_id, DueKind.JOB, [row["id"]], row["due_at"])
        return JobId(row["id"])

    async def get(self, tenant_id: TenantId, job_id: JobId) -> Job | None:
        row = await self._db.fetchrow(GET, tenant_id, job_id)
        return Job.model_validate(dict(row)) if row else None

    async def claim(
        self, tenant_id: TenantId, job_id: JobId, kind: JobKind, holder: Holder, now: datetime
    ) -> Job | None:
        """Takes the job if it is due, its kind is not paused and fewer than `kind.concurrency` run; else None."""
        await self._db.execute(LOCK_KIND, tenant_id, kind.name)
        lease_until = now + LEASE
        row = await self._db.fetchrow(CLAIM, tenant_id, job_id, kind.name, kind.concurrency, holder, now, lease_until)
        return Job.model_validate(dict(row)) if row else None

    async def renew(self, job: Job, lease_until: datetime) -> bool:
        """False when the lease was lost."""
        return await self._db.fetchval(RENEW, job.tenant_id, job.id, job.fence, lease_until) is not None

    async def mark_done(self, job: Job, now: datetime) -> bool:
        """False when the lease was lost in between: somebody else has the job, this run must not count."""
        if job.every is None:
            return await self._finish(job, "done", None, now)
        return await self._again(job, next_run(job.due_at, job.every, now), None, now, attempts=0)

    async def mark_retry(self, job: Job, due_at: datetime, error: str, now: datetime) -> bool:
        return await self._again(job, due_at, error, now, attempts=job.attempts)

    async def give_back(self, job: Job, now: datetime) -> bool:
        """Due again at once, the try not counted: the run was interrupted, it did not fail."""
        return await self._again(job, now, "interrupted", now, attempts=job.attempts - 1)

    async def mark_dead(self, job: Job, error: str, now: datetime) -> bool:
        return await self._finish(job, "dead", error, now)

    async def postpone(self, tenant_id: TenantId, job_id: JobId, due_at: datetime) -> None:
        """Looks at a job again later without counting a try: its kind is paused or at its limit."""
        await self._db.execute(POSTPONE, tenant_id, job_id, due_at)

    async def cancel(self, tenant_id: TenantId, job_id: JobId, now: datetime) -> bool:
        cancelled = await self._db.fetchval(CANCEL, tenant_id, job_id, now)
        await DueRepo(self._db).delete(tenant_id, DueKind.JOB, [job_id])
        return cancelled is not None

    async def revive(self, tenant_id: TenantId, job_id: JobId, now: datetime) -> bool:
        """A dead job gets its tries back."""
        revived = await self._db.fetchval(REVIVE, tenant_id, job_id, now)
        if revived is not None:
            await DueRepo(self._db).add(tenant_id, DueKind.JOB, [job_id], now)
        return revived is not None

    async def pause(self, tenant_id: TenantId, kind: str, by: str) -> None:
        await self._db.execute(PAUSE, tenant_id, kind, by)

    async def resume(self, tenant_id: TenantId, kind: str, now: datetime) -> None:
        await self._db.execute(RESUME, tenant_id, kind)
        await self._db.execute(RESUME_DUE, tenant_id, kind, now)

    async def list_paused(self, tenant_id: TenantId) -> list[str]:
        return [row["kind"] for row in await self._db.fetch(LIST_PAUSED, tenant_id)]

    async def list_status(self, tenant_id: TenantId) -> list[JobStatus]:
        return [JobStatus(*row) for row in await self._db.fetch(LIST_STATUS, tenant_id)]

    async def delete_ended(self, tenant_id: TenantId, before: datetime) -> int:
        return int((await self._db.execute(DELETE_ENDED, tenant_id, before)).split()[-1])

    async def rebuild_due(self, tenant_id: TenantId) -> int:
        """Writes the `due` rows again from the jobs themselves."""
        return int((await self._db.execute(REBUILD_DUE, tenant_id)).split()[-1])

    async def _finish(self, job: Job, state: str, error: str | None, now: datetime) -> bool:
        return await self._db.fetchval(FINISH, job.tenant_id, job.id, job.fence, state, error, now) is not None

    async def _again(self, job: Job, due_at: datetime, error: str | None, now: datetime, *, attempts: int) -> bool:
        again = await self._db.fetchval(AGAIN, job.tenant_id, job.id, job.fence, due_at, error, now, attempts)
        return again is not None


LEASE = timedelta(seconds=45)  # renewed while the run goes on; when its process dies, others wait no longer than this
COLUMNS = "tenant_id, id, kind, key, args, state, due_at, every, attempts, fence, last_error, correlation_id"
ADD = """
INSERT INTO jobs AS j (tenant_id, kind, due_at, key, args, every, triggered_by, correlation_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, kind, key) WHERE state IN ('due', 'running')
DO UPDATE SET due_at = CASE WHEN j.state = 'due' THEN least(j.due_at, excluded.due_at) ELSE j.due_at END,
              every = excluded.every, triggered_by = excluded.triggered_by
RETURNING id, state, due_at
"""
GET = f"SELECT {COLUMNS} FROM jobs WHERE tenant_id = $1 AND id = $2"
# Claims of one kind queue up behind each other, so that the count of running ones is true.
LOCK_KIND = "SELECT pg_advisory_xact_lock(hashtextextended($2, $1))"
CLAIM = f"""
WITH claimed AS (
    UPDATE jobs
    SET state = 'running', holder = $5, started_at = $6, lease_until = $7, fence = fence + 1, attempts = attempts + 1
    WHERE tenant_id = $1 AND id = $2
    AND ((state = 'due' AND due_at <= $6) OR (state = 'running' AND lease_until <= $6))
    AND NOT EXISTS (SELECT FROM job_pauses p WHERE p.tenant_id = $1 AND p.kind = $3)
    AND (SELECT count(*) FROM jobs r WHERE r.tenant_id = $1 AND r.state = 'running' AND r.kind = $3
         AND r.id <> $2 AND r.lease_until > $6) < $4
    RETURNING {COLUMNS}
), moved AS (
    UPDATE due SET due_at = $7 FROM claimed WHERE due.tenant_id = $1 AND due.kind = 'job' AND due.row_id = claimed.id
)
SELECT * FROM claimed
"""
RENEW = """
WITH renewed AS (
    UPDATE jobs SET lease_until = $4 WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND state = 'running' RETURNING id
), moved AS (
    UPDATE due SET due_at = $4 FROM renewed WHERE due.tenant_id = $1 AND due.kind = 'job' AND due.row_id = renewed.id
)
SELECT id FROM renewed
"""
FINISH = """
WITH finished AS (
    UPDATE jobs SET state = $4, last_error = $5, finished_at = $6, holder = NULL, lease_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND state = 'running' RETURNING id
), gone AS (
    DELETE FROM due USING finished WHERE due.tenant_id = $1 AND due.kind = 'job' AND due.row_id = finished.id
)
SELECT id FROM finished
"""
AGAIN = """
WITH again AS (
    UPDATE jobs
    SET state = 'due', due_at = $4, last_error = $5, finished_at = $6, attempts = $7, holder = NULL, lease_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND state = 'running' RETURNING id
), moved AS (
    UPDATE due SET due_at = $4 FROM again WHERE due.tenant_id = $1 AND due.kind = 'job' AND due.row_id = again.id
)
SELECT id FROM again
"""
POSTPONE = """
UPDATE due SET due_at = $3 WHERE tenant_id = $1 AND kind = 'job' AND row_id = $2
AND EXISTS (SELECT FROM jobs WHERE tenant_id = $1 AND id = $2 AND state = 'due')
"""
CANCEL = """
UPDATE jobs SET state = 'cancelled', finished_at = $3
WHERE tenant_id = $1 AND id = $2 AND state IN ('due', 'running') RETURNING id
"""
REVIVE = """
UPDATE jobs SET state = 'due', due_at = $3, attempts = 0
WHERE tenant_id = $1 AND id = $2 AND state = 'dead' RETURNING id
"""
PAUSE = "INSERT INTO job_pauses (tenant_id, kind, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
RESUME = "DELETE FROM job_pauses WHERE tenant_id = $1 AND kind = $2"
RESUME_DUE = """
UPDATE due SET due_at = greatest(j.due_at, $3::timestamptz) FROM jobs j
WHERE due.tenant_id = $1 AND due.kind = 'job' AND j.tenant_id = $1 AND j.id = due.row_id AND j.kind = $2
    AND j.state = 'due'
"""
LIST_PAUSED = "SELECT kind FROM job_pauses WHERE tenant_id = $1 ORDER BY kind"
LIST_STATUS = """
SELECT kind, state, count(*), min(due_at) FILTER (WHERE state = 'due'), max(finished_at),
       (array_agg(last_error ORDER BY finished_at DESC) FILTER (WHERE last_error IS NOT NULL))[1]
FROM jobs WHERE tenant_id = $1 GROUP BY kind, state ORDER BY kind, state
"""
DELETE_ENDED = "DELETE FROM jobs WHERE tenant_id = $1 AND state IN ('done', 'cancelled') AND finished_at < $2"
REBUILD_DUE = """
INSERT INTO due (tenant_id, kind, row_id, due_at)
SELECT tenant_id, 'job', id, CASE state WHEN 'due' THEN due_at ELSE lease_until END
FROM jobs WHERE tenant_id = $1 AND state IN ('due', 'running')
ON CONFLICT (tenant_id, kind, row_id) DO UPDATE SET due_at = excluded.due_at
"""
