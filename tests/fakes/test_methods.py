"""What works, as a real client sees it."""

from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import ForwardMessage, GetUpdates, LogOut, TelegramMethod
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BufferedInputFile,
    ChatMemberAdministrator,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberOwner,
    ChatMemberRestricted,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
    TelegramObject,
)
from aiohttp import ClientSession, FormData

from tests.fakes.conftest import PNG, Town
from tests.fakes.telegram.methods import HANDLERS
from tests.fakes.telegram.parameters import METHODS

BUTTON = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="ok", callback_data="1")]])


def shape(value: TelegramObject | None) -> dict[str, Any]:
    """aiogram's objects are equal only when they are bound to the same client."""
    return value.model_dump(exclude_none=True) if value else {}


async def test_get_me(town: Town) -> None:
    me = await town.client.get_me()
    assert (me.id, me.username, me.is_bot, me.can_read_all_group_messages) == (town.desk.id, "desk_bot", True, False)


async def test_text_with_markup_and_keyboard(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, "<b>Привет</b> &lt;3", parse_mode="HTML", reply_markup=BUTTON)
    assert (sent.text, sent.html_text) == ("Привет <3", "<b>Привет</b> &lt;3")
    assert shape(sent.reply_markup) == shape(BUTTON)
    assert sent.from_user and sent.from_user.id == town.desk.id
    assert sent.date == town.clock.now


async def test_4096_characters_after_entities(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, f"<b>{'я' * 4096}</b>", parse_mode="HTML")
    assert len(sent.text or "") == 4096


async def test_explicit_entities(town: Town) -> None:
    entity = MessageEntity(type="text_link", offset=0, length=1, url="https://example.com/a")
    sent = await town.client.send_message(town.anna.id, "x", entities=[entity])
    assert [shape(kept) for kept in sent.entities or []] == [shape(entity)]


async def test_replies_topics_and_other_keyboards(town: Town) -> None:
    first = await town.client.send_message(town.forum.id, "a", message_thread_id=town.topic.id)
    reply = await town.client.send_message(
        town.forum.id, "b", reply_parameters=ReplyParameters(message_id=first.message_id), reply_markup=ForceReply()
    )
    assert reply.reply_to_message and reply.reply_to_message.text == "a"
    assert (first.message_thread_id, reply.message_thread_id) == (town.topic.id, town.topic.id)


async def test_a_missing_reply_may_be_allowed(town: Town) -> None:
    asked = ReplyParameters(message_id=77, allow_sending_without_reply=True)
    sent = await town.client.send_message(town.anna.id, "x", reply_parameters=asked)
    assert sent.reply_to_message is None


async def test_public_chats_have_names(town: Town) -> None:
    sent = await town.client.send_message("@Desk_News", "x")
    assert (sent.chat.id, sent.sender_chat and sent.sender_chat.id) == (town.channel.id, town.channel.id)


async def test_documents_come_back_as_sent(town: Town) -> None:
    content = bytes(range(256)) * 100
    sent = await town.client.send_document(town.anna.id, BufferedInputFile(content, "смета.pdf"), caption="<i>c</i>")
    assert sent.document
    assert (sent.document.file_name, sent.document.mime_type) == ("смета.pdf", "application/pdf")
    downloaded = await town.client.download(sent.document)
    assert downloaded and downloaded.read() == content
    again = await town.client.send_document(town.anna.id, sent.document.file_id)
    assert again.document == sent.document


async def test_a_persons_file_can_be_downloaded(town: Town) -> None:
    await town.anna.sends_document("list.txt", b"a list", caption="here")
    [update] = await town.client.get_updates()
    assert update.message and update.message.document and update.message.caption == "here"
    downloaded = await town.client.download(update.message.document)
    assert downloaded and downloaded.read() == b"a list"


async def test_albums(town: Town) -> None:
    media: list[Any] = [InputMediaPhoto(media=BufferedInputFile(PNG, f"{n}.png"), caption=str(n)) for n in range(3)]
    sent = await town.client.send_media_group(town.anna.id, media)
    assert [message.caption for message in sent] == ["0", "1", "2"]
    assert len({message.media_group_id for message in sent}) == 1
    files: list[Any] = [InputMediaDocument(media=BufferedInputFile(b"x", f"{n}.txt")) for n in range(2)]
    assert len(await town.client.send_media_group(town.anna.id, files)) == 2


async def test_edits(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, "a", reply_markup=BUTTON)
    number = sent.message_id
    bare = await town.client.edit_message_reply_markup(chat_id=town.anna.id, message_id=number)
    assert isinstance(bare, type(sent)) and (bare.reply_markup, bare.edit_date) == (None, None)
    edited = await town.client.edit_message_text("<b>b</b>", "", town.anna.id, number, parse_mode="HTML")
    assert isinstance(edited, type(sent)) and (edited.text, edited.edit_date) == ("b", int(town.clock.now.timestamp()))
    file = await town.client.send_document(town.anna.id, BufferedInputFile(b"x", "x.txt"), caption="a")
    captioned = await town.client.edit_message_caption(chat_id=town.anna.id, message_id=file.message_id, caption="b")
    assert isinstance(captioned, type(sent)) and captioned.caption == "b"


