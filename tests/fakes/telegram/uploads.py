"""Files in calls: uploaded ones are checked and stored, known ones are found by their file_id."""

from aiogram.types import BufferedInputFile, InputFile

from tests.fakes.telegram.call import Call, unimplemented
from tests.fakes.telegram.errors import Refused, bad_request
from tests.fakes.telegram.messages import Media
from tests.fakes.telegram.views import media_type

MEGABYTE = 1 << 20
MAX_UPLOAD = 50 * MEGABYTE
MAX_PHOTO = 10 * MEGABYTE
IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


def media_of(call: Call, kind: str, given: str | InputFile) -> Media:
    """The file to send as `kind`; an upload is stored. Raises Refused."""
    if isinstance(given, BufferedInputFile):
        _check(kind, given.data)
        name = given.filename or kind
        return call.world.store(kind, name, "image/jpeg" if kind == "photo" else media_type(name), given.data)
    return _known(call, kind, str(given))


def _check(kind: str, content: bytes) -> None:
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > MAX_UPLOAD:
        raise Refused(413, "Request Entity Too Large")
    if kind == "photo":
        if len(content) > MAX_PHOTO:
            raise bad_request(f"file is too big for a photo; the maximum size is {MAX_PHOTO} bytes")
        if not content.startswith(IMAGES):
            raise bad_request("IMAGE_PROCESS_FAILED")


def _known(call: Call, kind: str, file_id: str) -> Media:
    if file_id.startswith(("http://", "https://")):
        raise unimplemented("sending files by URL")
    for chat in call.world.chats.values():
        for message in chat.messages.values():
            if message.media and message.media.file_id == file_id:
                return _same_kind(kind, message.media)
    raise bad_request("wrong file identifier/HTTP URL specified")


def _same_kind(kind: str, media: Media) -> Media:
    if media.kind != kind:
        raise bad_request(f"can't use file of type {media.kind.title()} as {kind.title()}")
    return media
