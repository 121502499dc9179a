"""Parley's bot in a process of its own, that may die before and after each commit.

Arguments: DSN REDIS_URL API_URL TOKEN SHARE SEED.
"""

import asyncio
import random
import sys
from datetime import timedelta

from redis.asyncio import Redis

from bot import app, lease, middlewares
from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.platform.clock import utc_now
from core.platform.ids import new_holder
from core.platform.policies import Policies
from tests.delivery import sender_process
from tests.delivery.sender_process import MortalDatabase


async def main(dsn: str, redis_url: str, api_url: str, token: str) -> None:
    database = await MortalDatabase.open(dsn, name="bot", size=8)
    runtime = Runtime(
        settings=Settings(bot_token=token, telegram_api_url=api_url),
        addresses=Addresses("", dsn, redis_url),
        database=database,
        redis=Redis.from_url(redis_url),
        policies=Policies(database, load_defaults()),
        clock=utc_now,
        holder=new_holder("bot"),
    )
    await app.run(runtime, asyncio.Event())


def hurry() -> None:
    """The same rules, with less patience; people in a storm type faster than people may."""
    lease.LIFETIME, lease.SAFETY_SECONDS, app.RENEW_SECONDS = timedelta(seconds=2), 0.5, 0.3
    middlewares.BURST = 1_000_000


if __name__ == "__main__":
    hurry()
    sender_process.SHARE, sender_process.DICE = float(sys.argv[5]), random.Random(int(sys.argv[6]))
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4]))