async def test_an_edit_without_keyboard_takes_it_away(town: Town) -> None:
    sent = await town.client.send_message(town.anna.id, "a", reply_markup=BUTTON)
    edited = await town.client.edit_message_text("b", chat_id=town.anna.id, message_id=sent.message_id)
    assert isinstance(edited, type(sent)) and edited.reply_markup is None


async def test_deleting(town: Town) -> None:
    first, second = await town.wrote("a"), await town.wrote("b")
    await town.client.delete_message(town.anna.id, first)
    await town.client.delete_messages(town.anna.id, [first, second])
    assert [message.text for message in await town.anna.sees()] == ["/start"]


async def test_administrators_may_delete_what_others_wrote(town: Town) -> None:
    town.world.add(town.forum, town.desk, admin=True)
    await town.anna.opens(town.forum)
    written = await town.anna.types("spam")
    assert await town.client.delete_message(town.forum.id, written.id)


async def test_commands_by_scope_and_language(town: Town) -> None:
    commands = [BotCommand(command="help", description="Помощь")]
    await town.client.set_my_commands(commands, BotCommandScopeAllPrivateChats(), "ru")
    await town.client.set_my_commands([], BotCommandScopeChat(chat_id=town.anna.id))
    kept = await town.client.get_my_commands(BotCommandScopeAllPrivateChats(), "ru")
    assert [shape(command) for command in kept] == [shape(command) for command in commands]
    assert await town.client.get_my_commands() == []
    await town.client.delete_my_commands(BotCommandScopeAllPrivateChats(), "ru")
    assert await town.client.get_my_commands(BotCommandScopeAllPrivateChats(), "ru") == []


async def test_names_and_descriptions(town: Town) -> None:
    await town.client.set_my_description("Long", language_code="ru")
    await town.client.set_my_short_description("Short")
    await town.client.set_my_name("Desk")
    assert (await town.client.get_my_description("ru")).description == "Long"
    assert (await town.client.get_my_short_description("ru")).short_description == "Short"
    assert (await town.client.get_my_name()).name == "Desk"


async def test_chats_and_members(town: Town) -> None:
    town.world.add(town.forum, town.anna, rights=frozenset())
    forum = await town.client.get_chat(town.forum.id)
    assert (forum.title, forum.type, forum.is_forum) == ("Sales", "supergroup", True)
    stranger = town.world.person("Vera")
    kinds = [
        type(await town.client.get_chat_member(town.forum.id, who.id)) for who in (town.boris, town.anna, stranger)
    ]
    assert kinds == [ChatMemberOwner, ChatMemberRestricted, ChatMemberLeft]
    assert isinstance(await town.client.get_chat_member(town.channel.id, town.desk.id), ChatMemberAdministrator)
    assert isinstance(await town.client.get_chat_member(town.forum.id, town.desk.id), ChatMemberMember)
    assert len(await town.client.get_chat_administrators(town.channel.id)) == 2
    assert await town.client.get_chat_member_count(town.forum.id) == 3
    assert (await town.client.get_chat(town.anna.id)).first_name == "Anna"


async def test_topics_pins_and_reactions(town: Town) -> None:
    town.world.add(town.forum, town.desk, admin=True)
    topic = await town.client.create_forum_topic(town.forum.id, "Кровля")
    sent = await town.client.send_message(town.forum.id, "x", message_thread_id=topic.message_thread_id)
    await town.client.pin_chat_message(town.forum.id, sent.message_id)
    pinned = (await town.client.get_chat(town.forum.id)).pinned_message
    assert pinned and pinned.message_id == sent.message_id
    await town.client.unpin_chat_message(town.forum.id)
    assert (await town.client.get_chat(town.forum.id)).pinned_message is None
    await town.client.set_message_reaction(town.forum.id, sent.message_id, [ReactionTypeEmoji(emoji="👍")])
    assert town.forum.messages[sent.message_id].reactions == {town.desk.id: ("👍",)}
    assert await town.client.send_chat_action(town.forum.id, "typing", message_thread_id=topic.message_thread_id)


def where(town: Town, method: str) -> str:
    return f"{town.telegram.url}/bot{town.desk.token}/{method}"


