"""Exports as values and bytes, in the shapes they had since 2019; every person in them is invented."""

import json
from collections.abc import Iterable
from datetime import UTC, tzinfo
from io import BytesIO
from typing import Any

from ingest.imports.telegram_export import ChatHeader, ChatNormalizer, ExportReader
from ingest.imports.telegram_export.skipped import Skipped

Raw = dict[str, Any]

NOON = 1735722000  # 2025-01-01T09:00:00Z
NOON_LOCAL = "2025-01-01T12:00:00"
ANNA: Raw = {"from": "Анна Тестова", "from_id": "user5000000001"}
BORIS: Raw = {"from": "Boris Sample", "from_id": "user5000000002"}
NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"


def message(number: int, text: str | list[str | Raw] = "текст", *, at: int = NOON, **keys: object) -> Raw:
    """A message of today's exports; `text` may be a string or a list of parts."""
    parts = text if isinstance(text, list) else [text] if text else []
    entities = [{"type": "plain", "text": part} if isinstance(part, str) else part for part in parts]
    head = {"id": number, "type": "message", "date": NOON_LOCAL, "date_unixtime": str(at), **ANNA}
    return head | {"text": text, "text_entities": entities} | keys


def service(number: int, action: str | None, *, at: int = NOON, **keys: object) -> Raw:
    """A service message; a custom one has no action."""
    head = {"id": number, "type": "service", "date": NOON_LOCAL, "date_unixtime": str(at)}
    actor = {"actor": ANNA["from"], "actor_id": ANNA["from_id"]}
    return head | actor | ({"action": action} if action else {}) | {"text": "", "text_entities": []} | keys


def message_of_2019(
    number: int, text: str | list[str | Raw] = "текст", *, from_id: int = 5000000001, **keys: object
) -> Raw:
    """Before 2021-04 ids are bare, before 2022-06 times are local only, before 2022-09 there are no text_entities."""
    head = {"id": number, "type": "message", "date": "2019-03-01T12:00:00", "edited": "1970-01-01T03:00:00"}
    return head | {"from": ANNA["from"], "from_id": from_id, "text": text} | keys


def message_of_2021(number: int, text: str | list[str | Raw] = "текст", **keys: object) -> Raw:
    """Peer ids are spelled out, times are still local."""
    return {"id": number, "type": "message", "date": "2021-06-01T12:00:00", **ANNA, "text": text} | keys


def chat(messages: Iterable[Raw], *, kind: str = "private_supergroup", number: int = 1234567890, **keys: object) -> Raw:
    """A single-chat export, or a chat of an account's."""
    return {"name": "Склад", "type": kind, "id": number} | keys | {"messages": list(messages)}


def saved_messages(messages: Iterable[Raw], *, number: int = 5000000002) -> Raw:
    return {"type": "saved_messages", "id": number, "messages": list(messages)}


def account(chats: Iterable[Raw], left: Iterable[Raw] = (), *, user_id: int = 5000000002) -> Raw:
    """A whole account's export with its other parts."""
    contact = {"user_id": 5000000001, "first_name": "Анна", "date": NOON_LOCAL, "date_unixtime": str(NOON)}
    frequent = {"id": 5000000001, "category": "people", "type": "user", "name": "Анна", "rating": 12.34}
    return {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": user_id, "first_name": "Boris", "bio": ""},
        "profile_pictures": [],
        "contacts": {"about": "...", "list": [contact]},
        "frequent_contacts": {"about": "...", "list": [frequent]},
        "other_data": {"about": "...", "drafts": [{"chat": "Анна", "html": ["x", {"y": []}]}]},
        "chats": {"about": "...", "list": list(chats)},
        "left_chats": {"about": "...", "list": list(left)},
    }


def tdl(numbers: Iterable[int], *, number: int = 1234567890) -> Raw:
    """What another downloader writes: no name, no type, no dates."""
    return {"id": number, "messages": [{"id": n, "type": "message", "file": f"{n}.jpg"} for n in numbers]}


def dump(export: object, *, indent: int | None = 1) -> bytes:
    """The bytes as Telegram Desktop writes them: one space a level; `indent=None` minifies."""
    separators = (",", ":") if indent is None else None
    return json.dumps(export, ensure_ascii=False, indent=indent, separators=separators).encode()


def read(data: bytes, *, chunk_size: int = 1 << 16) -> tuple[list[tuple[ChatHeader, list[Raw]]], list[Skipped]]:
    """Every chat with its messages, and what was skipped."""
    reader = ExportReader(BytesIO(data), chunk_size=chunk_size)
    chats = [(found.header, list(found.messages())) for found in reader.chats()]
    return chats, reader.skipped


def read_ids(data: bytes, *, chunk_size: int = 1 << 16) -> list[tuple[int, list[int]]]:
    """Marked id of each chat with the ids of its messages."""
    chats, _ = read(data, chunk_size=chunk_size)
    return [(header.marked_id, [raw["id"] for raw in messages]) for header, messages in chats]


def normalizer(
    kind: str = "private_supergroup",
    number: int = 1234567890,
    *,
    zone: tzinfo = UTC,
    forum: bool = False,
    account_id: int | None = None,
) -> ChatNormalizer:
    header = ChatHeader(number, kind, "Склад")
    return ChatNormalizer(header, id_space="space", zone=zone, forum=forum, account_id=account_id)
