"""How updates come in: stored first, by polling or by webhook, one process at a time."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.commands import commands_of
from bot.inbox import Feeder, Turn, chat_key, forget_settled, store_updates
from bot.lease import BotLease
from bot.webhook import SECRET_HEADER
from core.access.model import Role
from core.platform.db import Database
from core.platform.ids import Holder, TenantId
from tests.bot.conftest import Desk
from tests.conftest import Clock

SECRET = "a-secret-of-the-test"
BOT = 42


@pytest.fixture
async def hooked(desk: Desk) -> AsyncIterator[tuple[Desk, str]]:
    """The desk by webhook, and where it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = desk.runtime.settings.model_copy(
        update={"webhook_url": url, "webhook_secret": SECRET, "webhook_port": port}
    )
    yield replace(desk, runtime=replace(desk.runtime, settings=settings)), url


async def test_by_webhook_people_are_answered_too(hooked: tuple[Desk, str]) -> None:
    desk, _ = hooked
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        await olga.types("/id")
        await olga.waits_for("Your id")


@pytest.mark.parametrize(
    ("path", "secret", "body", "status"),
    [
        ("/telegram/{bot}", SECRET, b'{"update_id": 1}', 200),
        ("/telegram/{bot}", "wrong", b'{"update_id": 1}', 401),
        ("/telegram/{bot}", "", b'{"update_id": 1}', 401),
        ("/telegram/7", SECRET, b'{"update_id": 1}', 404),
        ("/telegram/x", SECRET, b'{"update_id": 1}', 404),
        ("/telegram/{bot}", SECRET, b"nonsense", 400),
        ("/telegram/{bot}", SECRET, b'{"update_id": "1"}', 400),
        ("/telegram/{bot}", SECRET, b"[]", 400),
    ],
)
async def test_the_webhook_takes_what_telegram_sends_only(
    hooked: tuple[Desk, str], path: str, secret: str, body: bytes, status: int
) -> None:
    desk, url = hooked
    async with desk.running(), aiohttp.ClientSession(headers={SECRET_HEADER: secret}) as session:
        await _listening(url)
        async with session.post(url + path.format(bot=desk.bot.id), data=body) as answer:
            assert answer.status == status


async def _listening(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.01)


class Handler:
    """Fails as often as it is told to, then has its effect."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.seen: list[int] = []

    async def __call__(self, turn: Turn, raw: dict[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise ValueError("no luck")
        async with turn.effect() as uow:
            await turn.say(uow, raw["message"]["chat"]["id"], turn.text(f"answer {raw['update_id']}"))
        self.seen.append(raw["update_id"])


def update(number: int, chat: int = 7) -> dict[str, Any]:
    return {"update_id": number, "message": {"message_id": number, "chat": {"id": chat}, "from": {"id": 5}}}


async def drain(database: Database, tenant_id: TenantId, handler: Handler, clock: Clock) -> None:
    feeder = Feeder(database, tenant_id, BOT, handler, clock)
    await feeder.run_once()
    while await _count(database, tenant_id, "SELECT count(*) FROM bot_updates WHERE state = 'pending'"):
        await feeder.run_once()
        await asyncio.sleep(0.005)
    await feeder.stop()


async def _count(database: Database, tenant_id: TenantId, query: str) -> int:
    async with database.uow(tenant_id) as uow:
        return int(await uow.db.fetchval(query))


async def test_an_update_that_comes_twice_is_stored_once(database: Database, tenant_id: TenantId) -> None:
    assert await store_updates(database, tenant_id, BOT, [update(1), update(2)]) == 2
    assert await store_updates(database, tenant_id, BOT, [update(2), update(3)]) == 1


async def test_each_update_has_its_effect_once_and_in_order(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    await store_updates(database, tenant_id, BOT, [update(n) for n in range(1, 21)])
    one, two = Handler(), Handler()
    await asyncio.gather(drain(database, tenant_id, one, clock), drain(database, tenant_id, two, clock))
    assert sorted(one.seen + two.seen) == list(range(1, 21))
    assert one.seen == sorted(one.seen)
    assert await _count(database, tenant_id, "SELECT count(*) FROM deliveries") == 20


async def test_a_failing_handler_is_tried_again_before_the_next_of_its_chat(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    await store_updates(database, tenant_id, BOT, [update(1), update(2)])
    handler = Handler(failures=2)
    await drain(database, tenant_id, handler, clock)
    assert handler.seen == [1, 2]


async def test_poison_is_parked_in_sight_and_the_chat_goes_on(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    await store_updates(database, tenant_id, BOT, [update(1), update(2)])
    handler = Handler(failures=3)
    await drain(database, tenant_id, handler, clock)
    assert handler.seen == [2]
    assert await _count(database, tenant_id, "SELECT count(*) FROM bot_updates WHERE state = 'parked'") == 1
    assert await _count(database, tenant_id, "SELECT count(*) FROM dead_letters WHERE origin = 'update'") == 1


async def test_an_update_id_is_remembered_for_a_week(database: Database, tenant_id: TenantId, clock: Clock) -> None:
    await store_updates(database, tenant_id, BOT, [update(1), update(2)])
    await drain(database, tenant_id, Handler(), clock)
    await store_updates(database, tenant_id, BOT, [update(3)])
    clock.forward(days=7)
    assert await forget_settled(database, tenant_id, clock()) == 0
    clock.forward(seconds=1)
    assert await forget_settled(database, tenant_id, clock()) == 2
    assert await store_updates(database, tenant_id, BOT, [update(1), update(3)]) == 1


async def test_only_one_process_works_for_a_bot(database: Database, tenant_id: TenantId, clock: Clock) -> None:
    one, two = (BotLease(database, tenant_id, BOT, Holder(name), clock) for name in ("one", "two"))
    await one.renew()
    await two.renew()
    assert (one.is_held, two.is_held) == (True, False)
    await one.release()
    await two.renew()
    assert (one.is_held, two.is_held) == (False, True)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (update(1, 9), "chat:9"),
        ({"update_id": 1, "callback_query": {"id": "1", "from": {"id": 5}, "message": {"chat": {"id": 9}}}}, "chat:9"),
        ({"update_id": 1, "callback_query": {"id": "1", "from": {"id": 5}}}, "chat:5"),
        ({"update_id": 1, "poll": {"id": "3"}}, "poll:"),
        ({"update_id": 1}, "other"),
        ({"update_id": 1, "message": "nonsense"}, "other"),
    ],
)
def test_what_keeps_its_order(raw: dict[str, Any], key: str) -> None:
    assert chat_key(raw) == key


def test_the_menu_holds_what_the_role_allows() -> None:
    names = {role: [command.command for command in commands_of(role, "ru")] for role in Role}
    assert names[Role.MEMBER] == ["digest", "language", "id", "help"]
    assert names[Role.OWNER] == ["digest", "status", "language", "id", "help"]
