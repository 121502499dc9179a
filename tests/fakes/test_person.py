"""Stories: people and a real aiogram bot, by polling and by webhook."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta

import pytest
from aiogram import Dispatcher, F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command, CommandStart
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from tests.fakes.conftest import Town
from tests.fakes.telegram import CallbackAnswer, Unseen
from tests.fakes.telegram.errors import Refused

KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="✅ Send", callback_data="send")],
        [InlineKeyboardButton(text="Later", callback_data="later"), InlineKeyboardButton(text="?", url="https://a.io")],
    ]
)


Running = Callable[[Town], AbstractAsyncContextManager[None]]


def desk() -> Dispatcher:
    """A bot of four handlers."""
    router = Router()

    @router.message(CommandStart())
    async def _(message: Message) -> None:
        await message.answer("<b>Draft</b>: hello", parse_mode="HTML", reply_markup=KEYBOARD)

    @router.callback_query(F.data == "send")
    async def _(query: CallbackQuery) -> None:
        assert isinstance(query.message, Message)
        await query.message.edit_text("Sent")
        await query.answer("Done", show_alert=True)

    @router.message(Command("echo"))
    async def _(message: Message) -> None:
        await message.reply("echo")

    @router.edited_message()
    async def _(message: Message) -> None:
        await message.answer(f"now {message.text}")

    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    return dispatcher


@asynccontextmanager
async def by_polling(town: Town) -> AsyncIterator[None]:
    dispatcher = desk()
    polling = dispatcher.start_polling(town.client, handle_signals=False, polling_timeout=5, close_bot_session=False)
    task = asyncio.create_task(polling)
    try:
        yield
    finally:
        await dispatcher.stop_polling()
        await task


@asynccontextmanager
async def by_webhook(town: Town) -> AsyncIterator[None]:
    application = web.Application()
    SimpleRequestHandler(desk(), town.client, secret_token="s", handle_in_background=False).register(application, "/")
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await town.client.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/", secret_token="s")
    yield
    await runner.cleanup()


@pytest.mark.parametrize("running", [by_polling, by_webhook])
async def test_a_story(town: Town, running: Running) -> None:
    anna = town.anna
    async with running(town):
        await anna.starts(town.desk)
        draft = await anna.waits_for("Draft")
        assert [button["text"] for button in draft.inline_buttons] == ["✅ Send", "Later", "?"]

        assert await anna.presses("✅ Send") == CallbackAnswer("Done", alert=True)
        sent = await anna.waits_for("Sent")
        assert (sent.id, sent.inline_buttons) == (draft.id, [])

        question = await anna.types("helo")
        await anna.edits(question, "hello")
        await anna.waits_for("now hello")
        assert [message.text for message in await anna.sees()][-2:] == ["hello", "now hello"]


async def test_a_group_with_topics(town: Town) -> None:
    async with by_polling(town):
        await town.anna.opens(town.forum, town.topic)
        command = await town.anna.types("/echo")
        answer = await town.anna.waits_for("echo")
        assert (answer.reply_to, answer.topic_id) == (command.id, town.topic.id)
        await town.boris.opens(town.forum)
        await town.boris.replies(command, "I saw it")
        assert (await town.boris.reads(town.forum))[-3:] == ["/echo", "echo", "I saw it"]


@contextmanager
def not_seen(wanted: str) -> Iterator[None]:
    with pytest.raises(Unseen, match=wanted):
        yield


async def test_only_what_is_newer_than_the_last_act_is_news(town: Town) -> None:
    await town.wrote("ready")
    await town.anna.types("again")
    with not_seen(r"Anna waited 0.01 s for 'ready' and sees \['/start', 'ready', 'again'\]"):
        await town.anna.waits_for("ready", within=0.01)
    number = await town.wrote("ready")
    assert (await town.anna.waits_for("ready")).id == number
    with not_seen("again"):
        await town.anna.waits_for("again", within=0.01)


async def test_waiting_ends_with_the_change(town: Town) -> None:
    waiting = asyncio.create_task(town.anna.waits_for(lambda message: message.text.endswith("3")))
    for n in range(5):
        await town.wrote(f"number {n}")
    assert (await waiting).text == "number 3"


async def test_buttons_that_are_not_there_or_not_answered(town: Town) -> None:
    with not_seen("the button 'Yes'"):
        await town.anna.presses("Yes", within=0.01)
    await town.client.send_message(town.anna.id, "x", reply_markup=KEYBOARD)
    with not_seen("an answer to 'Later'"):
        await town.anna.presses("Later", within=0.01)
    with not_seen(r"the button '\?'"):
        await town.anna.presses("?", within=0.01)


async def test_the_newest_button_with_the_text_is_pressed(town: Town) -> None:
    await town.client.send_message(town.anna.id, "old", reply_markup=KEYBOARD)
    newest = await town.client.send_message(town.anna.id, "new", reply_markup=KEYBOARD)
    await town.anna.taps("Later")
    [update] = await town.client.get_updates()
    assert update.callback_query and update.callback_query.message
    assert (update.callback_query.message.message_id, update.callback_query.data) == (newest.message_id, "later")


async def test_a_pressed_button_of_a_deleted_message_is_inaccessible(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, "x", reply_markup=KEYBOARD)
    message = town.anna.chat.messages[sent.message_id]
    town.world.delete(town.anna.chat, [message.id], town.anna.id)
    town.world.press(town.anna.chat, message, town.anna.id, town.desk.id, "later")
    [update] = await town.client.get_updates()
    assert update.callback_query and update.callback_query.message
    assert update.callback_query.message.date == 0


async def test_messages_disappear(town: Town) -> None:
    number = await town.wrote("secret")
    message = await town.anna.waits_for("secret")
    gone = asyncio.create_task(town.anna.waits_until_gone(message))
    await town.client.delete_message(town.anna.id, number)
    await gone


async def test_people_are_refused_too(town: Town) -> None:
    town.world.add(town.forum, town.anna, rights=frozenset())
    await town.anna.opens(town.forum)
    with pytest.raises(Refused, match="not enough rights"):
        await town.anna.types("x")
    with pytest.raises(Refused, match="message text is empty"):
        await town.boris.opens(town.desk)
        await town.boris.types(" ")
    with pytest.raises(Refused, match="not enough rights"):
        await town.anna.joins(town.channel)
        await town.anna.types("x")
    with pytest.raises(Refused, match="YOU_BLOCKED_USER"):
        await town.anna.opens(town.desk)
        await town.anna.blocks(town.desk)
        await town.anna.types("x")
    with pytest.raises(Refused, match="can't be edited"):
        await town.anna.edits(town.forum.messages[1], "x")


async def test_starting_again_unblocks(town: Town) -> None:
    await town.anna.blocks(town.desk)
    await town.anna.starts(town.desk, "ref-7")
    assert (await town.anna.sees())[-1].text == "/start ref-7"
    assert await town.wrote("back")


async def test_ids_are_the_same_each_time(town: Town) -> None:
    assert (town.anna.id, town.boris.id, town.desk.id) == (1001, 1002, 9001)
    assert (town.group.id, town.channel.id, town.forum.id) == (-4001, -1000000000001, -1000000000002)


async def test_a_bot_answers_for_its_owner(town: Town) -> None:
    connection = town.world.connect_business(town.boris.id, town.desk.id)
    await town.anna.opens(town.boris)
    await town.anna.types("is it in stock?")
    told, asked = await town.client.get_updates()
    assert told.business_connection and told.business_connection.id == connection.id
    assert asked.business_message and asked.business_message.business_connection_id == connection.id
    assert asked.business_message.chat.id == town.anna.id

    sent = await town.client.send_message(town.anna.id, "Yes", business_connection_id=connection.id)
    assert sent.business_connection_id == connection.id
    assert sent.from_user and sent.from_user.id == town.boris.id
    assert sent.sender_business_bot and sent.sender_business_bot.id == town.desk.id
    seen = await town.anna.waits_for("Yes")
    assert seen.sender_id == town.boris.id
    assert await town.client.send_chat_action(town.anna.id, "typing", business_connection_id=connection.id)

    edited = await town.client.edit_message_text(
        "Yes!", business_connection_id=connection.id, chat_id=town.anna.id, message_id=sent.message_id
    )
    assert isinstance(edited, Message) and edited.text == "Yes!"
    assert (await town.client.get_business_connection(connection.id)).user.id == town.boris.id


async def test_edits_and_deletions_of_a_business_chat_are_told(town: Town) -> None:
    town.world.connect_business(town.boris.id, town.desk.id)
    await town.anna.opens(town.boris)
    said = await town.anna.types("a")
    await town.anna.edits(said, "b")
    await town.anna.deletes(said)
    kinds = [update.event_type for update in await town.client.get_updates()]
    assert kinds[1:] == ["business_message", "edited_business_message", "deleted_business_messages"]


async def test_a_business_bot_may_answer_for_24_hours(town: Town) -> None:
    connection = town.world.connect_business(town.boris.id, town.desk.id)
    await town.anna.opens(town.boris)
    with pytest.raises(TelegramBadRequest, match="BUSINESS_PEER_USAGE_MISSING"):
        await town.client.send_message(town.anna.id, "first", business_connection_id=connection.id)
    await town.anna.types("hello")
    town.clock.now += timedelta(hours=24)
    await town.client.send_message(town.anna.id, "in time", business_connection_id=connection.id)
    town.clock.forward(seconds=1)
    with pytest.raises(TelegramBadRequest, match="BUSINESS_PEER_USAGE_MISSING"):
        await town.client.send_message(town.anna.id, "late", business_connection_id=connection.id)


async def test_a_business_connection_that_may_not_reply(town: Town) -> None:
    mute = town.world.connect_business(town.boris.id, town.desk.id, can_reply=False)
    with pytest.raises(TelegramBadRequest, match="BUSINESS_CONNECTION_NOT_ALLOWED"):
        await town.client.send_message(town.anna.id, "x", business_connection_id=mute.id)
    town.world.disconnect_business(mute)
    with pytest.raises(TelegramBadRequest, match="BUSINESS_CONNECTION_INVALID"):
        await town.client.send_message(town.anna.id, "x", business_connection_id=mute.id)
