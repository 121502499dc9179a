"""Which chat a call means, and whether the bot may do there what it wants: errors in Telegram's words."""

from datetime import timedelta

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.chats import BusinessConnection, Chat, ChatKind, Right, Status
from tests.fakes.telegram.errors import Refused, bad_request, forbidden, upgraded
from tests.fakes.telegram.messages import Message

BUSINESS_WINDOW = timedelta(hours=24)
LACKING = {
    Right.TEXT: "not enough rights to send text messages to the chat",
    Right.PHOTOS: "not enough rights to send photos to the chat",
    Right.DOCUMENTS: "not enough rights to send documents to the chat",
    Right.PIN: "not enough rights to manage pinned messages in the chat",
    Right.TOPICS: "not enough rights to create a topic",
    Right.DELETE: "message can't be deleted",
}


def access_chat(call: Call, chat_id: int | str) -> Chat:
    """The chat, if the bot may know it. Raises Refused."""
    chat = _by_username(call, chat_id) if _is_name(chat_id) else _by_id(call, int(chat_id))
    if chat.migrated_to is not None:
        raise upgraded(chat.migrated_to)
    if not chat.is_private and not chat.member(call.bot.id).present:
        raise _outside(call, chat)
    return chat


def check_right(call: Call, chat: Chat, right: Right) -> None:
    """Whether the bot may write there; raises Refused."""
    if chat.is_private:
        _check_private(call, chat)
    elif chat.kind is ChatKind.CHANNEL:
        if not chat.member(call.bot.id).may(Right.POST):
            raise bad_request("need administrator rights in the channel chat")
    elif not chat.member(call.bot.id).may(right):
        raise bad_request(LACKING[right])


def access_topic(chat: Chat, topic_id: int | None) -> int | None:
    """The topic to write to; General has no number here. Raises Refused."""
    if topic_id and topic_id not in chat.topics:
        raise bad_request("message thread not found")
    return topic_id or None


def access_business(call: Call, connection_id: str) -> BusinessConnection:
    """The bot's own connection, while it is enabled and may reply. Raises Refused."""
    connection = call.world.business.get(connection_id)
    if connection is None or connection.bot_id != call.bot.id or not connection.enabled:
        raise bad_request("BUSINESS_CONNECTION_INVALID")
    return connection


def access_business_chat(call: Call, connection: BusinessConnection, chat_id: int | str) -> Chat:
    """The owner's chat with a customer who wrote within 24 hours. Raises Refused."""
    if not connection.can_reply:
        raise bad_request("BUSINESS_CONNECTION_NOT_ALLOWED")
    chat = None if _is_name(chat_id) else call.world.chat_of(connection.owner_id, int(chat_id))
    if chat is None or not chat.is_private:
        raise bad_request("chat not found")
    since = call.world.clock() - BUSINESS_WINDOW
    customer_id = chat.other(connection.owner_id)
    if not any(m.sender_id == customer_id and m.sent_at >= since for m in chat.messages.values()):
        raise bad_request("BUSINESS_PEER_USAGE_MISSING")
    return chat


def access_message(chat: Chat, message_id: int | None, what_for: str) -> Message:
    """`what_for` completes Telegram's error: "edit", "delete", "pin", "react"."""
    if message_id is None:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(message_id)
    if message is None:
        raise bad_request(f"message to {what_for} not found")
    return message


def _is_name(chat_id: int | str) -> bool:
    return isinstance(chat_id, str) and not chat_id.lstrip("-").isdecimal()


def _by_username(call: Call, name: int | str) -> Chat:
    for chat in call.world.chats.values():
        if chat.username and str(name).lower() == f"@{chat.username.lower()}":
            return chat
    raise bad_request("chat not found")


def _by_id(call: Call, chat_id: int) -> Chat:
    world = call.world
    if chat_id < 0:
        chat = world.chats.get(chat_id)
        if chat is None or (call.bot.id not in chat.members and chat.username is None):
            raise bad_request("chat not found")
        return chat
    if chat_id in world.bots:
        raise forbidden("bots can't send messages to bots")
    chat = world.chat_of(call.bot.id, chat_id)
    if (chat and chat.started_by) or world.meet(call.bot.id, chat_id):
        return world.private(call.bot.id, chat_id)
    raise bad_request("chat not found")


def _check_private(call: Call, chat: Chat) -> None:
    person_id = chat.other(call.bot.id)
    if call.world.is_deactivated(person_id):
        raise forbidden("user is deactivated")
    if call.world.has_blocked(person_id, call.bot.id):
        raise forbidden("bot was blocked by the user")
    if person_id not in chat.started_by:
        raise forbidden("bot can't initiate conversation with a user")


def _outside(call: Call, chat: Chat) -> Refused:
    if chat.member(call.bot.id).status is Status.KICKED:
        return forbidden(f"bot was kicked from the {chat.kind} chat")
    return forbidden(f"bot is not a member of the {chat.kind} chat")
