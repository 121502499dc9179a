"""The Bot API adapter against a fake Telegram: what each situation there makes of a row of the ledger."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from redis.asyncio import Redis

from core.access.model import Role
from core.access.service import access_project, access_reader, do_found_tenant
from core.delivery import budget
from core.delivery.bot_api import BotAccount, BotApiAdapter
from core.delivery.model import Body, Delivery, Kind, Outcome, Outgoing, Part, State, Verdict
from core.delivery.repo import LedgerRepo
from core.delivery.sender import Sender
from core.delivery.service import order
from core.platform.db import Database
from core.platform.ids import Holder, ProjectId, TenantId
from ingest.imports.telegram_import import TelegramImport
from tests.conftest import Clock
from tests.delivery.mail_adapter import UNLIMITED
from tests.fakes.telegram import Bot, Chat, FakeTelegram, Message, Person, Right, World

PNG = b"\x89PNG\r\n\x1a\n and some pixels"
FIRST_PHOTO = "photo-000001"  # the file id of the first file in a world
Row = tuple[str, str | None]  # state, error code


@dataclass
class Office:
    """A bot that Anna has started, a forum with both of them, and the ledger that the bot sends from.

    The sender's time is the test's: it stands still until `clock` is moved. The fake's limits are off.
    """

    telegram: FakeTelegram
    world: World
    bot: Bot
    anna: Person
    boris: Person  # in the forum, has never started the bot
    forum: Chat
    session: AiohttpSession
    database: Database
    redis: "Redis"
    clock: Clock
    tenant_id: TenantId
    project_id: ProjectId
    origins: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def adapter(self, kind: type[BotApiAdapter] = BotApiAdapter) -> BotApiAdapter:
        client = Client(self.bot.token, session=self.session)
        adapter = kind({f"bot:{self.bot.id}": BotAccount(client, self.project_id)})
        adapter.capabilities = adapter.capabilities._replace(
            account_limit=UNLIMITED, chat_limit=UNLIMITED, group_limit=None
        )
        return adapter

    async def order(self, *bodies: Body, to: int | None = None) -> None:
        """One message of these parts, to Anna where nobody else is named."""
        parts = [Part(body=body, verdict=Verdict.of(body, "fixed", "1", passed=True)) for body in bodies]
        origin, account = f"test:{next(self.origins)}", f"bot:{self.bot.id}"
        destination = str(self.anna.id if to is None else to)
        async with self.database.uow(self.tenant_id) as uow:
            await order(
                uow,
                Outgoing(origin=origin, account=account, destination=destination, parts=parts, due_at=self.clock()),
            )

    async def send(self, adapter: BotApiAdapter | None = None) -> None:
        """Until nothing is due at this moment of the clock."""
        sender = Sender(self.database, self.redis, [adapter or self.adapter()], Holder("me"), self.clock)
        while await sender.run_once() or sender.is_busy:
            await asyncio.sleep(0.005)

    async def rows(self) -> list[Row]:
        async with self.database.uow(self.tenant_id) as uow:
            rows = await uow.db.fetch("SELECT state, error_code FROM deliveries ORDER BY id")
        return [(row["state"], row["error_code"]) for row in rows]

    async def waiting(self) -> list[Delivery]:
        async with self.database.uow(self.tenant_id) as uow:
            return await LedgerRepo(uow.db).list_waiting(self.tenant_id)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.uow(self.tenant_id) as uow:
            return [tuple(row) for row in await uow.db.fetch(query)]

    def said(self, chat: Chat | None = None) -> list[Message]:
        """The bot's messages in the chat, in Anna's private one where none is named."""
        place = self.world.private(self.anna.id, self.bot.id) if chat is None else chat
        return [m for m in place.history() if m.sender_id == self.bot.id and m.service is None]

    def words(self, chat: Chat | None = None) -> list[str]:
        return [message.text for message in self.said(chat)]


@pytest.fixture(scope="module")
async def session() -> AsyncIterator[AiohttpSession]:
    session = AiohttpSession(timeout=5.0)
    yield session
    await session.close()


@pytest.fixture
async def office(
    session: AiohttpSession, fresh: Database, redis: "Redis", clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    monkeypatch.setattr(budget, "SETTLING_SECONDS", 0.0)
    world = World()
    world.limits.off()
    bot, anna, boris = world.bot("desk_bot"), world.person("Anna"), world.person("Boris")
    forum = world.supergroup("Sales", boris, forum=True)
    for somebody in (anna, bot):
        world.add(forum, somebody)
    await anna.starts(bot)
    tenant = await do_found_tenant(fresh, "one", "One")
    project = await access_project(fresh, await access_reader(fresh, tenant.tenant_id, Role.OWNER), None)
    async with FakeTelegram(world) as telegram:
        session.api = TelegramAPIServer.from_base(telegram.url)
        yield Office(
            telegram, world, bot, anna, boris, forum, session, fresh, redis, clock, tenant.tenant_id, project.id
        )


def text(words: str, **options: Any) -> Body:
    return Body(text=words, **options)


# What arrives


async def test_a_text_arrives_with_its_markup_and_without_a_preview(office: Office) -> None:
    await office.order(text("<b>Hello</b> & bye", parse_mode="HTML"))
    await office.send()
    [message] = office.said()
    assert message.text == "Hello & bye"
    assert [(e.type, e.offset, e.length) for e in message.formatted.entities] == [("bold", 0, 5)]
    assert await office.rows() == [("sent", None)]
    assert await office.fetch("SELECT remote_id FROM deliveries") == [(str(message.id),)]
    [call] = office.telegram.journal.of("sendMessage")
    assert json.loads(call.parameters["link_preview_options"])["is_disabled"] is True


async def test_a_text_without_a_parse_mode_is_taken_as_it_is(office: Office) -> None:
    await office.order(text("<b>not markup</b>"))
    await office.send()
    assert office.words() == ["<b>not markup</b>"]


async def test_a_reply_in_a_topic_with_buttons_arrives_where_it_belongs(office: Office) -> None:
    topic = office.world.create_topic(office.forum, "Refunds", office.boris.id)
    await office.anna.opens(office.forum, topic)
    asked = await office.anna.types("Where is my money?")
    buttons = ((("Yes", "yes:1"), ("No", "no:1")), (("Later", "later:1"),))
    body = text("Here", topic_id=topic.id, reply_to=str(asked.id), buttons=buttons, silent=True)
    await office.order(body, to=office.forum.id)
    await office.send()
    [message] = office.said(office.forum)
    assert (message.topic_id, message.reply_to) == (topic.id, asked.id)
    assert [button["callback_data"] for button in message.inline_buttons] == ["yes:1", "no:1", "later:1"]
    [call] = office.telegram.journal.of("sendMessage")
    assert call.parameters["disable_notification"] == "true"


@pytest.mark.parametrize(("kind", "name"), [(Kind.PHOTO, "lamp.png"), (Kind.DOCUMENT, "bill.pdf")])
async def test_a_file_arrives_from_the_media_store_and_again_by_its_id(
    office: Office, tmp_path: Path, kind: Kind, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(PNG)
    await office.order(Body(kind=kind, text="<i>look</i>", parse_mode="HTML", media=(f"path:{path}",)))
    await office.send()
    [first] = office.said()
    assert first.media is not None
    assert (first.text, first.media.kind, first.media.name) == ("look", kind, name)
    assert office.world.files[first.media.file_id] == PNG
    await office.order(Body(kind=kind, media=(first.media.file_id,)))
    await office.send()
    assert [message.text for message in office.said()] == ["look", ""]
    assert await office.rows() == [("sent", None), ("sent", None)]


async def test_an_album_is_one_row_with_all_its_messages(office: Office, tmp_path: Path) -> None:
    media = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        path.write_bytes(PNG + bytes([number]))
        media.append(f"path:{path}")
    await office.order(Body(kind=Kind.ALBUM, text="three of them", media=tuple(media)))
    await office.send()
    messages = office.said()
    assert [message.text for message in messages] == ["three of them", "", ""]
    assert len({message.album for message in messages}) == 1
    assert await office.fetch("SELECT remote_id FROM deliveries") == [(",".join(str(m.id) for m in messages),)]


@pytest.mark.parametrize(
    ("html", "arrives"),
    [
        ("<b>bold without an end & more", "bold without an end & more"),
        ("<unknown>tag</unknown> &amp; more", "tag & more"),
        ("1 &lt; 2 <b>and <i>crossed</b></i>", "1 < 2 and crossed"),
    ],
)
async def test_markup_that_telegram_cannot_read_arrives_once_as_plain_text(
    office: Office, html: str, arrives: str
) -> None:
    await office.order(text(html, parse_mode="HTML"))
    await office.send()
    assert office.words() == [arrives]
    assert office.said()[0].formatted.entities == ()
    assert [call.acted for call in office.telegram.journal.of("sendMessage")] == [False, True]
    assert await office.rows() == [("sent", None)]


# What Telegram refuses


class Refusal(NamedTuple):
    """`to`: a chat's id where it is not Anna's."""

    body: Body
    error_code: str
    arrange: Callable[[Office], Awaitable[Any]] | None = None
    to: Callable[[Office], int] | None = None


async def block(office: Office) -> None:
    await office.anna.blocks(office.bot)


async def kick(office: Office) -> None:
    office.world.kick(office.forum, office.bot)


async def mute(office: Office) -> None:
    office.world.add(office.forum, office.bot, rights=frozenset({Right.PHOTOS}))


async def show_a_photo(office: Office) -> None:
    await office.anna.sends_photo(PNG)


async def deactivate(office: Office) -> None:
    office.world.deactivate(office.anna.id)


REFUSALS = {
    "blocked": Refusal(text("a"), "blocked", block),
    "account deleted": Refusal(text("a"), "deactivated", deactivate),
    "never started": Refusal(text("a"), "TelegramForbiddenError", to=lambda office: office.boris.id),
    "kicked": Refusal(text("a"), "kicked", kick, to=lambda office: office.forum.id),
    "muted": Refusal(text("a"), "no_rights", mute, to=lambda office: office.forum.id),
    "unknown person": Refusal(text("a"), "chat_not_found", to=lambda _: 777),
    "unknown group": Refusal(text("a"), "chat_not_found", to=lambda _: -1000000000777),
    "no such topic": Refusal(text("a", topic_id=777), "topic_not_found", to=lambda office: office.forum.id),
    "nothing to reply to": Refusal(text("a", reply_to="777"), "reply_not_found"),
    "too long": Refusal(text("a" * 4097), "too_long"),
    "too long after its markup": Refusal(text(f"<b>{'😀' * 2049}</b>", parse_mode="HTML"), "too_long"),
    "empty": Refusal(text("  "), "empty"),
    "empty without its markup": Refusal(text("<b> </b>", parse_mode="HTML"), "empty"),
    "caption too long": Refusal(Body(kind=Kind.PHOTO, text="a" * 1025, media=(FIRST_PHOTO,)), "too_long", show_a_photo),
    "button too long": Refusal(text("a", buttons=((("go", "x" * 65),),)), "button"),
    "no such file": Refusal(Body(kind=Kind.DOCUMENT, media=("document-777",)), "TelegramBadRequest"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_what_telegram_refuses_fails_at_once_and_takes_its_later_parts_along(
    office: Office, refusal: Refusal
) -> None:
    to = refusal.to(office) if refusal.to else None
    if refusal.arrange:
        await refusal.arrange(office)
    await office.order(refusal.body, text("second part"), to=to)
    await office.send()
    office.clock.forward(hours=1)
    await office.send()
    assert await office.rows() == [("failed", refusal.error_code), ("cancelled", None)]
    assert office.words() + office.words(office.forum) == []
    assert len(await office.waiting()) == 1
    assert sum(call.method.startswith("send") for call in office.telegram.journal.entries) == 1


async def test_a_refused_message_does_not_hold_the_next_one(office: Office) -> None:
    await office.order(text("a" * 5000))
    await office.order(text("next"))
    await office.send()
    assert office.words() == ["next"]


# What nobody can know


UNCERTAIN = {
    "acted, answer lost": ("lose_ack", {}, 1),
    "cut before it acted": ("cut", {}, 0),
    "acts late": ("act_late", {}, 0),
    "502 of a proxy": ("http_5xx", {"status": 502}, 0),
    "500": ("http_5xx", {"status": 500}, 0),
}


@pytest.mark.parametrize(("fault", "details", "arrived"), UNCERTAIN.values(), ids=UNCERTAIN)
async def test_an_answer_that_does_not_come_leaves_it_unknown_and_is_not_repeated(
    office: Office, fault: str, details: dict[str, Any], arrived: int
) -> None:
    getattr(office.telegram.faults, fault)("sendMessage", **details)
    await office.order(text("one"), text("its second part"))
    await office.order(text("two"))
    await office.send()
    office.clock.forward(hours=1)
    await office.send()
    states = [state for state, _ in await office.rows()]
    assert states == [State.UNKNOWN, State.QUEUED, State.SENT], "the second part waits, other messages pass it by"
    assert office.words() == ["one"] * arrived + ["two"]
    assert [(delivery.body.text, delivery.state) for delivery in await office.waiting()] == [("one", State.UNKNOWN)]


# What is tried again


async def test_a_flood_is_waited_out_and_the_order_kept(office: Office) -> None:
    office.telegram.faults.too_many("sendMessage", retry_after=7)
    await office.order(text("one"), text("two"))
    await office.order(text("three"))
    await office.send()
    assert await office.rows() == [("queued", "flood"), ("queued", None), ("queued", None)]
    office.clock.forward(seconds=6.9)
    await office.send()
    assert office.words() == []
    office.clock.forward(seconds=0.1)
    await office.send()
    assert office.words() == ["one", "two", "three"]


async def test_a_flood_in_one_chat_does_not_stop_another(office: Office) -> None:
    slow = str(office.anna.id)
    office.telegram.faults.too_many("sendMessage", retry_after=30, when=lambda _, given: given["chat_id"] == slow)
    await office.order(text("slow"))
    await office.order(text("quick"), to=office.forum.id)
    await office.send()
    assert (office.words(), office.words(office.forum)) == ([], ["quick"])


async def test_a_server_that_is_down_gets_it_once_when_it_is_back(office: Office) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        office.session.api = TelegramAPIServer.from_base(f"http://127.0.0.1:{closed.getsockname()[1]}")
        await office.order(text("one"), text("two"))
        await office.send()
    assert await office.rows() == [("queued", "network"), ("queued", None)]
    office.session.api = TelegramAPIServer.from_base(office.telegram.url)
    office.clock.forward(seconds=2)
    await office.send()
    assert office.words() == ["one", "two"]
    assert [state for state, _ in await office.rows()] == ["sent", "sent"]


async def test_what_waits_for_a_migrated_group_follows_it_in_order(office: Office) -> None:
    group = office.world.group("Team", office.boris)
    office.world.add(group, office.bot)
    office.telegram.faults.lose_ack("sendMessage")
    await office.order(text("before"), to=group.id)
    await office.send()
    upgraded = office.world.upgrade(group)
    await office.order(text("one"), text("two"), text("three"), to=group.id)
    await office.order(text("four"), to=group.id)
    await office.send()
    assert office.words(upgraded) == ["one", "two", "three", "four"]
    assert [state for state, _ in await office.rows()] == ["unknown"] + ["sent"] * 4
    await office.order(text("five"), to=group.id)
    await office.order(text("six"), to=upgraded.id)
    await office.send()
    assert sorted(office.words(upgraded)[4:]) == ["five", "six"]


# The echo


class OvertakenAdapter(BotApiAdapter):
    """The ingest of the same chat is faster than the acknowledgement."""

    ingest: Callable[[], Awaitable[None]]

    async def send(self, delivery: Delivery) -> Outcome:
        outcome = await super().send(delivery)
        await self.ingest()
        return outcome


async def ingest(office: Office, folder: Path) -> None:
    """The forum's messages as an export of it tells them."""
    messages = [
        {
            "id": message.id,
            "type": "message",
            "date_unixtime": str(int(message.sent_at.timestamp())),
            "date": message.sent_at.strftime("%Y-%m-%dT%H:%M:%S"),
            "from": "Desk",
            "from_id": f"user{message.sender_id}",
            "text": message.text,
        }
        for message in office.said(office.forum)
    ]
    number = -office.forum.id - 10**12
    path = folder / "result.json"
    export = {"name": "Sales", "type": "private_supergroup", "id": number, "messages": messages}
    path.write_text(json.dumps(export), encoding="utf-8")
    await TelegramImport(office.database, office.tenant_id, office.project_id, office.clock, zone=UTC).run(path)


