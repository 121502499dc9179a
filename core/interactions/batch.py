"""A batch on its way into the store: columns for the bulk statements, made once for each batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from core.interactions.model import PREVIEW_CHARS, ConversationId, Incoming, Thread
from core.platform.db import to_json

Key = tuple[str, str, str]  # channel, id space, external id


class Row(NamedTuple):
    """An `Incoming` whose conversation has an id."""

    told: Incoming
    conversation_id: ConversationId

    @property
    def key(self) -> Key:
        return key_of(self.told)


def key_of(told: Incoming) -> Key:
    return (told.thread.channel, told.id_space, told.external_id)


def split_repeats(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """Groups in which no key repeats, in the order of arrival: one statement cannot touch a row twice."""
    rest = list(rows)
    while rest:
        seen: set[Key] = set()
        group: list[Row] = []
        repeats: list[Row] = []
        for row in rest:
            (repeats if row.key in seen else group).append(row)
            seen.add(row.key)
        yield group
        rest = repeats


def preview_of(told: Incoming) -> str:
    """The text's beginning on one line, at most PREVIEW_CHARS characters; the kind of media where there is none."""
    if told.text:
        return " ".join(told.text[: PREVIEW_CHARS * 3].split())[:PREVIEW_CHARS]
    return f"[{told.media['type']}]"[:PREVIEW_CHARS] if told.media and "type" in told.media else ""


def resolve(batch: Sequence[Incoming], ids: Mapping[Thread, ConversationId]) -> list[Row]:
    return [Row(told, ids[told.thread]) for told in batch]


def interaction_columns(rows: Sequence[Row]) -> list[list[Any]]:
    """In the order of the parameters of INSERT_INTERACTIONS."""
    told = [row.told for row in rows]
    return [
        [str(t.thread.channel) for t in told],
        [row.conversation_id for row in rows],
        [str(t.kind) for t in told],
        [str(t.direction) for t in told],
        [t.id_space for t in told],
        [t.external_id for t in told],
        [t.occurred_at for t in told],
        [t.edited_at for t in told],
        [t.author_id for t in told],
        [t.author_name for t in told],
        [t.reply_to for t in told],
        [t.customer_id for t in told],
        [t.order_id for t in told],
        [t.nm_id for t in told],
        [t.product_article for t in told],
        [t.rating for t in told],
        [t.thread_known for t in told],
        [preview_of(t) for t in told],
    ]


def content_columns(rows: Sequence[Row]) -> list[list[Any]]:
    """Channel, text, entities, media, extra: JSON as text, since it is encoded once and never looked into."""
    told = [row.told for row in rows]
    return [
        [str(t.thread.channel) for t in told],
        [t.text for t in told],
        [json_or_none(t.entities) for t in told],
        [json_or_none(t.media) for t in told],
        [json_or_none(t.extra) for t in told],
    ]


def json_or_none(value: Any) -> str | None:
    return to_json(value) if value else None
