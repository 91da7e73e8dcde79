"""Compound files (OLE2, Microsoft's MS-CFB): old Word documents and password-protected new ones."""

import struct
from dataclasses import dataclass
from typing import TypeAlias

SECTOR = 512
# MS-CFB requires shorter streams to use a second allocation table, with smaller sectors.
SMALLEST = 4096
FREE, END, FAT_SECTOR, NOBODY = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
FIB_ENCRYPTED = 0x0100

Tree: TypeAlias = "dict[str, Tree | bytes]"


def doc(text: str = "Ana Ruiz, attorney", *, macros: bool = False, locked: bool = False) -> bytes:
    """Return a minimal Word 97 document, optionally with macros or a password.

    Only the stream names and the start of the first stream are real.
    """
    flags = 0
    if locked:
        flags = FIB_ENCRYPTED
    start = struct.pack("<HHHHHH", 0xA5EC, 0x00C1, 0, 0x0409, 0, flags)
    tree: Tree = {
        "WordDocument": start.ljust(SECTOR, b"\0") + text.encode("cp1252", "replace"),
        "1Table": b"",
    }
    if macros:
        tree["Macros"] = {"VBA": {"dir": b"", "_VBA_PROJECT": b"\xcc\x61"}}
    return compound_file(tree)


def locked_docx() -> bytes:
    """Return a password-protected .docx as Word writes it: encrypted, inside a compound file."""
    return compound_file(
        {
            "EncryptionInfo": struct.pack("<HHI", 4, 4, 0x40),
            "EncryptedPackage": bytes(range(256)) * 16,
        }
    )


@dataclass
class _Entry:
    """One row of the directory; rows refer to each other by number."""

    name: str
    kind: int
    content: bytes = b""
    left: int = NOBODY
    right: int = NOBODY
    child: int = NOBODY

    def pack(self, first_sector: int) -> bytes:
        name = self.name.encode("utf-16-le")
        head = name.ljust(64, b"\0")
        head += struct.pack("<HBB", len(name) + 2, self.kind, 1)
        links = struct.pack("<III", self.left, self.right, self.child)
        return head + links + bytes(36) + struct.pack("<IQ", first_sector, len(self.content))


def compound_file(tree: Tree) -> bytes:
    """Return the bytes of a version 3 compound file.

    A dict becomes a storage; bytes become a stream, padded to at least 4,096 bytes.
    """
    entries = [_Entry("Root Entry", ROOT)]
    entries[0].child = _add(entries, tree)
    directory_sectors = -(-len(entries) // 4)
    data_sectors = sum(-(-len(entry.content) // SECTOR) for entry in entries)
    fat_sectors = 1
    while fat_sectors * SECTOR // 4 < fat_sectors + directory_sectors + data_sectors:
        fat_sectors += 1
    fat = [FAT_SECTOR] * fat_sectors + _chain(fat_sectors, directory_sectors)
    directory, data = b"", b""
    for entry in entries:
        length = -(-len(entry.content) // SECTOR)
        first_sector = 0
        if length:
            first_sector = len(fat)
        elif entry.kind == ROOT:
            first_sector = END
        directory += entry.pack(first_sector)
        fat += _chain(len(fat), length)
        data += entry.content.ljust(length * SECTOR, b"\0")
    fat += [FREE] * (fat_sectors * SECTOR // 4 - len(fat))
    table = struct.pack(f"<{len(fat)}I", *fat)
    return _header(fat_sectors) + table + directory.ljust(directory_sectors * SECTOR, b"\0") + data


def _add(entries: list[_Entry], tree: Tree) -> int:
    """Append a storage's rows as a balanced search tree in the order that the format requires.

    Returns the number of the root row.
    """
    numbers = []
    for name in sorted(tree, key=lambda name: (len(name), name.upper())):
        content = tree[name]
        if isinstance(content, bytes):
            entry = _Entry(name, STREAM, content.ljust(SMALLEST, b"\0"))
        else:
            entry = _Entry(name, STORAGE)
        numbers.append(len(entries))
        entries.append(entry)
        if isinstance(content, dict):
            entry.child = _add(entries, content)
    return _balance(entries, numbers)


def _balance(entries: list[_Entry], numbers: list[int]) -> int:
    if not numbers:
        return NOBODY
    middle = len(numbers) // 2
    top = entries[numbers[middle]]
    top.left = _balance(entries, numbers[:middle])
    top.right = _balance(entries, numbers[middle + 1 :])
    return numbers[middle]


def _chain(start: int, length: int) -> list[int]:
    if not length:
        return []
    sectors = list(range(start + 1, start + length))
    sectors.append(END)
    return sectors


def _header(fat_sectors: int) -> bytes:
    head = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<9I", 0, fat_sectors, fat_sectors, 0, SMALLEST, END, 0, END, 0)
    numbers = list(range(fat_sectors))
    numbers += [FREE] * (109 - fat_sectors)
    return head + struct.pack("<109I", *numbers)
