import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.imports.telegram_export import NotAnExport, Skipped
from tests.ingest.imports.telegram_export.exports import (
    ANNA,
    Raw,
    account,
    chat,
    dump,
    message,
    normalizer,
    read,
    read_ids,
    service,
)

GROUP = -1001234567890
FIVE = [message(number, f"текст {number}") for number in range(1, 6)]
PLAIN = dump(chat(FIVE))
ACCOUNT = dump(account([chat(FIVE), chat([message(7), service(8, "x")], number=5)], [chat([message(9)], number=6)]))
EXPORTS = [PLAIN, dump(chat(FIVE), indent=None), ACCOUNT]
FoundMessages = list[tuple[int, str]]


def find(data: bytes, chunk_size: int = 1 << 16) -> tuple[FoundMessages | None, list[Skipped]]:
    """The messages as text with their chats; None when the file is no export."""
    try:
        chats, skipped = read(data, chunk_size=chunk_size)
    except NotAnExport:
        return None, []
    return [(header.marked_id, json.dumps(raw)) for header, messages in chats for raw in messages], skipped


@pytest.mark.parametrize("data", EXPORTS)
def test_cut_anywhere_then_whole_messages_and_one_reason(data: bytes) -> None:
    whole, _ = find(data)
    assert whole is not None
    counts = []
    for size in range(len(data)):
        messages, skipped = find(data[:size])
        counts.append(len(messages or ()))
        if messages is not None:
            assert messages == whole[: len(messages)]
            assert len(skipped) == 1
            assert "the export was interrupted" in skipped[0].why
    assert counts == sorted(counts)
    assert counts[-1] == len(whole)


def test_cut_inside_a_message_then_says_which() -> None:
    end = PLAIN.index("текст 4".encode())
    assert find(PLAIN[:end])[1] == [
        Skipped("chat Склад, message 4", "The file ends here, inside a value: the export was interrupted.")
    ]


def replace_in(data: bytes, number: int, old: bytes, new: bytes) -> bytes:
    start = data.index(b'"id": %d,' % number)
    assert old in data[start:]
    return data[:start] + data[start:].replace(old, new, 1)


DAMAGES = [
    (b'"type"', b"\x00\xff\x13", [1, 2, 4, 5], "chat Склад, message 3"),
    (b'"type"', b'"type', [1, 2, 4, 5], "chat Склад, message 3"),
    (b'"date": ', b'"date" ', [1, 2, 4, 5], "chat Склад, message 3"),
    (b'"text_entities": [', b'"text_entities": ', [1, 2, 4, 5], "chat Склад, message 3"),
    (b"\n   ]\n  },", b"\n  },", [1, 2, 4, 5], "chat Склад, message 3"),
    (b"\n   ]\n  },", b"\n   ],", [1, 2, 4, 5], "chat Склад, message 3"),
    (b"\n   ]\n  },\n", b"\n   ]\n  }garbage \x80 {,\n", [1, 2, 3, 4, 5], "byte"),
    (b"\n   ]\n  },\n", b"\n   ]\n  }]\n", [1, 2, 3, 4, 5], "byte|message 4"),
    (b"\n   ]\n  },\n", b"\n   ]\n  }}\n", [1, 2, 3, 4, 5], "byte"),
    (b"\n   ]\n  },\n", b"\n   ]\n  },[\n", [1, 2, 3, 4, 5], "byte"),
    (b"\n    }\n   ]\n  },\n", b"\n    },\n", [1, 2, 4, 5], "chat Склад, message 3"),
]


@pytest.mark.parametrize(("old", "new", "ids", "where"), DAMAGES)
@pytest.mark.parametrize("chunk_size", [1, 1 << 16])
def test_damage_in_the_middle_then_goes_on_at_the_next_message(
    old: bytes, new: bytes, ids: list[int], where: str, chunk_size: int
) -> None:
    [(header, messages)], skipped = read(replace_in(PLAIN, 3, old, new), chunk_size=chunk_size)
    assert (header.marked_id, [raw["id"] for raw in messages]) == (GROUP, ids)
    assert [bool(re.search(where, entry.where)) for entry in skipped] == [True]


def test_missing_comma_between_messages_loses_nothing() -> None:
    assert read_ids(replace_in(PLAIN, 3, b"\n  },\n", b"\n  }\n")) == [(GROUP, [1, 2, 3, 4, 5])]


def test_object_with_an_id_inside_a_broken_message_is_no_message() -> None:
    data = dump(chat([message(1), service(2, "todo", items=[{"id": 77, "text": "Упаковать"}]), message(3)]))
    assert read_ids(replace_in(data, 2, b'"action"', b'"action')) == [(GROUP, [1, 3])]


@pytest.mark.parametrize("chunk_size", [1, 1 << 16])
@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"type"', b'"type'), (b"\n    ]\n   },", b""), (b"\n   },\n   {", b"\n   },\x01\n   ")],
)
def test_damage_in_the_last_message_then_goes_on_in_the_next_chat(old: bytes, new: bytes, chunk_size: int) -> None:
    found = read_ids(replace_in(ACCOUNT, 5, old, new), chunk_size=chunk_size)
    assert found[0] in [(GROUP, [1, 2, 3, 4]), (GROUP, [1, 2, 3, 4, 5])]
    assert found[1:] == [(-1000000000005, [7, 8]), (-1000000000006, [9])]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"about": "Here', b'about": "Here'),
        (b'"bio": ""', b'"bio": '),
        (b'"category"', b"\xff"),
        (b'"list": [\n   {\n    "name"', b'"list": \n   {\n    "name"'),
    ],
)
def test_damage_before_the_chats_then_all_chats(old: bytes, new: bytes) -> None:
    assert old in ACCOUNT
    data = ACCOUNT.replace(old, new, 1)
    assert read_ids(data) == read_ids(ACCOUNT)
    assert len(find(data)[1]) == 1


