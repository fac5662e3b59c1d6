"""A machine that floods: what is more than any machine sends is counted, and not kept.

Bytes go to disk before anybody looks at them, so whoever sends a thousand packets a second would fill it.  The
liveliest machine known, a PM5 that sends five characteristics every 100 ms, sends fifty; twice as many may come for as
long as they like, and a minute's worth at once.
"""

from __future__ import annotations

MOST_PER_S = 100.0
AT_ONCE = 6000.0

TELL_EVERY_S = 10.0
"""How long packets are counted before it is said how many were left out [s]."""


class Sluice:
    """Lets packets through as fast as machines send them.

    Attributes:
        left_out: how many did not come through, since that was said.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._room, self._at_s, self._since_s = AT_ONCE, 0.0, 0.0

    def passes(self, now_s: float) -> bool:
        """Whether a packet that comes now is kept; `now_s` never falls [s]."""
        self._room = min(AT_ONCE, self._room + (now_s - self._at_s) * MOST_PER_S)
        self._at_s = now_s
        if self._room >= 1.0:
            self._room -= 1.0
            return True
        if not self.left_out:
            self._since_s = now_s
        self.left_out += 1
        return False

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to say how many were left out [s]."""
        return self.left_out > 0 and now_s >= self._since_s + TELL_EVERY_S

    def told(self) -> int:
        """How many were left out, which is said now."""
        left_out, self.left_out = self.left_out, 0
        return left_out
