"""Carries updates to webhooks, in order, again and again until each is taken."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from tests.fakes.telegram.chats import Bot
from tests.fakes.telegram.errors import Refused
from tests.fakes.telegram.mailbox import Mailbox, Update, Webhook

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PATIENCE = ClientTimeout(total=60)

# Performs the method that a webhook may put into its answer.
Perform = Callable[[Bot, dict[str, Any]], None]


class Courier:
    """One task for each bot with a webhook. `retry_after`: real seconds between attempts."""

    def __init__(self, mailbox_of: Callable[[Bot], Mailbox], perform: Perform, retry_after: float = 0.02) -> None:
        self._mailbox_of = mailbox_of
        self._perform = perform
        self._retry_after = retry_after
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def look_after(self, bot: Bot) -> None:
        """To be called whenever the bot may have changed its webhook."""
        task = self._tasks.get(bot.id)
        if self._mailbox_of(bot).webhook and (task is None or task.done()):
            self._tasks[bot.id] = asyncio.create_task(self._carry(bot))

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _carry(self, bot: Bot) -> None:
        mailbox = self._mailbox_of(bot)
        async with ClientSession(timeout=PATIENCE) as session:
            while mailbox.webhook:
                try:
                    update = await mailbox.first()
                except Refused:
                    continue
                await self._deliver(session, bot, mailbox, update)

    async def _deliver(self, session: ClientSession, bot: Bot, mailbox: Mailbox, update: Update) -> None:
        webhook = mailbox.webhook
        if webhook is None:
            return
        reason = await self._attempt(session, bot, webhook, update)
        if reason is None:
            mailbox.confirm(update.id + 1)
        elif mailbox.webhook is webhook:
            mailbox.failed(reason)
            await asyncio.sleep(self._retry_after)

    async def _attempt(self, session: ClientSession, bot: Bot, webhook: Webhook, update: Update) -> str | None:
        """Why it was not taken; None when it was."""
        headers = {SECRET_HEADER: webhook.secret} if webhook.secret else {}
        try:
            async with session.post(webhook.url, json=update.view(), headers=headers) as response:
                if not response.ok:
                    return f"Wrong response from the webhook: {response.status} {response.reason}"
                answer = await _answer(response)
        except TimeoutError:
            return "Read timeout expired"
        except ClientError:
            return "Connection refused"
        if "method" in answer:
            self._perform(bot, answer)
        return None


async def _answer(response: ClientResponse) -> dict[str, Any]:
    """A webhook may answer with a call in JSON; anything else is not looked at."""
    if response.content_type != "application/json":
        return {}
    try:
        answer = json.loads(await response.text() or "{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
