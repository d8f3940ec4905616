"""What compose/ promises, read from its files: no engine is needed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kinetria_cli import __version__
from kinetria_cli.gateways.http.server import GRACE_SECONDS
from kinetria_cli.settings import VARIABLES
from tests.world import CHECKOUT

COMPOSE = CHECKOUT / "compose"
COMPOSE_FILES = sorted(COMPOSE.glob("*.yaml"))
DOCKERFILE = (COMPOSE / "Dockerfile").read_text("utf-8")
DOCKERFILES = [COMPOSE / "Dockerfile", *sorted((CHECKOUT / ".ci").rglob("*Dockerfile"))]
STACK = YAML(typ="safe").load(COMPOSE / "compose.yaml")
DEVELOPMENT = YAML(typ="safe").load(COMPOSE / "compose.dev.yaml")
SERVICES: dict[str, Any] = STACK["services"]
OURS = ("migrate", "app")
ONE_SHOTS = ("secret", "migrate")
DEFAULTS = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (COMPOSE / "compose.yaml").read_text("utf-8")))


def accepted(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_the_file_follows_the_compose_specification(path: Path) -> None:
    accepted(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_linter_finds_nothing(path: Path) -> None:
    accepted(str(Path(sys.executable).with_name("hadolint")), str(path))


def test_there_are_the_four_services_and_the_two_volumes() -> None:
    assert set(SERVICES) == {"secret", "postgres", "migrate", "app"}
    assert set(STACK["volumes"]) == {"postgres_data", "secret"}


def test_every_published_port_is_on_the_loopback_address() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "postgres": ["127.0.0.1:${KINETRIA_DB_PORT:-5432}:5432"],
        "app": ["127.0.0.1:${KINETRIA_HTTP_PORT:-8080}:8080"],
    }
    assert not any("ports" in service for service in DEVELOPMENT["services"].values())


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_in_an_environment_or_a_build_argument(name: str) -> None:
    given = {**SERVICES[name].get("environment", {}), **SERVICES[name].get("build", {}).get("args", {})}
    secret = [key for key in given if re.search("PASSWORD|TOKEN|SECRET", key) and not key.endswith("_FILE")]
    assert secret == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_next_to_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "secret:/run/kinetria:ro" in service["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]


def test_each_service_waits_for_what_it_needs() -> None:
    waits = {
        name: {needed: how["condition"] for needed, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    assert waits == {
        "secret": {},
        "postgres": {"secret": "service_completed_successfully"},
        "migrate": {"postgres": "service_healthy"},
        "app": {"postgres": "service_healthy", "migrate": "service_completed_successfully"},
    }


def test_what_runs_once_is_not_restarted_and_the_rest_is() -> None:
    policies = {name: service["restart"] for name, service in SERVICES.items()}
    assert policies == {name: "no" if name in ONE_SHOTS else "unless-stopped" for name in SERVICES}


def test_the_app_is_given_longer_to_stop_than_it_takes() -> None:
    assert float(SERVICES["app"]["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS


def test_a_token_reaches_the_app_as_a_file_of_the_volume_alone() -> None:
    told = {name: service.get("environment", {}).get("HEALTH_TOKEN_FILE") for name, service in SERVICES.items()}
    assert told == {
        "secret": None,
        "postgres": None,
        "migrate": None,
        "app": "${HEALTH_TOKEN_FILE:+/run/kinetria/health_token}",
    }
    (mounted,) = [volume for volume in SERVICES["secret"]["volumes"] if isinstance(volume, dict)]
    assert mounted["read_only"] is True
    assert mounted["bind"] == {"create_host_path": False}


def test_every_connection_needs_a_password() -> None:
    assert SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"] == "--auth=scram-sha-256"


def test_the_defaults_are_those_of_the_service_itself() -> None:
    own = {variable.name: variable.default for variable in VARIABLES}
    passed = {name: default for name, default in DEFAULTS.items() if name in own and not name.startswith("KINETRIA_")}
    # Compose mounts a file of the host, or nothing; the service is told where the copy is, or not.
    assert passed.pop("HEALTH_TOKEN_FILE") == "/dev/null"
    assert passed == {**{name: own[name] for name in passed}, "ENVIRONMENT": "production"}
    assert {"APP_NAME", "REQUEST_TIMEOUT", "DB_POOL_MIN_SIZE", "DB_POOL_MAX_SIZE", "HEALTH_INTERVAL"} <= set(passed)


def test_versions_are_pinned_and_the_same_in_both_files() -> None:
    assert f"ARG PYTHON_IMAGE={DEFAULTS['KINETRIA_PYTHON_IMAGE']}\n" in DOCKERFILE
    assert f"ARG VERSION={DEFAULTS['KINETRIA_VERSION']}\n" in DOCKERFILE
    assert DEFAULTS["KINETRIA_VERSION"] == __version__
    for name, default in DEFAULTS.items():
        if name.endswith("_IMAGE"):
            tag = default.partition(":")[2]
            assert tag, f"{name} has no tag"
            assert tag != "latest"


def test_only_its_arguments_decide_which_images_a_build_pulls() -> None:
    assert "syntax=" not in DOCKERFILE
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(stages) == DOCKERFILE.count("\nFROM ")
    assert {base for base, _ in stages} <= {"${PYTHON_IMAGE}", *(stage for _, stage in stages)}
    assert stages[-1] == ("runtime", "release")


def test_the_image_stops_by_signal_and_says_how_it_is() -> None:
    assert '\nENTRYPOINT ["kinetria"]\n' in DOCKERFILE
    assert "\nHEALTHCHECK " in DOCKERFILE
    assert "org.opencontainers.image.version=" in DOCKERFILE


def test_the_engine_is_sent_what_the_image_is_made_of_and_no_more() -> None:
    rules = (CHECKOUT / ".dockerignore").read_text("utf-8").splitlines()
    assert rules[1] == "**"
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {name for copy in copies for name in copy.split()}


def test_in_development_the_source_is_mounted_read_only_into_an_image_of_its_own() -> None:
    app = DEVELOPMENT["services"]["app"]
    assert app["build"]["target"] == "dev"
    assert app["image"] != SERVICES["app"]["image"]
    assert app["volumes"] == ["../kinetria_cli:/source/kinetria_cli:ro", "../migrations:/source/migrations:ro"]
    assert DEVELOPMENT["services"]["migrate"]["image"] == app["image"]
