import pytest

from core.digests.threads import build_threads, unite
from tests.digests.chats import context_of, message, parents_of, talk


def test_reply_is_certain() -> None:
    lines = talk(("Анна", "Где накладная?"), ("Борис", "Погода хорошая"), ("Вера", "в папке", 1))
    assert parents_of(lines)[3] == 1


def test_reply_outside_the_window_hangs_on_the_first_such_reply() -> None:
    lines = [
        message(1, "Анна", "согласна с этим полностью", reply_to=-50),
        message(2, "Борис", "Кто заказал такси на вечер?"),
        message(3, "Вера", "и я согласна", reply_to=-50),
    ]
    parents = parents_of(lines)
    assert (parents[1], parents[3]) == (1, 1)


@pytest.mark.parametrize("call", ["Анна, уже отправил", "Анна: уже отправил", "@anna_k уже отправил"])
def test_address_by_name_links_to_that_person(call: str) -> None:
    lines = [
        message(1, "Анна Котова", "Кто отправил договор?", author_username="anna_k"),
        message(2, "Глеб", "Кофе привезли, угощайтесь"),
        message(3, "Вера", "Ура, кофе!"),
        message(4, "Борис", call),
    ]
    assert parents_of(lines)[4] == 1


def test_mention_of_a_person_by_id_addresses_them() -> None:
    lines = [
        message(1, "7", "Кто отправил договор?").model_copy(update={"author_id": "user7", "author_name": "Яна"}),
        message(2, "Глеб", "Кофе привезли, угощайтесь"),
        message(3, "Борис", "вот ей", entities=[{"type": "text_mention", "user": {"id": 7}, "offset": 4, "length": 2}]),
    ]
    assert parents_of(lines)[3] == 1


def test_question_is_answered_by_the_next_line() -> None:
    lines = talk(("Анна", "Какой сегодня курс доллара?"), ("Борис", "девяносто два"))
    assert parents_of(lines)[2] == 1


def test_long_silence_begins_a_new_thread() -> None:
    lines = [message(1, "Анна", "Обед в час"), message(2, "Борис", "Всем привет! Кто едет на выставку?", minute=400)]
    assert parents_of(lines)[2] == 2


def test_forum_topics_are_never_crossed() -> None:
    lines = [
        message(1, "Анна", "Где накладная?", topic_id=10),
        message(2, "Борис", "Анна, в папке накладная", topic_id=20),
        message(3, "Вера", "накладная в папке", topic_id=20, reply_to=1),
        message(4, "Глеб", "а накладная та?", topic_id=10),
    ]
    topics = {line.id: line.topic_id for line in lines}
    assert all(topics[child] == topics[parent] for child, parent in parents_of(lines).items())


def test_service_messages_stand_alone() -> None:
    lines = [message(1, "Анна", "Привет"), message(2, "Борис", "joined", kind="service"), message(3, "Анна", "всем")]
    threads = build_threads(context_of(lines))
    assert (2, 2) in threads.links
    assert (2,) in threads.threads


def test_links_have_each_message_once_and_parents_before_children() -> None:
    lines = talk(*[(f"Автор{n % 5}", f"слово{n % 7} и дело{n % 3}") for n in range(60)])
    links = build_threads(context_of(lines)).links
    assert [child for child, _ in links] == [line.id for line in lines]
    assert all(parent <= child for child, parent in links)


def test_unite_joins_transitively() -> None:
    assert unite([(1, 1), (2, 1), (3, 3), (4, 2), (5, 3)]) == [(1, 2, 4), (3, 5)]


def test_unite_joins_children_of_one_unseen_parent() -> None:
    assert unite([(5, 2), (6, 6), (7, 2)]) == [(5, 7), (6,)]
