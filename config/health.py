"""/metrics and /healthz of a process, on METRICS_PORT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from config.runtime import Runtime
from core.platform.errors import AppError, Misconfigured

CHECK_SECONDS = 3

log = structlog.get_logger(__name__)


@asynccontextmanager
async def serve_health(runtime: Runtime) -> AsyncIterator[int | None]:
    """Serves until the block ends; gives the port, None where none is configured (0 chooses a free one)."""
    port = runtime.settings.metrics_port
    if port is None:
        yield None
        return
    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/healthz", partial(_healthz, runtime=runtime))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, runtime.settings.metrics_host, port)
        try:
            await site.start()
        except OSError as error:
            raise Misconfigured(
                f"METRICS_PORT {port} cannot be used ({error.strerror}): choose another port."
            ) from error
        bound = runner.addresses[0][1]
        log.info("health.serving", port=bound)
        yield bound
    finally:
        await runner.cleanup()


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _healthz(_: web.Request, *, runtime: Runtime) -> web.Response:
    checks = await check_servers(runtime)
    healthy = all(state == "ok" for state in checks.values())
    return web.json_response({"status": "ok" if healthy else "failing", **checks}, status=200 if healthy else 503)


async def check_servers(runtime: Runtime) -> dict[str, str]:
    """ "ok" or the kind of failure, for each server that the process stands on."""
    return {"postgres": await _check_postgres(runtime), "redis": await _check_redis(runtime)}


async def _check_postgres(runtime: Runtime) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS), runtime.database.anyone() as db:
            await db.execute("SELECT 1")
    except (AppError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return type(error).__name__
    return "ok"


async def _check_redis(runtime: Runtime) -> str:
    if runtime.redis is None:
        return "ok"
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await runtime.redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"
