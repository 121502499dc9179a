import tracemalloc
from collections.abc import Callable
from io import BytesIO

import pytest

from ingest.imports.telegram_export import ExportReader, NotAnExport
from tests.ingest.imports.telegram_export.exports import (
    account,
    chat,
    dump,
    message,
    message_of_2019,
    read,
    read_ids,
    saved_messages,
    service,
    tdl,
)

GROUP = -1001234567890
THREE = [message(1), service(2, "pin_message", message_id=1), message(3, ["a ", {"type": "bold", "text": "b"}])]


@pytest.mark.parametrize("chunk_size", [1, 5, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 1, 4])
def test_one_chat_gives_header_and_messages_as_written(chunk_size: int, indent: int | None) -> None:
    export = chat(THREE)
    [(header, messages)], skipped = read(dump(export, indent=indent), chunk_size=chunk_size)
    assert (header.id, header.type, header.name) == (1234567890, "private_supergroup", "Склад")
    assert messages == THREE
    assert skipped == []


@pytest.mark.parametrize("chunk_size", [1, 64, 1 << 20])
def test_account_gives_chats_of_both_lists_and_nothing_else(chunk_size: int) -> None:
    deleted = chat([message(4)], kind="personal_chat", number=5000000004, name=None)
    empty = chat([], kind="private_group", number=300000002)
    left = chat([message(9)], kind="public_channel", number=1600000002)
    data = dump(account([chat(THREE), saved_messages([message(2)]), deleted, empty], [left]))
    assert read_ids(data, chunk_size=chunk_size) == [
        (GROUP, [1, 2, 3]),
        (5000000002, [2]),
        (5000000004, [4]),
        (-300000002, []),
        (-1001600000002, [9]),
    ]


def test_account_id_is_known_at_the_first_chat() -> None:
    reader = ExportReader(BytesIO(dump(account([chat(THREE)], user_id=42))))
    next(reader.chats())
    assert reader.account_id == 42


def test_next_chat_drains_the_one_before() -> None:
    data = dump(account([chat(THREE), chat([message(7)], number=5)]))
    reader = ExportReader(BytesIO(data), chunk_size=16)
    chats = reader.chats()
    first = next(chats)
    assert next(first.messages())["id"] == 1
    assert [raw["id"] for raw in next(chats).messages()] == [7]
    assert list(first.messages()) == []


def test_position_ends_at_the_size_of_the_file() -> None:
    data = dump(chat(message(number) for number in range(20)))
    reader = ExportReader(BytesIO(data), chunk_size=100)
    positions = [reader.position for found in reader.chats() for _ in found.messages()]
    assert positions == sorted(positions)
    assert positions[0] < len(data) == reader.position


KEYS = ["name", "type", "id", "messages"]


@pytest.mark.parametrize("keys", [KEYS[::-1], ["id", *KEYS[1::2], "name"], ["messages", "about", "id", "name", "type"]])
@pytest.mark.parametrize("chunk_size", [1, 64, 1 << 20])
def test_header_in_any_order_is_found(keys: list[str], chunk_size: int) -> None:
    export = chat(THREE) | {"about": {"deep": [[1], {"x": [2]}]}}
    data = dump({key: export[key] for key in keys})
    [(header, messages)], skipped = read(data, chunk_size=chunk_size)
    assert (header.id, header.type, header.name) == (1234567890, "private_supergroup", "Склад")
    assert (messages, skipped) == (THREE, [])


def _with_bom(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def _with_crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("change", [_with_bom, _with_crlf])
def test_bytes_of_other_editors_are_taken(change: Callable[[bytes], bytes]) -> None:
    assert read_ids(change(dump(chat(THREE)))) == [(GROUP, [1, 2, 3])]


def test_old_and_foreign_shapes_are_taken() -> None:
    assert read_ids(dump(chat([message_of_2019(1)], number=7, kind="private_group"))) == [(-7, [1])]
    assert read_ids(dump(tdl([5, 6]))) == [(GROUP, [5, 6])]
    assert read_ids(dump([chat(THREE), chat([message(4)], number=8)])) == [(GROUP, [1, 2, 3]), (-1000000000008, [4])]
    [(header, messages)], _ = read(dump(chat(THREE) | {"id": "1234567890"}))
    assert (header.marked_id, len(messages)) == (GROUP, 3)


def test_bare_list_of_messages_is_one_chat_with_a_stable_id() -> None:
    [(header, messages)], skipped = read(dump(THREE))
    [(again, _)], _ = read(dump([*THREE, message(4)]), chunk_size=3)
    assert (messages, skipped) == (THREE, [])
    assert header == again


def test_element_that_is_no_message_is_told() -> None:
    [(_, messages)], skipped = read(dump(chat([message(1), "note", message(2)])))  # type: ignore[list-item]
    assert [raw["id"] for raw in messages] == [1, 2]
    assert [entry.why for entry in skipped] == ["The element before this place is no message."]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"<!DOCTYPE html>", "it is no JSON"),
        (b"hello", "it is no JSON"),
        (b"{}", "it holds no chats"),
        (b"[]", "it holds no chats"),
        (b"[" * 100_000, "it holds no chats"),
        (b'{"messages": 5}', "it holds no chats"),
        (b'{"name": "cut before', "it holds no chats"),
        (dump(account([])), "it holds no chats"),
    ],
)
def test_no_export_then_one_sentence(data: bytes, why: str) -> None:
    reader = ExportReader(BytesIO(data))
    with pytest.raises(NotAnExport, match=why):
        list(reader.chats())


def test_numbers_the_database_refuses_become_null() -> None:
    data = dump(chat([message(1, x=0)])).replace(b'"x": 0', b'"x": NaN, "y": 1e999, "z": -Infinity, "w": 1.5')
    [(_, [raw])], _ = read(data)
    assert [raw[key] for key in "xyzw"] == [None, None, None, 1.5]


def test_message_longer_than_many_chunks_is_whole() -> None:
    text = 'абв😀\\"\n, ' * 5_000
    [(_, [raw])], skipped = read(dump(chat([message(1, text)])), chunk_size=100)
    assert raw["text"] == text
    assert skipped == []


def test_memory_does_not_grow_with_the_file() -> None:
    data = dump(chat(message(number) for number in range(1, 20_001)))
    reader = ExportReader(BytesIO(data), chunk_size=1 << 16)
    tracemalloc.start()
    count = sum(1 for found in reader.chats() for _ in found.messages())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_500_000 < len(data) / 3
