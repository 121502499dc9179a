"""From the parameters text, parse_mode and entities to the text and markup that Telegram keeps."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from aiogram.types import MessageEntity

from tests.fakes.telegram.errors import Refused, bad_request
from tests.fakes.telegram.links import checked_url
from tests.fakes.telegram.markup import parse_html
from tests.fakes.telegram.messages import Entity, Formatted, utf16

MAX_ENTITIES = 100
CODE = ("pre", "code")
QUOTES = ("blockquote", "expandable_blockquote")
SPLITTABLE = ("bold", "italic", "underline", "strikethrough", "spoiler")
GIVEN = {*SPLITTABLE, *CODE, *QUOTES, "text_link", "text_mention", "custom_emoji"}
FOUND = {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"}
ORDER = (*QUOTES, "pre", "code", "text_link", "text_mention", "bold", "italic", "underline", "strikethrough")
PATTERNS = {
    "url": re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]"),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "bot_command": re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    "mention": re.compile(r"(?<!\w)@[A-Za-z0-9_]{3,32}(?!\w)"),
    "hashtag": re.compile(r"(?<!\w)#\w*[^\W\d]\w*"),
}


def formatted(text: str, parse_mode: str | None = None, entities: Sequence[MessageEntity] | None = None) -> Formatted:
    """As Telegram: `entities` are looked at only without a parse mode. Raises Refused."""
    given = _parsed(text, parse_mode) if parse_mode else Formatted(text, tuple(_explicit(text, entities or ())))
    return with_found_entities(_trimmed(given))


def with_found_entities(given: Formatted) -> Formatted:
    """Adds commands, mentions, hashtags and addresses, which Telegram finds by itself outside of other markup."""
    taken = [entity for entity in given.entities if entity.type in (*CODE, "text_link", "text_mention")]
    found: list[Entity] = []
    for name, pattern in PATTERNS.items():
        for match in pattern.finditer(given.text):
            place = Entity(name, utf16(given.text[: match.start()]), utf16(match[0]))
            if not any(_overlap(place, other) for other in (*taken, *found)):
                found.append(place)
    return replace(given, entities=_sorted((*given.entities, *found))[:MAX_ENTITIES])


def _parsed(text: str, parse_mode: str) -> Formatted:
    mode = parse_mode.lower()
    if mode == "html":
        return parse_html(text)
    if mode in ("markdown", "markdownv2"):
        raise Refused(400, f"the fake does not implement parse_mode {parse_mode}")
    raise bad_request("unsupported parse_mode")


def _explicit(text: str, entities: Iterable[MessageEntity]) -> Iterator[Entity]:
    starts = _unit_borders(text)
    total = utf16(text)
    for given in entities:
        if given.type not in GIVEN | FOUND:
            raise bad_request("can't parse MessageEntity: Unsupported type specified")
        if given.type in FOUND:
            continue
        if given.offset < 0 or given.length <= 0:
            raise bad_request("entity has incorrect bounds")
        end = given.offset + given.length
        if end > total:
            where = f"UTF-16 offset {given.offset} ends after the end of the text at UTF-16 offset {end}"
            raise bad_request(f"entity beginning at {where}")
        if given.offset not in starts or end not in starts:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {given.offset}")
        if entity := _entity(given):
            yield entity


def _entity(given: MessageEntity) -> Entity | None:
    place = Entity(given.type, given.offset, given.length, language=given.language)
    if given.type == "text_link":
        url = checked_url(given.url or "")
        return replace(place, url=url) if url else None
    if given.type == "text_mention":
        return replace(place, user_id=given.user.id) if given.user else None
    if given.type == "custom_emoji":
        return replace(place, custom_emoji_id=given.custom_emoji_id)
    return place


def _trimmed(given: Formatted) -> Formatted:
    """White space at both ends goes, and entities with it; nested ones that Telegram does not nest are taken out."""
    text = given.text.replace("\r", "").replace("\0", " ")
    if text != given.text and given.entities:
        given = _without_returns(given)
    lead = utf16(text) - utf16(text.lstrip())
    kept = text.strip()
    placed = (_cut(replace(e, offset=e.offset - lead), kept) for e in given.entities)
    return Formatted(kept, _sorted(_untangled([e for e in placed if e is not None])))


def _without_returns(given: Formatted) -> Formatted:
    """Carriage returns are dropped by Telegram and entities move with them."""
    units = given.text.encode("utf-16-le")
    pairs = [units[i : i + 2] for i in range(0, len(units), 2)]
    dropped = [0]
    for pair in pairs:
        dropped.append(dropped[-1] + (pair == b"\r\0"))
    moved = tuple(
        replace(e, offset=e.offset - dropped[e.offset], length=e.length - (dropped[e.end] - dropped[e.offset]))
        for e in given.entities
    )
    return Formatted(given.text.replace("\r", ""), moved)


def _cut(entity: Entity, text: str) -> Entity | None:
    """The part of it that lies in the text, without white space at its end; None when nothing is left."""
    begin = max(entity.offset, 0)
    inside = text.encode("utf-16-le")[begin * 2 : max(entity.end, 0) * 2].decode("utf-16-le")
    length = utf16(inside.rstrip())
    return replace(entity, offset=begin, length=length) if length else None


def _untangled(entities: list[Entity]) -> Iterator[Entity]:
    code = [e for e in entities if e.type in CODE]
    for entity in entities:
        if entity.type in SPLITTABLE:
            yield from _around(entity, code)
        elif entity.type in CODE or not any(_inside(entity, c) for c in code):
            quotes = [e for e in entities if e.type in QUOTES and e is not entity]
            if not (entity.type in QUOTES and any(_inside(entity, quote) for quote in quotes)):
                yield entity


def _around(entity: Entity, code: Iterable[Entity]) -> Iterator[Entity]:
    """Styles stop where code begins and go on after it."""
    covered = sorted((max(c.offset, entity.offset), min(c.end, entity.end)) for c in code if _overlap(entity, c))
    borders = [entity.offset, *(point for span in covered for point in span), entity.end]
    for index, (begin, end) in enumerate(pairwise(borders)):
        if index % 2 == 0 and end > begin:
            yield replace(entity, offset=begin, length=end - begin)


def _sorted(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    return tuple(sorted(entities, key=lambda e: (e.offset, -e.length, ORDER.index(e.type) if e.type in ORDER else 99)))


def _overlap(one: Entity, other: Entity) -> bool:
    return one.offset < other.end and other.offset < one.end


def _inside(inner: Entity, outer: Entity) -> bool:
    return outer.offset <= inner.offset and inner.end <= outer.end


def _unit_borders(text: str) -> set[int]:
    borders, at = {0}, 0
    for char in text:
        at += utf16(char)
        borders.add(at)
    return borders
