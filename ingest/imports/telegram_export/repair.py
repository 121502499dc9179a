"""Bytes of an export become text that a JSON parser and a database accept.

Telegram Desktop writes control characters as \\xNN, which is not JSON, and U+2028 as an escape followed by
two bytes of the character itself, which is not UTF-8. PostgreSQL takes neither U+0000 nor half a surrogate pair.
"""

import codecs
import re

STRAY = re.compile(rb"(\\u202[89])\x80[\xa8\xa9]")
SUSPECTS = ("\\x", "\\u0000", "\\ud", "\\uD")
ESCAPE = re.compile(
    r"\\(?:\\"
    r"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|(?P<nul>u0000|x00)"
    r"|x(?P<code>[0-9a-fA-F]{2}))"
)
# No character, escape or pair of escapes contains one of these bytes: a cut after them cuts nothing in two.
SEPARATORS = (b"\n", b" ", b",")
LONGEST_PIECE = 64


class RepairingDecoder:
    """Decodes UTF-8 piece by piece; the text is the same however the bytes were cut into pieces.

    Stray bytes after \\u2028 and \\u2029 are dropped, other bytes that are no UTF-8 become U+FFFD, \\xNN becomes
    \\u00NN, NUL is dropped, a lone surrogate escape becomes \\ufffd. Clean text costs a few substring searches.
    """

    def __init__(self) -> None:
        self.pending = b""
        self.started = False

    def feed(self, data: bytes, *, final: bool) -> str:
        """Decode what is whole of the bytes so far, all of them when `final`."""
        data = self.pending + data
        cut = len(data) if final else safe_cut(data)
        text, rest = decode_utf8(data[:cut], final=final)
        self.pending = rest + data[cut:]
        return mend_escapes(self._without_bom(text))

    def _without_bom(self, text: str) -> str:
        if self.started or not text:
            return text
        self.started = True
        return text.removeprefix("\ufeff")


def safe_cut(data: bytes) -> int:
    last = max(data.rfind(separator) for separator in SEPARATORS)
    return last + 1 if last >= 0 else max(0, len(data) - LONGEST_PIECE)


def decode_utf8(data: bytes, *, final: bool) -> tuple[str, bytes]:
    """The text and the bytes of a character cut in two at the end."""
    try:
        text, used = codecs.utf_8_decode(data, "strict", final)
    except UnicodeDecodeError:
        data = STRAY.sub(rb"\1", data)
        text, used = codecs.utf_8_decode(data, "replace", final)
    return text, data[used:]


def mend_escapes(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    if any(suspect in text for suspect in SUSPECTS):
        text = ESCAPE.sub(_mended, text)
    return text


def _mended(escape: re.Match[str]) -> str:
    if escape["lone"]:
        return "\\ufffd"
    if escape["nul"]:
        return ""
    return f"\\u00{escape['code']}" if escape["code"] else escape[0]
