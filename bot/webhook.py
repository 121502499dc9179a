"""Takes updates by webhook, where WEBHOOK_URL is set: stored first, acknowledged then."""

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiohttp import web

from bot.inbox import store_updates
from bot.poller import ALLOWED
from config.bots import OwnedBot
from config.settings import Settings
from core.platform.db import Database
from core.platform.errors import Misconfigured

PATH = "/telegram/{bot_id}"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
LARGEST = 2 << 20  # bytes of one update

log = structlog.get_logger(__name__)


@asynccontextmanager
async def serve_webhooks(settings: Settings, database: Database, bots: Sequence[OwnedBot]) -> AsyncIterator[None]:
    """Listens on WEBHOOK_PORT and tells Telegram where; what is pending there comes first, nothing is dropped."""
    secret = settings.webhook_secret
    if settings.webhook_url is None or secret is None:
        raise Misconfigured("WEBHOOK_SECRET is not set: with WEBHOOK_URL it proves that a request comes from Telegram.")
    app = web.Application(client_max_size=LARGEST)
    by_id = {owned.bot.id: owned for owned in bots}
    app.router.add_post(PATH, partial(_receive, database=database, bots=by_id, secret=secret))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.webhook_host, settings.webhook_port).start()
        for owned in bots:
            url = settings.webhook_url.rstrip("/") + PATH.format(bot_id=owned.bot.id)
            await owned.bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED, drop_pending_updates=False)
        yield
    finally:
        await runner.cleanup()


async def _receive(request: web.Request, database: Database, bots: Mapping[int, OwnedBot], secret: str) -> web.Response:
    """200 only after the update is stored: Telegram repeats what it was not confirmed."""
    if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), secret.encode()):
        return web.Response(status=401)
    bot_id = request.match_info["bot_id"]
    owned = bots.get(int(bot_id)) if bot_id.isdecimal() else None
    if owned is None:
        return web.Response(status=404)
    try:
        raw = await request.json()
        if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
            raise ValueError("no update")
    except ValueError:
        return web.Response(status=400)
    await store_updates(database, owned.tenant_id, owned.bot.id, [raw])
    return web.Response()
