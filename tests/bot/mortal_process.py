"""Processes that die before and after their commits: Parley's bot, and a sender for its bots.

They are forked from one process that has imported everything, so that a storm dies often and not slowly.
"""

import asyncio
import logging
import multiprocessing
import random
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess

import structlog
from redis.asyncio import Redis

from bot import app, lease, middlewares
from config.bots import open_bots
from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.delivery import rules
from core.delivery.bot_api import BotAccount, BotApiAdapter
from core.delivery.sender import Sender
from core.platform.clock import utc_now
from core.platform.ids import new_holder
from core.platform.policies import Policies
from tests.delivery import sender_process
from tests.delivery.mail_adapter import UNLIMITED
from tests.delivery.sender_process import MortalDatabase

SENDER_DEADLINE = 1.0  # seconds
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "pytest"])


@dataclass(frozen=True)
class Life:
    """What a process is born with. `share`: how likely it dies at each beginning and each end of a commit."""

    dsn: str
    redis_url: str
    api_url: str
    token: str
    share: float
    seed: int


def begin_bot(life: Life) -> BaseProcess:
    return _begin(life, "bot")


def begin_sender(life: Life) -> BaseProcess:
    return _begin(life, "sender")


def _begin(life: Life, name: str) -> BaseProcess:
    process = FORKS.Process(target=_live, args=(life, name), daemon=True)
    process.start()
    return process


def _live(life: Life, name: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sender_process.SHARE, sender_process.DICE = life.share, random.Random(life.seed)
    _hurry()
    asyncio.run(_run(life, name))


def _hurry() -> None:
    """The same rules, with less patience; and people in a storm type faster than people may."""
    lease.LIFETIME, lease.SAFETY_SECONDS = timedelta(seconds=1), 0.25
    vars(app).update(RENEW_SECONDS=0.1)  # a name that the app has taken over from the lease
    middlewares.BURST = 1_000_000
    rules.LEASE_MARGIN = rules.LEASE_MARGIN / 15
    BotApiAdapter.capabilities = BotApiAdapter.capabilities._replace(
        deadline=SENDER_DEADLINE, account_limit=UNLIMITED, chat_limit=UNLIMITED, group_limit=None
    )


async def _run(life: Life, name: str) -> None:
    database = await MortalDatabase.open(life.dsn, name=name, size=8)
    runtime = Runtime(
        settings=Settings(bot_token=life.token, telegram_api_url=life.api_url),
        addresses=Addresses("", life.dsn, life.redis_url),
        database=database,
        redis=Redis.from_url(life.redis_url),
        policies=Policies(database, load_defaults()),
        clock=utc_now,
        holder=new_holder(name),
    )
    await (app.run(runtime, asyncio.Event()) if name == "bot" else _send(runtime))


async def _send(runtime: Runtime) -> None:
    async with open_bots(runtime) as bots:
        adapter = BotApiAdapter({owned.account: BotAccount(owned.bot, owned.project_id) for owned in bots})
        sender = Sender(runtime.database, runtime.need_redis(), [adapter], runtime.holder, runtime.clock)
        while True:
            if not await sender.run_once():
                await asyncio.sleep(0.01)
