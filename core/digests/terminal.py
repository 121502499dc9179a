"""The digest's HTML for a terminal: no markup, long lines wrapped, each line's links below it."""

import textwrap
from collections.abc import Sequence
from html.parser import HTMLParser

WIDTH = 100


class _Line(HTMLParser):
    """Text and link targets of one line of HTML; links may not span lines, and those of `render.py` do not."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.urls: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get("href")
        if tag == "a" and url:
            self.urls.append(url)


def as_text(parts: Sequence[str], width: int = WIDTH) -> str:
    """Plain text of a digest's HTML parts; links are never wrapped."""
    lines = [shown for part in parts for line in [*part.split("\n"), ""] for shown in _lines(line, width)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _lines(html: str, width: int) -> list[str]:
    line = _Line()
    line.feed(html)
    line.close()
    wrapped = textwrap.wrap(line.text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [*(wrapped or [""]), *(f"  {url}" for url in dict.fromkeys(line.urls))]
