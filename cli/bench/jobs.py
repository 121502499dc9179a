"""Durable jobs (row, wake-up, lease, mark) beside bare arq with one transaction each."""

import asyncio
import json
from time import perf_counter
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import Redis

from cli.bench.measure import Bench, Result
from config.loops import keep_running
from core.platform.clock import utc_now
from core.platform.ids import new_holder
from core.platform.jobs import Job, JobKind, JobRepo
from core.platform.runner import JobRunner
from worker.wakeups import QUEUE, RUNS_AT_ONCE, JobSweeper, dump, end_worker, make_worker, open_queue, redis_settings

KIND = "bench.noop"
FLOOR_QUEUE = "parley:bench"


async def bench_jobs(bench: Bench, n: int) -> list[Result]:
    url = bench.addresses.redis_url
    assert url is not None  # noqa: S101 - the bench was opened with Redis
    await _refuse_busy_queue(url)
    floor = await _bare(bench, url, n)
    ours = await _durable(bench, url, n)
    return [Result("due jobs", n / ours, n / floor, "jobs/s", n)]


async def _refuse_busy_queue(url: str) -> None:
    redis = Redis.from_url(url)
    try:
        await redis.delete(FLOOR_QUEUE, QUEUE)
    finally:
        await redis.aclose()


async def _durable(bench: Bench, url: str, n: int) -> float:
    tenant_id = bench.tenant.tenant_id
    finished, done = asyncio.Event(), 0

    async def handle(_: Job) -> None:
        nonlocal done
        done += 1
        if done == n:
            finished.set()

    async with bench.database.uow(tenant_id) as uow:
        for number in range(n):
            await JobRepo(uow.db).add(tenant_id, KIND, utc_now(), key=str(number))
    runner = JobRunner(
        bench.database, {KIND: JobKind(KIND, handle, concurrency=RUNS_AT_ONCE)}, new_holder("bench"), utc_now
    )
    sweeper, worker = JobSweeper(bench.database, url, utc_now), make_worker(url, runner)
    started = perf_counter()
    main = asyncio.create_task(worker.main())
    sweeping = asyncio.create_task(keep_running("bench", sweeper.run_once, finished, idle=0.05))
    await finished.wait()
    elapsed = perf_counter() - started
    await sweeping
    await end_worker(worker, main)
    await sweeper.close()
    return elapsed


async def _bare(bench: Bench, url: str, n: int) -> float:
    finished, done = asyncio.Event(), 0

    async def noop(_: dict[Any, Any], number: int) -> None:
        nonlocal done
        async with bench.database.uow(bench.tenant.tenant_id) as uow:
            await uow.db.execute(
                "UPDATE jobs SET attempts = attempts WHERE tenant_id = $1 AND id = $2", uow.tenant_id, number
            )
        done += 1
        if done == n:
            finished.set()

    queue: ArqRedis = await open_queue(url)
    started = perf_counter()
    await asyncio.gather(
        *(queue.enqueue_job("noop", i, _job_id=f"bench:{i}", _queue_name=FLOOR_QUEUE) for i in range(n))
    )
    worker = Worker(
        functions=[func(noop, name="noop", keep_result=0)],  # type: ignore[arg-type]
        queue_name=FLOOR_QUEUE,
        redis_settings=redis_settings(url),
        handle_signals=False,
        max_jobs=RUNS_AT_ONCE,
        poll_delay=0.05,
        job_serializer=dump,
        job_deserializer=json.loads,
    )
    main = asyncio.create_task(worker.main())
    await finished.wait()
    elapsed = perf_counter() - started
    await end_worker(worker, main)
    await queue.aclose()
    return elapsed
