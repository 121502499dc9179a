import pytest

from ingest.imports.telegram_export.text import read_text
from tests.ingest.imports.telegram_export.exports import Raw, message


def part(kind: str, text: str = "х", **details: object) -> Raw:
    return {"type": kind, "text": text, **details}


@pytest.mark.parametrize(
    ("exported", "entity"),
    [
        *((part(kind), {"type": kind}) for kind in ["bold", "italic", "underline", "strikethrough", "spoiler", "code"]),
        *(
            (part(kind), {"type": kind})
            for kind in ["mention", "hashtag", "cashtag", "bot_command", "email", "bank_card"]
        ),
        (part("link"), {"type": "url"}),
        (part("phone"), {"type": "phone_number"}),
        (part("text_link", href="https://example.com/"), {"type": "text_link", "url": "https://example.com/"}),
        (part("mention_name", user_id=5000000009), {"type": "text_mention", "user_id": 5000000009}),
        (part("pre", language="python"), {"type": "pre", "language": "python"}),
        (part("pre", language=""), {"type": "pre"}),
        (part("blockquote", collapsed=False), {"type": "blockquote"}),
        (part("blockquote", collapsed=True), {"type": "expandable_blockquote"}),
        (part("custom_emoji", document_id="s/a.tgs"), {"type": "custom_emoji", "custom_emoji_id": "s/a.tgs"}),
        (part("custom_emoji", document_id="(unavailable)"), {"type": "custom_emoji"}),
    ],
)
def test_entity_gets_its_bot_api_shape(exported: Raw, entity: Raw) -> None:
    assert read_text(message(1, [exported])) == ("х", [entity | {"offset": 0, "length": 1}])


@pytest.mark.parametrize("kind", ["plain", "unknown", "of the future"])
def test_part_without_a_meaning_is_only_text(kind: str) -> None:
    assert read_text(message(1, [part(kind)])) == ("х", None)


def test_offsets_count_utf16_units() -> None:
    text, entities = read_text(message(1, ["ab", part("bold", "👍я"), "👨‍👩‍👧", part("code", "x"), part("italic", "")]))
    assert text == "ab👍я👨‍👩‍👧x"
    assert entities == [{"type": "bold", "offset": 2, "length": 3}, {"type": "code", "offset": 13, "length": 1}]


BOLD = [{"type": "bold", "offset": 0, "length": 1}]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"text": ""}, ("", None)),
        ({"text": "", "text_entities": []}, ("", None)),
        ({"text": "  ", "text_entities": [part("plain", "  ")]}, ("  ", None)),
        ({"text": "без частей", "text_entities": []}, ("без частей", None)),
        ({"text": ["a", part("bold", "b")]}, ("ab", [{"type": "bold", "offset": 1, "length": 1}])),
        ({"text_entities": [part("bold", "b")]}, ("b", BOLD)),
        ({"text": "b", "text_entities": [part("bold", "b")]}, ("b", BOLD)),
        ({"text": "other", "text_entities": [part("bold", "b")]}, ("other", None)),
        ({"text": [part("bold", "b")], "text_entities": [part("plain", "B")]}, ("b", BOLD)),
        ({"text": 5}, ("5", None)),
        ({"text": None}, ("", None)),
        ({"text": ["a", 5, None, {"type": "plain"}, {"text": "c"}]}, ("a5c", None)),
        ({"text": "a", "text_entities": "broken"}, ("a", None)),
        ({}, ("", None)),
    ],
)
def test_text_of_any_age_is_read(raw: Raw, expected: tuple[str, object]) -> None:
    assert read_text(raw) == expected


def test_rich_message_gives_its_blocks_as_lines() -> None:
    blocks = [
        {"type": "heading", "text": "Заголовок"},
        {"type": "paragraph", "text": ["до ", part("bold", "жирный"), " после"]},
        {"type": "list", "items": [{"blocks": [{"type": "paragraph", "text": "пункт"}]}, {"text": part("code", "x")}]},
        {"type": "photo", "photo": "photos/1.jpg", "caption": "подпись"},
        {"type": "divider"},
    ]
    text, entities = read_text({"rich_message": {"rtl": False, "part": False, "blocks": blocks}})
    assert text == "Заголовок\nдо жирный после\nпункт\nx\nподпись"
    assert entities is None
