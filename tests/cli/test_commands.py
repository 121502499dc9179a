"""The contracts of the command line: one object on stdout, one sentence on stderr, the right exit code."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from config.sample import GROUP, MARKETPLACE
from tests.cli.conftest import Cli
from tests.databases import Copy
from tests.ingest.imports.telegram_export import exports
from tests.ingest.imports.telegram_export.exports import NOON, message

CHAT = "1900000001"


def test_import_tells_what_it_did(cli: Cli) -> None:
    ended = cli("import", str(GROUP), "--json")
    assert ended.code == 0
    assert set(ended.json) == {"chats", "messages", "inserted", "updated", "unchanged", "skipped", "seconds"}
    assert ended.json["inserted"] == ended.json["messages"] > 400
    again = cli("import", str(GROUP), "--json")
    assert (again.json["inserted"], again.json["unchanged"]) == (0, ended.json["messages"])


def test_import_takes_marketplace_records(cli: Cli, tmp_path: Path) -> None:
    assert cli("import", str(MARKETPLACE), "--json").json["inserted"] == 64
    assert cli("import", str(MARKETPLACE), "--json").json["unchanged"] == 64
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b'{"channel": "review"}\nnonsense\n' + MARKETPLACE.read_bytes().splitlines()[0])
    ended = cli("import", str(broken), "--json")
    assert ended.json["messages"] == 1
    assert [item["where"] for item in ended.json["skipped"]] == ["line 1", "line 2"]


def test_digest_has_the_keys_of_its_contract_and_only_messages_that_exist(cli: Cli) -> None:
    cli("import", str(GROUP))
    made = cli("digest", "--chat", CHAT, "--window", "72h", "--format", "json").json
    assert set(made) == {
        "status", "reason", "chat", "digest_id", "window", "mode", "stats", "topics", "open_questions", "decisions",
        "participants", "baseline_delta", "quality", "html", "provider",
    }  # fmt: skip
    assert (made["status"], made["provider"], made["mode"]) == ("ready", "local", "large")
    assert made["digest_id"]
    known = {raw["id"] for raw in json.loads(GROUP.read_bytes())["messages"]}
    claims = [*made["topics"], *made["decisions"], *made["open_questions"]]
    assert claims
    assert all(claim["message_ids"] and known.issuperset(claim["message_ids"]) for claim in claims)


@pytest.mark.parametrize("name", ["-1001900000001", CHAT, "tg:-1001900000001", "Лампы и люди · мастерская"])
def test_a_chat_is_found_by_its_ids_and_its_title(cli: Cli, name: str) -> None:
    cli("import", str(GROUP))
    assert cli("digest", "--chat", name, "--json").json["status"] == "ready"


def test_digest_text_and_html(cli: Cli) -> None:
    cli("import", str(GROUP))
    assert "https://t.me/c/1900000001/" in cli("digest", "--chat", CHAT).out
    assert "<b>" in cli("digest", "--chat", CHAT, "--format", "html").out


def test_since_last_goes_on_where_the_last_one_ended(cli: Cli) -> None:
    cli("import", str(GROUP))
    first = cli("digest", "--chat", CHAT, "--window", "24h", "--json").json
    ended = cli("digest", "--chat", CHAT, "--since-last", "--json")
    assert ended.code == 0
    assert ended.json == {"status": "skipped", "reason": "empty_window"}
    assert first["window"]["end"]


def test_a_window_with_nothing_to_say_is_skipped(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(exports.dump(exports.chat([message(1, "одно"), message(2, "два", at=NOON + 1)])))
    cli("import", str(path))
    ended = cli("digest", "--chat", "1234567890", "--json")
    assert (ended.code, ended.json) == (0, {"status": "skipped", "reason": "too_few_messages"})


def test_threads_need_no_server(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    [chat] = cli("threads", str(GROUP)).json["chats"]
    assert chat["chat_id"] == 1900000001
    linked = [number for number, _ in chat["links"]]
    assert sorted(linked) == sorted(number for thread in chat["threads"] for number in thread)
    assert len(set(linked)) == len(linked)


def test_team_and_projects(cli: Cli) -> None:
    assert cli("project", "add", "shop", "--json").json["slug"] == "shop"
    assert cli("team", "add", "Анна", "--role", "operator", "--project", "shop").code == 0
    assert [p["slug"] for p in cli("project", "list", "--json").json["projects"]] == ["main", "shop"]
    assert cli("team", "list", "--json").json["members"][0]["roles"] == {"shop": "operator"}


def test_status_doctor_and_rebuild(cli: Cli) -> None:
    cli("import", str(GROUP))
    status = cli("status", "--json").json
    assert status["channels"]["group"][1] > 400
    assert status["servers"] == {"postgres": "ok", "redis": "ok"}
    assert status["events"]["unpublished"] == 1
    assert cli("rebuild", "--json").json == {"events": 0, "jobs": 0, "conversations": 0}
    doctor = cli("doctor", "--json")
    states = {check["name"]: check["state"] for check in doctor.json["checks"]}
    assert doctor.code == 0
    assert {states.pop(name) for name in ("disk", "secrets")} <= {"ok", "warning"}  # a small disk, keys not set
    assert set(states.values()) == {"ok"}


def test_doctor_finds_what_is_broken(cli: Cli, copy: Copy) -> None:
    asyncio.run(_unforce(copy))
    ended = cli("doctor", "--json")
    assert ended.code == 1
    broken = [check for check in ended.json["checks"] if check["state"] == "failed"]
    assert [check["name"] for check in broken] == ["isolation"]
    assert "interactions_chat" in broken[0]["text"]


async def _unforce(copy: Copy) -> None:
    db = await asyncpg.connect(copy.admin_dsn)
    await db.execute("ALTER TABLE parts.interactions_chat NO FORCE ROW LEVEL SECURITY")
    await db.close()


def test_policies_change_at_run_time(cli: Cli) -> None:
    assert cli("policy", "set", "digest", "min_messages=3", "--json").json["min_messages"] == 3
    assert cli("policy", "list", "--json").json["digest"]["min_messages"] == 3
    assert "window_hours" in cli("policy", "set", "digest", "window_hours=5").err


def test_jobs_pause_and_resume(cli: Cli) -> None:
    cli("jobs", "pause", "digest.window")
    assert cli("jobs", "list", "--json").json["paused"] == ["digest.window"]
    cli("jobs", "resume", "digest.window")
    assert cli("jobs", "list", "--json").json["paused"] == []
    assert cli("dlq", "list", "--json").json == {"dead_letters": []}
    assert cli("dlq", "retry", "7").code == 1


WRONG = [
    (("digest", "--chat", "nowhere"), 1, "There is no chat"),
    (("digest", "--chat", CHAT, "--window", "yesterday"), 2, "no length of time"),
    (("digest", "--chat", CHAT, "--window", "0h"), 2, "no length of time"),
    (("digest", "--chat", CHAT, "--end", "soon"), 2, "no ISO time"),
    (("digest", "--chat", CHAT, "--as", "king"), 2, "no role"),
    (("digest", "--chat", CHAT, "--window", "1h", "--since-last"), 2, "not both"),
    (("import", "/nonexistent/result.json"), 2, "There is no file"),
    (("import", "/tmp"), 2, "is a folder"),  # noqa: S108
    (("import", str(GROUP), "--timezone", "Mars"), 2, "no time zone"),
    (("import", str(GROUP), "--project", "none"), 1, "There is no project"),
    (("status", "--tenant", "none"), 1, "There is no tenant"),
    (("policy", "set", "digest", "nonsense"), 2, "no change"),
    (("policy", "set", "nonsense", "a=1"), 1, "There is no policy"),
    (("project", "add", "Bad Name"), 2, "short name"),
]


@pytest.mark.parametrize(("args", "code", "text"), WRONG, ids=[" ".join(w[0])[:40] for w in WRONG])
def test_wrong_use_is_one_sentence(cli: Cli, args: tuple[str, ...], code: int, text: str) -> None:
    ended = cli(*args)
    assert ended.code == code
    assert ended.out == ""
    assert text in ended.err
    assert ended.err.startswith("parley: ")
    assert ended.err.count("\n") == 1


SERVERS = [
    ("DATABASE_URL", "postgresql://x:topsecret@127.0.0.1:1/x", 1, "DATABASE_URL"),
    ("DATABASE_URL", "nonsense", 1, "DATABASE_URL"),
    ("REDIS_URL", "nonsense", 2, "REDIS_URL"),
    ("METRICS_PORT", "many", 2, "METRICS_PORT"),
    ("LOG_LEVEL", "LOUD", 2, "LOG_LEVEL"),
    ("BOT_TOKEN", "changeme", 2, "example secret"),
]


@pytest.mark.parametrize(("name", "value", "code", "text"), SERVERS)
def test_wrong_settings_are_one_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: int, text: str
) -> None:
    monkeypatch.setenv(name, value)
    if name == "DATABASE_URL":
        monkeypatch.delenv("DATABASE_ADMIN_URL")
    ended = cli("status")
    assert (ended.code, ended.out) == (code, "")
    assert text in ended.err
    assert "topsecret" not in ended.err
    assert ended.err.count("\n") == 1


def test_status_works_while_redis_is_away(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    ended = cli("status", "--json")
    assert ended.code == 0
    assert ended.json["servers"] == {"postgres": "ok", "redis": "ConnectionError"}


def test_usage_errors_exit_with_two(cli: Cli) -> None:
    assert cli("digest").code == 2
    assert cli("nonsense").code == 2
    assert cli("--help").code == 0
