"""A seal on a JSON document: the CRC-32 of all else in it, so that an altered number is noticed, not believed.

    {"talked": true, "exertion": 6.0, "crc32": "5c0f6d6e"}

A document without one is taken as it is: somebody wrote it by hand, or an older rowsync did.  Whoever mends a sealed
one by hand takes its seal out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

SEAL = "crc32"


def sealed(content: Mapping[str, Any]) -> bytes:
    """A document with its seal, as JSON."""
    return json.dumps({**content, SEAL: _crc(content)}, indent=1).encode()


def unsealed(text: bytes) -> Any:
    """What a document says, without its seal.

    Raises:
        ValueError: it isn't JSON, or was altered since it was sealed.
        RecursionError: it nests deeper than anything that was sealed.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or SEAL not in content:
        return content
    if content.pop(SEAL) != _crc(content):
        raise ValueError("altered since it was written")
    return content


def _crc(content: Mapping[str, Any]) -> str:
    return f"{crc32(json.dumps(content, sort_keys=True, separators=(',', ':')).encode()):08x}"
