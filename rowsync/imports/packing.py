"""Files that are packed: gzip is unpacked, within limits; of what else can be told, what it is."""

from __future__ import annotations

import zlib

from rowsync.errors import RecordingError

LARGEST_BYTES = 1 << 26
"""64 MB are months of rowing in any of the formats."""

LARGEST_RATIO, RATIO_FROM_BYTES = 200, 1 << 20
"""No row packs so well; a bomb does."""

GZIP = b"\x1f\x8b"

OTHERS = (
    (b"PK\x03\x04", "It is a zip archive: unpack it, and import what is in it."),
    (b"PAR1", "It is a parquet file; rowsync imports FIT, TCX and CSV."),
    (b"%PDF", "It is a PDF; rowsync imports FIT, TCX and CSV."),
    (b"SQLite format 3\x00", "It is a database; rowsync imports FIT, TCX and CSV."),
)
"""What other files begin with, and what to say of them."""


def unpacked(content: bytes) -> bytes:
    """A file's content, unpacked where it is packed.

    Raises:
        RecordingError: it is larger than any row, packs it suspiciously well, is cut, or is something else.
    """
    if len(content) > LARGEST_BYTES:
        raise RecordingError(f"It is larger than any row: rowsync imports up to {LARGEST_BYTES >> 20} MB.")
    if content.startswith(GZIP):
        content = _gunzipped(content)
    for beginning, sentence in OTHERS:
        if content.startswith(beginning):
            raise RecordingError(sentence)
    if not content.strip():
        raise RecordingError("It is empty.")
    return content


def _gunzipped(content: bytes) -> bytes:
    most = min(LARGEST_BYTES, max(RATIO_FROM_BYTES, LARGEST_RATIO * len(content)))
    found = b""
    while content:  # a gzip file may have several members (RFC 1952, 2.2), and zeros behind them
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found += unpacker.decompress(content, most + 1 - len(found))
        except zlib.error:
            raise RecordingError("It is packed with gzip, but damaged. Nothing of it was imported.") from None
        if len(found) > most:
            raise RecordingError(
                f"Unpacked it is larger than {most >> 20} MB, as no row is. Nothing of it was imported."
            )
        if not unpacker.eof:
            raise RecordingError("It is packed with gzip, but cut. Nothing of it was imported.")
        content = unpacker.unused_data.lstrip(b"\0")
    return found
