"""A mail server that accepts and counts e-mails.

It runs in a process of its own, so that its work counts neither for a rival nor for the clients.
"""

import asyncio
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType

from tests.servers.ports import HOST, free_port, listens

QUICK, SLOW = 0.001, 0.1  # seconds until an e-mail is accepted
GREETING = b"250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 33554432\r\n"
END = b"\r\n.\r\n"


class Sink:
    """Starts at once. After the last byte of an e-mail it waits for `delay`, then accepts it."""

    def __init__(self) -> None:
        self.port = free_port()
        context = get_context("spawn")
        self._count = context.Value("i", 0)
        self._delay = context.Value("d", QUICK)
        self._process = context.Process(
            target=_serve, args=(self.port, self._count, self._delay), daemon=True
        )
        self._process.start()
        while not listens(self.port):
            time.sleep(0.05)

    def __enter__(self) -> "Sink":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def count(self) -> int:
        """The number of e-mails accepted so far."""
        return self._count.value

    def answer_after(self, delay: float) -> None:
        """Set the seconds until an e-mail is accepted."""
        self._delay.value = delay

    def wait_for(self, count: int, seconds: float = 300) -> float:
        """Wait until `count` e-mails were accepted since the start; return the time of the last."""
        end = time.monotonic() + seconds
        while self.count < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.count} of {count} e-mails after {seconds} s")
            time.sleep(0.002)
        return time.monotonic()

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a rival that sends its e-mails here."""
        return {
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self.port),
            "SMTP_FROM_EMAIL": "intake@example.com",
            "ATTORNEY_EMAIL": "attorney@example.com",
        }


class _Conversation(asyncio.Protocol):
    """One connection of a client that sends its commands one by one."""

    def __init__(self, count: "Synchronized[int]", delay: "Synchronized[float]") -> None:
        self._count, self._delay = count, delay
        self._received = b""
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(b"220 localhost\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._in_message:
            if self._received.endswith(END):
                self._received = b""
                self._in_message = False
                asyncio.get_running_loop().call_later(self._delay.value, self._accept)
        elif self._received.endswith(b"\r\n"):
            command = self._received[:4].upper()
            self._received = b""
            self._answer(command)

    def _answer(self, command: bytes) -> None:
        if command == b"EHLO":
            self._transport.write(GREETING)
        elif command == b"DATA":
            self._in_message = True
            self._transport.write(b"354 go on\r\n")
        elif command == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 2.0.0 Ok\r\n")

    def _accept(self) -> None:
        with self._count.get_lock():
            self._count.value += 1
        self._transport.write(b"250 2.0.0 Accepted\r\n")


def _serve(port: int, count: "Synchronized[int]", delay: "Synchronized[float]") -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Conversation(count, delay), HOST, port)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(main())
