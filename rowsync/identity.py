"""Who a machine says it is: the Device Information service (0x180A) and the Battery service (0x180F) on the wire.

And what a characteristic is called: `short_uuid`.
"""

from __future__ import annotations

import unicodedata

DEVICE_INFORMATION = "180a"
BATTERY = "180f"
BATTERY_LEVEL = "2a19"

IDENTITY = {
    "2a29": "maker",
    "2a24": "model",
    "2a25": "serial",
    "2a26": "firmware",
    "2a27": "hardware",
    "2a28": "software",
}
"""Characteristic to what it names (DIS v1.1, 3.1 to 3.6); each is a UTF-8 text.  A machine may have any of them."""

LONGEST_TEXT = 248
"""Octets of a text that are kept, of the 512 that an attribute may hold: a name is shorter."""


def short_uuid(uuid: str) -> str:
    """A UUID as recordings name it: four hex digits of the Bluetooth base, else the first eight."""
    return uuid[4:8].lower() if uuid.lower().endswith(BASE) and uuid.startswith("0000") else uuid[:8].lower()


BASE = "-0000-1000-8000-00805f9b34fb"
"""What follows the first 32 bits of a UUID that Bluetooth itself gave (Core 5.4, 3B, 2.5.1)."""


def decode_text(payload: bytes) -> str:
    """Read a text as a machine stores it; never raises on any bytes.

    What isn't UTF-8 becomes U+FFFD.  The padding at the end (NULs, line ends, any control character, spaces) is
    dropped.  What is left is still a stranger's text: `wording.outside_text` makes it safe to show.

    Args:
        payload: the value, of any length; octets after the first 248 are ignored.

    Returns:
        The text; empty when there is none.
    """
    text = payload[:LONGEST_TEXT].decode("utf-8", "replace")
    while text and _is_padding(text[-1]):
        text = text[:-1]
    return text


def decode_battery_percent(payload: bytes) -> int | None:
    """Read a Battery Level (BAS v1.0, 3.1): 0 to 100 %; None for anything else.

    Args:
        payload: the value, of any length; octets after the first are ignored.
    """
    return payload[0] if payload and payload[0] <= 100 else None


def _is_padding(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cc"
