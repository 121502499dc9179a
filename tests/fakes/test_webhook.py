"""Updates brought to the bot's own server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiogram import Dispatcher, F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from tests.fakes.conftest import Town
from tests.fakes.telegram.courier import SECRET_HEADER

SECRET = "s3cret-Token_1"


class Hook:
    """A bot's server: keeps what it is brought; `statuses` are answered first, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.answer: dict[str, object] = {}
        self.brought: list[int] = []
        self.secrets: list[str | None] = []
        self.arrived = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        async with self.arrived:
            self.brought.append((await request.json())["update_id"])
            self.secrets.append(request.headers.get(SECRET_HEADER))
            self.arrived.notify_all()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.json_response(self.answer, status=status)

    async def has(self, deliveries: int) -> None:
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.brought) >= deliveries)


async def serve(application: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    application = web.Application()
    application.router.add_post("/hook", hook.take)
    runner, hook.url = await serve(application)
    yield hook
    await runner.cleanup()


async def test_updates_come_in_order_with_the_secret(town: Town, hook: Hook) -> None:
    await town.client.set_webhook(hook.url, secret_token=SECRET)
    for text in ("one", "two", "three"):
        await town.anna.types(text)
    await hook.has(3)
    assert hook.brought == sorted(hook.brought)
    assert hook.secrets == [SECRET] * 3


async def test_a_failed_delivery_is_tried_again_and_told(town: Town, hook: Hook) -> None:
    hook.statuses = [500, 503]
    await town.client.set_webhook(hook.url)
    await town.anna.types("hello")
    await hook.has(3)
    assert len(set(hook.brought)) == 1
    info = await town.client.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"


async def test_updates_wait_while_nobody_listens(town: Town, hook: Hook) -> None:
    await town.client.set_webhook("http://127.0.0.1:9/hook")
    await town.anna.types("hello")
    async with asyncio.timeout(5):
        while not (info := await town.client.get_webhook_info()).last_error_message:
            pass
    assert (info.last_error_message, info.pending_update_count) == ("Connection refused", 1)
    await town.client.set_webhook(hook.url)
    await hook.has(1)


async def test_pending_updates_are_dropped_when_asked(town: Town, hook: Hook) -> None:
    await town.anna.types("old")
    await town.client.set_webhook(hook.url, drop_pending_updates=True)
    await town.anna.types("new")
    await hook.has(1)
    assert (await town.client.get_webhook_info()).pending_update_count == 0
    assert len(hook.brought) == 1


async def test_polling_works_again_after_the_webhook_is_deleted(town: Town, hook: Hook) -> None:
    await town.client.set_webhook(hook.url)
    await town.client.delete_webhook()
    await town.anna.types("hello")
    assert len(await town.client.get_updates()) == 1
    assert (await town.client.get_webhook_info()).url == ""


async def test_a_webhook_may_answer_with_a_call(town: Town, hook: Hook) -> None:
    hook.answer = {"method": "sendMessage", "chat_id": town.anna.id, "text": "from the answer"}
    await town.client.set_webhook(hook.url)
    await town.anna.types("hello")
    await town.anna.waits_for("from the answer")


async def test_aiograms_own_handler_is_served(town: Town) -> None:
    router = Router()

    @router.message(F.text == "ping")
    async def _(message: Message) -> None:
        await message.answer("pong")

    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    application = web.Application()
    SimpleRequestHandler(dispatcher, town.client, secret_token=SECRET, handle_in_background=False).register(
        application, "/hook"
    )
    runner, url = await serve(application)
    await town.client.set_webhook(url, secret_token=SECRET)
    await town.anna.types("ping")
    await town.anna.waits_for("pong")
    await runner.cleanup()


WRONG = [
    ("http://example.com/hook", "", "bad webhook: An HTTPS URL must be provided for webhook"),
    ("https://example.com:8080/", "", "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
    ("http://127.0.0.1:9/", "not allowed", "secret token contains unallowed characters"),
    ("http://127.0.0.1:9/", "x" * 257, "secret token is too long"),
]


@pytest.mark.parametrize(("url", "secret", "reason"), WRONG)
async def test_wrong_webhooks_are_refused(town: Town, url: str, secret: str, reason: str) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await town.client.set_webhook(url, secret_token=secret)
    assert refused.value.message == f"Bad Request: {reason}"
