from datetime import timedelta

import pytest
from pydantic import ValidationError

from core.digests.model import Window
from tests.digests.chats import DAY, START, context_of, message, talk

SPAM = "Скидки на лампы сегодня в магазине у вокзала"


def test_messages_outside_the_window_are_left_out() -> None:
    lines = [
        message(1, "Анна", "раньше", minute=-1),
        message(2, "Анна", "внутри", minute=0),
        message(3, "Анна", "позже", minute=1440),
    ]
    assert [line.id for line in context_of(lines).messages] == [2]


def test_newest_edit_wins_whatever_the_order() -> None:
    old = message(1, "Анна", "старый текст")
    new = old.model_copy(update={"text": "новый текст", "edited_at": START + timedelta(hours=1)})
    assert [line.text for line in context_of([new, old]).messages] == ["новый текст"]


def test_copies_are_counted_but_not_shown() -> None:
    context = context_of(talk(("Анна", SPAM), ("Борис", SPAM.upper()), ("Вера", SPAM + "!!!"), ("Глеб", "Ок, спасибо")))
    assert context.duplicate_of == {2: 1, 3: 1}
    assert context.shown == {1, 4}
    assert len(context.spoken()) == 4


def test_near_copies_after_hours_are_news_again() -> None:
    lines = [message(1, "Анна", SPAM), message(2, "Борис", SPAM + " опять", minute=300)]
    assert context_of(lines).duplicate_of == {}


def test_short_repetitions_are_talk() -> None:
    assert context_of(talk(("Анна", "ок"), ("Борис", "ок"))).duplicate_of == {}


def test_service_messages_and_empty_ones_do_not_speak() -> None:
    context = context_of([message(1, "Анна", "вошла", kind="service"), message(2, "Борис", " \u200b ")])
    assert context.service_ids == {1, 2}


def test_window_cannot_be_reversed() -> None:
    with pytest.raises(ValidationError, match="cannot end"):
        Window(start=DAY.end, end=DAY.start)
