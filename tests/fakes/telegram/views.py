"""The world as the Bot API shows it to one bot: JSON objects of users, chats, messages."""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tests.fakes.telegram.chats import BusinessConnection, Chat, ChatKind, Member, Right, User
from tests.fakes.telegram.messages import CallbackQuery, Entity, Media, Message
from tests.fakes.telegram.state import State

Json = dict[str, Any]
ADMIN_RIGHTS = (
    "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
    "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories", "can_send_welcome_messages", "can_manage_topics", "can_pin_messages",
    "can_post_messages",
)  # fmt: skip
MEMBER_RIGHTS = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics",
    "can_edit_tag", "can_react_to_messages",
)  # fmt: skip
CALLBACK_CHAT_INSTANCE = "1"
NEVER = 0


def seconds(moment: datetime) -> int:
    """Unix time, as the Bot API counts."""
    return int(moment.timestamp())


def media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class View:
    """`viewer_id` is who the private chats are private with: the bot, or the owner of a business connection."""

    def __init__(self, state: State, viewer_id: int) -> None:
        self._state = state
        self._viewer_id = viewer_id

    def user(self, user_id: int) -> Json:
        return user_view(self._state.users[user_id])

    def chat(self, chat: Chat) -> Json:
        if not chat.is_private:
            more = {"username": chat.username, "is_forum": chat.is_forum or None}
            return _given(id=chat.id, type=chat.kind.value, title=chat.title, **more)
        other = self._state.users[chat.other(self._viewer_id)]
        return _given(id=other.id, type="private", first_name=other.first_name, username=other.username)

    def message(self, chat: Chat, message: Message, *, with_reply: bool = True) -> Json:
        replied = chat.messages.get(message.reply_to or 0) if with_reply else None
        return _given(
            message_id=message.id,
            date=seconds(message.sent_at),
            chat=self.chat(chat),
            **self._sender(chat, message),
            edit_date=seconds(message.edited_at) if message.edited_at else None,
            message_thread_id=message.topic_id,
            is_topic_message=True if message.topic_id else None,
            media_group_id=message.album,
            reply_to_message=self.message(chat, replied, with_reply=False) if replied else None,
            reply_markup=message.markup if "inline_keyboard" in (message.markup or {}) else None,
            **self._content(message),
            **self._service(chat, message.service or {}),
        )

    def query(self, chat: Chat, query: CallbackQuery) -> Json:
        message = chat.messages.get(query.message_id)
        inaccessible = {"message_id": query.message_id, "date": NEVER, "chat": self.chat(chat)}
        return {
            "id": query.id,
            "from": self.user(query.person_id),
            "message": self.message(chat, message) if message else inaccessible,
            "chat_instance": CALLBACK_CHAT_INSTANCE,
            "data": query.data,
        }

    def member(self, user_id: int, member: Member) -> Json:
        known: Json = {"status": member.status.value, "user": self.user(user_id)}
        match member.status.value:
            case "creator":
                return {**known, "is_anonymous": False}
            case "administrator":
                return {**known, **_rights(ADMIN_RIGHTS, member)}
            case "restricted":
                return {**known, "is_member": True, "until_date": NEVER, **_rights(MEMBER_RIGHTS, member)}
            case "kicked":
                return {**known, "until_date": NEVER}
            case _:
                return known

    def connection(self, connection: BusinessConnection) -> Json:
        return {
            "id": connection.id,
            "user": self.user(connection.owner_id),
            "user_chat_id": connection.owner_id,
            "date": seconds(connection.since),
            "rights": {"can_reply": connection.can_reply},
            "is_enabled": connection.enabled,
        }

    def _sender(self, chat: Chat, message: Message) -> Json:
        if chat.kind is ChatKind.CHANNEL:
            return {"sender_chat": self.chat(chat)}
        author = self.user(message.sender_id)
        return {"from": author, "sender_business_bot": self._business_bot(message)}

    def _business_bot(self, message: Message) -> Json | None:
        return self.user(message.business_bot_id) if message.business_bot_id else None

    def _content(self, message: Message) -> Json:
        if message.service is not None:
            return {}
        entities = self.entities(message.formatted.entities) or None
        if message.media is None:
            return {"text": message.text, "entities": entities}
        return {**_media(message.media), "caption": message.text or None, "caption_entities": entities}

    def entities(self, entities: Sequence[Entity]) -> list[Json]:
        return [self._entity(entity) for entity in entities]

    def _entity(self, entity: Entity) -> Json:
        plain = {name: value for name, value in asdict(entity).items() if value is not None and name != "user_id"}
        if entity.user_id is None:
            return plain
        known = self._state.users.get(entity.user_id, User(entity.user_id, "?"))
        return {**plain, "user": user_view(known)}

    def _service(self, chat: Chat, service: Mapping[str, Any]) -> Json:
        shown = dict(service)
        if "new_chat_members" in shown:
            shown["new_chat_members"] = [self.user(who) for who in shown["new_chat_members"]]
        if "left_chat_member" in shown:
            shown["left_chat_member"] = self.user(shown["left_chat_member"])
        if "pinned_message" in shown:
            shown["pinned_message"] = self.message(chat, chat.messages[shown["pinned_message"]], with_reply=False)
        return shown


def user_view(user: User) -> Json:
    return _given(
        id=user.id,
        is_bot=user.is_bot,
        first_name=user.first_name,
        username=user.username,
        language_code=user.language,
    )


def _media(media: Media) -> Json:
    file = {"file_id": media.file_id, "file_unique_id": f"u-{media.file_id}", "file_size": media.size}
    if media.kind == "photo":
        return {"photo": [{**file, "width": 90, "height": 60}]}
    return {"document": {**file, "file_name": media.name, "mime_type": media.mime}}


def _rights(names: Sequence[str], member: Member) -> Json:
    return {name: name in set(Right) and member.may(Right(name)) for name in names}


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
