"""Digits and letters as large as a terminal allows: one font as a table, scaled, two pixels to a character cell.

A cell of a terminal is about twice as high as wide, so half of one is a square pixel.  The font is 7 pixels high: at
scale 1 it takes 4 rows, at scale 2 it takes 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

HEIGHT = 7
"""Of the font [pixels]."""

LARGEST_SCALE = 12

_BLANK = "."

_ART = {
    "0123456789:.-–": """
        .###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###. . . .... ....
        #...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...# . . .... ....
        #...# ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...# # . .... ....
        #...# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .#### . . #### ####
        #...# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....# # . .... ....
        #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. . . .... ....
        .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. . # .... ....
    """,
    "ACDEHLMNOPRSTUWY": """
        .###. .###. ####. ##### #...# #.... #...# #...# .###. ####. ####. .#### ##### #...# #...# #...#
        #...# #...# #...# #.... #...# #.... ##.## ##..# #...# #...# #...# #.... ..#.. #...# #...# #...#
        #...# #.... #...# #.... #...# #.... #.#.# ##..# #...# #...# #...# #.... ..#.. #...# #...# .#.#.
        ##### #.... #...# ####. ##### #.... #.#.# #.#.# #...# ####. ####. .###. ..#.. #...# #.#.# ..#..
        #...# #.... #...# #.... #...# #.... #...# #..## #...# #.... #.#.. ....# ..#.. #...# #.#.# ..#..
        #...# #...# #...# #.... #...# #.... #...# #..## #...# #.... #..#. ....# ..#.. #...# ##.## ..#..
        #...# .###. ####. ##### #...# ##### #...# #...# .###. #.... #...# ####. ..#.. .###. #...# ..#..
    """,
}


def _glyphs(art: dict[str, str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for characters, picture in art.items():
        rows = [line.split() for line in picture.strip().splitlines()]
        yield from zip(characters, zip(*rows, strict=True), strict=True)


GLYPHS = dict(_glyphs(_ART)) | {" ": ("..",) * HEIGHT}
"""Every character that there is, as its rows of pixels from the top."""

_BLOCKS = {"##": "█", "#.": "▀", ".#": "▄", "..": " "}
_LETTERS = {"##": "#", "#.": "#", ".#": "#", "..": " "}
"""What two pixels above each other are, with blocks and without."""


def columns(text: str, scale: int) -> int:
    """How wide a text is [columns]; characters that the font lacks are left out."""
    widths = [len(GLYPHS[character][0]) for character in text if character in GLYPHS]
    return scale * (sum(widths) + max(0, len(widths) - 1))


def rows(scale: int) -> int:
    """How high a text is [rows]."""
    return (HEIGHT * scale + 1) // 2


def largest_scale(text: str, most_columns: int, most_rows: int, blocks: bool = True) -> int:
    """The largest scale at which a text fits; 0 when none does.

    Args:
        text: what is to fit.
        most_columns: the room [columns].
        most_rows: the room [rows].
        blocks: whether the terminal has half blocks; without them there are only whole rows, so only even scales.
    """
    scales = range(LARGEST_SCALE, 0, -1) if blocks else range(LARGEST_SCALE, 0, -2)
    fits = (scale for scale in scales if columns(text, scale) <= most_columns and rows(scale) <= most_rows)
    return next(fits, 0)


@lru_cache(maxsize=256)
def big(text: str, scale: int, blocks: bool = True) -> tuple[str, ...]:
    """A text in large, as `rows(scale)` strings of `columns(text, scale)` characters."""
    glyphs = [GLYPHS[character] for character in text if character in GLYPHS]
    pixels = [_wide(_BLANK.join(glyph[row] for glyph in glyphs), scale) for row in range(HEIGHT)]
    halves = [row for row in pixels for _ in range(scale)]
    if len(halves) % 2:
        halves.append(_BLANK * len(halves[0]))
    cells = _BLOCKS if blocks else _LETTERS
    return tuple("".join(map(cells.__getitem__, map("".join, zip(*pair, strict=True)))) for pair in _pairs(halves))


def _wide(row: str, scale: int) -> str:
    return "".join(pixel * scale for pixel in row)


def _pairs(halves: list[str]) -> Iterable[tuple[str, str]]:
    return zip(halves[::2], halves[1::2], strict=True)
