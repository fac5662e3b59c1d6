"""Finding the intervals of a row: hard, easy, rest, warm-up, cool-down and steady.

From the ground up:

- `effort`: what a stretch is rowed as
- `row`: strokes as evidence: the power that was really pulled, and stops
- `ladder`: the recursion: a hidden Markov model of somebody who rows easy or hard at slowly drifting levels
- `blocks`: its stretches compared with each other
- `edges`: the stroke at which the effort changed
- `rhythm`: pieces that repeat evenly, below the noise of any one of them
- `timetable`: when which piece was due, laid over the row
- `judge`: is this story an interval session?
- `stories`: the ways to read a row, and the likeliest
- `alignment`: a row beside the plan it was rowed to, and how that was kept
- `announcer`: the effort now
- `segmenter`: the whole: strokes in, segments out
"""

from rowsync.intervals.alignment import Compliance, PieceKept
from rowsync.intervals.announcer import SETTLED_AFTER_S
from rowsync.intervals.effort import Effort, Segment, joined
from rowsync.intervals.segmenter import Segmentation, Segmenter

__all__ = ["SETTLED_AFTER_S", "Compliance", "Effort", "PieceKept", "Segment", "Segmentation", "Segmenter", "joined"]
