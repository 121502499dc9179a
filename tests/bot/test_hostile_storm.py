"""Whatever arrives: no exception escapes, nothing changes without the right, every tap is answered, poison is seen."""

import asyncio
import copy
import itertools
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiogram.types import Update
from pydantic import ValidationError

from bot import middlewares
from bot.app import run as run_bot
from bot.inbox import store_updates
from config.texts import LANGUAGES, load_texts
from core.access.model import Role
from core.access.repo import AccessRepo
from core.access.service import access_reader, do_add_project
from core.platform.db import UnitOfWork
from core.platform.deadletters import DeadLetterRepo
from core.platform.ids import ProjectId
from tests.bot.conftest import Desk
from tests.bot.test_stories import import_sample
from tests.fakes.telegram import Message, Person
from tests.fakes.telegram.methods.sending import checked_text
from tests.rows import TABLES

STRESS = int(os.environ.get("STRESS_N", "1"))
ROUND = 100  # updates between two looks; within the minute in which a tap can be answered
DIRECT = 10_000_000  # update ids that the fake never reaches
Raw = dict[str, Any]

# What the inbox itself writes, what people are told, and a person's own language. Nothing else may change.
OWN = {
    "bot_updates", "bot_people", "dead_letters", "deliveries", "delivery_lanes", "due", "leases",
}  # fmt: skip
TEXTS = (
    "hello", "/id", "/help", "/start", "/status", "/digest", "/language", "/start forged-token", "/start " + "a" * 64,
    "/digest Лампы", "/digest <b>&amp;</b>", "/digest " + "<" * 100_000, "/id@parley_bot", "/id@other_bot", "/", "/ id",
    "", "a" * 100_000, "😀" * 50_000, "\x00", "/digest a\x00b", "\ud800", "/digest \udfff\ud800", "\u202e/sutats",
    "{ $user }", "%s %n {0}", "'; DROP TABLE tenants; --", "\u200b", "/digest " + "\u202e" * 500, "\r\n\t", "/STATUS",
)  # fmt: skip
NAMES = (
    "Eve", "<b>Eve</b>", "</b>&", "\u202eevE", "\ud83d", "\x00", "", "E" * 10_000, "{ $name }", "😀", "/start", "\n",
)  # fmt: skip
DATA = (
    "lang:ru", "lang:en", "lang:xx", "lang:", "lang:ru\x00", "LANG:RU", "role:owner", "digest:1", "", "x" * 64,
    "x" * 100_000, "\ud800", "<b>", "lang:ru lang:en", "1", "delivery:1:resend",
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, "", "x", "\x00", "\udead", -1, 0, 2**31, 2**63, -(2**70), 1e308, True, [], {}, [[]], [None], {"id": None},
    {"": ""}, [{"type": "bot_command", "offset": -5, "length": 10**9}], "9" * 400,
)  # fmt: skip


@dataclass
class Crowd:
    """Who is hostile: strangers, another bot, and a member of a project without groups, who may not operate.

    Olga, the owner, sits still: only her buttons are pressed.
    """

    desk: Desk
    strangers: list[Person]
    member: Person
    olga: Person
    keyboard: Message  # of Olga's chat
    dice: random.Random

    def person(self) -> Person:
        return self.dice.choice([*self.strangers, self.member])

    def user(self) -> Raw:
        user: Raw = {"id": self.person().id, "is_bot": False, "first_name": self.dice.choice(NAMES)}
        if self.dice.random() < 0.1:
            user |= {"id": 777_000_777, "is_bot": True}
        if self.dice.random() < 0.5:
            user["language_code"] = self.dice.choice(["ru", "en", "xx", "", "ru-RU", "\ud800", "en\x00"])
        return user

    def chat(self, user: Raw) -> Raw:
        return self.dice.choice([
            {"id": user["id"], "type": "private", "first_name": user["first_name"]},
            {"id": user["id"], "type": "private", "first_name": user["first_name"]},
            {"id": -1_000_000_000_001, "type": "supergroup", "title": self.dice.choice(NAMES)},
            {"id": -4001, "type": "group", "title": "Team"},
            {"id": -1_000_000_000_777, "type": "channel", "title": "News"},
        ])  # fmt: skip

    def message(self) -> Raw:
        user, text = self.user(), self.dice.choice(TEXTS)
        command = {"type": "bot_command", "offset": 0, "length": len(text.split(" ")[0])}
        return {
            "message_id": self.dice.randint(1, 10**6),
            "date": 1_790_000_000,
            "chat": self.chat(user),
            "from": user,
            "text": text,
            **({"entities": [command]} if text.startswith("/") else {}),
        }

    def tap(self) -> Raw:
        query: Raw = {"id": str(self.dice.randint(1, 10**18)), "from": self.user(), "chat_instance": "1"}
        message: Raw = self.dice.choice([{"message": self.message()}, {"inline_message_id": "1"}, {}])
        return {**query, **message, "data": self.dice.choice(DATA)}

    def membership(self) -> Raw:
        user, bot = self.user(), {"id": self.desk.bot.id, "is_bot": True, "first_name": "Parley"}
        left, member = {"user": bot, "status": "left"}, {"user": bot, "status": "member"}
        return {
            "chat": self.chat(user),
            "from": user,
            "date": 1_790_000_000,
            "old_chat_member": left,
            "new_chat_member": member,
        }


