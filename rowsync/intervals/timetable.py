"""A timetable laid over a row: when which piece was due, and which strokes were rowed in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rowsync.intervals.blocks import Block, blocks_of
from rowsync.intervals.row import Row


def laid_over(row: Row, pieces_s: Sequence[tuple[float, float]]) -> tuple[list[Block], tuple[float, ...]]:
    """The blocks that hard pieces make when each stroke belongs to what was due in its middle.

    Args:
        row: the session.
        pieces_s: start and end of each hard piece, in order and apart from each other [s].

    Returns:
        the blocks, and when the changes between them were due [s].
    """
    middle_s = (row.start_s + row.end_s) / 2
    bells_s = np.array([time_s for piece_s in pieces_s for time_s in piece_s])
    blocks = blocks_of(np.searchsorted(bells_s, middle_s, side="right") % 2 == 1)
    changes_s = np.array([row.start_s[after.first] for _, after in pairwise(blocks)])
    due_s = [bells_s[int(np.abs(bells_s - change_s).argmin())] for change_s in changes_s]
    return blocks, tuple(float(time_s) for time_s in due_s)
