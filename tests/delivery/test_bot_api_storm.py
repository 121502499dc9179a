"""The ledger and the Bot API by storm: floods, lost acknowledgements, senders killed at any moment."""

import asyncio
import itertools
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from config.bots import open_bots
from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.access.service import access_tenant
from core.delivery.bot_api import BotAccount, BotApiAdapter
from core.delivery.model import Body, Outgoing, Part, State, Verdict
from core.delivery.repo import LedgerRepo
from core.delivery.sender import Sender
from core.delivery.service import order
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.ids import TenantId, new_holder
from core.platform.policies import Policies
from tests.bot.mortal_process import Life, begin_sender
from tests.databases import Cluster
from tests.fakes.telegram import Bot, Entry, FakeTelegram, Fault, Person, World

STRESS = int(os.environ.get("STRESS_N", "1"))
SENDERS = 3
CHATS = 50
TICK = 0.05  # seconds between two looks at the processes


class Row(NamedTuple):
    text: str
    state: State
    error: str | None


@dataclass
class Office:
    """A bot, the people who have started it, and the ledger it sends from."""

    telegram: FakeTelegram
    world: World
    bot: Bot
    people: list[Person]
    runtime: Runtime
    tenant_id: TenantId
    deaths: int = 0
    senders: list[BaseProcess] = field(default_factory=list)
    seeds: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def order(self, count: int) -> None:
        """Message n goes to person n mod CHATS."""
        for number in range(count):
            body = Body(text=f"message {number}")
            part = Part(body=body, verdict=Verdict.of(body, "fixed", "1", passed=True))
            outgoing = Outgoing(
                origin=f"test:{number}", account=f"bot:{self.bot.id}",
                destination=str(self.people[number % CHATS].id), parts=[part], due_at=utc_now(),
            )  # fmt: skip
            async with self.runtime.database.uow(self.tenant_id) as uow:
                await order(uow, outgoing)

    async def is_settled(self) -> bool:
        query = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')"
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return not await uow.db.fetchval(query)

    async def rows(self) -> list[Row]:
        async with self.runtime.database.uow(self.tenant_id) as uow:
            rows = await uow.db.fetch("SELECT body->>'text' AS text, state, error FROM deliveries ORDER BY id")
        return [Row(row["text"], State(row["state"]), row["error"]) for row in rows]

    async def send(self) -> None:
        """One sender in this process, with Telegram's own limits."""
        async with open_bots(self.runtime) as [owned]:
            adapter = BotApiAdapter({owned.account: BotAccount(owned.bot, owned.project_id)})
            sender = Sender(
                self.runtime.database, self.runtime.need_redis(), [adapter], self.runtime.holder, self.runtime.clock
            )
            while not await self.is_settled():
                await sender.run_once()
                await asyncio.sleep(TICK)
            await sender.stop()

    async def send_by_mortals(self, share: float) -> None:
        """Three processes, each replaced when it dies, until the ledger is settled."""
        try:
            while not await self.is_settled():
                self.senders = [sender for sender in self.senders if self._is_alive(sender)]
                self.senders += [begin_sender(self._life(share)) for _ in range(SENDERS - len(self.senders))]
                await asyncio.sleep(TICK)
        finally:
            self.kill_senders()
            for sender in self.senders:
                sender.join()

    def kill_senders(self) -> None:
        """Whoever is calling is among them."""
        for sender in self.senders:
            sender.kill()

    def arrived(self, person: Person) -> list[str]:
        history = self.world.private(person.id, self.bot.id).history()
        return [message.text for message in history if message.sender_id == self.bot.id]

    def calls(self) -> list[Entry]:
        return self.telegram.journal.of("sendMessage")

    def _is_alive(self, sender: BaseProcess) -> bool:
        code = sender.exitcode
        assert code in (None, -signal.SIGKILL), f"a sender ended by itself with {code}"
        self.deaths += code is not None
        return code is None

    def _life(self, share: float) -> Life:
        where, seed = self.runtime.addresses, next(self.seeds)
        return Life(where.database_dsn, str(where.redis_url), self.telegram.url, self.bot.token, share, seed)


@asynccontextmanager
async def opened(cluster: Cluster, redis: "Redis", redis_url: str, *, limits: bool) -> AsyncIterator[Office]:
    world = World()
    bot = world.bot("parley_bot")
    people = [world.person(f"Person {number}") for number in range(CHATS)]
    for person in people:
        await person.starts(bot)
    if not limits:
        world.limits.off()
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
        tenant = await access_tenant(database, None)
        yield Office(telegram, world, bot, people, runtime, tenant.tenant_id)
        await database.close()


@pytest.fixture
async def strict(cluster: Cluster, redis: "Redis", redis_url: str) -> AsyncIterator[Office]:
    """Telegram's limits are on."""
    async with opened(cluster, redis, redis_url, limits=True) as office:
        yield office


