"""A server program of Debian, which runs in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.ports import listens

# Debian installs servers there, and few users have it in their PATH.
PATH = f"{os.environ['PATH']}:/usr/sbin"


class Program:
    """Runs from `start` to `close`."""

    def __init__(self, name: str) -> None:
        found = shutil.which(name, path=PATH)
        assert found, f"The tests need {name}: apt-get install {name}"
        self._path = found
        self.folder = Path(tempfile.mkdtemp(prefix=name))

    def start(self, port: int, *arguments: str) -> None:
        """Start, and return when it accepts connections."""
        log = self.folder / "log"
        with log.open("ab") as file:
            command = [self._path, *arguments]
            self._process = subprocess.Popen(command, stdout=file, stderr=file)
        while not listens(port):
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.02)

    def close(self) -> None:
        """Stop, and remove the folder."""
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.folder)
