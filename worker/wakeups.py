"""arq as the alarm clock of due jobs: the rows stay in Postgres, Redis only spreads the wake-ups over the workers."""

import asyncio
import json
from time import monotonic
from typing import Any
from urllib.parse import unquote

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker, func

from core.platform import metrics
from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.due import Due, DueKind, DueRepo
from core.platform.ids import JobId, TenantId
from core.platform.runner import JobRunner

QUEUE = "parley:arq"
RUN_DUE = "due.run"
SWEEP_BATCH = 500
RUNS_AT_ONCE = 16
POLL_SECONDS = 0.05
WAKE_AGAIN = 5.0  # seconds: how long a wake-up that Redis lost can stay lost
STOP_SECONDS = 5.0  # how long runs may go on after the process was told to stop


def redis_settings(url: str) -> RedisSettings:
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0  # the loop around it retries, with a pause that grows
    if settings.unix_socket_path is not None:
        settings.unix_socket_path = unquote(settings.unix_socket_path)
    return settings


async def open_queue(url: str) -> ArqRedis:
    return await create_pool(
        redis_settings(url), job_serializer=dump, job_deserializer=json.loads, default_queue_name=QUEUE
    )


class JobSweeper:
    """Finds due jobs of all tenants and hands each to arq once; finds them again when Redis forgot."""

    def __init__(self, database: Database, url: str, clock: Clock) -> None:
        self._database = database
        self._url = url
        self._clock = clock
        self._queue: ArqRedis | None = None
        self._woken: dict[Due, float] = {}

    async def run_once(self) -> int:
        """Returns how many wake-ups were new. Raises RedisError or OSError when Redis is away."""
        async with self._database.sweep() as db:
            due = await DueRepo(db).list_due(DueKind.JOB, self._clock(), SWEEP_BATCH)
        sleeping = self._not_lately_woken(due)
        if not sleeping:
            return 0
        if self._queue is None:
            self._queue = await open_queue(self._url)
        woken = sum(await asyncio.gather(*(self._wake(self._queue, row) for row in sleeping)))
        self._woken.update(dict.fromkeys(sleeping, monotonic()))
        metrics.JOBS_WOKEN.inc(woken)
        return woken

    def _not_lately_woken(self, due: list[Due]) -> list[Due]:
        """A row that still waits in arq's queue need not be handed over in each round; after WAKE_AGAIN it is."""
        horizon = monotonic() - WAKE_AGAIN
        self._woken = {row: at for row, at in self._woken.items() if at > horizon}
        return [row for row in due if row not in self._woken]

    async def _wake(self, queue: ArqRedis, row: Due) -> int:
        """The id names this due time of this job: while arq holds it, a second wake-up is dropped."""
        wake_id = f"{row.tenant_id}:{row.row_id}:{int(row.due_at.timestamp() * 1000)}"
        job = await queue.enqueue_job(RUN_DUE, row.tenant_id, row.row_id, _job_id=wake_id)
        return 0 if job is None else 1

    async def close(self) -> None:
        if self._queue is not None:
            await self._queue.aclose()


def make_worker(url: str, runner: JobRunner) -> Worker:
    """An arq worker that runs due jobs. It ends with ConnectionError when Redis goes: run it in a loop."""

    async def run_due(_: dict[Any, Any], tenant_id: int, job_id: int) -> None:
        await runner.run(TenantId(tenant_id), JobId(job_id))

    return Worker(
        functions=[func(run_due, name=RUN_DUE, keep_result=0, max_tries=1)],  # type: ignore[arg-type]
        queue_name=QUEUE,
        redis_settings=redis_settings(url),
        handle_signals=False,
        max_jobs=RUNS_AT_ONCE,
        poll_delay=POLL_SECONDS,
        job_timeout=3600,  # the kinds have their own, shorter limits
        retry_jobs=False,
        job_serializer=dump,
        job_deserializer=json.loads,
        health_check_interval=3600,
    )


async def end_worker(worker: Worker, main: "asyncio.Task[None]") -> None:
    """Lets runs end for STOP_SECONDS, cancels the rest, closes connections, whether or not Redis still answers."""
    main.cancel()
    runs = list(worker.tasks.values())
    if runs:
        _, late = await asyncio.wait(runs, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
    await asyncio.gather(main, *runs, return_exceptions=True)
    if worker.pool is not None:  # None until its first connection
        await worker.pool.aclose(close_connection_pool=True)


def dump(value: dict[str, Any]) -> bytes:
    """JSON instead of arq's pickle. An exception travels as its type and text."""
    return json.dumps(value, default=lambda error: {"__exc__": [type(error).__name__, str(error)]}).encode()
