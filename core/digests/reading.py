"""From stored interactions to the messages that a digest is made of."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.digests.model import DigestChat, Media, Message
from core.interactions.model import Conversation, ConversationId, Incoming, Interaction, number_of

DESCRIPTIONS = ("file_name", "question", "title", "emoji", "place_name")


def chat_of(conversation: Conversation, topics: Iterable[Conversation]) -> DigestChat:
    """`tg:-100…` names the chat; other services have no links to messages."""
    service, _, number = conversation.thread_key.partition("/")[0].partition(":")
    return DigestChat(
        title=conversation.title,
        marked_id=number_of(number) if service == "tg" else None,
        username=conversation.username,
        forum=any(True for _ in topics),
    )


def topic_of_key(thread_key: str) -> int | None:
    return number_of(thread_key.partition("/")[2])


def to_messages(interactions: Iterable[Interaction], topics: Mapping[ConversationId, int | None]) -> list[Message]:
    """`topics`: conversation → topic id. Interactions whose external id is no number are not a group's and left out."""
    return [
        message_of(interaction, topics.get(interaction.conversation_id), interaction.id)
        for interaction in interactions
        if number_of(interaction.external_id) is not None
    ]


def message_of(told: Interaction | Incoming, topic_id: int | None, interaction_id: int = 0) -> Message:
    """`told` has a number as its external id; `interaction_id` is 0 for what is not stored."""
    return Message(
        id=int(told.external_id),
        interaction_id=interaction_id,
        author_id=told.author_id,
        author_name=told.author_name,
        at=told.occurred_at,
        text=told.text,
        reply_to=number_of(told.reply_to) if told.reply_to else None,
        topic_id=topic_id,
        kind=told.kind,
        entities=told.entities,
        media=_media(told.media),
        reactions=_reactions(told.extra),
        edited_at=told.edited_at,
    )


def _media(media: Mapping[str, Any] | None) -> Media | None:
    if not media:
        return None
    described = next((str(media[key]) for key in DESCRIPTIONS if media.get(key)), "")
    return Media(kind=str(media.get("type", "document")), description=described)


def _reactions(extra: Mapping[str, Any] | None) -> int:
    reactions = (extra or {}).get("reactions")
    if not isinstance(reactions, list):
        return 0
    counts = (reaction.get("count") for reaction in reactions if isinstance(reaction, dict))
    return sum(count for count in counts if isinstance(count, int))
