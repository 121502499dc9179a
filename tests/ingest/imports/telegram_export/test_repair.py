import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.imports.telegram_export.repair import LONGEST_PIECE, RepairingDecoder, decode_utf8, mend_escapes


def decode(data: bytes, size: int = 1 << 20) -> str:
    decoder = RepairingDecoder()
    pieces = [decoder.feed(data[start : start + size], final=False) for start in range(0, len(data), size)]
    return "".join(pieces) + decoder.feed(b"", final=True)


CASES = [
    (b'"clean \xd0\xb4\xd0\xb0"', "clean да"),
    (rb'"a\x0Bb"', "a\vb"),
    (rb'"a\x00b"', "ab"),
    (rb'"a\u0000b"', "ab"),
    (b'"a\0b"', "ab"),
    (rb'"C:\\x41"', r"C:\x41"),
    (rb'"\\\x41"', "\\A"),
    (rb'"\\u0000"', r"\u0000"),
    (b'"a\\u2028\x80\xa8b\\u2029\x80\xa9c"', "a\u2028b\u2029c"),
    (rb'"\ud83d\ude00"', "😀"),
    (rb'"\ud83d"', "�"),
    (rb'"\uDE00\ud83d!"', "��!"),
    (rb'"\\ud83d"', r"\ud83d"),
    (b'"\xff\xd0"', "��"),
    (b'\xef\xbb\xbf"bom"', "bom"),
    (b'"\xed\xa0\xbd"', "���"),
]


@pytest.mark.parametrize(("data", "text"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_decode_when_not_quite_json_then_mended(data: bytes, text: str, size: int) -> None:
    assert json.loads(decode(data, size), strict=False) == text


@given(
    st.lists(
        st.sampled_from([rb"\u2028", b"\x80\xa8", rb"\ud83d", rb"\ude00", rb"\x0b", b"\\", b"\xd0", b" ", b"x\n"])
    ),
    st.integers(1, 20),
)
def test_decode_when_cut_anywhere_then_same_text(pieces: list[bytes], size: int) -> None:
    data = b" ".join(pieces)
    assert decode(data, size) == decode(data)


def test_decode_when_no_separator_then_holds_back_little() -> None:
    decoder = RepairingDecoder()
    assert len(decoder.feed(b"x" * 1000, final=False)) == 1000 - LONGEST_PIECE


def test_clean_text_is_the_same_object() -> None:
    text = '{"a": "чистый \\n \\" \\\\ текст"}'
    assert mend_escapes(text) is text


def test_character_cut_in_two_is_left_for_later() -> None:
    assert decode_utf8("да".encode()[:3], final=False) == ("д", b"\xd0")
