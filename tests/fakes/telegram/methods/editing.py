"""editMessageText, editMessageCaption, editMessageReplyMarkup, deleteMessage, deleteMessages."""

from dataclasses import dataclass
from datetime import timedelta

from aiogram.methods import DeleteMessage, DeleteMessages, EditMessageCaption, EditMessageReplyMarkup, EditMessageText

from tests.fakes.telegram.access import access_business, access_business_chat, access_chat, access_message
from tests.fakes.telegram.call import Call, unimplemented
from tests.fakes.telegram.chats import Chat, ChatKind, Right
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.keyboards import checked_markup
from tests.fakes.telegram.messages import Formatted, Message
from tests.fakes.telegram.methods.sending import checked_caption, checked_text
from tests.fakes.telegram.parameters import plain
from tests.fakes.telegram.views import Json

DELETABLE = timedelta(hours=48)
MAX_DELETED = 100
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
Edit = EditMessageText | EditMessageCaption | EditMessageReplyMarkup


@dataclass(frozen=True, slots=True)
class _Edited:
    """A message that the bot may edit."""

    chat: Chat
    message: Message
    viewer_id: int


def edit_message_text(call: Call, method: EditMessageText) -> Json:
    call.refuse_parameters(["rich_message"])
    content = checked_text(method.text or "", plain(method.parse_mode), method.entities)
    edited = _edited(call, method)
    if edited.message.media or edited.message.service:
        raise bad_request("there is no text in the message to edit")
    return _edit(call, method, edited, content)


def edit_message_caption(call: Call, method: EditMessageCaption) -> Json:
    call.refuse_parameters(["show_caption_above_media"])
    caption = checked_caption(method.caption, plain(method.parse_mode), method.caption_entities)
    edited = _edited(call, method)
    if not edited.message.media:
        raise bad_request("there is no caption in the message to edit")
    return _edit(call, method, edited, caption)


def edit_message_reply_markup(call: Call, method: EditMessageReplyMarkup) -> Json:
    edited = _edited(call, method)
    return _edit(call, method, edited, edited.message.formatted)


def delete_message(call: Call, method: DeleteMessage) -> bool:
    chat = access_chat(call, method.chat_id)
    message = access_message(chat, method.message_id, "delete")
    _check_deletable(call, chat, message)
    call.world.delete(chat, [message.id], call.bot.id)
    return True


def delete_messages(call: Call, method: DeleteMessages) -> bool:
    """Numbers that are not there are passed over, as Telegram does."""
    if not 1 <= len(method.message_ids) <= MAX_DELETED:
        raise bad_request("too many message identifiers specified" if method.message_ids else "message_ids is empty")
    chat = access_chat(call, method.chat_id)
    for number in method.message_ids:
        if number in chat.messages:
            _check_deletable(call, chat, chat.messages[number])
    call.world.delete(chat, method.message_ids, call.bot.id)
    return True


def _edited(call: Call, method: Edit) -> _Edited:
    if method.inline_message_id:
        raise unimplemented("inline messages")
    if method.chat_id is None:
        raise bad_request("chat_id is empty" if method.message_id else "message identifier is not specified")
    if method.business_connection_id:
        connection = access_business(call, method.business_connection_id)
        chat, viewer_id = access_business_chat(call, connection, method.chat_id), connection.owner_id
    else:
        chat, viewer_id = access_chat(call, method.chat_id), call.bot.id
    message = access_message(chat, method.message_id, "edit")
    if not _is_own(call, chat, message):
        raise bad_request("message can't be edited")
    return _Edited(chat, message, viewer_id)


def _is_own(call: Call, chat: Chat, message: Message) -> bool:
    if chat.kind is ChatKind.CHANNEL and chat.member(call.bot.id).leads:
        return message.service is None
    return call.bot.id in (message.sender_id, message.business_bot_id) and message.service is None


def _edit(call: Call, method: Edit, edited: _Edited, content: Formatted) -> Json:
    markup = checked_markup(method.reply_markup)
    before = edited.message
    if "keyboard" in (before.markup or {}):
        raise bad_request("message can't be edited")
    if (content, markup) == (before.formatted, before.markup):
        raise bad_request(NOT_MODIFIED)
    call.within_limits(edited.chat)
    after = call.world.edit(edited.chat, before, call.bot.id, content, markup)
    shown = call.shown(edited.chat, after, edited.viewer_id)
    business = method.business_connection_id
    return {**shown, "business_connection_id": business} if business else shown


def _check_deletable(call: Call, chat: Chat, message: Message) -> None:
    rules = not chat.is_private and chat.member(call.bot.id).may(Right.DELETE)
    if not rules and not chat.is_private and message.sender_id != call.bot.id:
        raise bad_request("message can't be deleted")
    if not rules and call.world.clock() - message.sent_at > DELETABLE:
        raise bad_request("message can't be deleted for everyone")
