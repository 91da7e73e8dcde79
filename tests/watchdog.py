"""Ends the processes of a test run after it ends, even by SIGKILL: python watchdog.py FOLDER.

Its standard input is a pipe; only the test process holds the other end. When the pipe closes, the
watchdog ends every process that works in the folder or has it in its command line or environment.
Then it removes the folder.
"""

import os
import shutil
import signal
import sys
from contextlib import suppress

import psutil

PATIENCE = 3  # seconds for processes to end after a signal


def belonging_to(folder: str) -> list[psutil.Process]:
    """Return the processes that work with the folder, except this one."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd()]
            words.extend(process.cmdline())
            words.extend(process.environ().values())
        except (psutil.Error, OSError):
            continue  # it has ended, or is another user's
        if process.pid == os.getpid():
            continue
        if any(folder in word for word in words):
            found.append(process)
    return found


def main(folder: str) -> None:
    """Wait until the test process ends; then end its processes and remove its folder."""
    # A SIGTERM to each process of a run must not end this one first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.read()
    # The second SIGKILL is for processes that started during the first.
    for number in (signal.SIGINT, signal.SIGKILL, signal.SIGKILL):
        left = belonging_to(folder)
        for process in left:
            with suppress(psutil.Error):
                process.send_signal(number)
        psutil.wait_procs(left, timeout=PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
