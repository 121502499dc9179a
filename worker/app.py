"""The worker: relays events, feeds consumers, wakes due jobs and runs them."""

import asyncio

from config.bots import open_bots
from config.loops import keep_running, rest
from config.runtime import Runtime
from core.access.repo import DirectoryRepo
from core.delivery.bot_api import BotAccount, BotApiAdapter
from core.delivery.sender import Sender
from core.platform.jobs import JobKind, JobRepo
from core.platform.relay import Relay
from core.platform.runner import JobRunner
from core.platform.streams import Consumer, StreamReader, wanted_by
from worker.jobs import digests, maintenance
from worker.wakeups import JobSweeper, end_worker, make_worker

IDLE_SECONDS = 0.25
SENDER_IDLE_SECONDS = 0.1
PLAN_SECONDS = 60.0


def consumers_of(runtime: Runtime) -> list[Consumer]:
    return [digests.window_consumer(runtime)]


KIND_NAMES = (digests.KIND, maintenance.KIND)


def kinds_of(runtime: Runtime) -> dict[str, JobKind]:
    kinds = [digests.window_job(runtime), maintenance.maintenance_job(runtime)]
    return {kind.name: kind for kind in kinds}


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Until `stop`; each loop outlives the servers it stands on."""
    consumers = consumers_of(runtime)
    redis, url = runtime.need_redis(), runtime.addresses.redis_url
    assert url is not None  # noqa: S101 - need_redis has checked it
    wanted = wanted_by(consumers)
    relay = Relay(runtime.database, redis, wanted, runtime.clock)
    sweeper = JobSweeper(runtime.database, url, runtime.clock)
    readers = [
        StreamReader(runtime.database, redis, c, runtime.holder, runtime.clock, wanted=len(wanted[c.kind]))
        for c in consumers
    ]
    runner = JobRunner(runtime.database, kinds_of(runtime), runtime.holder, runtime.clock)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_running("sender", lambda: run_sender(runtime, stop), stop, idle=IDLE_SECONDS))
            group.create_task(keep_running("relay", relay.run_once, stop, idle=IDLE_SECONDS))
            group.create_task(keep_running("job-sweeper", sweeper.run_once, stop, idle=IDLE_SECONDS))
            group.create_task(keep_running("planner", lambda: plan(runtime), stop, idle=PLAN_SECONDS))
            group.create_task(keep_running("arq", lambda: run_arq(url, runner, stop), stop, idle=IDLE_SECONDS))
            for consumer, reader in zip(consumers, readers, strict=True):
                group.create_task(keep_running(consumer.name, reader.run_once, stop, idle=0))
    finally:
        await sweeper.close()


async def run_sender(runtime: Runtime, stop: asyncio.Event) -> int:
    """One life of the ledger's sender, for all bots; while Telegram is away nothing else in the worker waits for it."""
    async with open_bots(runtime) as bots:
        accounts = {owned.account: BotAccount(owned.bot, owned.project_id) for owned in bots}
        adapter = BotApiAdapter(accounts)
        sender = Sender(runtime.database, runtime.need_redis(), [adapter], runtime.holder, runtime.clock)
        try:
            if not accounts:
                await stop.wait()
            while not stop.is_set():
                if not await sender.run_once():
                    await rest(stop, SENDER_IDLE_SECONDS)
        finally:
            await sender.stop()
    return 0


async def plan(runtime: Runtime) -> int:
    """Every tenant has its nightly housekeeping; a tenant founded later gets it within a minute."""
    async with runtime.database.anyone() as db:
        tenants = await DirectoryRepo(db).list_tenants()
    for tenant_id in tenants.values():
        async with runtime.database.uow(tenant_id) as uow:
            await JobRepo(uow.db).add(
                tenant_id, maintenance.KIND, runtime.clock() + maintenance.EVERY, key="nightly", every=maintenance.EVERY
            )
    return 0


async def run_arq(url: str, runner: JobRunner, stop: asyncio.Event) -> int:
    """One life of an arq worker: it ends when Redis goes away or the process stops."""
    worker = make_worker(url, runner)
    main = asyncio.create_task(worker.main())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({main, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if main.done():
            await main
    finally:
        stopped.cancel()
        await end_worker(worker, main)
    return 0
