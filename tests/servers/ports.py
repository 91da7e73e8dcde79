"""Ports that stay reserved while a server is down.

The kernel assigns no ephemeral port below 32768.
"""

import os
import random
import socket

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20000, 31999
# Each test process that runs in parallel has its own ports, and uses none of them twice.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_PORTS = list(range(LOWEST + _WORKER, HIGHEST + 1, _WORKERS))
random.shuffle(_PORTS)


def free_port() -> int:
    """Return a TCP port with no listener, which no other caller in this run gets."""
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
    """Return whether a server accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
