"""What runs in production says the truth: compose, image, metrics and the operators' page fit the code."""

import ast
import asyncio
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml
from aiohttp import web
from prometheus_client.metrics import MetricWrapperBase

from cli.main import app as command_line
from config.embedded.cluster import INITDB_OPTIONS
from config.settings import Settings, load_settings, password_of
from core.platform import metrics
from tests.conftest import CHECKOUT

COMPOSE_TEXT = (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
APPS = {name: service for name, service in OURS.items() if service["restart"] != "no"}
GUIDE = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PROMETHEUS = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((CHECKOUT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((CHECKOUT / "deploy/grafana/dashboards/parley.json").read_text(encoding="utf-8"))

KNOWN_SETTINGS = {name.upper() for name in Settings.model_fields}
INTERPOLATION = re.compile(r"\$\{(?P<name>\w+)(?P<mark>:[?-])?(?P<rest>[^}]*)\}")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|AUTH")
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def interpolate(text: str) -> str:
    """As compose does it, with a plain random-looking value for whatever the person must set."""
    return INTERPOLATION.sub(lambda m: m["rest"] if m["mark"] == ":-" else "4f1c9a7be02d", text)


def exported() -> dict[str, set[str]]:
    """Name of each series of ours → its labels."""
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                for suffix in SUFFIXES[family.type]:
                    bucket = {"le"} if suffix == "_bucket" else set()
                    found[family.name + suffix] = {*metric._labelnames, *bucket}
    return found


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*panels, *(rule["expr"] for rule in RULES)]


def locked(name: str) -> dict[str, str]:
    """Package → version of a lock file."""
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)", text, re.MULTILINE))


# ── compose ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_compose_is_valid() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(check, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_has_every_process() -> None:
    assert set(APPS) == {"bot", "ingest", "worker"}
    assert set(OURS) - set(APPS) == {"migrate", "cli"}


@pytest.mark.parametrize("name", OURS)
def test_a_command_exists(name: str) -> None:
    words = [*OURS[name].get("entrypoint", []), *OURS[name]["command"]]
    if words[0] == "python":
        assert words[1] == "-m"
        assert importlib.util.find_spec(f"{words[2]}.__main__") is not None
    else:
        assert words[0] in PROJECT["project"]["scripts"]
        assert words[1] in command_names() | {"--help"}


def command_names() -> set[str]:
    group = typer.main.get_command(command_line)
    return set(group.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OURS)
def test_the_environment_is_one_that_settings_take(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = OURS[name]["environment"]
    assert environment.keys() <= KNOWN_SETTINGS
    for variable, value in environment.items():
        monkeypatch.setenv(variable, interpolate(value))
    settings = load_settings()
    assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - from another container it must be reachable
    assert settings.database_url is not None
    assert "://parley_app:" in settings.database_url
    assert password_of(settings.redis_url) == "4f1c9a7be02d"


def test_only_migrations_get_the_administrator() -> None:
    admins = {n for n, s in SERVICES.items() if "POSTGRES_ADMIN_PASSWORD" in json.dumps(s.get("environment", {}))}
    assert admins == {"postgres", "migrate"}
    assert "DATABASE_ADMIN_URL" in OURS["migrate"]["environment"]


def test_every_secret_is_required_with_a_sentence() -> None:
    assert not re.search(r"(?<!\$)\$(?![{$])", COMPOSE_TEXT), "a $NAME without braces cannot be required"
    for found in INTERPOLATION.finditer(COMPOSE_TEXT):
        if SECRET.search(found["name"]):
            assert found["mark"] == ":?", f"{found['name']} has a default, or may be missing"
            assert found["rest"].startswith(f"Set {found['name']} in .env to "), found[0]
            assert found["rest"].endswith("."), found[0]


def test_no_secret_is_written_down() -> None:
    written = {
        f"{name}.{variable}"
        for name, service in SERVICES.items()
        for variable, value in service.get("environment", {}).items()
        if (SECRET.search(variable) or password_of(value)) and "${" not in value
    }
    assert not written


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate", "cli"}))
def test_what_stays_up_is_checked_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_little(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "stop_grace_period" in service
    assert "ports" not in service


@pytest.mark.parametrize("name", APPS)
def test_apps_wait_for_the_schema(name: str) -> None:
    waits = {on: condition["condition"] for on, condition in APPS[name]["depends_on"].items()}
    assert waits == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_images_are_pinned_and_ports_stay_on_the_machine() -> None:
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    for image in images:
        name, colon, tag = image.rpartition(":")
        assert (name, colon) != ("", ""), image
        assert tag != "latest", image
    assert {service["image"] for service in OURS.values()} == {f"parley:{PROJECT['project']['version']}"}
    assert all(port.startswith("127.0.0.1:") for s in SERVICES.values() for port in s.get("ports", []))


def test_volumes_and_mounted_files_exist() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {source for source, *_ in mounts if not source.startswith(".")}
    assert named == COMPOSE["volumes"].keys()
    assert [source for source, *_ in mounts if source.startswith(".") and not (CHECKOUT / source).exists()] == []


def test_postgres_is_made_as_the_embedded_one() -> None:
    postgres = SERVICES["postgres"]
    options = set(postgres["environment"]["POSTGRES_INITDB_ARGS"].split())
    assert options == {o for o in INITDB_OPTIONS if "locale" in o or "encoding" in o}
    assert "postgres:/var/lib/postgresql" in postgres["volumes"]


# ── image ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_image_probes_health_as_compose_does() -> None:
    found = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    for service in APPS.values():
        assert ["CMD", *json.loads(found[1])] == service["healthcheck"]["test"]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
async def test_the_probe_tells_health_from_sickness(status: int, healthy: bool) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    served = web.Application()
    served.router.add_get("/healthz", answer)
    runner = web.AppRunner(served)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _, _, option, code = APPS["worker"]["healthcheck"]["test"]
        code = code.replace(":9100/", f":{runner.addresses[0][1]}/")
        quiet = asyncio.subprocess.DEVNULL
        probe = await asyncio.create_subprocess_exec(sys.executable, option, code, stderr=quiet)
        assert (await probe.wait() == 0) is healthy
    finally:
        await runner.cleanup()


def test_the_image_is_built_from_every_package_and_nothing_private() -> None:
    lines = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    packages = {pattern.rstrip("*") for pattern in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    files = {"LICENSE", "README.md", "pyproject.toml"}
    locks = {"requirements.lock", "requirements-prod.lock", "requirements-uv.lock"}
    assert {rule[1:] for rule in rules if rule.startswith("!")} == packages | files | locks


def test_the_image_runs_as_nobody_with_the_production_lock() -> None:
    final = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER \d+:\d+$", final, re.MULTILINE)
    assert "--require-hashes --only-binary :all: -r requirements-prod.lock" in DOCKERFILE


def test_the_production_lock_is_the_tested_one_without_extras() -> None:
    production, tested = locked("requirements-prod.lock"), locked("requirements.lock")
    assert production.items() <= tested.items()
    extras = {re.split(r"[<>=;~ ]", r)[0] for e in PROJECT["project"]["optional-dependencies"].values() for r in e}
    assert extras.isdisjoint(production)
    required = {re.split(r"[<>=;~]", r)[0].lower().replace(".", "-") for r in PROJECT["project"]["dependencies"]}
    assert required <= production.keys()


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("expression", expressions())
def test_every_series_and_label_of_an_expression_exists(expression: str) -> None:
    series = exported() | {"up": set()}
    names = set(re.findall(r"\b(?:parley_\w+|up)\b", expression))
    assert names
    assert names <= series.keys()
    known = {"job"}.union(*(series[name] for name in names))
    grouped = {label.strip() for by in re.findall(r"\bby \(([^)]*)\)", expression) for label in by.split(",")}
    matched = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", expression))
    assert grouped | matched <= known


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported()}
    assert {stem for stem in stems if stem not in shown} == set()


def test_label_values_in_expressions_are_ones_the_code_uses() -> None:
    sources = [CHECKOUT / "worker/app.py", CHECKOUT / "core/platform/runner.py"]
    constants = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    values = {v for e in expressions() for v in re.findall(r"(?:loop|outcome|kind)!?=\"([^\"]+)\"", e)}
    assert values == {"relay", "arq", "dead"}
    assert values <= constants


def test_prometheus_scrapes_every_app() -> None:
    targets = {
        scrape["job_name"]: (discovery["names"], str(discovery["port"]))
        for scrape in PROMETHEUS["scrape_configs"]
        for discovery in scrape["dns_sd_configs"]
    }
    assert targets == {name: ([name], app["environment"]["METRICS_PORT"]) for name, app in APPS.items()}


def test_rules_and_panels_are_distinct_and_complete() -> None:
    alerts = [rule["alert"] for rule in RULES]
    assert len(set(alerts)) == len(alerts)
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in RULES)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_grafana_finds_its_datasource_and_dashboard() -> None:
    provisioning = CHECKOUT / "deploy/grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text(encoding="utf-8"))
    folders = yaml.safe_load((provisioning / "dashboards/parley.yaml").read_text(encoding="utf-8"))
    uids = {source["uid"] for source in sources["datasources"]}
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == uids
    mounted = {mount.split(":")[1] for mount in SERVICES["grafana"]["volumes"]}
    assert {provider["options"]["path"] for provider in folders["providers"]} <= mounted


# ── the operators' page ──────────────────────────────────────────────────────────────────────────────────────────────


def table_names(section: str) -> set[str]:
    body = GUIDE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))


