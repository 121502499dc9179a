"""Telegram's HTML: what is read, what is kept, and the words of each error."""

from typing import Any

import pytest
from aiogram.types import MessageEntity

from tests.fakes.telegram.errors import Refused
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.markup import parse_html
from tests.fakes.telegram.messages import Entity, Formatted

BROKEN = "Bad Request: can't parse entities: "


def spans(given: Formatted) -> list[tuple[str, int, int]]:
    return [(entity.type, entity.offset, entity.length) for entity in given.entities]


READ = [
    ("plain", "plain", []),
    ("<b>x</b>", "x", [("bold", 0, 1)]),
    ("<strong>x</strong>", "x", [("bold", 0, 1)]),
    ("<i>x</i><em>y</em>", "xy", [("italic", 0, 1), ("italic", 1, 1)]),
    ("<u>x</u><ins>y</ins>", "xy", [("underline", 0, 1), ("underline", 1, 1)]),
    ("<s>x</s><strike>y</strike><del>z</del>", "xyz", [("strikethrough", n, 1) for n in range(3)]),
    ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
    ("<span class=tg-spoiler>x</span>", "x", [("spoiler", 0, 1)]),
    ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
    ('<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
    ("<code>x</code>", "x", [("code", 0, 1)]),
    ("<pre>x</pre>", "x", [("pre", 0, 1)]),
    ("<pre><code>x</code></pre>", "x", [("pre", 0, 1), ("code", 0, 1)]),
    ('<pre><code class="language-python">x</code></pre>', "x", [("pre", 0, 1)]),
    ('<code class="language-python"><pre>x</pre></code>', "x", [("pre", 0, 1)]),
    ("<blockquote>x</blockquote>", "x", [("blockquote", 0, 1)]),
    ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
    ('<blockquote expandable="">x</blockquote>', "x", [("expandable_blockquote", 0, 1)]),
    ('<a href="https://example.com/a?b=1&amp;c=2">x</a>', "x", [("text_link", 0, 1)]),
    ("<a href='https://example.com'>x</a>", "x", [("text_link", 0, 1)]),
    ("<a>example.com</a>", "example.com", [("text_link", 0, 11)]),
    ('<a href="tg://user?id=1001">x</a>', "x", [("text_mention", 0, 1)]),
    ('<a href="javascript:alert(1)">x</a>', "x", []),
    ('<a href="no link">x</a>', "x", []),
    ("<b></b>x", "x", []),
    ("<B>x</B>", "x", [("bold", 0, 1)]),
    ("<b >x</b >", "x", [("bold", 0, 1)]),
    ("<b>x</>", "x", [("bold", 0, 1)]),
    ("<b>x<i>y</i></b>", "xy", [("bold", 0, 2), ("italic", 1, 1)]),
    ("<b><i><u>x</u></i></b>", "x", [("bold", 0, 1), ("italic", 0, 1), ("underline", 0, 1)]),
    ("<b>x <code>y</code> z</b>", "x y z", [("bold", 0, 2), ("code", 2, 1), ("bold", 3, 2)]),
    ("<code>x<b>y</b></code>", "xy", [("code", 0, 2)]),
    ("<blockquote>x<blockquote>y</blockquote></blockquote>", "xy", [("blockquote", 0, 2)]),
    ("😀<b>x</b>", "😀x", [("bold", 2, 1)]),
    ("<b>😀</b>", "😀", [("bold", 0, 2)]),
    ("при<b>вет</b>", "привет", [("bold", 3, 3)]),
    ("&lt;b&gt; &amp; &quot;", '<b> & "', []),
    ("&#39;&#x41;&#128512;", "'A😀", []),
    ("&lt &nbsp; &unknown; &", "< &nbsp; &unknown; &", []),
    ("&#0; &#; &#x;", "&#0; &#; &#x;", [("hashtag", 10, 2)]),
    ("&amp;lt;", "&lt;", []),
    (" \n <b> x </b> \n ", "x", [("bold", 0, 1)]),
    ("<b>x</b>   <i> </i>", "x", [("bold", 0, 1)]),
    ("x<b>\r\n</b>y", "x\ny", []),
    ("a > b", "a > b", []),
]


@pytest.mark.parametrize(("source", "text", "expected"), READ)
def test_html_becomes_text_and_entities(source: str, text: str, expected: list[tuple[str, int, int]]) -> None:
    read = formatted(source, "HTML")
    assert read.text == text
    assert spans(read) == expected


REFUSED = [
    ("<ul>", 'Unsupported start tag "ul" at byte offset 0'),
    ("text <ul>", 'Unsupported start tag "ul" at byte offset 5'),
    ("пять <UL>", 'Unsupported start tag "ul" at byte offset 9'),
    ("a < b", 'Unsupported start tag "" at byte offset 2'),
    ("<b/>", 'Unsupported start tag "b/" at byte offset 0'),
    ("<b", "Unclosed start tag at byte offset 0"),
    ("<b>x", "Can't find end tag corresponding to start tag b"),
    ("<b><i>x</i>", "Can't find end tag corresponding to start tag b"),
    ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ("x</b>", "Unexpected end tag at byte offset 1"),
    ("😀</b>", "Unexpected end tag at byte offset 4"),
    ("<b>x</b", "Unclosed end tag at byte offset 4"),
    ("<b>x</b x>", "Unclosed end tag at byte offset 4"),
    ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ('<span class="red">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
    ("<a =x>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
    ("<a href=http://x>x</a>", "Unexpected end of name token at byte offset 8"),
    ('<a href="x', "Unclosed start tag at byte offset 0"),
    ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
    ("<tg-emoji>y</tg-emoji>", "Invalid custom emoji identifier specified"),
]


@pytest.mark.parametrize(("source", "reason"), REFUSED)
def test_broken_html_is_refused_in_telegrams_words(source: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_html(source)
    assert (refused.value.code, refused.value.description) == (400, BROKEN + reason)


def test_links_and_languages_are_kept() -> None:
    source = '<a href="example.com">x</a><pre><code class="language-c++">y</code></pre><a href="tg://user?id=7">z</a>'
    assert parse_html(source).entities == (
        Entity("text_link", 0, 1, url="http://example.com/"),
        Entity("pre", 1, 1, language="c++"),
        Entity("text_mention", 2, 1, user_id=7),
    )


FOUND = [
    ("/start now", [("bot_command", 0, 6)]),
    ("/start@desk_bot", [("bot_command", 0, 15)]),
    ("a/b", []),
    ("hi @desk_bot!", [("mention", 3, 9)]),
    ("mail a.b@example.com", [("email", 5, 15)]),
    ("😀 #заказ #1", [("hashtag", 3, 6)]),
    ("see https://example.com/a, please", [("url", 4, 21)]),
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_telegram_finds_some_entities_itself(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert spans(formatted(text)) == expected


def test_code_is_not_searched() -> None:
    assert spans(formatted("<code>/start</code>", "html")) == [("code", 0, 6)]


def given(**fields: Any) -> MessageEntity:
    return MessageEntity(**fields)


EXPLICIT = [
    ([given(type="bold", offset=0, length=2)], [("bold", 0, 2)]),
    ([given(type="italic", offset=2, length=3)], [("italic", 2, 2)]),
    ([given(type="mention", offset=0, length=2)], []),
    ([given(type="text_link", offset=0, length=2, url="nothing")], []),
]


@pytest.mark.parametrize(("entities", "expected"), EXPLICIT)
def test_explicit_entities_are_kept(entities: list[MessageEntity], expected: list[tuple[str, int, int]]) -> None:
    assert spans(formatted("😀ab ", None, entities)) == expected


WRONG = [
    (given(type="bold", offset=0, length=9), "entity beginning at UTF-16 offset 0 ends after the end of the text"),
    (given(type="bold", offset=1, length=1), "entity begins in a middle of a UTF-16 symbol"),
    (given(type="bold", offset=-1, length=1), "entity has incorrect bounds"),
    (given(type="blink", offset=0, length=2), "can't parse MessageEntity: Unsupported type specified"),
]


@pytest.mark.parametrize(("entity", "reason"), WRONG)
def test_wrong_explicit_entities_are_refused(entity: MessageEntity, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        formatted("😀ab", None, [entity])


def test_a_parse_mode_puts_explicit_entities_aside() -> None:
    assert spans(formatted("<i>x</i>", "HTML", [given(type="bold", offset=0, length=99)])) == [("italic", 0, 1)]


def test_a_hundred_entities_are_kept() -> None:
    assert len(formatted("<b>x</b> " * 101, "HTML").entities) == 100


@pytest.mark.parametrize("mode", ["Markdown", "MarkdownV2"])
def test_what_the_fake_lacks_is_said_and_not_passed_over(mode: str) -> None:
    with pytest.raises(Refused, match=f"the fake does not implement parse_mode {mode}"):
        formatted("*x*", mode)


def test_unknown_parse_modes_are_refused() -> None:
    with pytest.raises(Refused, match="Bad Request: unsupported parse_mode"):
        formatted("x", "RTF")
