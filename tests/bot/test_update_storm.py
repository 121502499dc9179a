"""What arrives by storm: bots are killed, and doubled; whatever a person types has its effect once, in order."""

import asyncio
import itertools
import os
import random
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.poller import Poller
from config.bots import open_bots
from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.access.model import Role
from core.access.repo import AccessRepo
from core.access.service import access_tenant
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.errors import Conflict
from core.platform.ids import TenantId, new_holder
from core.platform.policies import Policies
from tests.bot.conftest import Desk
from tests.bot.mortal_process import Life, begin_bot
from tests.databases import Cluster
from tests.fakes.telegram import Bot, FakeTelegram, Person, World

STRESS = int(os.environ.get("STRESS_N", "1"))
PEOPLE = 40
TYPED_AT_ONCE = 5
TICK = 0.05  # seconds between two looks at the processes
STORED = "SELECT count(*) FROM bot_updates"
WORD = re.compile(r"word-\d+")


@dataclass
class Storm:
    """Members who type to a bot whose processes die; `typed` are their words, by chat."""

    telegram: FakeTelegram
    bot: Bot
    runtime: Runtime
    tenant_id: TenantId
    people: list[Person]
    typed: dict[int, list[str]] = field(default_factory=dict)
    deaths: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(4))
    seeds: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def type_words(self, count: int) -> None:
        """Each word is answered by a message that holds it: nobody knows a group of that name."""
        first = sum(map(len, self.typed.values()))
        for number in range(first, first + count):
            person = self.dice.choice(self.people)
            await person.types(f"/digest word-{number}")
            self.typed.setdefault(person.id, []).append(f"word-{number}")

    async def run(self, *, processes: int, share: float, kills: int, to_type: int = 0) -> None:
        """Until everything is settled. Dead processes are replaced; `kills` of them are killed from outside."""
        bots: list[BaseProcess] = []
        total = sum(map(len, self.typed.values())) + to_type
        marks = sorted(self.dice.sample(range(total), kills))
        try:
            while to_type or not await self.is_settled():
                bots = [process for process in bots if self._is_alive(process)]
                bots += [begin_bot(self._life(share)) for _ in range(processes - len(bots))]
                typing = min(to_type, TYPED_AT_ONCE)
                await self.type_words(typing)
                to_type -= typing
                done = await self.count("SELECT count(*) FROM bot_updates WHERE state = 'done'")
                if marks and done > marks[0]:
                    marks = [mark for mark in marks if mark >= done]
                    self.dice.choice(bots).kill()
                await asyncio.sleep(TICK)
        finally:
            for process in bots:
                process.kill()
                process.join()

    async def is_settled(self) -> bool:
        """Telegram has nothing left, and nothing that was stored is pending."""
        if self.telegram.api.mailbox(self.bot).pending:
            return False
        return not await self.count("SELECT count(*) FROM bot_updates WHERE state = 'pending'")

    async def count(self, query: str) -> int:
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return int(await uow.db.fetchval(query))

    async def answered(self) -> dict[int, list[str]]:
        """The words in the ledger, by chat, in the order in which they were ordered."""
        async with self.runtime.database.uow(self.tenant_id) as uow:
            rows = await uow.db.fetch("""
                SELECT l.destination, d.body->>'text' AS text FROM deliveries d
                JOIN delivery_lanes l ON l.tenant_id = d.tenant_id AND l.id = d.lane_id ORDER BY d.id""")
        found: dict[int, list[str]] = {}
        for row in rows:
            found.setdefault(int(row["destination"]), []).extend(WORD.findall(row["text"]))
        return {chat: words for chat, words in found.items() if words}

    def _is_alive(self, process: BaseProcess) -> bool:
        code = process.exitcode
        assert code in (None, -signal.SIGKILL), f"a bot ended by itself with {code}"
        self.deaths += code is not None
        return code is None

    def _life(self, share: float) -> Life:
        seed = next(self.seeds)
        where = self.runtime.addresses
        return Life(where.database_dsn, str(where.redis_url), self.telegram.url, self.bot.token, share, seed)


async def make_members(database: Database, tenant_id: TenantId, people: Sequence[Person]) -> None:
    async with database.uow(tenant_id) as uow:
        access = AccessRepo(uow.db)
        for person in people:
            member_id = await access.add_member(tenant_id, person.name, person.id)
            assert member_id is not None
            await access.set_role(tenant_id, member_id, None, Role.MEMBER)


