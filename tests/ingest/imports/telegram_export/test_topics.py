from array import array

from core.interactions.model import Incoming
from ingest.imports.telegram_export.normalize import ChatNormalizer
from ingest.imports.telegram_export.topics import GENERAL, UNKNOWN, Topics
from tests.ingest.imports.telegram_export.exports import Raw, message, normalizer, service

CHAT = "tg:-1001234567890"


def placed(chat: ChatNormalizer, *messages: Raw) -> dict[int, tuple[str, str, bool]]:
    """Key suffix, title and certainty of each message's thread."""
    found = {}
    for raw in messages:
        result = chat.normalize(raw)
        assert isinstance(result, Incoming)
        found[raw["id"]] = (result.thread.key.removeprefix(CHAT), result.thread.title, result.thread_known)
    return found


GENERAL_PLACE = ("", "Склад", True)
UNKNOWN_PLACE = ("", "Склад", False)
RETURNS = ("/2", "Возвраты", True)


def topic(number: int, title: str) -> Raw:
    return service(number, "topic_created", title=title)


def test_reply_chain_leads_to_the_topic() -> None:
    chat = normalizer()
    assert chat.forum is False
    found = placed(
        chat,
        message(1),
        topic(2, "Возвраты"),
        topic(3, "Реклама"),
        message(4),
        message(5, reply_to_message_id=2),
        message(6, reply_to_message_id=3),
        message(7, reply_to_message_id=5),
        message(8, reply_to_message_id=7),
        message(9, reply_to_message_id=4),
        message(10, reply_to_message_id=1),
        message(11, reply_to_message_id=700),
        message(12, reply_to_message_id=11),
        message(13, reply_to_message_id=2, reply_to_peer_id="channel5"),
        message(14, reply_to_message_id=2, reply_to_peer_id="channel1234567890"),
        service(15, "pin_message", message_id=5),
    )
    assert chat.forum is True
    assert found == {
        **dict.fromkeys([1, 4, 9, 10, 13, 15], GENERAL_PLACE),
        **dict.fromkeys([2, 5, 7, 8, 14], RETURNS),
        **dict.fromkeys([3, 6], ("/3", "Реклама", True)),
        **dict.fromkeys([11, 12], UNKNOWN_PLACE),
    }


def test_topic_edit_renames_for_later_messages() -> None:
    edit = service(4, "topic_edit", new_title="Возвраты и брак", reply_to_message_id=2)
    icon = service(5, "topic_edit", new_icon_emoji_id=0, reply_to_message_id=2)
    found = placed(
        normalizer(),
        topic(2, "Возвраты"),
        message(3, reply_to_message_id=2),
        edit,
        icon,
        message(6, reply_to_message_id=3),
    )
    assert [found[number][1] for number in (2, 3, 4, 5, 6)] == ["Возвраты", "Возвраты", *["Возвраты и брак"] * 3]


def test_topic_edit_that_names_no_topic_renames_nothing() -> None:
    found = placed(
        normalizer(), topic(2, "Возвраты"), service(3, "topic_edit", new_title="?"), message(4, reply_to_message_id=2)
    )
    assert (found[3], found[4]) == (GENERAL_PLACE, RETURNS)


def test_learned_topics_continue_older_history() -> None:
    chat = normalizer(forum=True)
    chat.learn_topic(50, 7)
    chat.learn_topic(60, None)
    chat.learn_topic(40, 7)
    found = placed(chat, *(message(number + 100, reply_to_message_id=number) for number in (40, 50, 60, 70)))
    assert found == {140: ("/7", "Topic 7", True), 150: ("/7", "Topic 7", True), 160: GENERAL_PLACE, 170: UNKNOWN_PLACE}


def test_no_forum_then_missing_parents_are_no_question() -> None:
    assert placed(normalizer(), message(5, reply_to_message_id=1)) == {5: GENERAL_PLACE}


def test_topics_when_ids_do_not_ascend_then_still_found() -> None:
    topics = Topics()
    for number in (-5, 10, 3):
        topics.put(number, GENERAL)
    topics.start()
    topics.put(20, 10)
    topics.put(15, 10)
    topics.put(3, 10)
    topics.put(-5, 10)
    assert [topics.get(number) for number in (-5, 3, 10, 15, 20, 21)] == [10, 10, GENERAL, 10, 10, UNKNOWN]


def test_topics_take_at_most_16_bytes_a_message() -> None:
    topics = Topics()
    topics.start()
    for number in range(1000):
        topics.put(number, number)
    columns = [column for column in vars(topics).values() if isinstance(column, array)]
    assert sum(len(column) * column.itemsize for column in columns) == 16_000
    assert vars(topics)["_stragglers"] == {}
