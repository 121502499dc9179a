"""sendMessage, sendPhoto, sendDocument, sendMediaGroup, sendChatAction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiogram.enums import ChatAction
from aiogram.methods import SendChatAction, SendDocument, SendMediaGroup, SendMessage, SendPhoto
from aiogram.types import InputMediaDocument, InputMediaPhoto, MessageEntity

from tests.fakes.telegram.access import access_business, access_business_chat, access_chat, access_topic, check_right
from tests.fakes.telegram.call import Call, unimplemented
from tests.fakes.telegram.chats import Chat, Right
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.keyboards import checked_markup
from tests.fakes.telegram.messages import Draft, Formatted, Media, utf16
from tests.fakes.telegram.parameters import plain
from tests.fakes.telegram.uploads import media_of
from tests.fakes.telegram.views import Json

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ALBUM = 10
UNIMPLEMENTED = (
    "direct_messages_topic_id", "message_effect_id", "suggested_post_parameters", "ephemeral_message_parameters",
    "receiver_user_id", "callback_query_id", "allow_paid_broadcast", "thumbnail", "has_spoiler",
    "show_caption_above_media",
)  # fmt: skip
Sending = SendMessage | SendPhoto | SendDocument | SendMediaGroup
RIGHTS = {"photo": Right.PHOTOS, "document": Right.DOCUMENTS}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes and in whose name."""

    chat: Chat
    sender_id: int
    topic_id: int | None
    reply_to: int | None
    business_id: str | None = None


def send_message(call: Call, method: SendMessage) -> Json:
    content = checked_text(method.text, plain(method.parse_mode), method.entities)
    markup = checked_markup(method.reply_markup)
    target = _target(call, method, Right.TEXT)
    return _send(call, target, Draft(content, markup=markup))


def send_photo(call: Call, method: SendPhoto) -> Json:
    return _send_file(call, method, "photo", media_of(call, "photo", method.photo))


def send_document(call: Call, method: SendDocument) -> Json:
    return _send_file(call, method, "document", media_of(call, "document", method.document))


def send_media_group(call: Call, method: SendMediaGroup) -> list[Json]:
    """All or nothing; the messages share an album."""
    if not 1 < len(method.media) <= MAX_ALBUM:
        raise bad_request("wrong number of messages in the media group: expected 2-10 items")
    drafts = [_album_item(call, item) for item in method.media]
    kinds = {draft.media.kind for draft in drafts if draft.media}
    if len(kinds) > 1:
        raise bad_request("document can't be mixed with other media types")
    target = _target(call, method, RIGHTS[kinds.pop()])
    call.within_limits(target.chat, len(drafts))
    album = f"album-{call.world.revision + 1:08}"
    return [_put(call, target, replace(draft, album=album)) for draft in drafts]


def send_chat_action(call: Call, method: SendChatAction) -> bool:
    if method.action not in set(ChatAction):
        raise bad_request("wrong parameter action in request")
    if method.business_connection_id:
        access_business_chat(call, access_business(call, method.business_connection_id), method.chat_id)
        return True
    chat = access_chat(call, method.chat_id)
    check_right(call, chat, Right.TEXT)
    access_topic(chat, method.message_thread_id)
    return True


def checked_text(text: str, parse_mode: str | None, entities: Sequence[MessageEntity] | None) -> Formatted:
    """1 to 4096 UTF-16 units after parsing; raises Refused."""
    content = formatted(text, parse_mode, entities)
    if not content.text:
        raise bad_request("message text is empty" if not text.strip() else "text must be non-empty")
    if utf16(content.text) > MAX_TEXT:
        raise bad_request("message is too long")
    return content


def checked_caption(caption: str | None, parse_mode: str | None, entities: Sequence[MessageEntity] | None) -> Formatted:
    """Up to 1024 UTF-16 units after parsing; raises Refused."""
    content = formatted(caption or "", parse_mode, entities)
    if utf16(content.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return content


def _send_file(call: Call, method: SendPhoto | SendDocument, kind: str, media: Media) -> Json:
    caption = checked_caption(method.caption, plain(method.parse_mode), method.caption_entities)
    markup = checked_markup(method.reply_markup)
    target = _target(call, method, RIGHTS[kind])
    return _send(call, target, Draft(caption, media, markup))


def _album_item(call: Call, item: object) -> Draft:
    if not isinstance(item, InputMediaPhoto | InputMediaDocument):
        raise unimplemented(f"{type(item).__name__} in a media group")
    caption = checked_caption(item.caption, plain(item.parse_mode), item.caption_entities)
    return Draft(caption, media_of(call, item.type, item.media))


def _target(call: Call, method: Sending, right: Right) -> Target:
    call.refuse_parameters(UNIMPLEMENTED)
    if method.business_connection_id:
        connection = access_business(call, method.business_connection_id)
        chat = access_business_chat(call, connection, method.chat_id)
        return Target(chat, connection.owner_id, None, _replied(chat, method), connection.id)
    chat = access_chat(call, method.chat_id)
    check_right(call, chat, right)
    return Target(chat, call.bot.id, access_topic(chat, method.message_thread_id), _replied(chat, method))


def _replied(chat: Chat, method: Sending) -> int | None:
    asked = method.reply_parameters
    number = asked.message_id if asked else method.reply_to_message_id
    if asked and (asked.quote or str(asked.chat_id or method.chat_id) != str(method.chat_id)):
        raise unimplemented("replies with a quote or from another chat")
    if not number or number in chat.messages:
        return number or None
    if plain(asked.allow_sending_without_reply) if asked else method.allow_sending_without_reply:
        return None
    raise bad_request("message to be replied not found")


def _send(call: Call, target: Target, draft: Draft) -> Json:
    call.within_limits(target.chat)
    return _put(call, target, draft)


def _put(call: Call, target: Target, draft: Draft) -> Json:
    replied = target.chat.messages.get(target.reply_to or 0)
    placed = replace(
        draft,
        topic_id=target.topic_id or (replied.topic_id if replied else None),
        reply_to=target.reply_to,
        business_bot_id=call.bot.id if target.business_id else None,
    )
    message = call.world.send(target.chat, target.sender_id, placed)
    shown = call.shown(target.chat, message, target.sender_id)
    return {**shown, "business_connection_id": target.business_id} if target.business_id else shown
