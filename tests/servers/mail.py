"""A real SMTP server that keeps the messages it receives and can simulate faults."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from email.parser import BytesParser
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.ports import HOST, free_port
from tests.servers.received import Received


class _Connection(SMTP):
    """Closes when its peer has gone; aiosmtpd alone keeps the half-open connection."""

    received = 0  # messages

    def hang_up(self) -> None:
        cast(asyncio.Transport, self.transport).close()

    def eof_received(self) -> bool:
        super().eof_received()
        return False


class MailServer:
    """Starts at once; `stop` and `start` keep the port, so that a client finds the same server.

    Attributes that a test may set at any time:

    - `refused`: these addresses get a 550.
    - `answer`: replaces the reply to DATA (for example "451 4.3.0 Later").
    - `replies`: replaces the reply to EHLO, HELO, AUTH (which ends the connection), MAIL, RCPT or
      RSET.
    - `accounts` (name -> password): requires AUTH by one of `methods`; any other login gets a 535.
    - `delay`: seconds before DATA is answered.
    - `per_connection`: after so many messages, the next MAIL gets a 421 and the connection ends.
    - `hangs_up`: then, the connection ends at once instead, without a 421.
    - `clients`: connections above this number get a 421 to EHLO.
    - `lost_answers`: so many messages are kept, but the connection ends before DATA is answered.

    `names` keeps the names that clients sent in their greeting, one for each connection, and
    `commands` counts the others: MAIL, RCPT, RSET and DATA. `most_at_once` is the highest number of
    messages that were being received at the same time. `starttls` offers encryption after
    the greeting; `tls` encrypts from the start.
    """

    host = HOST

    def __init__(
        self, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = free_port()
        self.starttls, self.tls = starttls, tls
        self.messages: list[Received] = []
        self.tried: list[str] = []
        self._news = threading.Condition()
        self._open: set[SMTP] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # aiosmtpd finds the handlers by these names.
        self.handle_EHLO = self._greeting
        self.handle_HELO = self._old_greeting
        self.handle_AUTH = self._sign_in
        self.handle_RSET = self._start_over
        self.handle_MAIL = self._sender
        self.handle_RCPT = self._recipient
        self.handle_DATA = self._content
        self.reset()
        self.start()

    def reset(self) -> None:
        """Delete the received messages and stop simulating faults."""
        with self._news:
            self.messages.clear()
            self.tried.clear()
        self.names: list[str] = []
        self.commands: Counter[str] = Counter()
        self.per_connection: int | None = None
        self.hangs_up = False
        self.clients: int | None = None
        self.lost_answers = 0
        self.at_once = self.most_at_once = 0
        self.replies: dict[str, str] = {}
        self.methods = {"LOGIN", "PLAIN"}
        self.refused: set[str] = set()
        self.answer: str | None = None
        self.accounts: dict[str, str] | None = None
        self.delay = 0.0

    def start(self) -> None:
        """Start listening, unless it already does."""
        self._run(self._start())

    def stop(self) -> None:
        """Stop listening and cut every connection, like a server that crashed."""
        self._run(self._stop())

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wait_for(self, count: int, timeout: float = 10) -> list[Received]:
        """Return the messages, as soon as there are at least `count`."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.messages) >= count, timeout):
                subjects = [
                    (letter.recipients, letter.message["Subject"]) for letter in self.messages
                ]
                raise AssertionError(
                    f"{len(subjects)} of {count} messages after {timeout} s: {subjects}"
                )
            return list(self.messages)

    def wait_for_one_to(self, address: str, count: int) -> Received:
        """Wait for `count` messages, and return the first that has only this recipient."""
        for letter in self.wait_for(count):
            if letter.recipients == [address]:
                return letter
        raise AssertionError(f"none of {count} messages is for {address} alone")

    def wait_for_try(self, count: int = 1, timeout: float = 10) -> list[str]:
        """Return the addresses of all attempts, accepted or not, as soon as there are `count`."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.tried) >= count, timeout):
                raise AssertionError(
                    f"{len(self.tried)} of {count} tries after {timeout} s: {self.tried}"
                )
            return list(self.tried)

    def to(self, address: str) -> list[Received]:
        """Return the messages for one address, oldest first."""
        with self._news:
            return [letter for letter in self.messages if address in letter.recipients]

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(self._meet, HOST, self.port, ssl=self.tls)

    async def _stop(self) -> None:
        if self._server is not None:
            for listener in self._server.sockets:
                self._loop.remove_reader(listener.fileno())
            # Accept the pending connections first, or they would stay open.
            await asyncio.sleep(0.05)
            self._server.close()
            self._server = None
        for connection in self._open:
            if connection.transport is not None:
                cast(asyncio.Transport, connection.transport).abort()
        self._open.clear()
        talks = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def _meet(self) -> SMTP:
        connection = _Connection(
            self,
            loop=self._loop,
            hostname="localhost",
            enable_SMTPUTF8=True,
            tls_context=self.starttls,
            authenticator=self._check,
            auth_require_tls=self.accounts is None,
            auth_exclude_mechanism={"LOGIN", "PLAIN"} - self.methods,
        )
        self._open.add(connection)
        return connection

    def _check(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        known = self.accounts or {}
        fits = (
            isinstance(given, LoginPassword)
            and known.get(given.login.decode()) == given.password.decode()
        )
        return AuthResult(success=fits, handled=False)

    async def _greeting(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, offers: list[str]
    ) -> list[str]:
        self.names.append(name)
        session.host_name = name
        if "EHLO" in self.replies:
            return [self.replies["EHLO"]]
        if self.clients is not None and self.connected() > self.clients:
            return ["421 4.7.0 Too many connections"]
        return offers

    async def _old_greeting(
        self, server: SMTP, session: Session, envelope: Envelope, name: str
    ) -> str:
        session.host_name = name
        return self.replies.get("HELO", "250 localhost")

    async def _sign_in(
        self, server: SMTP, session: Session, envelope: Envelope, words: list[str]
    ) -> object:
        self.commands["AUTH"] += 1
        if "AUTH" not in self.replies:
            return MISSING
        await server.push(self.replies["AUTH"])
        cast(asyncio.Transport, server.transport).close()
        return None

    def connected(self) -> int:
        transports = [cast(asyncio.Transport, one.transport) for one in self._open]
        return sum(bool(transport) and not transport.is_closing() for transport in transports)

    async def _start_over(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.commands["RSET"] += 1
        return self.replies.get("RSET", "250 OK")

    async def _sender(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands["MAIL"] += 1
        connection = cast(_Connection, server)
        if connection.received == self.per_connection:
            await connection.push("421 4.7.0 Too many messages on this connection")
            connection.hang_up()
        if self.accounts is not None and not session.authenticated:
            return "530 5.7.0 Sign in first"
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def _recipient(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands["RCPT"] += 1
        with self._news:
            self.tried.append(address)
            self._news.notify_all()
        if address in self.refused:
            return "550 5.1.1 Nobody of this name here"
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def _content(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.commands["DATA"] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay)
        self.at_once -= 1
        if self.answer is not None:
            return self.answer
        self._keep(envelope)
        connection = cast(_Connection, server)
        connection.received += 1
        if self.lost_answers:
            self.lost_answers -= 1
            connection.hang_up()
        if self.hangs_up and connection.received == self.per_connection:
            await connection.push("250 OK")
            connection.hang_up()
        return "250 OK"

    def _keep(self, envelope: Envelope) -> None:
        raw = cast(bytes, envelope.original_content)
        message = BytesParser(policy=default).parsebytes(raw.replace(b"\r\n", b"\n"))
        sender, recipients = str(envelope.mail_from), list(envelope.rcpt_tos)
        with self._news:
            received = Received(sender, recipients, raw, message, time.monotonic())
            self.messages.append(received)
            self._news.notify_all()
