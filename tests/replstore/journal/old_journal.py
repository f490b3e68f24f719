"""A journal as 0.1.0 wrote it: a CRC-32 of each line's own text, and nothing before the first record."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from replstore.core.contract import Record
from replstore.wire.codec import encode_record


def write_old(folder: Path, records: Iterable[Record]) -> None:
    folder.mkdir(exist_ok=True)
    texts = [encode_record(record).replace(',"recovering":false', "").encode() for record in records]
    (folder / "journal").write_bytes(b"".join(b"%08x %b\n" % (crc32(text), text) for text in texts))