@pytest.fixture
async def lenient(cluster: Cluster, redis: "Redis", redis_url: str) -> AsyncIterator[Office]:
    async with opened(cluster, redis, redis_url, limits=False) as office:
        yield office


# Floods


def flood_every_third(office: Office, longest: int) -> None:
    """Every third call is refused, for 1 to `longest` seconds."""
    dice, numbers = random.Random(5), itertools.count(1)
    fault: Fault

    def strikes(_: str, __: Mapping[str, Any]) -> bool:
        fault.retry_after = dice.randint(1, longest)
        return next(numbers) % 3 == 0

    fault = office.telegram.faults.too_many("sendMessage", times=None, when=strikes)


def others_before_retry(calls: list[Entry], refused: int) -> int:
    """How many messages of other chats arrived between the refused call and the next one to its chat."""
    chat = calls[refused].parameters["chat_id"]
    later = itertools.takewhile(lambda call: call.parameters["chat_id"] != chat, calls[refused + 1 :])
    return sum(call.acted for call in later)


async def flooded(office: Office, count: int, longest: int) -> None:
    flood_every_third(office, longest)
    await office.order(count)
    await office.send()
    assert Counter(row.state for row in await office.rows()) == {State.SENT: count}
    for number, person in enumerate(office.people):
        assert office.arrived(person) == [f"message {n}" for n in range(number, count, CHATS)], "out of order"
    calls = office.calls()
    assert [call.refusal for call in calls if call.refusal and not call.fault] == [], "beyond Telegram's own limits"
    assert sum(call.fault is not None for call in calls) == len(calls) // 3
    while_many_wait = [place for place, call in enumerate(calls[: len(calls) // 2]) if call.fault]
    assert all(others_before_retry(calls, place) for place in while_many_wait), "one chat's flood has stopped others"


async def test_a_flood_keeps_the_order_of_each_chat_and_stops_no_other(strict: Office) -> None:
    await flooded(strict, 2 * CHATS, longest=2)


# Lost acknowledgements and dead senders


async def lossy(office: Office, count: int, *, share: float, on_receipt: float) -> None:
    """A tenth of the acknowledgements is lost; senders die around commits, and on receipt before or after the act."""
    faults = office.telegram.faults
    for acts in (False, True):
        faults.kill_caller(office.kill_senders, "sendMessage", acts=acts, times=None, probability=on_receipt / 2)
    faults.lose_ack("sendMessage", times=None, probability=0.1)
    await office.order(count)
    await office.send_by_mortals(share)
    rows, calls = await office.rows(), office.calls()
    check_none_lost_none_twice(office, rows, count)
    check_unknown(rows, calls)
    await check_listed(office, rows)
    assert office.deaths > 0, "a storm in which nobody dies proves nothing"


def check_none_lost_none_twice(office: Office, rows: list[Row], count: int) -> None:
    arrived = Counter(itertools.chain.from_iterable(office.arrived(person) for person in office.people))
    assert max(arrived.values()) == 1, "something was sent twice"
    assert sorted(row.text for row in rows) == sorted(f"message {n}" for n in range(count))
    assert {row.state for row in rows} <= {State.SENT, State.UNKNOWN}
    assert {row.text for row in rows if row.state is State.SENT} <= set(arrived), "counts as sent, never arrived"


def check_unknown(rows: list[Row], calls: list[Entry]) -> None:
    """Unknown is what lost its acknowledgement, or its sender between the request's mark and its record."""
    unacknowledged = {str(call.parameters["text"]) for call in calls if not call.acknowledged}
    unknown = {row.text for row in rows if row.state is State.UNKNOWN}
    orphans = {row.text for row in rows if row.error == "its sender died"}
    assert unacknowledged <= unknown, "a lost acknowledgement counts as something else"
    assert unknown == unacknowledged | orphans, "unknown without a reason"
    assert len(calls) == len({call.parameters["text"] for call in calls}), "requested twice"


async def check_listed(office: Office, rows: list[Row]) -> None:
    async with office.runtime.database.uow(office.tenant_id) as uow:
        listed = await LedgerRepo(uow.db).list_waiting(office.tenant_id, limit=len(rows))
    assert {delivery.body.text for delivery in listed} == {row.text for row in rows if row.state is State.UNKNOWN}


async def test_without_a_history_none_twice_none_lost_and_each_unknown_is_listed(lenient: Office) -> None:
    await lossy(lenient, 150, share=0.002, on_receipt=0.01)


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_a_long_flood(strict: Office) -> None:
    await flooded(strict, 20 * CHATS * STRESS, longest=30)


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_five_thousand_lossy_sends(lenient: Office) -> None:
    await lossy(lenient, 5000 * STRESS, share=0.002, on_receipt=0.004)
