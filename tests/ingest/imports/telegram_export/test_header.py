import pytest

from core.interactions.model import Channel, ConversationKind
from ingest.imports.telegram_export import ChatHeader
from ingest.imports.telegram_export.header import derived_id, parse_header


@pytest.mark.parametrize(
    ("kind", "marked_id", "by_account", "peer"),
    [
        ("personal_chat", 77, True, "user77"),
        ("bot_chat", 77, True, "user77"),
        ("saved_messages", 77, True, "user77"),
        ("replies", 77, True, "user77"),
        ("verification_codes", 77, True, "user77"),
        ("private_group", -77, True, "chat77"),
        ("private_supergroup", -1000000000077, False, "channel77"),
        ("public_supergroup", -1000000000077, False, "channel77"),
        ("private_channel", -1000000000077, False, "channel77"),
        ("public_channel", -1000000000077, False, "channel77"),
        ("", -1000000000077, False, "channel77"),
    ],
)
def test_type_decides_marks_and_numbering(kind: str, marked_id: int, by_account: bool, peer: str) -> None:
    header = ChatHeader(77, kind, "Имя")
    assert (header.marked_id, header.numbered_by_account, header.peer) == (marked_id, by_account, peer)
    thread = header.thread()
    private = marked_id > 0
    assert (thread.key, thread.title) == (f"tg:{marked_id}", "Имя")
    assert thread.channel is (Channel.CHAT if private else Channel.GROUP)
    assert thread.kind is (ConversationKind.RECORD if private else ConversationKind.GROUP)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("saved_messages", "Saved Messages"),
        ("replies", "Replies"),
        ("verification_codes", "Verification Codes"),
        ("personal_chat", "Deleted account"),
        ("bot_chat", "Deleted bot"),
        ("private_group", "Chat 5"),
    ],
)
def test_title_when_nameless_then_says_what_it_is(kind: str, title: str) -> None:
    assert ChatHeader(5, kind, None).title == title


@pytest.mark.parametrize(
    ("number", "kind", "bare"),
    [
        (1234, "private_group", 1234),
        ("1234", "private_group", 1234),
        (-1234, "private_group", 1234),
        (-1001234567890, "public_channel", 1234567890),
        (-1001234567890, "", 1234567890),
        (7900000003, "personal_chat", 7900000003),
    ],
)
def test_id_when_marked_by_another_tool_then_bare(number: object, kind: str, bare: int) -> None:
    assert parse_header({"id": number, "type": kind, "name": "x"}, None).id == bare


def test_id_when_missing_then_derived_from_name() -> None:
    header = parse_header({"name": "Склад"}, None)
    assert header == parse_header({"name": "Склад"}, {"id": 5})
    assert header.id == derived_id("Склад") != derived_id("склад")
    assert 0 < header.id < 1 << 52


def test_id_when_nameless_too_then_derived_from_first_message() -> None:
    assert parse_header({}, {"id": 1, "text": "a"}).id != parse_header({}, {"id": 1, "text": "b"}).id
