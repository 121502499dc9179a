"""The bot process: talks to people in Telegram. It has no handlers yet."""

import asyncio

import structlog

from config.runtime import Runtime

log = structlog.get_logger(__name__)


async def run(_: Runtime, stop: asyncio.Event) -> None:
    """Until `stop`."""
    log.info("bot.idle", reason="the bot has no handlers yet")
    await stop.wait()
