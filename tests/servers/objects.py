"""A real S3 server for the tests: SeaweedFS, with all its parts in one process."""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from itertools import count
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests import RUN
from tests.servers.ports import HOST, free_port

BUCKET, ACCESS_KEY, SECRET_KEY = "resumes", "leadapp", "a secret of the tests"
PARTS = ("master", "volume", "filer", "admin", "s3")


class ObjectStore:
    """Starts at once; `freeze` leaves every call waiting.

    `stop` and `start` keep the ports and all stored objects.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="s3", dir=RUN))
        self._numbers = count(1)
        ports: set[int] = set()
        while len(ports) < 2 * len(PARTS):
            ports.add(free_port())
        ours = iter(ports)
        self._ports = {
            f"{part}.{kind}": next(ours) for part in PARTS for kind in ("port", "port.grpc")
        }
        self.endpoint = f"http://{HOST}:{self._ports['s3.port']}"
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        accounts = {
            "identities": [{"name": "leadapp", "credentials": credentials, "actions": ["Admin"]}]
        }
        (self._folder / "accounts.json").write_text(json.dumps(accounts))
        self.start()

    def new_place(self) -> dict[str, str]:
        """Return the settings of an empty, unused folder of the bucket."""
        return {
            "STORAGE_URL": (
                f"s3://{BUCKET}/app{next(self._numbers)}?endpoint={self.endpoint}&region=us-east-1"
            ),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def start(self, timeout: float = 30) -> None:
        """Start, and return when the server accepts objects."""
        with (self._folder / "log").open("ab") as log:
            program = str(Path(sysconfig.get_path("scripts"), "weed"))
            command = [program, f"-logdir={self._folder}", "mini", *self._options()]
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        end = time.monotonic() + timeout
        while not self._takes_objects():
            assert time.monotonic() < end, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the server at once; objects that it has confirmed stay on disk."""
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def freeze(self) -> None:
        """Suspend the server; `thaw` it before it is stopped."""
        self._process.send_signal(signal.SIGSTOP)
        # The kernel stops the process some time after the call. Until then it still answers.
        os.waitpid(self._process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Resume the server."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder)

    def _options(self) -> list[str]:
        said: dict[str, object] = {
            "dir": self._folder,
            "ip": HOST,
            "ip.bind": HOST,
            "s3.config": self._folder / "accounts.json",
            "filer.localSocket": self._folder / "filer",
            "s3.localSocket": self._folder / "s3",
            "master.telemetry": "false",
            "webdav": "false",
            "admin.ui": "false",
            "s3.iam": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "volume.max": 0,
            # Without its old state it need not wait up to 15 s for an election after a kill.
            "master.resumeState": "false",
        }
        said.update(self._ports)
        return [f"-{name}={value}" for name, value in said.items()]

    def _takes_objects(self) -> bool:
        bucket = S3Store(
            BUCKET,
            endpoint=self.endpoint,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            client_options={"allow_http": True, "timeout": "2s"},
            retry_config={"max_retries": 0},
        )
        try:
            obstore.put(bucket, "started", b"it makes the bucket too")
        except BaseError:
            return False
        return True
