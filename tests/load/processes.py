"""Reads from /proc the processor time, memory and bytes written of a process tree."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """Return the process and all its descendants, the root first."""
    found = [root]
    for pid in found:  # the list grows during the loop
        for task in PROC.glob(f"{pid}/task/*/children"):
            found += map(int, _read(task).split())
    return found


def cpu_seconds(root: int) -> float:
    """Return the user and system time of the tree, including children that have ended."""
    used = 0
    for pid in tree(root):
        if stat := _file(pid, "stat"):
            times = stat.rpartition(")")[2].split()[11:15]
            used += sum(map(int, times))
    return used / TICKS


def proportional(root: int) -> float:
    """Return the PSS of the tree in MB: pages that processes share count only once."""
    size = 0
    for pid in tree(root):
        for line in _file(pid, "smaps_rollup").splitlines():
            words = line.split()
            if words[0] == "Pss:":
                size += int(words[1])
    return size / 1024


def resident(root: int) -> float:
    """Return the RSS of the tree in MB; it is cheap enough to read many times a second."""
    pages = 0
    for pid in tree(root):
        pages += int(_file(pid, "statm").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def written(root: int) -> float:
    """Return the MB that the tree has written to files; data sent over sockets does not count.

    This reads `wchar`, not `write_bytes`: the latter counts each touched folio of the page cache
    in full, which is a megabyte for the 8 KB that PostgreSQL adds to its log.
    """
    count = 0
    for pid in tree(root):
        for line in _file(pid, "io").splitlines():
            words = line.split()
            if words[0] == "wchar:":
                count += int(words[1])
    return count / 2**20


def _file(pid: int, name: str) -> str:
    return _read(PROC / str(pid) / name)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # the process has just ended
