"""A strict reader of Telegram's HTML: allowed tags only, balanced, escaped; gives the text that people see."""

import html
import re

TAG = re.compile(r"<(/?)([a-z-]+)((?:\s[^<>]*)?)>")
LINK = re.compile(r'\shref="https://t\.me/[^"<>\s]+"')
PLAIN_TAGS = {"b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler"}
ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#x27|#39);")
MAX_UNITS = 4096
MAX_ENTITIES = 100


def visible(part: str) -> str:
    """The text of a part; raises ValueError for anything that Telegram would refuse or show as markup."""
    text, position, opened, entities = "", 0, list[str](), 0
    for match in TAG.finditer(part):
        text += _plain(part[position : match.start()])
        position = match.end()
        closing, name, attributes = match.groups()
        if closing:
            if not opened or opened.pop() != name:
                raise ValueError(f"</{name}> closes nothing")
        else:
            _check_opening(name, attributes)
            opened.append(name)
            entities += 1
    text += _plain(part[position:])
    if opened:
        raise ValueError(f"{opened} never closed")
    if entities > MAX_ENTITIES:
        raise ValueError(f"{entities} entities: Telegram drops those after {MAX_ENTITIES}")
    return text


def check(parts: tuple[str, ...]) -> str:
    """The text of all parts; raises ValueError when one is empty, too long or broken."""
    texts = [visible(part) for part in parts]
    for text in texts:
        units = len(text.encode("utf-16-le")) // 2
        if not 0 < units <= MAX_UNITS or not text.strip():
            raise ValueError(f"a part of {units} units")
    return "\n\n".join(texts)


def _check_opening(name: str, attributes: str) -> None:
    if name == "a":
        if not LINK.fullmatch(attributes):
            raise ValueError(f"a link with {attributes!r}")
    elif name not in PLAIN_TAGS or attributes:
        raise ValueError(f"<{name}{attributes}> is not allowed")


def _plain(piece: str) -> str:
    if "<" in piece or ">" in piece or "&" in ENTITY.sub("", piece):
        raise ValueError(f"unescaped text {piece!r}")
    return html.unescape(piece)
