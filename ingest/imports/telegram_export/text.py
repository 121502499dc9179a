"""A message's plain text and its entities in the Bot API's shape."""

from collections.abc import Iterable, Mapping
from typing import Any

FORMATS = ["bold", "italic", "underline", "strikethrough", "spoiler", "code"]
FINDS = ["mention", "hashtag", "cashtag", "bot_command", "email", "bank_card"]
BOT_API_TYPES = {name: name for name in FORMATS + FINDS} | {
    "link": "url",
    "phone": "phone_number",
    "pre": "pre",
    "text_link": "text_link",
    "mention_name": "text_mention",
    "custom_emoji": "custom_emoji",
    "blockquote": "blockquote",
}
# entity type -> (key in the export, key in the Bot API)
DETAILS = {
    "pre": ("language", "language"),
    "text_link": ("href", "url"),
    "mention_name": ("user_id", "user_id"),
    "custom_emoji": ("document_id", "custom_emoji_id"),
}
RICH_TEXT_KEYS = frozenset({"text", "title", "caption"})

Entities = list[dict[str, Any]] | None


def read_text(raw: Mapping[str, Any]) -> tuple[str, Entities]:
    """Plain text and entities, offsets and lengths in UTF-16 code units; None when there is no entity.

    `text_entities` count only where they say the same as `text`: some tools write them carelessly.
    """
    text, parts = raw.get("text"), raw.get("text_entities")
    if isinstance(text, str) and (not parts or is_plain(parts, text)):
        return text, None
    if "text" not in raw and not parts:
        return rich_text(raw.get("rich_message")), None
    if not isinstance(parts, list) or not parts:
        return flatten(text)
    flat = flatten(parts)
    return flat if "text" not in raw or flat[0] == plain_text(text) else flatten(text)


def is_plain(parts: object, text: str) -> bool:
    """The case of nearly every message: one plain part that is the text."""
    return (
        type(parts) is list
        and len(parts) == 1
        and type(parts[0]) is dict
        and parts[0].get("type") == "plain"
        and parts[0].get("text") == text
    )


def plain_text(value: object) -> str:
    """The text of any of the export's forms: a string, a list of parts, a part, a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(plain_text, value))
    if isinstance(value, dict):
        return plain_text(value.get("text"))
    return "" if value is None or isinstance(value, bool) else str(value)


def flatten(value: object) -> tuple[str, Entities]:
    parts = value if isinstance(value, list) else [value]
    texts: list[str] = []
    entities: list[dict[str, Any]] = []
    offset = 0
    for part in parts:
        text = plain_text(part)
        length = utf16_length(text)
        if length and isinstance(part, dict) and (kind := str(part.get("type"))) in BOT_API_TYPES:
            entities.append({"type": BOT_API_TYPES[kind], "offset": offset, "length": length} | _details(kind, part))
        texts.append(text)
        offset += length
    return "".join(texts), entities or None


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _details(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "blockquote":
        return {"type": "expandable_blockquote"} if part.get("collapsed") is True else {}
    source, target = DETAILS.get(kind, ("", ""))
    value = part.get(source)
    if value in (None, "") or str(value).startswith("("):  # "(unavailable)" stands for no document
        return {}
    return {target: value}


def rich_text(rich: object) -> str:
    """The texts of a rich message's blocks in their order, a line each."""
    blocks = rich.get("blocks") if isinstance(rich, dict) else None
    return "\n".join(_lines(blocks))


def _lines(value: object) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _lines(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in RICH_TEXT_KEYS:
                yield from _lines(inner)
            elif line := plain_text(inner):
                yield line
