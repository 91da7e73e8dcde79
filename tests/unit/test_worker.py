"""The signals of gunicorn's worker."""

import signal
from types import SimpleNamespace

import pytest

from leadapp.http.worker import Worker


class Locked:
    """Threads of a worker whose lock is held, as while a request is queued."""

    def shutdown(self, wait: bool = True) -> None:
        raise AssertionError("this would wait forever")


def test_a_signal_to_quit_takes_no_lock_and_counts_once() -> None:
    worker = Worker.__new__(Worker)
    worker.tpool = Locked()
    worker.cfg = SimpleNamespace(worker_int=lambda worker: None)
    with pytest.raises(SystemExit):
        worker.handle_quit(signal.SIGINT, None)
    worker.handle_quit(signal.SIGQUIT, None)
    assert not worker.alive