def wishes(crowd: Crowd) -> Iterator[tuple[str, Raw]]:
    """(kind, body), one after the other: a third of them mutilated."""
    makers: list[tuple[str, Callable[[], Raw]]] = [
        ("message", crowd.message), ("message", crowd.message), ("message", crowd.message),
        ("edited_message", crowd.message), ("callback_query", crowd.tap), ("callback_query", crowd.tap),
        ("my_chat_member", crowd.membership), ("channel_post", crowd.message), ("inline_query", crowd.tap),
        ("message_of_the_future", crowd.message),
    ]  # fmt: skip
    while True:
        kind, make = crowd.dice.choice(makers)
        body = make()
        if crowd.dice.random() < 0.33:
            mutilate(body, crowd.dice)
        yield kind, body


def mutilate(body: Raw, dice: random.Random) -> None:
    """Takes something out, or puts in what does not belong there, at any depth."""
    place: Any = body
    while True:
        key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or dice.random() < 0.4:
            break
        place = inner
    if isinstance(place, dict) and dice.random() < 0.4:
        del place[key]
    else:
        place[key] = copy.deepcopy(dice.choice(JUNK))


@asynccontextmanager
async def bot_running(desk: Desk) -> AsyncIterator["asyncio.Task[None]"]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_bot(desk.runtime, stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def settle(desk: Desk, task: "asyncio.Task[None]") -> None:
    """Until nothing is left at Telegram or in the inbox; the bot must still be there."""
    pending = "SELECT count(*) FROM bot_updates WHERE state = 'pending'"
    async with asyncio.timeout(120):
        while desk.telegram.api.mailbox(desk.bot).pending or await desk.fetchval(pending):
            if task.done():
                task.result()
            await asyncio.sleep(0.02)


async def contents(desk: Desk) -> dict[str, object]:
    """A digest of every table of the tenant that must not change."""
    names = [name for name in await names_of_tables(desk) if name not in OWN]
    return {
        name: await desk.fetchval(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t")
        for name in names
    }


async def names_of_tables(desk: Desk) -> list[str]:
    async with desk.runtime.database.uow(desk.tenant_id) as uow:
        readable = (
            "SELECT name FROM (" + TABLES.replace("ORDER BY 1", "") + ") t WHERE has_table_privilege(name, 'SELECT')"
        )
        return [row["name"] for row in await uow.db.fetch(readable)]


async def make_member(uow: UnitOfWork, person: Person, role: Role, project_id: ProjectId | None) -> None:
    access = AccessRepo(uow.db)
    member_id = await access.add_member(uow.tenant_id, person.name, person.id)
    assert member_id is not None
    await access.set_role(uow.tenant_id, member_id, project_id, role)


async def gather(desk: Desk, seed: int) -> Crowd:
    """The town before the storm; the bot has been introduced to everybody."""
    olga, member = (desk.world.person(name, language="en") for name in ("Olga", "Max"))
    owner = await access_reader(desk.runtime.database, desk.tenant_id, Role.OWNER)
    elsewhere = await do_add_project(desk.runtime.database, owner, "other", "Other")
    async with desk.runtime.database.uow(desk.tenant_id) as uow:
        await make_member(uow, olga, Role.OWNER, None)
        await make_member(uow, member, Role.MEMBER, elsewhere.id)
    strangers = [desk.world.person(f"Eve {number}", language="en") for number in range(3)]
    async with desk.running():
        for stranger in strangers:
            await stranger.starts(desk.bot)
            await stranger.waits_for("members only")
        await olga.starts(desk.bot)
        await olga.types("/language")
        keyboard = await olga.waits_for("Which language")
    return Crowd(desk, strangers, member, olga, keyboard, random.Random(seed))


async def storm(crowd: Crowd, count: int, task: "asyncio.Task[None]") -> list[Raw]:
    """Half comes through Telegram, half is put into the inbox; then real taps on Olga's buttons by others."""
    desk, seen, asked = crowd.desk, [], wishes(crowd)
    numbers = itertools.count(DIRECT)
    mailbox = desk.telegram.api.mailbox(desk.bot)
    for _ in range(count // ROUND):
        for kind, body in itertools.islice(asked, ROUND // 2):
            mailbox.put(kind, body)
            seen.append({"update_id": 1, kind: body})
        direct = [{"update_id": next(numbers), kind: body} for kind, body in itertools.islice(asked, ROUND // 2)]
        await store_updates(desk.runtime.database, desk.tenant_id, desk.bot.id, direct)
        seen += direct
        await crowd.olga.opens(desk.bot)
        desk.world.press(crowd.olga.chat, crowd.keyboard, crowd.person().id, desk.bot.id, crowd.dice.choice(DATA[:10]))
        await settle(desk, task)
    return seen


def is_readable_tap(raw: Raw) -> bool:
    if "callback_query" not in raw:
        return False
    try:
        return Update.model_validate(raw).callback_query is not None
    except ValidationError:
        return False


async def check_taps(desk: Desk, seen: list[Raw]) -> None:
    assert all(query.answer is not None for query in desk.world.queries.values())
    calls = desk.telegram.journal.of("answerCallbackQuery")
    answered = {str(call.parameters.get("callback_query_id")) for call in calls}
    waiting = {raw["callback_query"]["id"] for raw in seen if is_readable_tap(raw)}
    assert len(waiting) > len(seen) // 20
    assert {number for number in waiting if number.isdecimal()} <= answered
    assert {call.refusal for call in calls} <= {
        None,
        "400 Bad Request: query is too old and response timeout expired or query ID is invalid",
    }


async def check_words(desk: Desk, crowd: Crowd) -> None:
    """Everything ordered can be sent as it is; strangers get polite words, nobody gets what needs a right."""
    polite = {load_texts(code)(key) for code in LANGUAGES for key in ("bot-hello-stranger", "bot-invite-bad")}
    strangers = {str(stranger.id) for stranger in crowd.strangers}
    async with desk.runtime.database.uow(desk.tenant_id) as uow:
        rows = await uow.db.fetch("""
            SELECT l.destination, d.body->>'text' AS text, d.body->>'parse_mode' AS mode FROM deliveries d
            JOIN delivery_lanes l ON l.tenant_id = d.tenant_id AND l.id = d.lane_id WHERE d.state = 'queued'""")
    assert rows
    for row in rows:
        shown = checked_text(row["text"], row["mode"], None).text
        assert row["destination"] not in strangers or shown in polite
        assert "Postgres:" not in shown, "a status without the right"
        assert "Лампы и люди" not in shown, "a digest without the right"


async def check_poison(desk: Desk, seen: list[Raw]) -> None:
    """What could not be handled is parked, and each of it is a dead letter that a person finds."""
    async with desk.runtime.database.uow(desk.tenant_id) as uow:
        parked = [row["id"] for row in await uow.db.fetch("SELECT id FROM bot_updates WHERE state = 'parked'")]
        letters = await DeadLetterRepo(uow.db).list_open(desk.tenant_id, limit=len(seen))
    assert sorted(letter.row_id for letter in letters if letter.origin == "update") == sorted(parked)
    assert 0 < len(parked) < len(seen) / 3


async def hostile_updates(desk: Desk, monkeypatch: pytest.MonkeyPatch, count: int, seed: int) -> None:
    monkeypatch.setattr(middlewares, "BURST", 10 * count)
    await import_sample(desk)
    crowd = await gather(desk, seed)
    before = await contents(desk)
    async with bot_running(desk) as task:
        seen = await storm(crowd, count, task)
    assert await contents(desk) == before
    people = f"SELECT count(*) FROM bot_people WHERE telegram_user_id <> {crowd.member.id}"
    assert await desk.fetchval(people) == 0, "a stranger has changed something"
    await check_taps(desk, seen)
    await check_words(desk, crowd)
    await check_poison(desk, seen)


# aiogram warns of kinds it does not know and goes on; that is what it should do.
@pytest.mark.filterwarnings("ignore:Detected unknown update type:RuntimeWarning")
async def test_hostile_updates_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await hostile_updates(desk, monkeypatch, 400, seed=1)


@pytest.mark.stress
@pytest.mark.timeout(3000)
@pytest.mark.filterwarnings("ignore:Detected unknown update type:RuntimeWarning")
async def test_twenty_thousand_hostile_updates_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await hostile_updates(desk, monkeypatch, 20_000 * STRESS, seed=2)
