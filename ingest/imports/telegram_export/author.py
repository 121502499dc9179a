"""Who wrote a message: the export's `from` and `actor`."""

from collections.abc import Mapping
from typing import Any

from ingest.imports.telegram_export.header import ChatHeader
from ingest.imports.telegram_export.scalars import whole

PEER_KINDS = ("user", "channel", "chat")


def read_author(raw: Mapping[str, Any], role: str, header: ChatHeader) -> tuple[str | None, str | None]:
    """Peer id and name of the `role` ("from" or "actor"); either may be None."""
    name = raw.get(role)
    if name is not None and not isinstance(name, str):
        name = str(name)
    return peer_id(raw.get(f"{role}_id"), header), name or None


def peer_id(value: object, header: ChatHeader) -> str | None:
    """ "user1", "channel1" or "chat1". Exports before April 2021 have a bare number: a user's, or the channel's own."""
    if isinstance(value, str) and value.startswith(PEER_KINDS):
        return value
    number = whole(value)
    if number is None:
        return str(value) if value else None
    own = header.id == number and not header.is_private
    return header.peer if own else f"user{number}"
