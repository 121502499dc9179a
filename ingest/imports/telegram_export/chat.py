"""One chat of an export: its header and a stream of its messages that survives damage."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any, TypeGuard

from ingest.imports.telegram_export.header import ChatHeader
from ingest.imports.telegram_export.skipped import SkippedLog
from ingest.imports.telegram_export.stream import CutOffError, DamageError, JsonStream

HEADER_MEMBER = r'"(?:name|type|id)"\s*:\s*(?:"(?:[^"\\]|\\.){0,512}"|null|-?[0-9]{1,19})\s*,\s*'
START = re.compile(
    rf'(?P<chat>(?:\{{\s*)?(?:{HEADER_MEMBER}){{0,6}}"messages"\s*:\s*\[)|(?P<message>\{{\s*"id"\s*:)', re.DOTALL
)
NEXT_CHAT = re.compile(r'\{\s*(?:"name"\s*:|"type"\s*:\s*"(?:saved_messages|replies|verification_codes)")')
AFTER_MESSAGES = re.compile(r'\s*(?:\}|,\s*"|\Z)')
MESSAGE_ID = re.compile(r'\{\s*"id"\s*:\s*"?(-?[0-9]+)"?\s*[,}]')
ONCE = '"date_unixtime"'  # only at a message's own level, and never inside a string, where quotes are escaped
MESSAGE_TYPES = ("message", "service", "unsupported")


class ExportChat:
    """A chat whose messages are read while they are asked for; the stream stands inside its list of messages.

    Unless `sure`, what the stream stands at may only look like a message, as an object inside a broken one does.
    """

    def __init__(self, header: ChatHeader, stream: JsonStream, log: SkippedLog, *, sure: bool = True) -> None:
        self.header = header
        self.overrun = False  # damage hid the chat's end: the stream stands at the next chat
        self._stream = stream
        self._log = log
        self._sure = sure
        self._iterator = self._read()

    def messages(self) -> Iterator[dict[str, Any]]:
        """The raw messages in the file's order, mended: no NUL, no lone surrogate. One pass; later calls go on."""
        return self._iterator

    def drain(self) -> None:
        deque(self._iterator, maxlen=0)

    def _read(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                if not self._stream.next_element("]"):
                    if self._stream.match(AFTER_MESSAGES):
                        return
                    self._log.add(self._where(), "A bracket closes the list of messages too early.")
                    continue
                if self._at_next_chat():
                    return
                raw = self._message()
            except CutOffError as cut:
                self._log.add_cut(self._where(), str(cut))
                self._stream.exhaust()
                return
            except DamageError as damage:
                self._log.add(self._where(), str(damage))
                if not self._resync(skip=1):
                    return
                continue
            if self._accept(raw):
                yield raw
            elif not self._sure and not self._resync(skip=0):
                return

    def _message(self) -> object:
        if self._stream.peek() == "[":
            raise DamageError("A bracket opens where a message must begin.")
        return self._stream.value(once=ONCE)

    def _accept(self, raw: object) -> TypeGuard[dict[str, Any]]:
        if isinstance(raw, dict) and "messages" not in raw and (self._sure or looks_like_message(raw)):
            self._sure = True
            return True
        if self._sure:
            self._log.add(self._where(), "The element before this place is no message.")
        return False

    def _at_next_chat(self) -> bool:
        if self._stream.match(NEXT_CHAT):
            self._log.add(self._where(), f"The bracket that closes the messages of {self.header.title} is missing.")
            self.overrun = True
        return self.overrun

    def _resync(self, *, skip: int) -> bool:
        """Move to the next message; False when the next chat or the end of the file comes first."""
        self._sure = False
        found = self._stream.search(START, skip=skip)
        if found is None:
            self._log.explain_end()
        self.overrun = found is not None and found["chat"] is not None
        return found is not None and not self.overrun

    def _where(self) -> str:
        found = self._stream.match(MESSAGE_ID)
        if found:
            return f"chat {self.header.title}, message {found[1]}"
        return f"byte {self._stream.offset()}"


def looks_like_message(raw: dict[str, Any]) -> bool:
    return raw.get("type") in MESSAGE_TYPES or "date" in raw or "date_unixtime" in raw
