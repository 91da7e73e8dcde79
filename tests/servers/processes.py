"""Processes that end with the test that started them."""

import subprocess
from types import TracebackType


class Process(subprocess.Popen[bytes]):
    """A process for a `with` block, which waits for it at the end and kills it on failure."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # If a test failed before it stopped the process, waiting for it would never end.
        if error is not None:
            self.kill()
        super().__exit__(kind, error, traceback)
