"""Chats of the tests: made by hand, messages a minute apart unless told otherwise."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.digests.context import build_context
from core.digests.model import ContextArtifact, DigestChat, Message, Window
from core.digests.threads import build_threads
from core.digests.tokens import Stemming

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = Window(start=START, end=START + timedelta(days=1))
GROUP = DigestChat(title="Мастерская", marked_id=-1001234567890)


def message(number: int, author: str, text: str, *, minute: float | None = None, **fields: Any) -> Message:
    """A message whose author's id is made of the name."""
    at = START + timedelta(minutes=number if minute is None else minute)
    return Message(
        id=number,
        interaction_id=number + 1000,
        author_id=f"user-{author}",
        author_name=author,
        at=at,
        text=text,
        **fields,
    )


def talk(*lines: tuple[str, str] | tuple[str, str, int]) -> list[Message]:
    """Messages 1, 2, … from (author, text) or (author, text, id replied to)."""
    return [
        message(number, line[0], line[1], reply_to=line[2] if len(line) == 3 else None)
        for number, line in enumerate(lines, start=1)
    ]


def context_of(messages: Sequence[Message], chat: DigestChat = GROUP) -> ContextArtifact:
    return build_context(chat, messages, DAY, Stemming())


def parents_of(messages: Sequence[Message]) -> dict[int, int]:
    return dict(build_threads(context_of(messages)).links)


WORKSHOP = (
    ("Марина", "Всем привет! Переезд склада в субботу, нужны двое с машиной. Кто сможет?"),
    ("Тимур", "Могу с 10 до 14, потом свадьба", 1),
    ("Костя", "Газель дам, но склад надо собрать в пятницу", 1),
    ("Sam", "Morning! The price import failed again last night, 40 orders are missing."),
    ("Зоя", "Sam, у меня заказы тоже не загрузились", 4),
    ("Sam", "Found it: the price import breaks on empty comments. I'll fix the import by Friday.", 5),
    ("Марина", "Решили: переезд склада в субботу, сбор в 9:30 у ворот. Костя даёт газель.", 3),
    ("Костя", "Принято, подгоню к воротам", 7),
    ("Вика", "Подскажите, какой пароль от вайфая на новом складе?"),
    ("Зоя", "Import works now, thanks! Заказы на месте", 6),
    ("Sam", "Great. Does anyone know who pays for the domain?"),
    ("Тимур", "Склад померил: стеллажи встают, переезд влезет в две ходки", 3),
)


def workshop() -> list[Message]:
    """A dozen messages with two topics, a decision, a promise and two questions that nobody answers."""
    return talk(*WORKSHOP)


def crowd(count: int, people: int = 25) -> list[Message]:
    """A long talk with replies, forty subjects and six words a message."""
    subjects = [f"тема{chr(1072 + n % 32)}{chr(1072 + n // 32)}слово" for n in range(40)]
    return [
        message(
            number,
            f"Автор{number % people}",
            f"{subjects[number * 7 % 40]} обсуждаем поставку{number % 90} и склад{number % 13}"
            + ("?" if number % 9 == 0 else ""),
            minute=number / 10,
            reply_to=number - number % 11 if number % 3 == 0 and number % 11 and number > 11 else None,
        )
        for number in range(1, count + 1)
    ]


def ids(messages: Iterable[Message]) -> set[int]:
    return {item.id for item in messages}
