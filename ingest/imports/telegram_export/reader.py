"""Finds the chats of an export: one chat, a whole account, or what other tools make of them."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from ingest.imports.telegram_export.chat import HEADER_MEMBER, START, ExportChat
from ingest.imports.telegram_export.header import ChatHeader, is_whole, parse_header
from ingest.imports.telegram_export.scalars import whole
from ingest.imports.telegram_export.skipped import Skipped, SkippedLog
from ingest.imports.telegram_export.stream import CutOffError, DamageError, JsonStream

DEPTH = 6  # an account's chats lie three levels deep
CHAT_LISTS = frozenset({"chats", "left_chats", "list"})
HEADER_KEYS = frozenset({"name", "type", "id"})
STRAY_MESSAGE = re.compile(r'\{\s*"id"\s*:\s*"?-?[0-9]+"?\s*,\s*"type"\s*:\s*"(?:message|service|unsupported)"')
UNNAMED_MESSAGES = re.compile(r'\s*\[\s*\{\s*"id"\s*:')
HEADER_TEXT = re.compile(HEADER_MEMBER, re.DOTALL)


class NotAnExport(Exception):
    """The file holds no chat at all; the message says what to do instead."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This is no Telegram export, because {why}: choose the result.json that Telegram Desktop writes"
            " when a history is exported as machine-readable JSON."
        )