def test_the_guide_lists_every_setting_and_no_other() -> None:
    asked = {found["name"] for found in INTERPOLATION.finditer(COMPOSE_TEXT)}
    assert table_names("Environment") == KNOWN_SETTINGS | asked


def test_the_guide_explains_every_alert_and_no_other() -> None:
    assert table_names("Metrics and alerts") == {rule["alert"] for rule in RULES}


def test_the_guide_names_tables_and_columns_that_exist() -> None:
    schema = "\n".join(path.read_text(encoding="utf-8") for path in sorted((CHECKOUT / "migrations").glob("*.sql")))
    tables = dict(re.findall(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", schema, re.MULTILINE | re.DOTALL))
    body = GUIDE.split("\n## Where customer text lives\n", 1)[1]
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| .+ \|$", body, re.MULTILINE)
    assert rows
    for names, holds in rows:
        named = re.findall(r"`(\w+)`", names)
        columns = {c for name in named for c in re.findall(r"^    (\w+) ", tables[name], re.MULTILINE)}
        assert set(re.findall(r"`(\w+)`", holds)) <= columns, names


def commands_of(text: str) -> Iterator[list[str]]:
    for found in re.findall(r"(?:`parley|--rm(?: --\w+ \S+)* cli) ([a-z][^`\n]*)", text):
        yield found.split()


def test_the_guide_runs_only_commands_that_exist() -> None:
    group: Any = typer.main.get_command(command_line)
    told = list(commands_of(GUIDE))
    assert len(told) > 10
    for words in told:
        command = group.commands.get(words[0])
        assert command is not None, words
        nested = getattr(command, "commands", None)
        assert nested is None or words[1] in nested, words


def test_the_guide_speaks_of_services_that_exist() -> None:
    spoken = re.findall(r"docker compose (?:exec(?: -T)?|restart|logs(?: --since \w+)?|run --rm) ([a-z]+)", GUIDE)
    assert spoken
    assert set(spoken) <= SERVICES.keys()
