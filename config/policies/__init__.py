"""Defaults of the settings that change at run time: one YAML file and one frozen model each."""

from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from config.texts import load_texts
from core.digests.service import DigestOptions


class DigestPolicy(BaseModel):
    model_config = ConfigDict(frozen=True)

    window_hours: int = Field(json_schema_extra={"enum": [4, 6, 12, 24]})
    min_messages: int = Field(ge=1, le=1000)
    max_messages: int = Field(ge=1, le=100_000)
    time_zone: str

    @field_validator("window_hours")
    @classmethod
    def _allowed(cls, value: int) -> int:
        if value not in (4, 6, 12, 24):
            raise ValueError("must be 4, 6, 12 or 24")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("must be a time zone such as Europe/Moscow") from error
        return value


class RetentionPolicy(BaseModel):
    model_config = ConfigDict(frozen=True)

    outbox_days: int = Field(ge=1)
    jobs_days: int = Field(ge=1)
    deleted_text_days: int = Field(ge=0)


def digest_options(policy: DigestPolicy) -> DigestOptions:
    return DigestOptions(load_texts, ZoneInfo(policy.time_zone), policy.min_messages, policy.max_messages)


MODELS: dict[str, type[BaseModel]] = {"digest": DigestPolicy, "retention": RetentionPolicy}


def load_defaults() -> dict[str, BaseModel]:
    """Name → default value, read from the files beside this one."""
    return {name: model.model_validate(_read(name)) for name, model in MODELS.items()}


def _read(name: str) -> object:
    return yaml.safe_load(resources.files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
