"""The settings of one process: the only reader of the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.platform.errors import Misconfigured

# Secrets that stand in examples and tutorials: whoever runs with one of them runs with none.
EXAMPLE_SECRETS = frozenset(
    {
        "changeme",
        "change-me",
        "change_me",
        "secret",
        "password",
        "example",
        "postgres",
        "parley",
        "test",
        "123456",
        "admin",
    }
)
EXAMPLE_MARKS = ("changeme", "change-me", "change_me", "<", "your-", "example")


class Settings(BaseSettings):
    """Frozen. Names in the environment are the field names in capitals; empty means not set."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    database_url: str | None = None
    database_admin_url: str | None = None  # a login that may create roles; only migrations use it
    redis_url: str | None = None
    qdrant_url: str | None = None
    parley_home: Path = Path(".parley")
    parley_redis_server: str | None = None
    parley_secret_keys: Annotated[tuple[str, ...], NoDecode] = ()
    bot_token: str | None = None
    telegram_api_url: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_port: int = Field(default=8080, ge=0, le=65535)
    webhook_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    log_level: str = Field(default="INFO", validation_alias=AliasChoices("LOG_LEVEL", "log_level"))
    log_format: str = Field(default="auto", pattern="^(auto|json|text)$")

    @field_validator("parley_secret_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def home(self) -> Path:
        try:
            return self.parley_home.expanduser().absolute()
        except RuntimeError as error:
            raise Misconfigured(f"PARLEY_HOME cannot be used ({error}): give a path without ~.") from error


def load_settings() -> Settings:
    """Raises Misconfigured for a value that cannot be used, or a secret that was copied from an example."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"{name} cannot be used: {reason}. Correct it in the environment.") from error
    refuse_examples(settings)
    return settings


def refuse_examples(settings: Settings) -> None:
    for name, secret in _secrets(settings):
        if secret is not None and is_example(secret):
            raise Misconfigured(f"{name} holds an example secret: put a real one there before starting.")


def is_example(secret: str) -> bool:
    lowered = secret.lower()
    return lowered in EXAMPLE_SECRETS or any(mark in lowered for mark in EXAMPLE_MARKS)


def _secrets(settings: Settings) -> list[tuple[str, str | None]]:
    keys = [("PARLEY_SECRET_KEYS", key) for key in settings.parley_secret_keys]
    urls = [
        ("DATABASE_URL", password_of(settings.database_url)),
        ("DATABASE_ADMIN_URL", password_of(settings.database_admin_url)),
        ("REDIS_URL", password_of(settings.redis_url)),
    ]
    return [*keys, *urls, ("BOT_TOKEN", settings.bot_token), ("WEBHOOK_SECRET", settings.webhook_secret)]


def password_of(url: str | None) -> str | None:
    """The password inside a URL; None where there is none."""
    if url is None or "://" not in url:
        return None
    authority = url.split("://", 1)[1].split("/", 1)[0]
    credentials, at, _ = authority.rpartition("@")
    return credentials.split(":", 1)[1] if at and ":" in credentials else None
