"""getChat and its kin, createForumTopic, pins, leaveChat."""

from aiogram.methods import (
    CreateForumTopic,
    GetChat,
    GetChatAdministrators,
    GetChatMember,
    GetChatMemberCount,
    LeaveChat,
    PinChatMessage,
    UnpinChatMessage,
)

from tests.fakes.telegram.access import access_chat, access_message, check_right
from tests.fakes.telegram.call import Call
from tests.fakes.telegram.chats import BLUE, Member, Right, Status
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.messages import utf16
from tests.fakes.telegram.views import Json

MAX_TOPIC_NAME = 128
ICON_COLORS = (BLUE, 16766590, 13338331, 9367192, 16749490, 16478047)
GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


def get_chat(call: Call, method: GetChat) -> Json:
    chat = access_chat(call, method.chat_id)
    full: Json = {
        **call.view().chat(chat),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(GIFTS, False),
    }
    if chat.pinned:
        full["pinned_message"] = call.shown(chat, chat.messages[chat.pinned[-1]])
    return full


def get_chat_member(call: Call, method: GetChatMember) -> Json:
    chat = access_chat(call, method.chat_id)
    if method.user_id not in call.world.users:
        raise bad_request("PARTICIPANT_ID_INVALID")
    if isinstance(chat.key, tuple):
        member = Member(Status.MEMBER if method.user_id in chat.key else Status.LEFT)
    else:
        member = chat.member(method.user_id)
    return call.view().member(method.user_id, member)


def get_chat_administrators(call: Call, method: GetChatAdministrators) -> list[Json]:
    """Other bots are not shown."""
    chat = access_chat(call, method.chat_id)
    if chat.is_private:
        raise bad_request("there are no administrators in the private chat")
    visible = {who: m for who, m in chat.members.items() if who not in call.world.bots or who == call.bot.id}
    return [call.view().member(who, member) for who, member in visible.items() if member.leads]


def get_chat_member_count(call: Call, method: GetChatMemberCount) -> int:
    chat = access_chat(call, method.chat_id)
    return 2 if chat.is_private else sum(member.present for member in chat.members.values())


def create_forum_topic(call: Call, method: CreateForumTopic) -> Json:
    chat = access_chat(call, method.chat_id)
    if not chat.is_forum:
        raise bad_request("the chat is not a forum")
    check_right(call, chat, Right.TOPICS)
    if not 1 <= utf16(method.name.strip()) <= MAX_TOPIC_NAME:
        raise bad_request("TOPIC_TITLE_EMPTY" if not method.name.strip() else "topic name is too long")
    color = method.icon_color or BLUE
    if color not in ICON_COLORS:
        raise bad_request("wrong icon color specified")
    topic = call.world.create_topic(chat, method.name.strip(), call.bot.id, color)
    return {"message_thread_id": topic.id, "name": topic.name, "icon_color": topic.icon_color}


def pin_chat_message(call: Call, method: PinChatMessage) -> bool:
    chat = access_chat(call, method.chat_id)
    message = access_message(chat, method.message_id, "pin")
    if not chat.is_private:
        check_right(call, chat, Right.PIN)
    call.world.pin(chat, message, call.bot.id)
    return True


def unpin_chat_message(call: Call, method: UnpinChatMessage) -> bool:
    chat = access_chat(call, method.chat_id)
    if not chat.is_private:
        check_right(call, chat, Right.PIN)
    number = method.message_id or (chat.pinned[-1] if chat.pinned else None)
    if number not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(number)
    return True


def leave_chat(call: Call, method: LeaveChat) -> bool:
    chat = access_chat(call, method.chat_id)
    if chat.is_private:
        raise bad_request("chat member status can't be changed in private chats")
    call.world.set_member(chat, call.bot.id, Member(Status.LEFT, frozenset()), by=call.bot.id)
    return True
