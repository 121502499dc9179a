"""A JSON text read value by value from a file of any size."""

import json
import math
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ingest.imports.telegram_export.repair import RepairingDecoder

BLANK = re.compile(r"[ \t\r\n]*")
WINDOW = 4096  # characters; no pattern that is looked for is longer
VALUE_LIMIT = 4 << 20  # characters; the longest message is far below
DEPTH_LIMIT = 100
LONGEST_TOKEN = 16  # an error this close to the end of the buffer may be a token cut in two


class DamageError(Exception):
    """The text is no JSON at the cursor; the message is a sentence that says why."""


class CutOffError(DamageError):
    """The file ends where JSON must go on."""


class Mark(NamedTuple):
    text: str
    cursor: int
    position: int
    ended: bool
    offset: int
    pending: bytes


class JsonStream:
    """A cursor over the text of a file; only what lies between the cursor and the last read byte is in memory.

    A failed call leaves the cursor at the start of the value, after any blanks.
    """

    def __init__(self, file: BinaryIO, chunk_size: int) -> None:
        self.position = 0
        self._file = file
        self._chunk_size = chunk_size
        self._decoder = RepairingDecoder()
        self._decode = json.JSONDecoder(strict=False, parse_float=_finite, parse_constant=_no_number).raw_decode
        self._text = ""
        self._index = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no blank, "" at the end of the file."""
        while True:
            self._index = _end_of(BLANK, self._text, self._index)
            if self._index < len(self._text):
                return self._text[self._index]
            if not self._fill():
                return ""

    def value(self, *, once: str = "") -> object:
        """Read one whole value. Raises DamageError, and CutOffError when the file ends inside it.

        A value that holds `once` more than once is damaged too: it has swallowed its neighbours.
        """
        self.peek()
        while True:
            try:
                value, end = self._decode(self._text, self._index)
            except (ValueError, RecursionError) as error:
                self._check_more_may_help(error)
            else:
                if end < len(self._text) or (self._ended and not isinstance(value, int | float)):
                    self._check_swallowed(once, end)
                    self._check_depth(value, end)
                    self._index = end
                    return value
            if not self._fill():
                raise CutOffError("The file ends here, inside a value: the export was interrupted.")

    def expect(self, char: str) -> None:
        found = self.peek()
        if not found:
            raise CutOffError("The file ends here, before its last bracket: the export was interrupted.")
        if found != char:
            raise DamageError(f"Not readable as JSON: {char!r} is missing here.")
        self._index += 1

    def members(self) -> Iterator[str]:
        """Enter an object; yields each key with the cursor at its value, which the caller must read."""
        self.expect("{")
        yield from self.more_members()

    def more_members(self) -> Iterator[str]:
        """The keys that are left of the object the cursor is in."""
        while self.next_element("}"):
            if self.peek() != '"':
                raise DamageError("Not readable as JSON: a key is no string.")
            key = str(self.value())
            self.expect(":")
            yield key

    def items(self) -> Iterator[None]:
        """Enter an array; yields with the cursor at each element, which the caller must read."""
        self.expect("[")
        while self.next_element("]"):
            yield

    def next_element(self, closing: str) -> bool:
        """Step over commas to the next element; False after the closing bracket, which is consumed."""
        while (char := self.peek()) == ",":
            self._index += 1
        if not char:
            raise CutOffError("The file ends here, before its last bracket: the export was interrupted.")
        if char == closing:
            self._index += 1
        return char != closing

    def skip(self, depth: int = 3) -> None:
        """Read past one value, holding no more than what lies `depth` levels below it."""
        char = self.peek() if depth else ""
        if char == "{":
            for _ in self.members():
                self.skip(depth - 1)
        elif char == "[":
            for _ in self.items():
                self.skip(depth - 1)
        else:
            self.value()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The pattern (at most WINDOW characters) at the cursor, which does not move."""
        while len(self._text) - self._index < WINDOW and self._fill():
            pass
        return pattern.match(self._text, self._index)

    def search(self, pattern: re.Pattern[str], *, skip: int = 0) -> re.Match[str] | None:
        """Move to the next match (of at most WINDOW characters), `skip` characters on at least; None: to the end."""
        self._index = min(self._index + skip, len(self._text))
        while True:
            found = pattern.search(self._text, self._index)
            near_end = len(self._text) - WINDOW
            if found and (found.start() < near_end or self._ended):
                self._index = found.start()
                return found
            self._index = max(self._index, found.start() if found else near_end)
            if not self._fill() and not found:
                self._index = len(self._text)
                return None

    def advance(self, count: int) -> None:
        """Step over characters that `match` or `search` has shown."""
        self._index += count

    def exhaust(self) -> None:
        """Move to the end of what was read: after CutOffError, to the end of the file."""
        self._index = len(self._text)

    def offset(self) -> int:
        """Bytes before the cursor; off by a few where bytes were mended."""
        unread = self._text[self._index :].encode("utf-8", "surrogatepass")
        return self.position - len(self._decoder.pending) - len(unread)

    def mark(self) -> Mark:
        return Mark(self._text, self._index, self.position, self._ended, self._file.tell(), self._decoder.pending)

    def rewind(self, mark: Mark) -> None:
        self._text, self._index, self.position, self._ended, offset, self._decoder.pending = mark
        self._file.seek(offset)

    def _fill(self) -> bool:
        """Read on, at least doubling what is unread, so that a long value is not tried too often."""
        if self._ended:
            return False
        data = self._file.read(max(self._chunk_size, len(self._text) - self._index))
        self.position += len(data)
        self._ended = not data
        fresh = self._decoder.feed(data, final=self._ended)
        self._text = self._text[self._index :] + fresh
        self._index = 0
        return not self._ended or bool(fresh)

    def _check_swallowed(self, once: str, end: int) -> None:
        if once and self._text.count(once, self._index, end) > 1:
            raise DamageError("A bracket is missing or too many: this message runs on into the next one.")

    def _check_depth(self, value: object, end: int) -> None:
        """What the parser takes may still be too deep for whoever walks it; few brackets are never deep."""
        brackets = self._text.count("[", self._index, end) + self._text.count("{", self._index, end)
        if brackets > DEPTH_LIMIT and is_deeper(value, DEPTH_LIMIT):
            raise DamageError("Not readable as JSON: nested too deeply.")

    def _check_more_may_help(self, error: Exception) -> None:
        if not isinstance(error, json.JSONDecodeError):
            raise DamageError("Not readable as JSON: nested too deeply or a number too long.") from error
        unterminated = error.msg.startswith("Unterminated string")
        if not unterminated and self._text[error.pos + LONGEST_TOKEN :].strip():
            raise DamageError(f"Not readable as JSON: {error.msg[0].lower()}{error.msg[1:]}.") from error
        if len(self._text) - self._index > VALUE_LIMIT:
            raise DamageError("Not readable as JSON: a value without an end.") from error


def is_deeper(value: object, limit: int) -> bool:
    """Whether lists and objects are nested more than `limit` deep."""
    level = [value]
    for _ in range(limit + 1):
        containers = [item for item in level if isinstance(item, list | dict)]
        if not containers:
            return False
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    return True


def _end_of(pattern: re.Pattern[str], text: str, index: int) -> int:
    found = pattern.match(text, index)
    return found.end() if found else index


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _no_number(_: str) -> None:
    """NaN and Infinity, which the database's JSON does not know."""