async def answer(http: ClientSession, url: str, **given: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(url, **given) as response:
        return response.status, await response.json()


async def test_every_form_of_parameters_is_read(town: Town, http: ClientSession) -> None:
    plain = {"chat_id": str(town.anna.id), "text": "[x]", "reply_markup": BUTTON.model_dump_json(exclude_none=True)}
    form = FormData(plain, default_to_multipart=True)
    structured = {**plain, "chat_id": town.anna.id, "reply_markup": BUTTON.model_dump(exclude_none=True)}
    calls: list[dict[str, Any]] = [{"params": plain}, {"data": plain}, {"data": form}, {"json": structured}]
    for given in calls:
        status, body = await answer(http, where(town, "sendMessage"), **given)
        assert (status, body["result"]["text"]) == (200, "[x]")
        assert body["result"]["reply_markup"] == BUTTON.model_dump(exclude_none=True)


async def test_methods_are_found_in_any_case_and_by_get(town: Town, http: ClientSession) -> None:
    async with http.get(where(town, "GETME")) as response:
        assert (await response.json())["result"]["id"] == town.desk.id


async def test_a_file_may_be_a_part_named_as_its_parameter(town: Town, http: ClientSession) -> None:
    form = FormData({"chat_id": str(town.anna.id)}, default_to_multipart=True)
    form.add_field("document", b"content", filename="a.txt")
    status, body = await answer(http, where(town, "sendDocument"), data=form)
    assert (status, body["result"]["document"]["file_name"]) == (200, "a.txt")


HTTP_REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("nothing", {}, 404, "Not Found"),
    ("sendMessage", {"chat_id": 1001}, 400, "Bad Request: message text is empty"),
    ("sendMessage", {"text": "x"}, 400, "Bad Request: chat_id is empty"),
    ("sendMessage", {"chat_id": "", "text": "x"}, 400, "Bad Request: chat not found"),
    ("sendDocument", {"chat_id": 1001}, 400, "Bad Request: there is no document in the request"),
    ("sendMessage", {"chat_id": 1001, "text": "x", "colour": 1}, 400, "Bad Request: unknown parameters ['colour']"),
    (
        "sendMessage",
        {"chat_id": 1001, "text": "x", "reply_markup": "{"},
        400,
        "Bad Request: can't parse reply markup JSON object",
    ),
    ("setMyCommands", {}, 400, "Bad Request: parameter commands is required"),
    ("deleteMessages", {"chat_id": 1001, "message_ids": []}, 400, "Bad Request: message_ids is empty"),
]


@pytest.mark.parametrize(("method", "given", "code", "reason"), HTTP_REFUSALS)
async def test_wrong_calls(
    town: Town, http: ClientSession, method: str, given: dict[str, Any], code: int, reason: str
) -> None:
    refused = {"ok": False, "error_code": code, "description": reason}
    assert await answer(http, where(town, method), json=given) == (code, refused)


async def test_wrong_types_and_json_are_refused(town: Town, http: ClientSession) -> None:
    status, body = await answer(http, where(town, "deleteMessage"), json={"chat_id": 1001, "message_id": "x"})
    assert (status, body["description"].partition(":")[0]) == (400, "Bad Request")
    status, body = await answer(http, where(town, "getMe"), data="[", headers={"Content-Type": "application/json"})
    assert (status, body["description"]) == (400, "Bad Request: can't parse JSON object")


async def test_files_need_a_token(town: Town, http: ClientSession) -> None:
    async with http.get(f"{town.telegram.url}/file/bot1:wrong/files/document-000001") as response:
        assert response.status == 401
    async with http.get(f"{town.telegram.url}/file/bot{town.desk.token}/files/nothing") as response:
        assert response.status == 404


def least(kind: type[TelegramMethod[Any]]) -> dict[str, Any]:
    """Something for each required parameter that takes a number or a text."""
    return {name: 1 for name, field in kind.model_fields.items() if field.is_required()}


async def test_no_method_is_answered_leniently(town: Town, http: ClientSession) -> None:
    """Each of aiogram's methods is either implemented or refused, whatever it is given."""
    refused = set()
    for kind in set(METHODS.values()) - {*HANDLERS, GetUpdates}:
        status, body = await answer(http, where(town, kind.__api_method__), json=least(kind))
        assert status == 400, kind
        if body["description"] == f"Bad Request: the fake does not implement {kind.__api_method__}":
            refused.add(kind)
        else:
            assert body["description"].startswith("Bad Request: can't parse "), kind
    assert {ForwardMessage, LogOut} <= refused


async def test_a_callback_data_of_64_bytes_is_taken(town: Town) -> None:
    button = InlineKeyboardButton(text="ok", callback_data="я" * 32)
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button], []])
    sent = await town.client.send_message(town.anna.id, "x", reply_markup=keyboard)
    assert shape(sent.reply_markup) == {"inline_keyboard": [[shape(button)]]}


async def test_two_bots_live_in_one_world(town: Town) -> None:
    other = town.world.bot("other_bot", token="77:other")
    await town.anna.starts(other)
    client = town.client_of(other)
    assert (await client.get_me()).id == 77
    [update] = await client.get_updates()
    assert update.message and update.message.text == "/start"
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await client.edit_message_text("x", chat_id=town.anna.id, message_id=await town.wrote())
