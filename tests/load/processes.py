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
        if stat := _read(PROC / str(pid) / "stat"):
            used += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return used / TICKS


def memory(pid: int) -> tuple[float, float]:
    """Return the RSS and PSS of one process, in MB.

    RSS counts shared pages in full; PSS divides them among the processes that share them.
    """
    lines = (line.split() for line in _read(PROC / str(pid) / "smaps_rollup").splitlines())
    sizes = {parts[0]: int(parts[1]) / 1024 for parts in lines if parts[0] in ("Rss:", "Pss:")}
    return sizes.get("Rss:", 0.0), sizes.get("Pss:", 0.0)


def resident(root: int) -> float:
    """Return the RSS of the tree in MB; it is cheap enough to read many times a second."""
    pages = sum(int(_read(PROC / str(pid) / "statm").split()[1]) for pid in tree(root))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def written(root: int) -> float:
    """Return the MB that the tree has written to files; data sent over sockets does not count.

    This reads `wchar`, not `write_bytes`: the latter counts each touched folio of the page cache
    in full, which is a megabyte for the 8 KB that PostgreSQL adds to its log.
    """
    lines = [
        line.split() for pid in tree(root) for line in _read(PROC / str(pid) / "io").splitlines()
    ]
    return sum(int(parts[1]) for parts in lines if parts[0] == "wchar:") / 2**20


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # the process has just ended
