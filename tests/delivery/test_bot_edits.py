from collections.abc import AsyncIterator

import pytest
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest

from core.delivery.bot_edits import edit_message
from core.delivery.model import Body
from tests.fakes.telegram import FakeTelegram, Person, World

OLD, NEW = Body(text="old"), Body(text="<b>new</b>", parse_mode="HTML", buttons=((("OK", "ok"),),))


@pytest.fixture
async def talk() -> AsyncIterator[tuple[Client, Person]]:
    """A bot and a person who has started it."""
    world = World()
    bot, anna = world.bot("desk_bot"), world.person("Anna")
    async with FakeTelegram(world) as telegram:
        await anna.starts(bot)
        session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
        yield Client(bot.token, session=session), anna
        await session.close()


async def test_the_last_state_wins_and_the_same_state_twice_is_fine(talk: tuple[Client, Person]) -> None:
    client, anna = talk
    sent = await client.send_message(anna.id, OLD.text)
    for _ in range(2):
        assert await edit_message(client, anna.id, sent.message_id, NEW)
    assert (await anna.sees())[-1].text == "new"


async def test_a_message_that_is_gone_is_told(talk: tuple[Client, Person]) -> None:
    client, anna = talk
    assert not await edit_message(client, anna.id, 999, NEW)


async def test_what_telegram_cannot_read_is_an_error(talk: tuple[Client, Person]) -> None:
    client, anna = talk
    sent = await client.send_message(anna.id, OLD.text)
    with pytest.raises(TelegramBadRequest):
        await edit_message(client, anna.id, sent.message_id, Body(text="<ul>", parse_mode="HTML"))
