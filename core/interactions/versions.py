"""Which of two tellings of the same interaction holds. Pure, and the same for every order of arrival.

The newest edit wins, not the latest arrival: an older export never undoes an edit. What carries no time of its own
(reactions, media, names) follows the newest observation. Each text that lost is kept as a revision.
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from core.interactions.model import ConversationId, Incoming, InteractionId, InteractionKind


class Stored(NamedTuple):
    """An interaction as the database has it."""

    id: InteractionId
    conversation_id: ConversationId
    thread_known: bool
    kind: str
    occurred_at: datetime
    edited_at: datetime | None
    observed_at: datetime
    deleted_at: datetime | None
    author_id: str | None
    author_name: str | None
    reply_to: str | None
    text: str
    entities: list[dict[str, Any]] | None
    media: dict[str, Any] | None
    extra: dict[str, Any] | None


class Revision(NamedTuple):
    """A text that is not the newest one."""

    version_at: datetime
    text: str
    entities: list[dict[str, Any]] | None

    @property
    def text_hash(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()[:16]


class Decision(NamedTuple):
    """`row`: what the row becomes, None when it stays; `changed`: whether a reader would notice."""

    row: Stored | None
    revision: Revision | None
    changed: bool


KEEP = Decision(row=None, revision=None, changed=False)


def version_at(telling: Stored | Incoming) -> datetime:
    return telling.edited_at or telling.occurred_at


def decide(stored: Stored, told: Incoming, conversation_id: ConversationId, observed_at: datetime) -> Decision:
    """What `told`, observed at `observed_at` in `conversation_id`, changes about `stored`."""
    if stored.deleted_at is not None:
        return KEEP
    if told.kind is InteractionKind.UNSUPPORTED or stored.kind == InteractionKind.UNSUPPORTED:
        return _decide_unsupported(stored, told, conversation_id, observed_at)
    placed = _place(stored, told, conversation_id)
    rank_stored = (version_at(stored), stored.observed_at, stored.text)
    rank_told = (version_at(told), observed_at, told.text)
    if version_at(stored) == version_at(told) and stored.text == told.text:
        return _decide_same_text(stored, placed, told, observed_at)
    if rank_told > rank_stored:
        loser = Revision(version_at(stored), stored.text, stored.entities)
        return Decision(_tell(placed, told, max(observed_at, stored.observed_at)), loser, changed=True)
    loser = Revision(version_at(told), told.text, told.entities)
    return Decision(placed if placed != stored else None, loser, changed=False)


def _decide_unsupported(
    stored: Stored, told: Incoming, conversation_id: ConversationId, observed_at: datetime
) -> Decision:
    """A client too old to read a message exports an empty shell: it never hides one that was read."""
    if told.kind is InteractionKind.UNSUPPORTED:
        return KEEP
    row = _tell(_place(stored, told, conversation_id), told, max(observed_at, stored.observed_at))
    return Decision(row._replace(occurred_at=told.occurred_at), revision=None, changed=True)


def _decide_same_text(stored: Stored, placed: Stored, told: Incoming, observed_at: datetime) -> Decision:
    row = placed
    if observed_at > stored.observed_at:
        row = _tell(placed, told, observed_at)
    if row == stored:
        return KEEP
    return Decision(row, revision=None, changed=row._replace(observed_at=stored.observed_at) != stored)


def _place(stored: Stored, told: Incoming, conversation_id: ConversationId) -> Stored:
    """What holds whatever the times say: a thread once known, a name where there was none."""
    if told.thread_known and not stored.thread_known:
        stored = stored._replace(conversation_id=conversation_id, thread_known=True)
    if stored.author_name is None and told.author_name is not None:
        stored = stored._replace(author_name=told.author_name)
    return stored


def _tell(stored: Stored, told: Incoming, observed_at: datetime) -> Stored:
    return stored._replace(
        kind=str(told.kind),
        edited_at=told.edited_at,
        observed_at=observed_at,
        author_id=told.author_id or stored.author_id,
        author_name=told.author_name or stored.author_name,
        reply_to=told.reply_to,
        text=told.text,
        entities=told.entities,
        media=told.media,
        extra=told.extra,
    )
