"""Delivers the e-mails of the queue, several at the same time."""

import math
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import NamedTuple

from flask import Flask, current_app
from flask_mail import Message
from sqlalchemy.exc import DBAPIError

from ..clock import now
from ..extensions import db
from ..log import logger
from ..models.letters import Letter
from . import messages, queue
from .connections import Connections
from .queue import Outcome
from .replies import NotSent

IDLE_SECONDS = 1.0
KEEP_SECONDS = 5  # an unused connection is closed after this time
CLAIMED_AT_ONCE = 20
# If each reply of the mail server takes the whole of smtp.TIMEOUT, an attempt takes three minutes.
ATTEMPT_MAX = timedelta(minutes=4)
# The deliverer opens as many connections as it needs to send this many e-mails.
PER_SECOND = 150
# With two connections, one sends while the outcome of the other is stored. Postfix accepts 50
# connections from one client.
FEWEST, MOST = 2, 40


class Attempt(NamedTuple):
    """An attempt that has ended."""

    letter: Letter
    failure: NotSent | None
    seconds: float


class Deliverer:
    """Delivers due e-mails; close it at the end.

    This thread reads and writes the database and composes the e-mails. Other threads send them.
    """

    def __init__(self) -> None:
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._connections = Connections()
        self._threads = ThreadPoolExecutor(MOST)
        self._waiting: deque[Letter] = deque()  # claimed and not begun
        self._in_flight = 0
        self._ended: SimpleQueue[Attempt] = SimpleQueue()
        self._outcomes: list[Outcome] = []  # not stored yet
        self._limit = FEWEST  # of e-mails in flight
        self._most = MOST  # that the server accepts
        self._next_claim = 0.0

    def close(self) -> None:
        """Wait until the attempts in flight have ended, and close the connections."""
        self._threads.shutdown()
        self._connections.close_unused(seconds=0)

    def deliver_until(self, stopped: threading.Event, seconds: float = math.inf) -> None:
        """Deliver due e-mails, checking every second, until `stopped` is set or `seconds` pass."""
        end = time.monotonic() + seconds
        while not stopped.is_set() and time.monotonic() < end:
            try:
                self.deliver_due(stopped)
            except Exception as error:  # for example, the database is down: try again
                logger.error("e-mails cannot be delivered now: %s", type(error).__name__)
            finally:
                db.session.remove()
            if not self._in_flight:  # otherwise, a thread may take a connection at this moment
                self._connections.close_unused(KEEP_SECONDS)
            stopped.wait(IDLE_SECONDS)

    def deliver_due(self, stopped: threading.Event) -> None:
        """Deliver e-mails until none is due or `stopped` is set; finish the attempts in flight."""
        self._most = MOST
        self._next_claim = 0.0
        # While the database was away, attempts ended and leases expired. Store those outcomes
        # first, because a claim would take the same e-mails again.
        if self._in_flight:
            self._wait_for_attempts()
        self._store()
        while True:
            if stopped.is_set():
                self._release()
            else:
                self._claim()
            self._begin()
            if not self._in_flight:
                break
            self._wait_for_attempts()
            self._store()
        self._store()

    def _claim(self) -> None:
        """Claim e-mails if all earlier ones have begun and a connection is free."""
        busy = self._waiting or self._in_flight >= self._limit
        if busy or time.monotonic() < self._next_claim:
            return
        claimed = queue.claim(CLAIMED_AT_ONCE)
        self._waiting.extend(claimed)
        self._most = min(MOST, self._most + 1)  # the server may accept more connections by now
        if len(claimed) < CLAIMED_AT_ONCE:
            self._next_claim = time.monotonic() + IDLE_SECONDS

    def _release(self) -> None:
        """End the claims of the e-mails that have not begun."""
        waiting = list(self._waiting)
        self._waiting.clear()
        queue.release(waiting)

    def _begin(self) -> None:
        """Begin as many attempts as there are free connections."""
        while self._waiting and self._in_flight < self._limit:
            letter = self._waiting.popleft()
            lease_end = letter.next_at
            if lease_end is None or lease_end - now() < ATTEMPT_MAX:
                # The claim could end during the attempt.
                queue.release([letter])
            else:
                self._compose(letter)

    def _compose(self, letter: Letter) -> None:
        """Compose an e-mail and pass it to a thread."""
        try:
            message = messages.compose(letter)
        except Exception as error:  # one broken e-mail must not stop the others
            # The error's message may quote text from a form, so the log gets only its type.
            logger.error("e-mail %s cannot be composed: %s", letter.id, type(error).__name__)
            db.session.rollback()
            final = not isinstance(error, DBAPIError)  # the database may be available again later
            reason = f"{type(error).__name__} while composing the e-mail"
            self._outcomes.append(Outcome(letter, NotSent(reason, final)))
            return
        if message is None:
            self._outcomes.append(Outcome(letter, failure=None))
            return
        self._in_flight += 1
        self._threads.submit(self._send, letter, message)

    def _send(self, letter: Letter, message: Message) -> None:
        """Send an e-mail, in a thread."""
        failure = None
        start = time.monotonic()
        try:
            with self._app.app_context():
                self._connections.send(message)
        except NotSent as error:
            failure = error
        except Exception as error:  # otherwise, the deliverer would wait for this attempt forever
            failure = NotSent(f"{type(error).__name__} while sending the e-mail")
        self._ended.put(Attempt(letter, failure, time.monotonic() - start))

    def _wait_for_attempts(self) -> None:
        """Wait until at least one attempt has ended, or IDLE_SECONDS have passed.

        Then collect the outcomes, and adapt the number of connections.
        """
        try:
            ended = [self._ended.get(timeout=IDLE_SECONDS)]
        except Empty:
            return
        while not self._ended.empty():
            ended.append(self._ended.get())
        self._in_flight -= len(ended)
        for attempt in ended:
            if attempt.failure and attempt.failure.crowded and self._in_flight:
                # Try it again over one of the other connections, and open no more than those.
                self._most = self._in_flight
                self._waiting.appendleft(attempt.letter)
            else:
                self._outcomes.append(Outcome(attempt.letter, attempt.failure))
            self._limit = self._needed(attempt)

    def _needed(self, attempt: Attempt) -> int:
        """Return how many e-mails must be in flight to send PER_SECOND if each takes this long."""
        needed = FEWEST
        if attempt.failure is None:
            needed = max(FEWEST, math.ceil(PER_SECOND * attempt.seconds))
        return min(needed, self._most)

    def _store(self) -> None:
        """Store the outcomes in one commit; if that fails, they stay for the next call."""
        if self._outcomes:
            queue.close(self._outcomes)
            self._outcomes = []
