"""Processes that end with the test that started them."""

import subprocess
from types import TracebackType


class Process(subprocess.Popen[bytes]):
    """A process in `with`: waited for at the end of the block, killed if the block fails."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A test that failed before it stopped the process would wait for it without end.
        if error is not None:
            self.kill()
        super().__exit__(kind, error, traceback)
