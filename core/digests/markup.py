"""Telegram HTML that cannot break: fragments that know their visible length, lines, sections, and parts that fit.

Lengths are UTF-16 units after entity parsing, as Telegram counts them.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple, Self

PART_UNITS = 4096


class Fragment(NamedTuple):
    """A piece of valid HTML and the number of units a reader sees."""

    html: str
    units: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # pieces are joined, tuples are not
        return type(self)(self.html + other.html, self.units + other.units)


EMPTY = Fragment("", 0)
NEWLINE = Fragment("\n", 1)


def units_of(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def plain(text: str) -> Fragment:
    return Fragment(escape(text), units_of(text))


def bold(inner: Fragment) -> Fragment:
    return Fragment(f"<b>{inner.html}</b>", inner.units)


def italic(inner: Fragment) -> Fragment:
    return Fragment(f"<i>{inner.html}</i>", inner.units)


def linked(inner: Fragment, url: str | None) -> Fragment:
    return inner if url is None else Fragment(f'<a href="{escape(url)}">{inner.html}</a>', inner.units)


def joined(fragments: Iterable[Fragment], between: Fragment = EMPTY) -> Fragment:
    whole = EMPTY
    for place, fragment in enumerate(fragments):
        whole = whole + between + fragment if place else fragment
    return whole


class Section(NamedTuple):
    """Lines that belong together: parts are cut between them only where a section is longer than a part."""

    lines: tuple[Fragment, ...]

    @property
    def units(self) -> int:
        return sum(line.units + 1 for line in self.lines)


def split_parts(sections: Sequence[Section], limit: int = PART_UNITS) -> tuple[str, ...]:
    """HTML parts of at most `limit` units each. Raises ValueError when one line alone is longer."""
    parts: list[Fragment] = []
    for section in sections:
        gap = joined([NEWLINE, NEWLINE])
        whole = joined(section.lines, NEWLINE)
        if parts and parts[-1].units + gap.units + whole.units <= limit:
            parts[-1] = parts[-1] + gap + whole
        else:
            parts += _split_lines(section.lines, limit)
    return tuple(part.html for part in parts)


def _split_lines(lines: Sequence[Fragment], limit: int) -> list[Fragment]:
    parts: list[Fragment] = []
    for line in lines:
        if line.units > limit:
            raise ValueError(f"a line of {line.units} units fits no part of {limit}")
        if parts and parts[-1].units + 1 + line.units <= limit:
            parts[-1] = parts[-1] + NEWLINE + line
        else:
            parts.append(line)
    return parts
