"""A long-running process: opens the runtime, serves health, runs its apps until a signal, closes in reverse."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping

import structlog

from config.health import serve_health
from config.logging import setup_logging
from config.loops import keep_running, pause_after, rest
from config.runtime import Runtime, open_runtime
from config.settings import Settings, load_settings
from core.access.service import access_tenant
from core.platform import heartbeat
from core.platform.errors import AppError

App = Callable[[Runtime, asyncio.Event], Awaitable[None]]
OnStarted = Callable[[Runtime], Awaitable[None]]
BEAT_SECONDS = 5.0

log = structlog.get_logger(__name__)


async def run_process(
    settings: Settings, name: str, apps: Mapping[str, App], on_started: OnStarted | None = None
) -> None:
    """Returns after SIGINT or SIGTERM, with everything stopped. Raises AppError when it cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_runtime(settings, name, pool=8 + 4 * len(apps)) as runtime, serve_health(runtime):
        await found_default_tenant(runtime)
        log.info("process.started", name=name)
        if on_started is not None:
            await on_started(runtime)
        async with asyncio.TaskGroup() as group:
            for app_name, app in apps.items():
                group.create_task(_supervise(app_name, app, runtime, stop))
                group.create_task(_beat(app_name, runtime, stop))
        log.info("process.stopped", name=name)


async def found_default_tenant(runtime: Runtime) -> None:
    """The first start makes `default`; where tenants exist there is nothing to do."""
    try:
        await access_tenant(runtime.database, None)
    except AppError:
        return  # several tenants: no default is needed


async def _supervise(name: str, app: App, runtime: Runtime, stop: asyncio.Event) -> None:
    """An app that falls is started again after a growing pause; the others go on."""
    failures = 0
    while not stop.is_set():
        try:
            await app(runtime, stop)
        except Exception as error:
            failures += 1
            log.error("app.failed", name=name, attempt=failures, error=type(error).__name__, exc_info=error)
            await rest(stop, pause_after(failures))


async def _beat(name: str, runtime: Runtime, stop: asyncio.Event) -> None:
    async def beat() -> int:
        await heartbeat.beat(runtime.need_redis(), name, runtime.holder)
        return 0

    await keep_running(f"{name}.heartbeat", beat, stop, idle=BEAT_SECONDS)


def main(name: str, app: App) -> None:
    """`python -m worker` and its like."""
    try:
        settings = load_settings()
        setup_logging(settings.log_level, settings.log_format, name)
        asyncio.run(run_process(settings, name, {name: app}))
    except AppError as error:
        sys.stderr.write(f"parley {name}: {error}\n")
        sys.exit(error.exit_code)
