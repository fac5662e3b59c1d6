"""Names from outside as names of files."""

from __future__ import annotations

import re
from zlib import crc32

LONGEST = 60


def slug(name: str) -> str:
    """A name that is safe as a file or folder on any system, and different for different names.

    A name that already is safe stays as it is, a slug of ours among them; any other gets its CRC-32 behind what is left
    of it.
    """
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:LONGEST]
    if kept and kept == name:
        return kept
    mark = f"-{crc32(name.encode('utf-8', 'replace')):08x}"
    return (kept[: LONGEST - len(mark)] + mark).lstrip("-")
