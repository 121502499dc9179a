"""Takes updates from Telegram by long polling. They are stored before the next call confirms them.

Raw JSON, not aiogram's models: one update that a model cannot read must not stop all others.
"""

import asyncio
from typing import Any

import aiohttp
import structlog
from aiogram.exceptions import ClientDecodeError, TelegramAPIError

from bot.inbox import store_updates
from config.bots import OwnedBot
from core.platform.db import Database
from core.platform.errors import Conflict, Unavailable

POLL_SECONDS = 25
ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]

log = structlog.get_logger(__name__)


class Poller:
    def __init__(
        self, database: Database, owned: OwnedBot, session: aiohttp.ClientSession, seconds: int = POLL_SECONDS
    ) -> None:
        self._database = database
        self._owned = owned
        self._session = session
        self._seconds = seconds
        self._offset: int | None = None

    async def run_once(self) -> int:
        """One call; returns how many updates were new. Raises AppError when Telegram does not answer as it should."""
        raws = await self._get_updates()
        if not raws:
            return 1  # the long poll was the rest
        await store_updates(self._database, self._owned.tenant_id, self._owned.bot.id, raws)
        self._offset = max(raw["update_id"] for raw in raws) + 1
        return len(raws)

    async def _get_updates(self) -> list[dict[str, Any]]:
        bot = self._owned.bot
        if self._offset is None:  # the first call: a webhook that was set would refuse it
            await self._drop_webhook()
        url = bot.session.api.api_url(bot.token, "getUpdates")
        asked: dict[str, Any] = {"timeout": self._seconds, "allowed_updates": ALLOWED, "limit": 100}
        if self._offset is not None:
            asked["offset"] = self._offset
        try:
            async with asyncio.timeout(self._seconds + 15), self._session.post(url, json=asked) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, ValueError) as error:
            raise Unavailable(f"Telegram cannot be reached ({type(error).__name__}).") from error
        if isinstance(told, dict) and told.get("ok"):
            return list(told["result"])
        code = told.get("error_code") if isinstance(told, dict) else None
        if code == 409:
            raise Conflict("Another process takes this bot's updates, or a webhook is set.")
        raise Unavailable(f"Telegram refuses getUpdates ({code}).")

    async def _drop_webhook(self) -> None:
        try:
            await self._owned.bot.delete_webhook(drop_pending_updates=False)
        except (TelegramAPIError, ClientDecodeError) as error:
            raise Unavailable(f"Telegram cannot be reached ({type(error).__name__}).") from error
