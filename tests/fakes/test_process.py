"""The fake as a process of its own, which outlives whoever calls it."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

TOKEN = "42:desk"
SCENERY = {
    "bots": [{"username": "desk_bot", "token": TOKEN}],
    "people": [{"name": "Anna", "language": "ru", "starts": ["desk_bot"]}, {"name": "Boris"}],
    "supergroups": [{"title": "Sales", "creator": "Boris", "members": ["Anna"], "admins": ["desk_bot"]}],
    "limits": False,
}
CALLER = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1])
"""


class Server:
    def __init__(self, http: ClientSession, url: str) -> None:
        self._http = http
        self.url = url

    async def get(self, path: str) -> Any:
        async with self._http.get(self.url + path) as response:
            return await response.json()

    async def post(self, path: str, **body: Any) -> Any:
        async with self._http.post(self.url + path, json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    def calling(self, method: str) -> str:
        return f"{self.url}/bot{TOKEN}/{method}"


@pytest.fixture
async def server(http: ClientSession, tmp_path: Path) -> AsyncIterator[Server]:
    port, world = tmp_path / "port", tmp_path / "world.json"
    world.write_text(json.dumps(SCENERY), encoding="utf-8")
    command = [sys.executable, "-m", "tests.fakes.telegram.server", "--port-file", str(port), "--world", str(world)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        async with asyncio.timeout(30):
            while not port.exists():
                assert process.poll() is None, "the server ended"
                await asyncio.sleep(0.01)
        yield Server(http, f"http://127.0.0.1:{port.read_text(encoding='utf-8')}")
        process.terminate()


async def test_a_process_of_its_own(server: Server) -> None:
    started = await server.post(f"/bot{TOKEN}/getUpdates")
    assert [update["message"]["text"] for update in started["result"] if "text" in update.get("message", {})] == [
        "/start"
    ]

    keyboard = {"inline_keyboard": [[{"text": "ok", "callback_data": "1"}]]}
    await server.post(f"/bot{TOKEN}/sendMessage", chat_id=1001, text="Hello", reply_markup=keyboard)
    assert (await server.post("/__people/Anna/waits", text="Hello"))["buttons"] == ["ok"]

    press = asyncio.create_task(server.post("/__people/Anna/presses", button="ok"))
    asked = await server.post(f"/bot{TOKEN}/getUpdates", offset=started["result"][-1]["update_id"] + 1, timeout=5)
    query = asked["result"][0]["callback_query"]["id"]
    await server.post(f"/bot{TOKEN}/answerCallbackQuery", callback_query_id=query, text="thanks")
    assert await press == {"text": "thanks", "alert": False}

    await server.post("/__people/Boris/opens", place="Sales")
    await server.post("/__people/Boris/types", text="in the group")
    assert (await server.get("/__messages?person=Boris"))[-1]["text"] == "in the group"

    # A caller is killed between the act and its acknowledgement: the journal knows.
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as caller:
        await server.post("/__faults", kind="kill_caller", kill=caller.pid, method="sendMessage", acts=True)
        url = server.calling("sendMessage") + "?chat_id=1001&text=unheard"
        lost = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", CALLER, url], capture_output=True)
        assert lost.returncode != 0
        assert await asyncio.to_thread(caller.wait, 5) == -signal.SIGKILL
    entry = (await server.get("/__journal"))[-1]
    assert (entry["acted"], entry["acknowledged"], len(entry["message_ids"])) == (True, False, 1)

    await server.post("/__faults", kind="act_late", method="sendMessage")
    lost = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", CALLER, url], capture_output=True)
    assert lost.returncode != 0
    assert await server.post("/__faults/act") == {"acted": 1}
