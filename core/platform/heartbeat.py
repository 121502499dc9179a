"""Which processes are alive, told in Redis: a key of each that lapses when its process no longer writes it."""

from redis.asyncio import Redis

from core.platform.ids import Holder

ALIVE_SECONDS = 20
PREFIX = "parley:process:"


async def beat(redis: "Redis", app: str, holder: Holder) -> None:
    await redis.set(f"{PREFIX}{app}:{holder}", "1", ex=ALIVE_SECONDS)


async def list_alive(redis: "Redis") -> list[str]:
    """Names of apps that beat lately, one for each process."""
    return sorted([key.decode().removeprefix(PREFIX).split(":", 1)[0] async for key in redis.scan_iter(f"{PREFIX}*")])
