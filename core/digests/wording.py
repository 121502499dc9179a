"""How a message is quoted: its own words, one line, no invisible marks, cut at a word's border."""

import re

from core.digests.cues import cue
from core.digests.model import Message
from core.digests.tokens import STOP_WORDS, normal

QUOTE_CHARS = 160
TITLE_CHARS = 64
NAME_CHARS = 40
READ_CHARS = 4096
UNSHOWN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=\S)|\n+")
CLAUSE_END = re.compile(r"[,;:](?=\s)|\s[—–-](?=\s)|[.!?](?=\s)|\s\(")
GREETING = re.compile(
    r"^\W*(?:(?:всем\s+)?(?:привет\w*|здравствуйте|добрый\s+(?:день|вечер)|доброе\s+утро)(?:\s+всем)?|коллеги|ребят\w*|народ|друзья"
    r"|hi|hello|hey|hi all|hey guys|guys|folks|morning)(?:\s+(?:all|everyone|guys|folks|team|there))?\b[\s,.!:)]*",
    re.IGNORECASE,
)
FILLER = cue(
    "а, и, ну, так, кстати, вот, да, нет, слушай\\w*, смотри\\w*, короче, so, and, well, btw, also, ok, okay, but, oh",
    before="^",
    after=r"[\s,:—–-]+",
)
CALL = re.compile(r"^@?[^\W\d_a-zа-яё][\w|\-]{1,31}[,:]\s+|^@\w+[\s,:]+")  # a name has a capital or an @
LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-•*])\s+")


def tidy(text: str) -> str:
    """One line without marks that could reorder or hide what is around it."""
    return " ".join(UNSHOWN.sub("", text[:READ_CHARS]).split())


def shorten(text: str, limit: int = QUOTE_CHARS) -> str:
    """The tidy text, at most `limit` characters, cut between words and ended by "…" when something was left out."""
    line = tidy(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    border = cut.rfind(" ")
    if border > limit // 2 and not line[limit - 1].isspace():
        cut = cut[:border]
    return cut.rstrip(" ,;:—–-(") + "…"


def name_of(message: Message) -> str:
    """The author's name as shown; the author's id, then "?", when there is none."""
    return shorten(message.author_name or "", NAME_CHARS) or message.author_id or "?"


def quote(message: Message, limit: int = QUOTE_CHARS) -> str:
    """A message with its author named; an attachment without words is told by its description."""
    return f"{name_of(message)}: {said(message, limit)}"


def said(message: Message, limit: int = QUOTE_CHARS) -> str:
    media = f"[{message.media.description or message.media.kind}]" if message.media else ""
    return shorten(message.text, limit) or shorten(media, limit)


def sentences(text: str) -> list[str]:
    """Sentences and lines of a text, tidy, none empty; marks inside quotations end no sentence."""
    parts: list[str] = []
    for part in SENTENCE_END.split(UNSHOWN.sub("", text[:READ_CHARS])):
        if parts and parts[-1].count("«") > parts[-1].count("»"):
            parts[-1] = tidy(f"{parts[-1]} {part}")
        elif tidy(part):
            parts.append(tidy(part))
    return parts


def without_opening(text: str) -> str:
    """The text without greeting, filler, call by name and list number at its start; never less than a few letters."""
    rest = text.strip()
    for _ in range(4):
        shorter = rest
        for opening in (GREETING, FILLER, CALL, LIST_MARK):
            shorter = opening.sub("", shorter, count=1)
        if shorter == rest or len(shorter) <= 3:
            break
        rest = shorter
    return rest


def without_list_mark(text: str) -> str:
    return LIST_MARK.sub("", text, count=1)


def without_call(text: str) -> str:
    """The text without the name it begins with ("Anna, …")."""
    rest = CALL.sub("", text, count=1)
    return rest if len(rest) > 3 else text


def headline(text: str, limit: int = TITLE_CHARS) -> str:
    """A text as a title: no shouting, cut at a clause if it is too long, no loose words or marks at its end."""
    line = _whole_clauses(tidy(text), limit)
    if sum(char.isupper() for char in line) > sum(char.islower() for char in line) and len(line) > 12:
        line = line.lower()
    line = shorten(line, limit)
    ellipsis = line.endswith("…")
    line = line.rstrip("…").rstrip(" .,;:!—–-")
    while ellipsis and (cut := line.rfind(" ")) > 0 and normal(line[cut + 1 :].strip(",;:")) in STOP_WORDS:
        line = line[:cut].rstrip(" ,;:—–-")
    line += "…" if ellipsis else ""
    return line[:1].upper() + line[1:]


def _whole_clauses(line: str, limit: int) -> str:
    """As many clauses of a long line as fit, when they are enough for a title; else the line."""
    if len(line) <= limit:
        return line
    ends = [match.start() for match in CLAUSE_END.finditer(line) if limit // 4 <= match.start() <= limit]
    return line[: ends[-1]] if ends else line
