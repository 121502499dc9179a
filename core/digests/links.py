"""Addresses of Telegram messages, built from the chat's id and the message's, never guessed."""

import re
from typing import NamedTuple

from core.digests.model import DigestChat, Message

SUPERGROUP_BASE = -1_000_000_000_000
USERNAME = re.compile(r"[A-Za-z]\w{2,31}", re.ASCII)
VALID = re.compile(r"https://t\.me/(?:c/[1-9]\d*|[A-Za-z]\w{2,31})(?:/[1-9]\d*){1,2}", re.ASCII)


class ChatLinks(NamedTuple):
    """Links into one chat. Without `base` (a private chat, a basic group) its messages have none."""

    base: str | None
    forum: bool = False

    def url(self, message: Message) -> str | None:
        """None for messages kept from before a migration (negative ids) too: they belong to a chat without links."""
        if self.base is None or message.id <= 0:
            return None
        if self.forum and message.topic_id and message.topic_id > 0:
            return f"{self.base}/{message.topic_id}/{message.id}"
        return f"{self.base}/{message.id}"


def links_of(chat: DigestChat) -> ChatLinks:
    return ChatLinks(_base(chat), chat.forum)


def is_valid(url: str) -> bool:
    return bool(VALID.fullmatch(url))


def _base(chat: DigestChat) -> str | None:
    if chat.username and USERNAME.fullmatch(chat.username):
        return f"https://t.me/{chat.username}"
    if chat.marked_id is not None and chat.marked_id < SUPERGROUP_BASE:
        return f"https://t.me/c/{SUPERGROUP_BASE - chat.marked_id}"
    return None
