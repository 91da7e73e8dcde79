"""Ports that stay ours while a server is down: the kernel hands out no socket of its own below 32768."""

import random
import socket

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20000, 31999


def free_port() -> int:
    """A TCP port on which nothing listens now."""
    for port in random.sample(range(LOWEST, HIGHEST + 1), 200):
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
