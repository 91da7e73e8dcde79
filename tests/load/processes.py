"""What a tree of processes has used, read from /proc: processor time, memory, bytes written to disk."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """The process and all that descend from it, the root first."""
    found = [root]
    for pid in found:  # grows while it is walked
        for task in PROC.glob(f"{pid}/task/*/children"):
            found += map(int, _read(task).split())
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, with that of children who have ended."""
    used = 0
    for pid in tree(root):
        if stat := _read(PROC / str(pid) / "stat"):
            used += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return used / TICKS


def memory(pid: int) -> tuple[float, float]:
    """RSS and PSS of one process, in MB; shared pages count whole in the first, by their share in the second."""
    lines = (line.split() for line in _read(PROC / str(pid) / "smaps_rollup").splitlines())
    sizes = {parts[0]: int(parts[1]) / 1024 for parts in lines if parts[0] in ("Rss:", "Pss:")}
    return sizes.get("Rss:", 0.0), sizes.get("Pss:", 0.0)


def resident(root: int) -> float:
    """RSS of the tree in MB; a cheap reading, fit to be taken many times a second."""
    pages = sum(int(_read(PROC / str(pid) / "statm").split()[1]) for pid in tree(root))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def written(root: int) -> float:
    """Bytes that the tree has written to files, in MB; what goes over sockets is sent, not written.

    Not `write_bytes`: it counts each folio of the page cache whole that is touched, a megabyte for the 8 KB that
    PostgreSQL adds to its log.
    """
    lines = [
        line.split() for pid in tree(root) for line in _read(PROC / str(pid) / "io").splitlines()
    ]
    return sum(int(parts[1]) for parts in lines if parts[0] == "wchar:") / 2**20


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has just ended
