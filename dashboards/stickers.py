"""Stickers for rowers: a code on each machine, by which a phone says who rows there."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from dashboards.page import page


@dataclass(frozen=True, slots=True)
class Sticker:
    """What is printed for one rower.

    Attributes:
        name: what it is called.
        address: where it is.
        code: the link to where it is claimed, as the SVG of a QR code.
    """

    name: str
    address: str
    code: str


def sticker_sheet(stickers: Sequence[Sticker], leads_to: str) -> str:
    """A page of stickers to print and cut.

    Args:
        stickers: in the order in which they are printed.
        leads_to: the computer that the codes lead to.
    """
    told = (
        "Print this and put each on its rower. Who scans one says who rows there, while <code>rowsync room --lan</code>"
        f" runs on <b>{html.escape(leads_to)}</b>. A code holds the room's secret."
    )
    intro = f'<div id="intro">\n<h1>Stickers</h1>\n<p>{told}</p>\n</div>'
    sheet = "".join(map(_sticker, stickers))
    style = resources.files("dashboards").joinpath("stickers.css").read_text("utf-8")
    return page("Stickers", f'<style>\n{style}</style>\n<main>\n{intro}\n<div id="stickers">{sheet}</div>\n</main>')


def _sticker(sticker: Sticker) -> str:
    name, address = html.escape(sticker.name), html.escape(sticker.address)
    return f'<section>{sticker.code}<h2>{name}</h2><p>Scan to row here</p><p class="more">{address}</p></section>'
