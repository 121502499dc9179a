"""The ingest process: owns accounts at services and brings in what happens there. No live source is wired in yet."""

import asyncio

import structlog

from config.runtime import Runtime

log = structlog.get_logger(__name__)


async def run(_: Runtime, stop: asyncio.Event) -> None:
    """Until `stop`."""
    log.info("ingest.idle", reason="no live source; use parley import")
    await stop.wait()
