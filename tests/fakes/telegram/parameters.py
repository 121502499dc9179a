"""The parameters of a call: read from any form that Telegram takes, checked against the installed aiogram's models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_origin

from aiogram import methods
from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tests.fakes.telegram.errors import bad_request

AnyMethod = TelegramMethod[Any]
ATTACHED = "attach://"
MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "file_id": "file_id not specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
}
METHODS: Mapping[str, type[AnyMethod]] = {
    kind.__api_method__.lower(): kind
    for kind in vars(methods).values()
    if isinstance(kind, type) and issubclass(kind, TelegramMethod) and kind is not TelegramMethod
}


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a call; `uploads` by the name of their part."""

    values: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, BufferedInputFile] = field(default_factory=dict)


async def read(request: web.Request) -> Given:
    """The query string, and beside it a form (multipart or urlencoded) or a JSON object. Raises Refused."""
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        values |= _object(await request.text())
        return Given(values)
    uploads: dict[str, BufferedInputFile] = {}
    for name, part in (await request.post()).items():
        if isinstance(part, web.FileField):
            with part.file as content:
                uploads[name] = BufferedInputFile(content.read(), part.filename)
        else:
            values[name] = part.decode() if isinstance(part, bytes | bytearray) else part
    return Given(values, uploads)


def validated(kind: type[AnyMethod], given: Given) -> AnyMethod:
    """The call as aiogram's model of it; raises Refused for whatever the model does not take."""
    unknown = set(given.values) - set(kind.model_fields)
    if unknown:
        raise bad_request(f"unknown parameters {sorted(unknown)}")
    # A part named like the parameter is its file; other parts are what `attach://` points to.
    values = {**given.values, **{name: f"{ATTACHED}{name}" for name in given.uploads if name in kind.model_fields}}
    values = {name: _decoded(kind, name, value) for name, value in values.items()}
    values = {name: _with_files(value, given.uploads) for name, value in values.items()}
    try:
        return kind.model_validate({**_without_defaults(kind), **values})
    except ValidationError as error:
        raise bad_request(_first_reason(error)) from error


def plain(value: Any) -> Any:
    """None where aiogram's model holds a default of the bot, which never travels."""
    return None if isinstance(value, Default) else value


def _without_defaults(kind: type[AnyMethod]) -> dict[str, None]:
    return {name: None for name, info in kind.model_fields.items() if isinstance(info.default, Default)}


def _object(text: str) -> dict[str, Any]:
    try:
        decoded = json.loads(text or "{}")
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise bad_request("can't parse JSON object")
    return decoded


def _decoded(kind: type[AnyMethod], name: str, value: Any) -> Any:
    """Objects and arrays come as JSON text, except in a JSON body."""
    if not isinstance(value, str) or not _is_structured(kind, name):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None


@cache
def _is_structured(kind: type[AnyMethod], name: str) -> bool:
    info: FieldInfo = kind.model_fields[name]
    return _holds_structure(info.annotation)


def _holds_structure(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return issubclass(annotation, BaseModel) and not issubclass(annotation, InputFile)
    return get_origin(annotation) is list or any(_holds_structure(part) for part in get_args(annotation))


def _with_files(value: Any, uploads: Mapping[str, BufferedInputFile]) -> Any:
    if isinstance(value, dict):
        return {key: _with_files(inner, uploads) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_files(inner, uploads) for inner in value]
    if isinstance(value, str) and value.startswith(ATTACHED):
        return uploads.get(value.removeprefix(ATTACHED), value)
    return value


def _first_reason(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return MISSING.get(name, f"parameter {name} is required")
    where = ".".join(str(part) for part in first["loc"])
    return f"can't parse {where}: {first['msg']}"
