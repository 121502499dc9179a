"""The ledger's adapter to the test's mailbox."""

import os
from datetime import datetime

import aiohttp

from core.delivery.adapter import Capabilities, Echo, FindResult, Limits
from core.delivery.model import Delivery, Found, Outcome, State

UNLIMITED = Limits(1_000_000, 1.0)


class MailAdapter:
    def __init__(self, url: str, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._url = url
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        await self._session.close()

    def owns(self, account: str) -> bool:
        return account.startswith("mail:")

    def is_group(self, destination: str) -> bool:
        return destination.startswith("-")

    async def send(self, delivery: Delivery) -> Outcome:
        message = {"to": delivery.destination, "text": delivery.body.text, "pid": os.getpid()}
        async with self._session.post(f"{self._url}/send", json=message) as answer:
            told = await answer.json()
        if answer.status == 429:
            return Outcome(state=State.QUEUED, retry_after=told["retry_after"])
        return Outcome(state=State.SENT, remote_id=told["remote_id"])

    async def find(self, delivery: Delivery, taken: frozenset[str]) -> FindResult:
        async with self._session.get(f"{self._url}/history", params={"to": delivery.destination}) as answer:
            history = await answer.json()
        for message in history:
            if message["text"] == delivery.body.text and message["remote_id"] not in taken:
                return FindResult(Found.YES, message["remote_id"])
        return FindResult(Found.NO)

    def echo(self, delivery: Delivery, remote_id: str, at: datetime) -> Echo | None:
        return None