@pytest.fixture
async def storm(cluster: Cluster, redis: "Redis", redis_url: str) -> AsyncIterator[Storm]:
    world = World()
    world.limits.off()
    bot = world.bot("parley_bot")
    people = [world.person(f"Person {number}", language="en") for number in range(PEOPLE)]
    async with cluster.clone() as copy, FakeTelegram(world) as telegram:
        database = await Database.open(copy.database_dsn, name="tests")
        runtime = Runtime(
            settings=Settings(bot_token=bot.token, telegram_api_url=telegram.url),
            addresses=Addresses("", copy.database_dsn, redis_url),
            database=database,
            redis=redis,
            policies=Policies(database, load_defaults()),
            clock=utc_now,
            holder=new_holder("test"),
        )
        tenant_id = (await access_tenant(database, None)).tenant_id
        await make_members(database, tenant_id, people)
        for person in people:
            await person.starts(bot)
        yield Storm(telegram, bot, runtime, tenant_id, people)
        await database.close()


async def check(storm: Storm) -> None:
    answered = await storm.answered()
    words = Counter(itertools.chain.from_iterable(answered.values()))
    assert words == Counter(itertools.chain.from_iterable(storm.typed.values())), "lost, or twice"
    assert answered == storm.typed, "out of order"
    assert await storm.count("SELECT count(*) FROM bot_updates WHERE state <> 'done'") == 0
    assert storm.deaths > 0, "a storm in which nobody dies proves nothing"


async def while_they_type(storm: Storm, count: int, *, processes: int, share: float, kills: int) -> None:
    """A third waits at Telegram when the bots start, the rest is typed while they run."""
    await storm.type_words(count // 3)
    await storm.run(processes=processes, share=share, kills=kills, to_type=count - count // 3)
    await check(storm)


async def with_pending(storm: Storm, count: int, *, share: float, kills: int) -> None:
    """The bot died between storing and confirming: some updates are stored, some at Telegram, some in both places."""
    await storm.type_words(count)
    async with open_bots(storm.runtime) as [owned], aiohttp.ClientSession() as session:
        poller = Poller(storm.runtime.database, owned, session)
        while await storm.count(STORED) < count // 2:
            await poller.run_once()
    at_telegram = len(storm.telegram.api.mailbox(storm.bot).pending)
    assert await storm.count(STORED) + at_telegram > count + PEOPLE, "nothing is in both places"
    await storm.run(processes=1, share=share, kills=kills)
    await check(storm)


async def test_each_update_has_its_effect_once_however_often_the_bot_dies(storm: Storm) -> None:
    await while_they_type(storm, 160, processes=1, share=0.003, kills=2)


async def test_two_processes_of_one_bot_repeat_nothing_and_lose_nothing(storm: Storm) -> None:
    await while_they_type(storm, 160, processes=2, share=0.001, kills=2)


async def test_what_was_pending_at_the_start_has_its_effect_once(storm: Storm) -> None:
    await with_pending(storm, 160, share=0.003, kills=1)


async def test_of_two_pollers_one_yields_and_no_update_is_lost(desk: Desk) -> None:
    anna = desk.world.person("Anna")
    mailbox = desk.telegram.api.mailbox(desk.bot)
    await anna.starts(desk.bot)
    async with open_bots(desk.runtime) as [owned], aiohttp.ClientSession() as session, asyncio.timeout(20):
        one, two = (Poller(desk.runtime.database, owned, session) for _ in range(2))
        await one.run_once()
        for number in range(20):
            waiting = asyncio.create_task(one.run_once())
            await mailbox.polled.wait()
            taking_over = asyncio.create_task(two.run_once())
            with pytest.raises(Conflict):
                await waiting
            await anna.types(f"word-{number}")
            await taking_over
            one, two = two, one
    assert await desk.fetchval("SELECT count(*) FROM bot_updates") == 21
    assert await desk.fetchval("SELECT count(DISTINCT payload->'message'->>'text') FROM bot_updates") == 21


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_two_thousand_updates(storm: Storm) -> None:
    await while_they_type(storm, 2000 * STRESS, processes=1, share=0.004, kills=40)


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_two_thousand_updates_and_two_processes(storm: Storm) -> None:
    await while_they_type(storm, 2000 * STRESS, processes=2, share=0.002, kills=40)


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_a_restart_with_five_hundred_pending(storm: Storm) -> None:
    await with_pending(storm, 500 * STRESS, share=0.004, kills=10)
