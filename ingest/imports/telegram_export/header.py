"""Which chat an exported history belongs to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.interactions.model import Channel, ConversationKind, Thread
from ingest.imports.telegram_export.scalars import whole

CHANNEL_BASE = 10**12
PRIVATE_TYPES = frozenset({"personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes"})
NAMELESS_TITLES = {
    "saved_messages": "Saved Messages",
    "replies": "Replies",
    "verification_codes": "Verification Codes",
    "personal_chat": "Deleted account",
    "bot_chat": "Deleted bot",
}


@dataclass(frozen=True, slots=True)
class ChatHeader:
    """`id` is the bare peer id, unique only together with `type`; a `type` that is absent or new counts as a group's.

    A file that gives its chat no id gets one of 52 bits made from the name, or from the first message: the same
    file always names the same chat.
    """

    id: int
    type: str
    name: str | None

    @property
    def is_private(self) -> bool:
        return self.type in PRIVATE_TYPES

    @property
    def marked_id(self) -> int:
        """The id as the Bot API and Telethon write it."""
        if self.is_private:
            return self.id
        return -self.id if self.type == "private_group" else -(CHANNEL_BASE + self.id)

    @property
    def peer(self) -> str:
        """The chat as it stands in `from_id` and `reply_to_peer_id`: "user1", "chat1", "channel1"."""
        if self.is_private:
            return f"user{self.id}"
        return f"chat{self.id}" if self.type == "private_group" else f"channel{self.id}"

    @property
    def numbered_by_account(self) -> bool:
        """Whether message ids are counted per account, so that they are no identity across accounts."""
        return self.is_private or self.type == "private_group"

    @property
    def title(self) -> str:
        return self.name or NAMELESS_TITLES.get(self.type) or f"Chat {self.id}"

    def thread(self) -> Thread:
        key = f"tg:{self.marked_id}"
        if self.is_private:
            return Thread(Channel.CHAT, ConversationKind.RECORD, key, self.title)
        return Thread(Channel.GROUP, ConversationKind.GROUP, key, self.title)


def parse_header(raw: Mapping[str, Any], first_message: Mapping[str, Any] | None) -> ChatHeader:
    """Make the header of the keys a chat has; all of them may be missing or of a wrong type."""
    kind = raw.get("type")
    kind = kind if isinstance(kind, str) else ""
    name = raw.get("name")
    name = str(name).strip() if isinstance(name, str | int) else ""
    number = whole(raw.get("id"))
    if number is None:
        number = derived_id(name or json.dumps(first_message, sort_keys=True))
    return ChatHeader(bare_id(number, kind), kind, name or None)


def is_whole(raw: Mapping[str, Any]) -> bool:
    """Whether no later key of the chat can add to the header."""
    return "id" in raw and "type" in raw and ("name" in raw or str(raw["type"]) in NAMELESS_TITLES)


def bare_id(number: int, kind: str) -> int:
    """The id without the marks that other tools leave on it: -100… for channels, a minus for groups."""
    if number < -CHANNEL_BASE and kind != "private_group":
        return -number - CHANNEL_BASE
    return abs(number)


def derived_id(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=7).digest()
    return int.from_bytes(digest) >> 4
