"""getFile; the bytes are served beside the methods, by the path that it tells."""

from aiogram.methods import GetFile

from tests.fakes.telegram.call import Call
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.uploads import MEGABYTE
from tests.fakes.telegram.views import Json

MAX_DOWNLOAD = 20 * MEGABYTE


def get_file(call: Call, method: GetFile) -> Json:
    content = call.world.files.get(method.file_id)
    if content is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(content) > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    unique = f"u-{method.file_id}"
    path = f"files/{method.file_id}"
    return {"file_id": method.file_id, "file_unique_id": unique, "file_size": len(content), "file_path": path}
