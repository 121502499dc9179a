"""Background loops: a round that fails is logged, counted and tried again after a growing pause, for ever."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import structlog
from redis.exceptions import RedisError

from core.platform import metrics
from core.platform.errors import AppError

PAUSE_FIRST = 0.25
PAUSE_CAP = 15.0
STOP_GRACE = 6.0
# A server that is away or a refused statement ends a round; anything else is a defect and ends the process loudly.
EXPECTED = (RedisError, asyncpg.PostgresError, asyncpg.InterfaceError, AppError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


async def keep_running(
    name: str,
    round_: Callable[[], Coroutine[Any, Any, int]],
    stop: asyncio.Event,
    *,
    idle: float,
    grace: float = STOP_GRACE,
) -> None:
    """Calls `round_` until `stop`; rests `idle` seconds after a round that found nothing to do (returned 0).

    A round that is under way at `stop` is cancelled after `grace` seconds.
    """
    failures = 0
    while not stop.is_set():
        try:
            done = await until_stopped(round_(), stop, grace)
        except EXPECTED as error:
            failures += 1
            metrics.LOOP_FAILURES.labels(name).inc()
            log.warning("loop.failed", loop=name, attempt=failures, error=type(error).__name__)
            await rest(stop, pause_after(failures) * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
            continue
        failures = 0
        metrics.LOOP_LAST_OK.labels(name).set_to_current_time()
        if not done:
            await rest(stop, idle)


async def until_stopped(round_: Coroutine[Any, Any, int], stop: asyncio.Event, grace: float) -> int:
    """The round's answer; once `stop` is set it has `grace` seconds to end by itself."""
    running, stopping = asyncio.create_task(round_), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await asyncio.wait({running}, timeout=grace)
    finally:
        stopping.cancel()
        if not running.done():  # it waits for a server that does not answer
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return 0 if running.cancelled() else running.result()


def pause_after(failures: int) -> float:
    """Seconds: 0.25 · 2^(failures − 1), at most 15."""
    doubled: float = PAUSE_FIRST * 2 ** min(failures - 1, 16)
    return min(doubled, PAUSE_CAP)


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Waits, but not longer than until `stop`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
