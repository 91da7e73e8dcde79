"""The image, compose.yaml and the proxy example contain the settings production relies on."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from leadapp.config import load
from tests.servers import ROOT
from tests.servers.ports import HOST

OURS = ("migrate", "api", "deliverer")


def dockerfile() -> str:
    """The last stage of the Dockerfile, one instruction per line."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return text.rpartition("\nFROM ")[2]


def instruction(name: str) -> str:
    [found] = re.findall(rf"^{name} (.+)$", dockerfile(), re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return dict(compose["services"])


class Answering(HTTPServer):
    """Answers every request with `status` and records the paths in `asked`."""

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.asked: list[str] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def answering() -> Iterator[Answering]:
    """A running server."""
    server = Answering()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_image_runs_as_a_user_without_rights() -> None:
    name = instruction("USER")
    [number] = re.findall(rf"useradd --uid (\d+) .*{name}", dockerfile())
    assert int(number) >= 10000
    assert dockerfile().index("\nUSER ") < dockerfile().index("\nCMD ")
    assert f"install --directory --owner={name} --group={name} --mode=0700 /data" in dockerfile()


def test_the_image_serves_with_gunicorn_on_all_addresses() -> None:
    assert json.loads(instruction("CMD")) == ["gunicorn", "wsgi:app"]
    environment = instruction("ENV").split()
    assert {"HOST=0.0.0.0", "PORT=8000", "INSTANCE_PATH=/data"} <= set(environment)
    assert instruction("EXPOSE") == "8000"


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_of_the_image_asks_for_health(
    answering: Answering, status: int, healthy: bool
) -> None:
    answering.status = status
    words = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert words[0] == "python"
    words[0] = sys.executable
    environment = dict(os.environ)
    environment["PORT"] = str(answering.server_port)
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) == healthy
    assert answering.asked == ["/health"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_can_do_little(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # of the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"user", "privileged", "cap_add", "network_mode"} & service.keys()
    assert service["environment"]["ENVIRONMENT"] == "production"


def test_each_container_has_one_duty(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["flask", "db", "upgrade"]
    assert services["deliverer"]["command"] == ["flask", "mail", "deliver"]
    assert "command" not in services["api"], "the image's own"
    assert services["api"]["environment"]["DELIVERY"] == "external"
    assert "restart" not in services["migrate"]


def test_containers_start_in_order(services: dict[str, Any]) -> None:
    after = {name: services[name]["depends_on"] for name in OURS}
    assert after["migrate"] == {"db": {"condition": "service_healthy"}}
    migrated = {"migrate": {"condition": "service_completed_successfully"}}
    assert after["api"] == migrated
    assert after["deliverer"] == migrated


def test_the_database_is_the_one_that_leadapp_asks_for(services: dict[str, Any]) -> None:
    database = services["db"]["environment"]
    url = services["api"]["environment"]["DATABASE_URL"]
    assert database["POSTGRES_USER"] == "leaduser"
    assert database["POSTGRES_DB"] == "leaddb"
    assert url.startswith("postgresql://leaduser:${POSTGRES_PASSWORD")
    assert url.endswith("@db/leaddb")
    assert "ports" not in services["db"], "nothing outside reaches it"


def test_only_this_machine_reaches_the_web_workers(services: dict[str, Any]) -> None:
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]


def proxy(directive: str) -> list[str]:
    text = (ROOT / "deploy/nginx.conf").read_text()
    return re.findall(rf"^\s*{directive}\s+(.+?);", text, re.MULTILINE)


def test_the_proxy_sets_each_header_that_leadapp_believes() -> None:
    headers = dict(value.split(None, 1) for value in proxy("proxy_set_header"))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["X-Forwarded-Host"] == headers["Host"] == "$host"


def test_the_proxy_takes_all_that_leadapp_takes() -> None:
    [size] = proxy("client_max_body_size")
    settings = load({})
    assert int(size.removesuffix("m")) * 2**20 > 5 * settings.MAX_FILE_SIZE


def test_the_proxy_keeps_the_figures_for_prometheus() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert re.search(r"location = /metrics \{\s*return 404;", text)
