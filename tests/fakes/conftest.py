"""A small town for the fake's own tests: one bot, a person who started it, a place of each kind."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import ClientSession

from tests.conftest import Clock
from tests.fakes.telegram import Bot, Chat, FakeTelegram, Person, Topic, World

PNG = b"\x89PNG\r\n\x1a\n and some pixels"


@dataclass(frozen=True, slots=True)
class Town:
    telegram: FakeTelegram
    world: World
    clock: Clock
    desk: Bot
    client: Client
    anna: Person
    boris: Person  # shares the groups with the bot and has never started it
    group: Chat
    forum: Chat
    topic: Topic
    channel: Chat

    def client_of(self, bot: Bot) -> Client:
        return Client(bot.token, session=self.client.session)

    async def wrote(self, text: str = "here") -> int:
        """Number of a message of the bot to Anna."""
        return (await self.client.send_message(self.anna.id, text)).message_id


@pytest.fixture(scope="session")
async def session() -> AsyncIterator[AiohttpSession]:
    """One for all tests: aiogram's takes a quarter of a second to close."""
    session = AiohttpSession()
    yield session
    await session.close()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def town(session: AiohttpSession, clock: Clock) -> AsyncIterator[Town]:
    world = World(clock)
    world.limits.off()
    desk, anna, boris = world.bot("desk_bot"), world.person("Anna", language="ru"), world.person("Boris")
    group, channel = world.group("Team", boris), world.channel("News", boris, username="desk_news")
    forum = world.supergroup("Sales", boris, forum=True)
    for place in (group, forum):
        world.add(place, anna)
    async with FakeTelegram(world) as telegram:
        for place in (group, forum):
            world.add(place, desk)
        world.add(channel, desk, admin=True)
        topic = world.create_topic(forum, "Refunds", boris.id)
        await anna.starts(desk)
        telegram.api.mailbox(desk).drop()
        session.api = TelegramAPIServer.from_base(telegram.url)
        client = Client(desk.token, session=session)
        yield Town(telegram, world, clock, desk, client, anna, boris, group, forum, topic, channel)
