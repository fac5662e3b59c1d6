"""The colours of efforts, wherever a terminal shows them, in the words of Rich."""

from __future__ import annotations

EFFORT_STYLES = {"hard": "bold red", "easy": "green", "rest": "blue", "warmup": "cyan", "cooldown": "cyan"}
"""What is written of an effort."""

BAND_STYLES = {
    "hard": "bold white on red",
    "easy": "bold black on green",
    "rest": "bold white on blue",
    "warmup": "bold black on cyan",
    "cooldown": "bold black on cyan",
    "steady": "bold white on magenta",
    "paused": "bold black on yellow",
    "done": "bold white on blue",
}
"""The band that says what to row now: told from each other in the corner of an eye."""

PLAIN_BAND = "bold black on white"
"""The band while nothing is asked for."""
