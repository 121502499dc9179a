import pytest

from core.digests.asking import asks
from core.digests.links import links_of
from core.digests.model import Message
from core.digests.questions import find_open_questions, is_real_question
from core.digests.threads import build_threads
from tests.digests.chats import GROUP, context_of, message, talk


def open_texts(lines: list[Message]) -> list[str]:
    context = context_of(lines)
    return [claim.text for claim in find_open_questions(context, build_threads(context), links_of(GROUP))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Кто везёт коробки?", True),
        ("кто нибудь знает пароль", True),
        ("how do I install the driver", True),
        ("подскажите телефон мастера", True),
        ("Анна, где ключи", True),
        ("смотри https://example.org/?q=1", False),
        ("он спросил «где ключи?» и ушёл", False),
        ("> где ключи?\nв столе", False),
        ("`a ? b : c` так и пиши", False),
        ("Ключи в столе", False),
        ("когда приедем, позвоню", False),
    ],
)
def test_asking(text: str, expected: bool) -> None:
    assert asks(text) is expected


@pytest.mark.parametrize("text", ["?", "что?", "Серьёзно?", "Склад переехал, да?", "Кто бы сомневался в этом складе?"])
def test_tags_and_rhetoric_are_no_real_questions(text: str) -> None:
    assert not is_real_question(text)


QUESTION = ("Вика", "Какой пароль от вайфая на складе?")


@pytest.mark.parametrize(
    ("later", "is_open"),
    [
        ([], True),
        ([("Анна", "сова2024", 1)], False),
        ([("Анна", "сова2024")], False),
        ([("Анна", "+1", 1)], True),
        ([("Анна", "А тебе зачем?", 1)], True),
        ([("Анна", "А тебе зачем?", 1), ("Вика", "Выгрузить отчёт", 2)], True),
        ([("Вика", "всё, нашла на двери", 1)], False),
        ([("Вика", "очень надо", 1)], True),
    ],
)
def test_open_until_somebody_else_answers(later: list[tuple[str, str]], is_open: bool) -> None:
    assert bool(open_texts(talk(QUESTION, *later))) is is_open


def test_the_sentence_that_asks_is_quoted_with_its_message() -> None:
    context = context_of([message(7, "Вика", "Я сегодня впервые. Какой пароль от вайфая? Спасибо!")])
    claims = find_open_questions(context, build_threads(context), links_of(GROUP))
    assert [(claim.text, claim.author, claim.message_ids, claim.url) for claim in claims] == [
        ("Какой пароль от вайфая?", "Вика", (7,), "https://t.me/c/1234567890/7")
    ]
