"""A transcript for a terminal and as JSON."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from cli.simulate.transcript import Kind, Line
from tests.fakes.telegram.messages import Formatted

WIDTH = 100
STYLES = {
    "bold": "bold", "italic": "italic", "underline": "underline", "strikethrough": "strike", "spoiler": "dim",
    "code": "cyan", "pre": "cyan", "blockquote": "dim", "expandable_blockquote": "dim", "text_link": "underline",
}  # fmt: skip
MARKS = {Kind.EDIT: "✎ ", Kind.DELETION: "✗ ", Kind.TAP: "▸ ", Kind.ALERT: "🔔 ", Kind.TROUBLE: "⚡ "}


def print_chats(console: Console, chats: dict[str, list[Line]], bot: str) -> None:
    """One section for each person, the names in a column of their own."""
    for name, lines in chats.items():
        column = max(len(name), len(bot)) + 2
        console.print(Text(f"── {name} ── {bot} ──", "bold"))
        for line in lines:
            for number, shown in enumerate(_drawn(console, line, WIDTH - column)):
                row = Text.assemble(((line.who if number == 0 else "").ljust(column), "dim"), shown)
                row.rstrip()
                console.print(row)
        console.print()


def _drawn(console: Console, line: Line, width: int) -> Iterator[Text]:
    if line.quote:
        yield Text(f"┃ {line.quote}", "dim")
    if line.file:
        yield Text(f"[{line.file}]", "dim")
    for part in _parts(line):
        yield from part.wrap(console, width)
        yield from (Text(f"  {url}", "dim") for url in _urls(part))
    for row in line.rows:
        yield Text(" ".join(f"[ {button} ]" for button in row), "bold")


def _parts(line: Line) -> list[Text]:
    """The lines of a text, each with its own styles."""
    text = Text(MARKS.get(line.kind, "")) + styled(line.said)
    return list(text.split("\n", allow_blank=True)) if line.said.text else []


def styled(said: Formatted) -> Text:
    """Telegram counts in UTF-16 units, a terminal's text in code points."""
    text, units = Text(said.text), said.text.encode("utf-16-le")
    for entity in said.entities:
        style = Style.parse(STYLES.get(entity.type, "")) + Style(link=entity.url)
        begin, end = (len(units[: at * 2].decode("utf-16-le")) for at in (entity.offset, entity.end))
        text.stylize(style, begin, end)
    return text


def _urls(text: Text) -> list[str]:
    """What is behind the words, each address once."""
    links = (span.style.link for span in text.spans if isinstance(span.style, Style))
    return list(dict.fromkeys(link for link in links if link))


def as_json(chats: dict[str, list[Line]]) -> list[dict[str, Any]]:
    """[{"with": name, "lines": [{"kind", "who", "text", "buttons", "links", "quote", "file"}]}]"""
    return [{"with": name, "lines": [_line(line) for line in lines]} for name, lines in chats.items()]


def _line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "who": line.who,
        "text": line.said.text,
        "buttons": line.rows,
        "links": _urls(styled(line.said)),
        "quote": line.quote,
        "file": line.file,
    }