STORED = """
SELECT c.thread_key, i.external_id, i.author_id, t.text FROM interactions i
JOIN conversations c ON c.tenant_id = i.tenant_id AND c.id = i.conversation_id
JOIN interaction_content t ON t.tenant_id = i.tenant_id AND t.channel = i.channel AND t.interaction_id = i.id
ORDER BY i.external_id
"""


@pytest.mark.parametrize("overtaken", [False, True], ids=["echo first", "ingest first"])
async def test_what_was_sent_is_one_interaction_whoever_stores_it_first(
    office: Office, tmp_path: Path, *, overtaken: bool
) -> None:
    adapter = office.adapter(OvertakenAdapter)
    assert isinstance(adapter, OvertakenAdapter)

    async def ingest_now() -> None:
        if overtaken:
            await ingest(office, tmp_path)

    adapter.ingest = ingest_now
    await office.order(text("<b>Hello</b> there", parse_mode="HTML"), to=office.forum.id)
    await office.send(adapter)
    [message] = office.said(office.forum)
    stored = [(f"tg:{office.forum.id}", str(message.id), f"user{office.bot.id}", "Hello there")]
    assert await office.fetch(STORED) == stored
    await ingest(office, tmp_path)
    assert await office.fetch(STORED) == stored


async def test_an_unknown_message_is_no_interaction_yet(office: Office) -> None:
    office.telegram.faults.lose_ack("sendMessage")
    await office.order(text("perhaps"), to=office.forum.id)
    await office.send()
    assert await office.fetch(STORED) == []
