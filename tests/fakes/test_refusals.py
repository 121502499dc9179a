"""What Telegram refuses, in its own words: one row for each call and its error."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    ChatPermissions,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    ReactionTypeEmoji,
    ReplyParameters,
)

from tests.fakes.conftest import PNG, Town
from tests.fakes.telegram import Right

Refused = Callable[[Town], Awaitable[Any]]
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
NOBODY = 999
NOWHERE = -1000000009999


def keyboard(**button: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(**{"text": "ok", **button})]])


def file(content: bytes = b"content") -> BufferedInputFile:
    return BufferedInputFile(content, "estimate.pdf")


async def unmodified(town: Town) -> None:
    number = await town.wrote("same")
    await town.client.edit_message_text("<b></b>same ", chat_id=town.anna.id, message_id=number, parse_mode="HTML")


async def unmodified_markup(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, "x", reply_markup=keyboard(callback_data="1"))
    await town.client.edit_message_reply_markup(
        chat_id=town.anna.id, message_id=sent.message_id, reply_markup=keyboard(callback_data="1")
    )


async def edits_annas(town: Town) -> None:
    written = await town.anna.types("mine")
    await town.client.edit_message_text("x", chat_id=town.anna.id, message_id=written.id)


async def edits_caption_of_text(town: Town) -> None:
    await town.client.edit_message_caption(chat_id=town.anna.id, message_id=await town.wrote(), caption="x")


async def edits_text_of_file(town: Town) -> None:
    sent = await town.client.send_document(town.anna.id, file())
    await town.client.edit_message_text("x", chat_id=town.anna.id, message_id=sent.message_id)


async def edits_deleted(town: Town) -> None:
    number = await town.wrote()
    await town.client.delete_message(town.anna.id, number)
    await town.client.edit_message_text("x", chat_id=town.anna.id, message_id=number)


async def deletes_old(town: Town) -> None:
    number = await town.wrote()
    town.clock.forward(hours=49)
    await town.client.delete_message(town.anna.id, number)


async def deletes_annas_in_group(town: Town) -> None:
    await town.anna.opens(town.forum)
    written = await town.anna.types("mine")
    await town.client.delete_message(town.forum.id, written.id)


async def answers_late(town: Town) -> None:
    await town.client.send_message(town.anna.id, "x", reply_markup=keyboard(callback_data="1"))
    query = await town.anna.taps("ok")
    town.clock.forward(minutes=2)
    await town.client.answer_callback_query(query.id)


async def answers_at_length(town: Town) -> None:
    await town.client.send_message(town.anna.id, "x", reply_markup=keyboard(callback_data="1"))
    query = await town.anna.taps("ok")
    await town.client.answer_callback_query(query.id, "я" * 201)


async def writes_in_closed_group(town: Town) -> None:
    town.world.add(town.forum, town.desk, rights=frozenset())
    await town.client.send_message(town.forum.id, "x")


async def sends_forbidden_photo(town: Town) -> None:
    town.world.add(town.forum, town.desk, rights=frozenset({Right.TEXT}))
    await town.client.send_photo(town.forum.id, file(PNG))


async def sends_forbidden_document(town: Town) -> None:
    town.world.add(town.forum, town.desk, rights=frozenset({Right.TEXT}))
    await town.client.send_document(town.forum.id, file())


async def reuses_document_as_photo(town: Town) -> None:
    sent = await town.client.send_document(town.anna.id, file())
    assert sent.document
    await town.client.send_photo(town.anna.id, sent.document.file_id)


async def posts_without_right(town: Town) -> None:
    town.world.add(town.channel, town.desk, admin=True, rights=frozenset())
    await town.client.send_message(town.channel.id, "x")


BAD_REQUESTS: list[tuple[str, Refused]] = [
    # text
    ("message text is empty", lambda t: t.client.send_message(t.anna.id, "")),
    ("message text is empty", lambda t: t.client.send_message(t.anna.id, " \n ")),
    ("text must be non-empty", lambda t: t.client.send_message(t.anna.id, "<b></b>", parse_mode="HTML")),
    ("message is too long", lambda t: t.client.send_message(t.anna.id, "я" * 4097)),
    ("message is too long", lambda t: t.client.send_message(t.anna.id, "😀" * 2049)),
    ("unsupported parse_mode", lambda t: t.client.send_message(t.anna.id, "x", parse_mode="RTF")),
    (
        'can\'t parse entities: Unsupported start tag "ul" at byte offset 0',
        lambda t: t.client.send_message(t.anna.id, "<ul>", parse_mode="HTML"),
    ),
    ("message caption is too long", lambda t: t.client.send_document(t.anna.id, file(), caption="я" * 1025)),
    # chats and topics
    ("chat not found", lambda t: t.client.send_message(NOBODY, "x")),
    ("chat not found", lambda t: t.client.send_message(NOWHERE, "x")),
    ("chat not found", lambda t: t.client.send_message("@nowhere", "x")),
    ("chat_id is empty", lambda t: t.client.send_message("", "x")),
    ("message thread not found", lambda t: t.client.send_message(t.forum.id, "x", message_thread_id=77)),
    ("message thread not found", lambda t: t.client.send_message(t.forum.id, "x", message_thread_id=1)),
    ("message thread not found", lambda t: t.client.send_message(t.group.id, "x", message_thread_id=5)),
    ("the chat is not a forum", lambda t: t.client.create_forum_topic(t.group.id, "x")),
    ("not enough rights to create a topic", lambda t: t.client.create_forum_topic(t.forum.id, "x")),
    (
        "message to be replied not found",
        lambda t: t.client.send_message(t.anna.id, "x", reply_parameters=ReplyParameters(message_id=77)),
    ),
    # rights
    ("not enough rights to send text messages to the chat", writes_in_closed_group),
    ("not enough rights to send photos to the chat", sends_forbidden_photo),
    ("not enough rights to send documents to the chat", sends_forbidden_document),
    ("need administrator rights in the channel chat", posts_without_right),
    ("not enough rights to manage pinned messages in the chat", lambda t: t.client.pin_chat_message(t.forum.id, 1)),
    ("message to pin not found", lambda t: t.client.pin_chat_message(t.forum.id, 77)),
    # keyboards
    (
        "BUTTON_DATA_INVALID",
        lambda t: t.client.send_message(t.anna.id, "x", reply_markup=keyboard(callback_data="я" * 32 + "x")),
    ),
    (
        "BUTTON_DATA_INVALID",
        lambda t: t.client.send_message(t.anna.id, "x", reply_markup=keyboard(callback_data="")),
    ),
    (
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        lambda t: t.client.send_message(t.anna.id, "x", reply_markup=keyboard()),
    ),
    (
        "inline keyboard button URL 'no link' is invalid: Wrong HTTP URL",
        lambda t: t.client.send_message(t.anna.id, "x", reply_markup=keyboard(url="no link")),
    ),
    # editing and deleting
    (NOT_MODIFIED, unmodified),
    (NOT_MODIFIED, unmodified_markup),
    ("message to edit not found", edits_deleted),
    ("message to edit not found", lambda t: t.client.edit_message_text("x", chat_id=t.anna.id, message_id=77)),
    ("message identifier is not specified", lambda t: t.client.edit_message_text("x", chat_id=t.anna.id)),
    ("message can't be edited", edits_annas),
    ("there is no caption in the message to edit", edits_caption_of_text),
    ("there is no text in the message to edit", edits_text_of_file),
    ("message to delete not found", lambda t: t.client.delete_message(t.anna.id, 77)),
    ("message can't be deleted", deletes_annas_in_group),
    ("message can't be deleted for everyone", deletes_old),
    # callback queries
    (TOO_OLD, lambda t: t.client.answer_callback_query("1")),
    (TOO_OLD, answers_late),
    ("MESSAGE_TOO_LONG", answers_at_length),
    # files
    ("file must be non-empty", lambda t: t.client.send_document(t.anna.id, file(b""))),
    ("IMAGE_PROCESS_FAILED", lambda t: t.client.send_photo(t.anna.id, file(b"no picture"))),
    ("wrong file identifier/HTTP URL specified", lambda t: t.client.send_document(t.anna.id, "nothing")),
    ("can't use file of type Document as Photo", reuses_document_as_photo),
    ("wrong file_id or the file is temporarily unavailable", lambda t: t.client.get_file("nothing")),
    (
        "wrong number of messages in the media group: expected 2-10 items",
        lambda t: t.client.send_media_group(t.anna.id, [InputMediaDocument(media=file())]),
    ),
    (
        "wrong number of messages in the media group: expected 2-10 items",
        lambda t: t.client.send_media_group(t.anna.id, [InputMediaDocument(media=file()) for _ in range(11)]),
    ),
    (
        "document can't be mixed with other media types",
        lambda t: t.client.send_media_group(
            t.anna.id, [InputMediaDocument(media=file()), InputMediaPhoto(media=file(PNG))]
        ),
    ),
    # the rest
    ("wrong parameter action in request", lambda t: t.client.send_chat_action(t.anna.id, "dancing")),
    ("PARTICIPANT_ID_INVALID", lambda t: t.client.get_chat_member(t.forum.id, NOBODY)),
    ("REACTION_INVALID", lambda t: t.client.set_message_reaction(t.forum.id, 1, [ReactionTypeEmoji(emoji="x")])),
    (
        "REACTIONS_TOO_MANY",
        lambda t: t.client.set_message_reaction(t.forum.id, 1, [ReactionTypeEmoji(emoji=e) for e in "👍🔥"]),
    ),
    (
        "BOT_COMMAND_INVALID",
        lambda t: t.client.set_my_commands([BotCommand(command="Помощь", description="help")]),
    ),
    (
        "BOT_COMMAND_DESCRIPTION_INVALID",
        lambda t: t.client.set_my_commands([BotCommand(command="help", description="x" * 257)]),
    ),
    ("invalid language code specified", lambda t: t.client.set_my_commands([], language_code="russian")),
    ("description is too long", lambda t: t.client.set_my_description("x" * 513)),
    ("BUSINESS_CONNECTION_INVALID", lambda t: t.client.get_business_connection("none")),
    (
        "BUSINESS_CONNECTION_INVALID",
        lambda t: t.client.send_message(t.anna.id, "x", business_connection_id="none"),
    ),
    # what the fake lacks is an error, never a lenient answer
    (
        "the fake does not implement restrictChatMember",
        lambda t: t.client.restrict_chat_member(t.forum.id, t.anna.id, ChatPermissions()),
    ),
    (
        "the fake does not implement parameter message_effect_id",
        lambda t: t.client.send_message(t.anna.id, "x", message_effect_id="1"),
    ),
    (
        "the fake does not implement sending files by URL",
        lambda t: t.client.send_document(t.anna.id, "https://example.com/a.pdf"),
    ),
]


@pytest.mark.parametrize(("reason", "call"), BAD_REQUESTS)
async def test_bad_requests(town: Town, reason: str, call: Refused) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await call(town)
    assert refused.value.message == f"Bad Request: {reason}"


async def blocked(town: Town) -> None:
    await town.anna.blocks(town.desk)
    await town.wrote()


async def deactivated(town: Town) -> None:
    town.world.deactivate(town.anna.id)
    await town.wrote()


async def kicked_from_group(town: Town) -> None:
    town.world.kick(town.group, town.desk)
    await town.client.send_message(town.group.id, "x")


async def kicked_from_supergroup(town: Town) -> None:
    town.world.kick(town.forum, town.desk)
    await town.client.send_message(town.forum.id, "x")


async def left(town: Town) -> None:
    await town.client.leave_chat(town.forum.id)
    await town.client.get_chat(town.forum.id)


async def writes_to_a_bot(town: Town) -> None:
    await town.client.send_message(town.world.bot("other_bot").id, "x")


async def never_in_channel(town: Town) -> None:
    stranger = town.world.bot("stranger_bot")
    await town.client_of(stranger).send_message("@desk_news", "x")


FORBIDDEN: list[tuple[str, Refused]] = [
    ("bot was blocked by the user", blocked),
    ("user is deactivated", deactivated),
    ("bot can't initiate conversation with a user", lambda t: t.client.send_message(t.boris.id, "x")),
    ("bots can't send messages to bots", writes_to_a_bot),
    ("bot was kicked from the group chat", kicked_from_group),
    ("bot was kicked from the supergroup chat", kicked_from_supergroup),
    ("bot is not a member of the supergroup chat", left),
    ("bot is not a member of the channel chat", never_in_channel),
]


@pytest.mark.parametrize(("reason", "call"), FORBIDDEN)
async def test_forbidden(town: Town, reason: str, call: Refused) -> None:
    with pytest.raises(TelegramForbiddenError) as refused:
        await call(town)
    assert refused.value.message == f"Forbidden: {reason}"


async def test_opening_a_bot_is_not_starting_it(town: Town) -> None:
    await town.boris.opens(town.desk)
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await town.client.send_message(town.boris.id, "x")
    await town.boris.starts(town.desk)
    assert (await town.client.send_message(town.boris.id, "x")).text == "x"


async def test_an_upgraded_group_tells_its_new_id(town: Town) -> None:
    upgraded = town.world.upgrade(town.group)
    with pytest.raises(TelegramMigrateToChat) as refused:
        await town.client.send_message(town.group.id, "x")
    assert refused.value.migrate_to_chat_id == upgraded.id
    assert "group chat was upgraded to a supergroup chat" in refused.value.message
    assert (await town.client.send_message(upgraded.id, "x")).chat.id == upgraded.id


async def test_a_wrong_token_is_unauthorized(town: Town) -> None:
    stranger = town.world.bot("stranger_bot")
    del town.world.bots[stranger.id]
    with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
        await town.client_of(stranger).get_me()


async def test_files_above_50_megabytes_are_refused(town: Town) -> None:
    with pytest.raises(TelegramAPIError, match="Request Entity Too Large"):
        await town.client.send_document(town.anna.id, file(b"x" * ((50 << 20) + 1)))


async def test_a_refused_call_changes_nothing(town: Town) -> None:
    before = town.world.revision
    with pytest.raises(TelegramBadRequest):
        await town.client.send_message(town.anna.id, "<b>x", parse_mode="HTML")
    assert town.world.revision == before
    assert [entry.acted for entry in town.telegram.journal.of("sendMessage")] == [False]