def test_chat_of_an_account_closed_too_early_then_goes_on() -> None:
    data = replace_in(ACCOUNT, 3, b"\n     },\n", b"\n     }]},\n")
    assert read_ids(data) == [(GROUP, [1, 2, 3]), (GROUP, [4, 5]), (-1000000000005, [7, 8]), (-1000000000006, [9])]
    assert [entry.why for entry in find(data)[1]] == ["A message stands outside of its chat."]


def test_damage_right_before_the_messages_then_still_their_chat() -> None:
    assert read_ids(PLAIN.replace(b'"messages": [', b'"messages": \xf7[', 1)) == [(GROUP, [1, 2, 3, 4, 5])]


@pytest.mark.parametrize("key", [b'"messages"', b'"id": 1234567890', b'"type": "private'])
def test_damage_in_the_header_then_all_messages(key: bytes) -> None:
    [(_, messages)], _ = read(PLAIN.replace(key, key.replace(b"e", b"\xc3").replace(b"12", b"1x"), 1))
    assert [raw["id"] for raw in messages] == [1, 2, 3, 4, 5]


def test_beginning_lost_then_the_messages_of_a_nameless_chat() -> None:
    [(header, messages)], skipped = read(PLAIN[PLAIN.index(b'"text"') :])
    assert (header.type, header.name) == ("", None)
    assert [raw["id"] for raw in messages] == [2, 3, 4, 5]
    assert skipped[0].where == "byte 6"


@pytest.mark.parametrize("depth", [101, 900, 5_000])
def test_message_nested_too_deeply_is_skipped(depth: int) -> None:
    nested = b'"x": ' + b"[" * depth + b"]" * depth + b', "type"'
    data = replace_in(PLAIN, 3, b'"type"', nested)
    assert read_ids(data) == [(GROUP, [1, 2, 4, 5])]
    [entry] = find(data)[1]
    assert entry.where == "chat Склад, message 3"
    assert "nested too deeply" in entry.why


def test_message_nested_deeply_enough_is_taken() -> None:
    data = replace_in(PLAIN, 3, b'"type"', b'"x": ' + b"[" * 99 + b"]" * 99 + b', "type"')
    assert read_ids(data) == [(GROUP, [1, 2, 3, 4, 5])]


def test_message_without_an_end_is_given_up_in_bounded_memory() -> None:
    data = PLAIN.replace("текст 3".encode(), b"x" * (9 << 20), 1).replace(b'"text_entities": [', b'"q": [[', 3)
    assert read_ids(data) == [(GROUP, [4, 5])]


def test_ruined_file_lists_a_bounded_number_of_reasons() -> None:
    broken = b'{"id": 1, "type": },' * 12_000
    [(_, messages)], skipped = read(b'{"messages": [' + broken + dump(message(2)) + b"]}")
    assert [raw["id"] for raw in messages] == [2]
    assert len(skipped) == 10_001
    assert skipped[-1].why == "More was skipped from here on and is not listed."


CHANGES = st.tuples(
    st.sampled_from(EXPORTS),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([0, 0, 1, 1, 2, 30]),
    st.one_of(st.binary(max_size=6), st.text(alphabet='{}[]",:\\\n08', max_size=6).map(str.encode)),
    st.sampled_from([7, 100, 1 << 16]),
)


@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_any_damage_then_nothing_before_it_is_lost(change: tuple[bytes, float, int, bytes, int]) -> None:
    data, where, deleted, inserted, chunk_size = change
    at = int(where * len(data))
    before, _ = find(data[:at])
    after, _ = find(data[:at] + inserted + data[at + deleted :], chunk_size)
    if before:
        assert after is not None
        assert after[: len(before)] == before


def strings() -> st.SearchStrategy[str]:
    return st.sampled_from(["id", "type", "message", "text", "from_id", "user1", "plain", "5", "photo", "\ud83d", "\0"])


def values() -> st.SearchStrategy[object]:
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), strings())
    return st.recursive(
        leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(strings(), inner)), max_leaves=8
    )


KEYS = sorted({*message(1), *service(1, "topic_created"), "edited", "reply_to_message_id", "reply_to_peer_id", "poll"})
MEDIA_KEYS = ["file", "media_type", "location_information", "invoice_information", "todo_list", "reactions", "title"]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*KEYS, *MEDIA_KEYS, "rich_message", "game_title", "giveaway_results"]), values())
)
def test_any_message_then_normalized_to_what_a_database_takes(keys: Raw) -> None:
    found, _ = find(json.dumps({"messages": [message(1, **ANNA) | keys]}).encode())
    for _, text in found or ():
        result = normalizer().normalize(json.loads(text))
        stored = json.dumps(result._asdict(), default=str, allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in stored
        assert stored.encode()
