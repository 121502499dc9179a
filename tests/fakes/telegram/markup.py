"""Telegram's HTML parse mode: the text that people see, its entities, and Telegram's errors.

The grammar is Telegram's, not a browser's: `</>` closes any tag, the `;` of a character reference may be missing,
unknown references stay as they are written. Offsets in errors are bytes of UTF-8, those of entities UTF-16 units.
"""

from dataclasses import dataclass, replace

from tests.fakes.telegram.errors import Refused, bad_request
from tests.fakes.telegram.links import checked_url, mentioned_user
from tests.fakes.telegram.messages import Entity, Formatted, utf16

STYLES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "span": "spoiler", "tg-spoiler": "spoiler",
}  # fmt: skip
TAGS = {*STYLES, "a", "tg-emoji", "code", "pre", "blockquote"}
REFERENCES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
SPACES = frozenset(" \t\r\n\v\0")
END = "\0"
LONGEST_REFERENCE = 10
LAST_CODE_POINT = 0x10FFFF
# Which attribute of a tag means something, and the prefix its value must have.
ARGUMENTS = {
    ("a", "href"): "", ("code", "class"): "language-", ("span", "class"): "tg-", ("tg-emoji", "emoji-id"): "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Opened:
    name: str
    argument: str
    offset: int
    text_at: int


def parse_html(source: str) -> Formatted:
    """Raises Refused with Telegram's words when the markup is broken."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source + END
        self._at = 0
        self._text: list[str] = []
        self._units = 0
        self._opened: list[_Opened] = []
        self._entities: list[Entity] = []

    def read(self) -> Formatted:
        while self._at < len(self._source) - 1:
            if self._char == "<":
                self._tag()
            else:
                self._take(self._character())
        if self._opened:
            raise _broken(f"Can't find end tag corresponding to start tag {self._opened[-1].name}")
        return Formatted("".join(self._text), tuple(_finished(self._entities)))

    @property
    def _char(self) -> str:
        return self._source[self._at]

    def _take(self, char: str) -> None:
        self._text.append(char)
        self._units += utf16(char)

    def _character(self) -> str:
        """The next character, a reference decoded."""
        if self._char == "&" and (decoded := self._reference()):
            return decoded
        self._at += 1
        return self._source[self._at - 1]

    def _reference(self) -> str | None:
        """Moves on only when it is one."""
        begin = self._at + 1
        char, end = self._numeric(begin + 1) if self._source[begin] == "#" else self._named(begin)
        if char:
            self._at = end + (self._source[end] == ";")
        return char

    def _named(self, begin: int) -> tuple[str | None, int]:
        end = begin
        while self._source[end].isascii() and self._source[end].isalpha():
            end += 1
        return REFERENCES.get(self._source[begin:end]), end

    def _numeric(self, begin: int) -> tuple[str | None, int]:
        hexadecimal = self._source[begin] == "x"
        first = end = begin + hexadecimal
        digits = "0123456789abcdefABCDEF" if hexadecimal else "0123456789"
        while self._source[end] in digits:
            end += 1
        if end == first or end - begin + 2 >= LONGEST_REFERENCE:
            return None, end
        code = int(self._source[first:end], 16 if hexadecimal else 10)
        return (chr(code) if 0 < code < LAST_CODE_POINT else None), end

    def _tag(self) -> None:
        begin = self._at
        self._at += 1
        if self._char == "/":
            self._at += 1
            self._close(begin)
        else:
            self._open(begin)

    def _open(self, begin: int) -> None:
        name = self._until(">").lower()
        if self._char == END:
            raise self._broken_at("Unclosed start tag", begin)
        if name not in TAGS:
            raise self._broken_at(f'Unsupported start tag "{name}"', begin)
        argument = self._attributes(name, begin)
        self._at += 1
        if name == "span" and argument != "spoiler":
            raise self._broken_at('Tag "span" must have class "tg-spoiler"', begin)
        self._opened.append(_Opened(name, argument, self._units, len(self._text)))

    def _attributes(self, tag: str, begin: int) -> str:
        argument = ""
        self._skip_spaces()
        while self._char != ">":
            key, value = self._attribute(tag, begin)
            prefix = ARGUMENTS.get((tag, key))
            if prefix is not None and value.startswith(prefix):
                argument = value.removeprefix(prefix)
            elif (tag, key) == ("blockquote", "expandable"):
                argument = key
            if self._char == END:
                raise self._broken_at("Unclosed start tag", begin)
            self._skip_spaces()
        return argument

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        key = self._until("=>").lower()
        if not key:
            raise self._broken_at(f'Empty attribute name in the tag "{tag}"', begin)
        self._skip_spaces()
        if self._char == "=":
            self._at += 1
            self._skip_spaces()
            return key, self._value(tag, begin)
        if (tag, key) == ("blockquote", "expandable"):
            return key, ""
        raise self._broken_at(f'Expected equal sign in declaration of an attribute of the tag "{tag}"', begin)

    def _value(self, tag: str, begin: int) -> str:
        if self._char == END:
            raise self._broken_at(f'Unclosed start tag "{tag}"', begin)
        if self._char not in "'\"":
            return self._token()
        quote, value = self._char, list[str]()
        self._at += 1
        while self._char not in (quote, END):
            value.append(self._character())
        self._at += self._char == quote
        return "".join(value)

    def _token(self) -> str:
        begin = self._at
        while self._char.isascii() and (self._char.isalnum() or self._char in ".-"):
            self._at += 1
        if self._char not in SPACES | {">"}:
            raise self._broken_at("Unexpected end of name token", begin)
        return self._source[begin : self._at].lower()

    def _close(self, begin: int) -> None:
        if not self._opened:
            raise self._broken_at("Unexpected end tag", begin)
        name = self._until(">").lower()
        self._skip_spaces()
        if self._char != ">":
            raise self._broken_at("Unclosed end tag", begin)
        self._at += 1
        opened = self._opened[-1]
        if name not in ("", opened.name):
            raise self._broken_at("Unmatched end tag", begin, f', expected "</{opened.name}>", found "</{name}>"')
        if self._units > opened.offset:
            self._entities = _with(self._entities, self._entity(opened))
        self._opened.pop()

    def _entity(self, opened: _Opened) -> Entity | None:
        place = Entity("", opened.offset, self._units - opened.offset)
        if style := STYLES.get(opened.name):
            return replace(place, type=style)
        if opened.name == "a":
            return _link(place, opened.argument or "".join(self._text[opened.text_at :]))
        if opened.name == "tg-emoji":
            if not opened.argument.isdecimal() or not int(opened.argument):
                raise _broken("Invalid custom emoji identifier specified")
            return replace(place, type="custom_emoji", custom_emoji_id=opened.argument)
        if opened.name == "blockquote":
            return replace(place, type="expandable_blockquote" if opened.argument else "blockquote")
        return replace(place, type=opened.name, language=opened.argument or None)

    def _until(self, stops: str) -> str:
        begin = self._at
        while self._char not in SPACES and self._char not in stops:
            self._at += 1
        return self._source[begin : self._at]

    def _skip_spaces(self) -> None:
        while self._char != END and self._char in SPACES:
            self._at += 1

    def _broken_at(self, what: str, begin: int, more: str = "") -> Refused:
        return _broken(f"{what} at byte offset {len(self._source[:begin].encode())}{more}")


def _broken(what: str) -> Refused:
    return bad_request(f"can't parse entities: {what}")


def _link(place: Entity, target: str) -> Entity | None:
    if user_id := mentioned_user(target):
        return replace(place, type="text_mention", user_id=user_id)
    url = checked_url(target)
    return replace(place, type="text_link", url=url) if url else None


def _with(entities: list[Entity], entity: Entity | None) -> list[Entity]:
    """`pre` directly around `code` (or the other way round) is one entity when the code tells its language."""
    if entity is None:
        return entities
    last = entities[-1] if entities else None
    if (
        last
        and (last.offset, last.length) == (entity.offset, entity.length)
        and {last.type, entity.type} == {"pre", "code"}
    ):
        language = (last if last.type == "code" else entity).language
        if language:
            return [*entities[:-1], replace(entity, type="pre", language=language)]
    return [*entities, entity]


def _finished(entities: list[Entity]) -> list[Entity]:
    return [replace(entity, language=None) if entity.type == "code" else entity for entity in entities]
