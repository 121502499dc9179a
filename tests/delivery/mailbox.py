"""A service that takes messages, over HTTP, in a process of its own: it loses acknowledgements and kills its callers.

`python -m tests.delivery.mailbox PORT_FILE`; it writes its port there. POST /send acts (or not) by its switches and
writes each act down; GET /history is what the service would tell its users; GET /journal is the truth.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from aiohttp import web


class Mailbox:
    def __init__(self) -> None:
        self.journal: list[dict[str, Any]] = []
        self.lose = 0.0  # share of acknowledgements that do not get out
        self.kill = 0.0  # share of requests whose caller is killed, before or after acting
        self.flood = 0  # every n-th request is refused with 429
        self.requests = 0
        self.dice = random.Random(11)

    async def send(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        self.requests += 1
        if self.flood and self.requests % self.flood == 0:
            return web.json_response({"retry_after": self.dice.uniform(0.02, 0.2)}, status=429)
        fate = self.dice.random()
        if fate < self.kill / 2:
            self._kill(message["pid"])
            return self._cut(request)
        remote_id = str(len(self.journal) + 1)
        entry = {"remote_id": remote_id, "to": message["to"], "text": message["text"], "acknowledged": False}
        self.journal.append(entry)
        if fate < self.kill:
            self._kill(message["pid"])
            return self._cut(request)
        if self.dice.random() < self.lose:
            return self._cut(request)
        entry["acknowledged"] = True
        return web.json_response({"remote_id": remote_id})

    async def history(self, request: web.Request) -> web.Response:
        to = request.query["to"]
        return web.json_response(
            [{"remote_id": e["remote_id"], "text": e["text"]} for e in self.journal if e["to"] == to]
        )

    async def truth(self, _: web.Request) -> web.Response:
        return web.json_response(self.journal)

    async def switch(self, request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            setattr(self, name, value)
        return web.json_response(True)

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    @staticmethod
    def _kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def main(port_file: Path) -> None:
    mailbox = Mailbox()
    app = web.Application()
    app.router.add_post("/send", mailbox.send)
    app.router.add_get("/history", mailbox.history)
    app.router.add_get("/journal", mailbox.truth)
    app.router.add_post("/switch", mailbox.switch)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    draft = port_file.with_suffix(".draft")
    draft.write_text(str(runner.addresses[0][1]))
    draft.rename(port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
