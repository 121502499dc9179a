import pytest

from core.digests.actions import due_in, find_actions
from core.digests.addressing import AddressBook
from core.digests.model import Action, Message, ThreadsArtifact, TopicStatus
from core.digests.segments import segments_of
from core.digests.status import status_of
from core.digests.threads import build_threads
from core.digests.tokens import Stemming
from core.digests.topics import build_topics
from core.digests.wording import headline
from tests.digests.chats import context_of, crowd, talk, workshop


def actions(lines: list[Message]) -> tuple[Action, ...]:
    return find_actions(lines, AddressBook(lines), {line.author_id or "": line.author_name or "" for line in lines})


@pytest.mark.parametrize(
    ("text", "owner", "due"),
    [
        ("Я сделаю отчёт до пятницы", "Борис", "до пятницы"),
        ("Беру на себя доставку завтра утром", "Борис", "завтра утром"),
        ("I'll fix the import by Friday", "Борис", "by Friday"),
        ("Анна, пришли накладную до 17:00, пожалуйста", "Анна", "до 17:00"),
        ("@Анна could you check the invoice today", "Анна", "today"),
        ("закажу коробки через два часа", "Борис", None),
    ],
)
def test_promises_and_requests_are_actions(text: str, owner: str, due: str | None) -> None:
    (action,) = actions(talk(("Анна", "Привет"), ("Борис", text)))
    assert (action.owner, action.due, action.message_ids) == (owner, due, (2,))


@pytest.mark.parametrize(
    "text",
    [
        "Не сделаю я этого никогда",
        "Если сделаю, то расскажу",
        "Когда я сделаю отчёт?",
        "I'll be damned, what a day",
        "пришлите пожалуйста все счета",
    ],
)
def test_refusals_conditions_and_calls_to_nobody_are_none(text: str) -> None:
    assert actions(talk(("Анна", "Привет"), ("Борис", text))) == ()


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("жду до конца недели", "до конца недели"),
        ("by the end of the week please", "by the end of the week"),
        ("в пятницу в обед", "в пятницу"),
        ("без срока", None),
    ],
)
def test_due_phrases_are_as_written(text: str, due: str | None) -> None:
    assert due_in(text) == due


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (["печь не работает", "починил"], TopicStatus.DONE),
        (["починил печь", "опять не работает"], TopicStatus.BLOCKER),
        (["отчёт не готово ещё", "займусь вечером"], TopicStatus.IN_PROGRESS),
        (["а что если сделать серию", "красиво"], TopicStatus.IDEA),
        (["видели закат", "красиво"], TopicStatus.WATCH),
        (["It is fixed?", "no idea why"], TopicStatus.IDEA),
    ],
)
def test_status_is_what_was_said_last(texts: list[str], status: TopicStatus) -> None:
    assert status_of(talk(*[("Анна", text) for text in texts])) is status


def test_topics_of_the_workshop_are_the_move_and_the_import() -> None:
    context = context_of(workshop())
    topics = build_topics(context, build_threads(context), Stemming()).topics
    move, prices = topics[:2]
    assert {1, 2, 3, 7, 8, 12} <= set(move.message_ids)
    assert {4, 5, 6, 10} <= set(prices.message_ids)
    assert "ереезд склада" in move.title
    assert "rice import" in prices.title
    assert prices.status is TopicStatus.DONE
    assert [action.owner for action in prices.actions] == ["Sam"]


def test_titles_are_the_words_of_the_messages_and_differ() -> None:
    lines = crowd(400)
    context = context_of(lines)
    titles = [topic.title for topic in build_topics(context, build_threads(context), Stemming()).topics]
    said = " ".join(line.text for line in lines).lower()
    assert 1 < len(titles) == len({title.lower() for title in titles})
    assert all(title.lower().removesuffix("…") in said for title in titles)


def test_a_message_belongs_to_one_topic() -> None:
    context = context_of(crowd(400))
    numbers = [
        number
        for topic in build_topics(context, build_threads(context), Stemming()).topics
        for number in topic.message_ids
    ]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("СРОЧНО НУЖНА МАШИНА НА СУББОТУ!!!", "Срочно нужна машина на субботу"),
        ("нужна машина.", "Нужна машина"),
        ("Кто едет?", "Кто едет?"),
        (
            "на пятницу: студия подтвердила, кофры собраны и ждут нас, не хватает одной ткани",
            "На пятницу: студия подтвердила, кофры собраны и ждут нас",
        ),
        (
            "очень длинное предложение без единого знака внутри которое никак не кончается и",
            "Очень длинное предложение без единого знака внутри…",
        ),
    ],
)
def test_headline(text: str, title: str) -> None:
    assert headline(text) == title


def test_long_threads_are_cut_where_the_subject_changes() -> None:
    first = [("Анна", f"склад стеллаж{n} поставка склад") for n in range(12)]
    second = [("Анна", f"экзамен студент{n} зачёт экзамен") for n in range(12)]
    context = context_of(talk(*first, *second))
    everything = tuple(range(1, 25))
    threads = ThreadsArtifact(links=((1, 1), *((n, n - 1) for n in range(2, 25))), threads=(everything,))
    assert segments_of(context, threads) == [everything[:12], everything[12:]]
