"""What somebody in radio range, or with a file, may call things and send: by hand, and by dice."""

from __future__ import annotations

from random import Random

NAMES = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</script><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>PM5</a>",
    "\x1b]0;owned\x07\x1b[2J",
    "\x9b31m",
    "[link=http://evil.example]PM5[/link]",
    "\u202e5MP",
    "PM5\u200b",
    "PM5\nsaved",
    "PM5\x00",
    "home/+/#",
    "$SYS/x",
    "../../etc/passwd",
    "/etc/passwd",
    "{name.__class__}",
    "%s%n",
    "=HYPERLINK('http://evil.example')",
    "M" * 248,
    "",
    "\ud800",
)

PIECES = (
    *"<>\"'&/\\.+#$%{}[]=@-\x00\x07\x1b\n\r\t\x7f\x9b",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ud800",
    "..",
    "é",
)


def name(dice: Random) -> str:
    """A name that hurts somewhere."""
    if dice.random() < 0.2:
        return dice.choice(NAMES)
    return "".join(dice.choice((*PIECES, "a", "PM5", "script", "alert(1)")) for _ in range(dice.randrange(40)))


def payload(dice: Random) -> bytes:
    """Any bytes of any length that a characteristic may have (Core Specification, 3.2.9: up to 512)."""
    length = dice.choice((0, 1, 2, 19, 20, 21, dice.randrange(513)))
    return dice.randbytes(length)
