import pytest

from core.digests.links import is_valid, links_of
from core.digests.model import DigestChat
from tests.digests.chats import message


@pytest.mark.parametrize(
    ("chat", "number", "topic", "url"),
    [
        (DigestChat(title="s", marked_id=-1001234567890), 5, None, "https://t.me/c/1234567890/5"),
        (DigestChat(title="s", marked_id=-1001234567890, forum=True), 5, 3, "https://t.me/c/1234567890/3/5"),
        (DigestChat(title="s", marked_id=-1001234567890, forum=True), 5, None, "https://t.me/c/1234567890/5"),
        (DigestChat(title="p", marked_id=-1001234567890, username="lamps"), 5, None, "https://t.me/lamps/5"),
        (DigestChat(title="p", marked_id=-1001234567890, username="lamps", forum=True), 5, 3, "https://t.me/lamps/3/5"),
        (DigestChat(title="p", marked_id=-1001234567890, username='x"><b>'), 5, None, "https://t.me/c/1234567890/5"),
        (DigestChat(title="basic", marked_id=-4567), 5, None, None),
        (DigestChat(title="private", marked_id=4567), 5, None, None),
        (DigestChat(title="unknown"), 5, None, None),
        (DigestChat(title="migrated", marked_id=-1001234567890), -999_999_995, None, None),
    ],
)
def test_url_of_a_message(chat: DigestChat, number: int, topic: int | None, url: str | None) -> None:
    assert links_of(chat).url(message(number, "Анна", "x", minute=1, topic_id=topic)) == url
    assert url is None or is_valid(url)


@pytest.mark.parametrize(
    "url", ["http://t.me/lamps/5", "https://t.me/lamps", "https://t.me/c/0/5", "https://evil.example/lamps/5"]
)
def test_other_addresses_are_invalid(url: str) -> None:
    assert not is_valid(url)
