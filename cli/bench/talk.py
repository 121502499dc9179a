"""Invented talk for benches: as long, as linked and as formatted as a lively group's."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from core.interactions.model import Channel, ConversationKind, Direction, Incoming, InteractionKind, Thread

WORDS = (
    "лампа", "коробка", "заказ", "курьер", "завтра", "цена", "скидка", "фото", "макет", "свет", "кабель", "ткань",
    "глина", "партия", "отправка", "возврат", "срок", "склад", "order", "price", "box", "lamp", "delivery", "tomorrow",
    "photo", "draft", "light", "cable", "return", "stock", "fair", "question", "answer",
)  # fmt: skip
START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = 40


def make_talk(count: int, *, chat_id: int, seed: int = 7) -> list[Incoming]:
    """`count` messages of one supergroup, a third of them replies, a tenth with entities, a tenth with media."""
    dice = random.Random(seed)  # noqa: S311 - the same talk in each run
    thread = Thread(Channel.GROUP, ConversationKind.GROUP, f"tg:-100{chat_id}", f"Bench {chat_id}")
    return [_message(dice, thread, number) for number in range(1, count + 1)]


def _message(dice: random.Random, thread: Thread, number: int) -> Incoming:
    person = dice.randrange(PEOPLE)
    return Incoming(
        thread=thread,
        id_space=thread.key,
        external_id=str(number),
        kind=InteractionKind.MESSAGE,
        direction=Direction.IN,
        occurred_at=START + timedelta(seconds=20 * number),
        author_id=f"user{5_000_000_000 + person}",
        author_name=f"Person {person}",
        reply_to=str(dice.randint(1, number - 1)) if number > 1 and dice.random() < 0.33 else None,
        text=" ".join(dice.choices(WORDS, k=dice.randint(3, 25))),
        entities=[{"type": "bold", "offset": 0, "length": 4}] if dice.random() < 0.1 else None,
        media={"type": "photo", "width": 800, "height": 600} if dice.random() < 0.1 else None,
    )


def as_export(talk: list[Incoming], chat_id: int) -> dict[str, Any]:
    """The same talk as Telegram Desktop would export it."""
    return {
        "name": f"Bench {chat_id}",
        "type": "private_supergroup",
        "id": chat_id,
        "messages": [_exported(told) for told in talk],
    }


def _exported(told: Incoming) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "id": int(told.external_id),
        "type": "message",
        "date": told.occurred_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(int(told.occurred_at.timestamp())),
        "from": told.author_name,
        "from_id": told.author_id,
    }
    if told.reply_to:
        raw["reply_to_message_id"] = int(told.reply_to)
    if told.media:
        raw |= {
            "photo": "(File not included. Change data exporting settings to download.)",
            "width": 800,
            "height": 600,
        }
    raw["text"] = told.text
    raw["text_entities"] = [{"type": "plain", "text": told.text}]
    return raw
