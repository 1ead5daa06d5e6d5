"""Writes Outlook messages (.msg, [MS-OXMSG]) into compound files ([MS-CFB]) of as few parts as readers need."""

import struct
from datetime import UTC, datetime
from typing import Any

SUBJECT, CLASS, SUBMITTED, HEADERS = 0x0037, 0x001A, 0x0039, 0x007D
SENDER_NAME, SENDER_ADDRESS, TO = 0x0C1A, 0x0C1F, 0x0E04
BODY, HTML, MESSAGE_ID, IN_REPLY_TO, CODE_PAGE = 0x1000, 0x1013, 0x1035, 0x1042, 0x3FDE
MESSAGE_CODE_PAGE, STRING8 = 0x3FFD, 0x001E
FILE_NAME, MIME_TYPE, CONTENT = 0x3707, 0x370E, 0x3701

_SECTOR, _SHORT_SECTOR, _SHORT_STREAM = 512, 64, 4096
_END, _FREE, _OF_TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def msg_bytes(properties: dict[int, Any], attachments: tuple[dict[int, Any], ...] = ()) -> bytes:
    """Return a .msg file of properties by their numbers: strings, bytes, whole numbers, moments, or
    a type's number with bytes."""
    root = _storage({CLASS: "IPM.Note"} | properties, header=struct.pack("<8x4I8x", 0, 0, 0, len(attachments)))
    for number, attachment in enumerate(attachments):
        root[f"__attach_version1.0_#{number:08X}"] = _storage(attachment, header=bytes(8))
    return compound_file(root)


def _storage(properties: dict[int, Any], header: bytes) -> dict[str, Any]:
    storage: dict[str, Any] = {}
    entries = header
    for number, value in properties.items():
        match value:
            case str():
                kind, value = 0x001F, value.encode("utf-16-le")
            case bytes():
                kind = 0x0102
            case datetime():
                since = value.astimezone(UTC) - datetime(1601, 1, 1, tzinfo=UTC)
                kind, value = 0x0040, int(since.total_seconds()) * 10_000_000
            case int():
                kind = 0x0003
            case kind, value:  # a string of one byte a character, for instance
                pass
        if isinstance(value, bytes):
            storage[f"__substg1.0_{number:04X}{kind:04X}"] = value
            value = len(value)
        entries += struct.pack("<HHIQ", kind, number, 6, value)
    return storage | {"__properties_version1.0": entries}


def compound_file(root: dict[str, Any]) -> bytes:
    """Return a compound file of streams, bytes, and storages, dictionaries of both, by their names."""
    sectors: list[bytes] = []
    table: list[int] = []  # what follows each sector
    short_stream = b""
    short_table: list[int] = []
    entries: list[list[Any]] = []  # name, type, next sibling, first child, first sector, size

    def store(data: bytes) -> int:
        count = -(-len(data) // _SECTOR)
        first = len(sectors)
        sectors.extend(data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR))
        table.extend([*range(first + 1, first + count), _END] if count else [])
        return first if count else _END

    def add(name: str, content: bytes | dict[str, Any], kind: int) -> int:
        nonlocal short_stream
        number = len(entries)
        entry = [name, kind, _FREE, _FREE, 0, 0]
        entries.append(entry)
        if isinstance(content, dict):
            before = None
            for child_name, child in content.items():
                child_number = add(child_name, child, 1 if isinstance(child, dict) else 2)
                if before is None:
                    entry[3] = child_number
                else:
                    entries[before][2] = child_number
                before = child_number
        elif len(content) >= _SHORT_STREAM:
            entry[4:] = store(content), len(content)
        else:
            first, count = len(short_table), -(-len(content) // _SHORT_SECTOR)
            short_stream += content.ljust(count * _SHORT_SECTOR, b"\0")
            short_table.extend([*range(first + 1, first + count), _END] if count else [])
            entry[4:] = first if count else _END, len(content)
        return number

    add("Root Entry", root, 5)
    entries[0][4:] = store(short_stream), len(short_stream)
    short_table_start = store(struct.pack(f"<{len(short_table)}I", *short_table).ljust(_SECTOR, b"\xff"))
    directory = store(b"".join(_directory_entry(*entry) for entry in entries))
    of_table = -(-(len(table) + 1) // 127)  # sectors that the table itself takes
    table_start = len(table)
    table += [_OF_TABLE] * of_table
    header = struct.pack(
        "<8s16x5H6x9I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, of_table, directory, 0, _SHORT_STREAM, short_table_start, -(-len(short_table) // 128) or 1, _END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *range(table_start, table_start + of_table), *[_FREE] * (109 - of_table))
    table += [_FREE] * (of_table * 128 - len(table))
    return b"".join([header, *sectors, struct.pack(f"<{len(table)}I", *table)])


def _directory_entry(name: str, kind: int, sibling: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack("<64sHBB3I16xI16xIQ", encoded, len(encoded), kind, 1, _FREE, sibling, child, 0, start, size)