class ExportReader:
    """Reads a seekable file once from start to end, and twice where a chat's header follows its messages.

    `position` is the number of bytes read. `account_id` is the exporting user's, once it was met. `skipped` grows
    while the messages are read. A damaged file gives every whole message that can be told from the damage.
    """

    def __init__(self, file: BinaryIO, *, chunk_size: int = 1 << 20) -> None:
        self.account_id: int | None = None
        self._stream = JsonStream(file, chunk_size)
        self._log = SkippedLog()
        self._header: dict[str, Any] = {}  # what is read so far of the object at the cursor
        self._last: ChatHeader | None = None  # of the last chat that was found

    @property
    def skipped(self) -> list[Skipped]:
        return self._log.entries

    @property
    def position(self) -> int:
        return self._stream.position

    def chats(self) -> Iterator[ExportChat]:
        """Each chat in the file's order; going on drops what was not read of the chat before.

        Raises NotAnExport at the end when there was no chat.
        """
        start = self._stream.mark()
        first_char = self._stream.peek()
        yield from self._walk()
        if self._last is None:
            self._stream.rewind(start)
            yield from self._salvage()
        if self._last is None:
            raise NotAnExport(_why_empty(first_char))

    def _walk(self) -> Iterator[ExportChat]:
        try:
            yield from self._top()
            if self._stream.peek():
                raise DamageError("Something follows after the end of the export.")
        except CutOffError as cut:
            self._log.add_cut(self._where(), str(cut))
        except _OverrunError:
            yield from self._salvage(orphans=True)
        except DamageError as damage:
            self._log.add(self._where(), str(damage))
            yield from self._salvage(orphans=True)

    def _top(self) -> Iterator[ExportChat]:
        if self._stream.peek() == "[" and self._is_list_of_messages():
            yield from self._chat({})
        else:
            yield from self._within()

    def _within(self, depth: int = DEPTH) -> Iterator[ExportChat]:
        """The chats in the value at the cursor, at most `depth` levels below it."""
        char = self._stream.peek() if depth else ""
        if char == "{":
            yield from self._members(depth - 1)
        elif char == "[":
            for _ in self._stream.items():
                if self._stream.match(STRAY_MESSAGE):
                    raise DamageError("A message stands outside of its chat.")
                yield from self._within(depth - 1)
        else:
            self._stream.value()

    def _members(self, depth: int) -> Iterator[ExportChat]:
        header = self._header = {}
        for key in self._stream.members():
            if key in HEADER_KEYS:
                header[key] = self._stream.value()
            elif self._opens_messages(key, header):
                yield from self._chat(header)
            elif key in CHAT_LISTS:
                yield from self._within(depth)
            elif key == "personal_information":
                self._learn_account(self._stream.value())
            else:
                self._stream.skip()
        self._header = {}

    def _chat(self, raw: dict[str, Any]) -> Iterator[ExportChat]:
        """The chat whose list of messages opens at the cursor."""
        first = None if is_whole(raw) else self._complete(raw)
        self._header = {}
        self._last = parse_header(raw, first)
        self._stream.expect("[")
        chat = ExportChat(self._last, self._stream, self._log)
        yield chat
        chat.drain()
        if chat.overrun:
            raise _OverrunError

    def _complete(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        """Add the keys that follow the messages; returns the first message. The cursor stays where it is."""
        mark, log_mark = self._stream.mark(), self._log.mark()
        self._stream.expect("[")
        chat = ExportChat(parse_header(raw, None), self._stream, self._log)
        first = next(chat.messages(), None)
        chat.drain()
        with suppress(DamageError):  # it is met again, and told, when the chat itself is read
            for key in () if chat.overrun else self._stream.more_members():
                if key in HEADER_KEYS:
                    raw.setdefault(key, self._stream.value())
                else:
                    self._stream.skip()
        self._stream.rewind(mark)
        self._log.rewind(log_mark)
        return first

    def _salvage(self, *, orphans: bool = False) -> Iterator[ExportChat]:
        """Past damage to the structure: chats are known by how they begin, messages outside of one are the last's."""
        while (found := self._stream.search(START)) is not None:
            try:
                if found["chat"] is None and orphans:
                    yield from self._orphans()
                elif found["chat"] is None:
                    self._stream.advance(1)
                else:
                    self._stream.advance(found.end() - found.start() - 1)
                    yield from self._chat(_header_in(found["chat"]) or self._header)
            except _OverrunError:
                continue

    def _orphans(self) -> Iterator[ExportChat]:
        first = self._first_message()
        header = parse_header(self._header, first) if self._header or not self._last else self._last
        self._header = {}
        chat = ExportChat(header, self._stream, self._log, sure=False)
        if first is not None:
            self._last = chat.header
            yield chat
        chat.drain()

    def _first_message(self) -> dict[str, Any] | None:
        """The next message, read ahead; the cursor stays where it is."""
        mark, log_mark = self._stream.mark(), self._log.mark()
        ahead = ExportChat(parse_header({}, None), self._stream, self._log, sure=False)
        first = next(ahead.messages(), None)
        self._stream.rewind(mark)
        self._log.rewind(log_mark)
        return first

    def _opens_messages(self, key: str, header: dict[str, Any]) -> bool:
        """Whether a list of messages is at the cursor; one broken letter of its key does not hide it."""
        if key == "messages":
            return self._stream.peek() == "["
        return not header.keys().isdisjoint(("id", "type")) and self._stream.match(UNNAMED_MESSAGES) is not None

    def _is_list_of_messages(self) -> bool:
        mark = self._stream.mark()
        try:
            return self._first_item_is_message()
        except DamageError:
            return True
        finally:
            self._stream.rewind(mark)

    def _first_item_is_message(self) -> bool:
        self._stream.expect("[")
        if not self._stream.next_element("]") or self._stream.peek() != "{":
            return False
        for key in self._stream.members():
            if key == "messages":
                return False
            self._stream.skip()
        return True

    def _learn_account(self, personal: object) -> None:
        if isinstance(personal, dict):
            self.account_id = whole(personal.get("user_id"))

    def _where(self) -> str:
        return f"byte {self._stream.offset()}"


class _OverrunError(Exception):
    """The messages of a damaged chat ended at the start of the next one."""


def _header_in(text: str) -> dict[str, Any]:
    members = "".join(found[0] for found in HEADER_TEXT.finditer(text))
    try:
        parsed: dict[str, Any] = json.loads("{" + members.strip().rstrip(",") + "}", strict=False)
    except ValueError:  # the damage reaches into the header's own strings
        return {}
    return parsed


def _why_empty(first_char: str) -> str:
    if not first_char:
        return "the file is empty"
    return "it holds no chats" if first_char in "{[" else "it is no JSON"
