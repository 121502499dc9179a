"""One call over HTTP with whatever fault strikes it: reads, acts, answers, notes the truth in the journal."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiogram.methods import GetUpdates
from aiohttp import web

from tests.fakes.telegram.api import BotApi
from tests.fakes.telegram.chats import Bot
from tests.fakes.telegram.errors import Refused, not_found, too_many
from tests.fakes.telegram.faults import Fault, FaultKind, Faults
from tests.fakes.telegram.journal import Entry, Journal
from tests.fakes.telegram.parameters import METHODS, AnyMethod, Given, read

SILENT = (FaultKind.LOSE_ACK, FaultKind.ACT_LATE, FaultKind.CUT, FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER)
IDLE = (FaultKind.ACT_LATE, FaultKind.CUT, FaultKind.KILL_BEFORE, FaultKind.TOO_MANY, FaultKind.HTTP_5XX)
PROXY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


class Exchange:
    """`after_act` is told of the bot after each act, so that its webhook can be looked after."""

    def __init__(self, api: BotApi, faults: Faults, journal: Journal, after_act: Callable[[Bot], None]) -> None:
        self._api = api
        self._faults = faults
        self._journal = journal
        self._after_act = after_act

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            bot = self._api.bot(request.match_info["token"])
            kind = METHODS.get(request.match_info["method"].lower())
            if kind is None:
                raise not_found()
            given = await read(request)
        except Refused as refusal:
            return _refusal(refusal)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(Refused(413, "Request Entity Too Large"))
        fault = self._faults.pick(kind.__api_method__, given.values)
        if kind is GetUpdates:
            return await self._polled(request, bot, kind, given, fault)
        return await self._called(request, bot, kind, given, fault)

    def act(self, bot: Bot, kind: type[AnyMethod], given: Given, entry: Entry) -> dict[str, Any]:
        """Performs the call and notes what came of it; the answer's JSON."""
        try:
            result = self._api.perform(bot, kind, given)
        except Refused as refusal:
            entry.refused(refusal)
            return refusal.body()
        entry.done(result)
        self._after_act(bot)
        return {"ok": True, "result": result}

    def note(self, bot: Bot, kind: type[AnyMethod], given: Given) -> Entry:
        uploads = {name: {"filename": file.filename, "size": len(file.data)} for name, file in given.uploads.items()}
        return self._journal.open(bot.id, kind.__api_method__, {**given.values, **uploads})

    async def _called(
        self, request: web.Request, bot: Bot, kind: type[AnyMethod], given: Given, fault: Fault | None
    ) -> web.StreamResponse:
        entry = self.note(bot, kind, given)
        if fault is None:
            return await _acknowledged(request, _json(self.act(bot, kind, given, entry)), entry)
        entry.fault = fault.kind.value
        if fault.kind is FaultKind.KILL_BEFORE:
            _kill(fault)
        if fault.kind is FaultKind.ACT_LATE:
            _hold(fault, lambda: self.act(bot, kind, given, entry))
        if fault.kind not in IDLE:
            self.act(bot, kind, given, entry)
        if fault.kind is FaultKind.KILL_AFTER:
            _kill(fault)
        if fault.kind in SILENT:
            return _cut(request)
        return await _acknowledged(request, _faulty(fault, entry), entry)

    async def _polled(
        self, request: web.Request, bot: Bot, kind: type[AnyMethod], given: Given, fault: Fault | None
    ) -> web.StreamResponse:
        if fault and fault.kind in IDLE:
            return _cut(request) if fault.kind in SILENT else _faulty(fault, None)
        try:
            updates = await self._api.poll(bot, kind, given)
        except Refused as refusal:
            return _refusal(refusal)
        return _cut(request) if fault else _json({"ok": True, "result": updates})


async def _acknowledged(request: web.Request, response: web.Response, entry: Entry) -> web.StreamResponse:
    """Written here, not after returning, so that the journal knows whether the answer left."""
    await response.prepare(request)
    await response.write_eof()
    entry.acknowledged = True
    return response


def _faulty(fault: Fault, entry: Entry | None) -> web.Response:
    if fault.kind is FaultKind.TOO_MANY:
        refusal = too_many(fault.retry_after)
        if entry:
            entry.refused(refusal)
        return _refusal(refusal)
    reason = "502 Bad Gateway" if fault.status == 502 else f"{fault.status} Internal Server Error"
    return web.Response(status=fault.status, text=PROXY_PAGE.format(reason), content_type="text/html")


def _hold(fault: Fault, act: Callable[[], object]) -> None:
    if fault.delay is None:
        fault.held.append(act)
    else:
        asyncio.get_running_loop().call_later(fault.delay, act)


def _kill(fault: Fault) -> None:
    if fault.kill:
        fault.kill()


def _cut(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _refusal(refusal: Refused) -> web.Response:
    return _json(refusal.body())


def _json(body: dict[str, Any]) -> web.Response:
    return web.json_response(body, status=body.get("error_code", 200))
