"""Deployment matches the tests: same pins, files that exist, a proxy that logs no tokens."""

import re
import subprocess
import tomllib

import pytest

from tests.servers import ROOT

PACKAGE = re.compile(r"^[\w-]+")
PIN = re.compile(r"^(\S+==\S+(?: ; [^\\]+)?) \\\n((?: +--hash=\S+(?: \\)?\n)+)", re.MULTILINE)


def pins(name: str) -> dict[str, set[str]]:
    """Return each pin of a lock file with its digests."""
    found = {}
    for pin, digests in PIN.findall((ROOT / name).read_text()):
        version = pin.partition(" ;")[0]
        found[version] = set(digests.replace("\\", "").split())
    return found


def test_production_installs_what_was_tested() -> None:
    tested, production = pins("requirements.lock"), pins("deploy/requirements.lock")
    assert len(production) > 30
    assert production.items() <= tested.items()
    only_for_tests = ("pytest", "playwright", "uv==")
    assert not [pin for pin in production if pin.startswith(only_for_tests)]


def test_production_installs_all_that_it_may_be_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [
        project["optional-dependencies"][name] for name in ("postgres", "s3", "redis", "metrics")
    ]
    wanted = {PACKAGE.findall(line)[0] for line in sum(extras, project["dependencies"])}
    pinned = [pin.partition("==")[0] for pin in pins("deploy/requirements.lock")]
    assert wanted <= {name.partition("[")[0] for name in pinned}


def test_the_image_copies_what_is_there_and_nothing_else_reaches_the_build() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    names = {name for line in copied for name in line.split()}
    ignored = (ROOT / ".dockerignore").read_text()
    allowed = re.findall(r"^!(.+)$", ignored, re.MULTILINE)
    assert names == set(allowed)
    assert all((ROOT / name).exists() for name in names)


def test_the_proxy_logs_neither_query_strings_nor_tokens() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    [form] = re.findall(r"log_format leadapp (.+?);", text, re.DOTALL)
    assert not re.search(r"\$(request|request_uri|args|query_string|uri|http_\w+)\b", form)
    assert "proxy_request_buffering on;" in text
    assert "error_log /var/log/nginx/leadapp.error.log crit;" in text


def test_make_hands_a_password_on_as_it_was_typed() -> None:
    told = subprocess.run(
        ["make", "-s", "-o", "install", "create-user", "PASSWORD=Coun$sel4You", "FLASK=cat; :"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "Coun$sel4You"


@pytest.mark.parametrize("verb", ["build", "up", "down", "logs", "restart", "clean"])
def test_the_seeds_docker_targets_are_there(verb: str) -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", f"docker-{verb}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("docker compose ")
