"""Links as QR codes."""

from __future__ import annotations

import io

import segno


def terminal_code(link: str) -> str:
    """A link as a QR code of block characters."""
    drawn = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()


def printed_code(link: str) -> str:
    """A link as a QR code in SVG, to print: a seventh of it may be dirt."""
    return str(segno.make(link, error="m", micro=False).svg_inline(border=4, omitsize=True, dark="#000", light="#fff"))
