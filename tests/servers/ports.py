"""Ports that stay ours while a server is down: the kernel hands out no socket of its own below 32768."""

import os
import random
import socket

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20000, 31999
# Of several processes that test at once each has ports of its own, and gives none of them out twice.
_WORKER, _WORKERS = (
    os.environ.get("PYTEST_XDIST_WORKER", "gw0"),
    os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"),
)
_PORTS = list(range(LOWEST + int(_WORKER.removeprefix("gw")), HIGHEST + 1, int(_WORKERS)))
random.shuffle(_PORTS)


def free_port() -> int:
    """A TCP port on which nothing listens now, and that nobody else in this run is given."""
    while _PORTS:
        port = _PORTS.pop()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port between {LOWEST} and {HIGHEST}")


def listens(port: int) -> bool:
    """Whether somebody takes connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
