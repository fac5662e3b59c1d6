"""How else intervals are found: four usual ways, on the strokes that rowsync makes of the same bytes.

None of them is somebody's product: no rowing software known to us says how well it finds intervals, and most doesn't
look for them.  These are what the textbooks do.  Each gets the same repairs for free: stops
are known as 0 W, strokes are dated by when they were pulled, impossible watts are gone.

None of their settings is in watts.  They come from a short search (five values each) for the best F1 on real
development rows that doesn't cost the synthetic sessions more: these methods at their best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import ruptures
from numpy.typing import NDArray

from benchmarks.segmentation.sessions import Span
from rowsync.strokes import Stroke

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Peer = Callable[[Sequence[Stroke], float], list[Span]]

MOST_POWER_W = 2000.0
SHORTEST_PIECE_S = 10
LEFT_AT, ENTERED_AT = 0.4, 0.6
"""Shares of the way from the weak cluster to the strong one."""
FLOOR_SHARE = 0.12
"""Log power stops telling powers apart under this share of the strong ones: between 20 W and 0 W is no new effort."""


def mean_threshold(strokes: Sequence[Stroke], duration_s: float) -> list[Span]:
    """Hard is what is above the session's mean power, stops included, for 10 s and more."""
    power_w = grid_w(strokes, duration_s)
    return runs(power_w > power_w.mean())


def two_means(strokes: Sequence[Stroke], duration_s: float) -> list[Span]:
    """Hard is the stronger of two clusters of log power, entered and left beyond the middle (hysteresis)."""
    power_w = grid_w(strokes, duration_s)
    if not power_w.any():
        return []
    level = log_power(power_w)
    weak, strong = centres(level)
    return runs(hysteresis(level, *(weak + share * (strong - weak) for share in (LEFT_AT, ENTERED_AT))))


def pelt(strokes: Sequence[Stroke], duration_s: float) -> list[Span]:
    """Hard are the blocks beyond the middle, between changes of the mean of log power (PELT, a penalty like BIC's)."""
    return blocks(strokes, duration_s, "linear")


def kernel_change_points(strokes: Sequence[Stroke], duration_s: float) -> list[Span]:
    """The same with a Gaussian kernel, which sees any change of distribution."""
    return blocks(strokes, duration_s, "rbf")


PEERS: dict[str, Peer] = {
    "mean threshold": mean_threshold,
    "2-means": two_means,
    "PELT": pelt,
    "kernel CPD": kernel_change_points,
}


# --- what they see ----------------------------------------------------------------------------------------------------


def grid_w(strokes: Sequence[Stroke], duration_s: float) -> Floats:
    """Power in the middle of each second, 0 while nobody rowed [W]."""
    power_w = np.zeros(max(1, int(np.ceil(duration_s))))
    for stroke in strokes:
        if stroke.power_w is not None and 0 < stroke.power_w <= MOST_POWER_W:
            power_w[round(stroke.start_s) : round(stroke.end_s)] = stroke.power_w
    return power_w


def log_power(power_w: Floats) -> Floats:
    """Log power with a soft floor at a share of the strong strokes (the 90th percentile)."""
    return np.log(power_w + FLOOR_SHARE * np.percentile(power_w[power_w > 0], 90))


def centres(level: Floats) -> tuple[float, float]:
    """The centres of two clusters on a line, by Lloyd's algorithm from the quartiles."""
    weak, strong = (float(quartile) for quartile in np.percentile(level, (25, 75)))
    for _ in range(50):
        is_strong = level > (weak + strong) / 2
        if is_strong.all() or not is_strong.any():
            break
        weak, strong = float(level[~is_strong].mean()), float(level[is_strong].mean())
    return weak, strong


def hysteresis(level: Floats, leave: float, enter: float) -> Bools:
    """True from rising above `enter` to falling below `leave`."""
    crossed = np.where(level > enter, 1, np.where(level < leave, -1, 0))
    last = np.maximum.accumulate(np.where(crossed != 0, np.arange(len(level)), 0))
    return crossed[last] > 0


def runs(hard: Bools) -> list[Span]:
    """The stretches of True that aren't too short to be a piece [s]."""
    turns = np.flatnonzero(np.diff(np.concatenate(([0], hard.astype(int), [0]))))
    return [(float(start), float(end)) for start, end in turns.reshape(-1, 2) if end - start >= SHORTEST_PIECE_S]


# --- change points ----------------------------------------------------------------------------------------------------

SHORTEST_BLOCK_S = 8
PENALTY = {"linear": 30.0, "rbf": 2.0}
"""How much a change point costs: times log n, and for the linear kernel times the noise's variance.

BIC's own factor is about 2, for independent samples.  Seconds of one stroke are the same number and strokes remember
each other, so it takes more."""


def blocks(strokes: Sequence[Stroke], duration_s: float, kernel: str) -> list[Span]:
    """The hard blocks between change points of log power [s]."""
    power_w = grid_w(strokes, duration_s)
    if not power_w.any() or len(power_w) < 3 * SHORTEST_BLOCK_S:
        return []
    level = log_power(power_w)
    variance, width = (noise_variance(level), None) if kernel == "linear" else (1.0, {"gamma": kernel_width(level)})
    search = ruptures.KernelCPD(kernel=kernel, min_size=SHORTEST_BLOCK_S, params=width).fit(level.reshape(-1, 1))
    ends = [0, *search.predict(pen=PENALTY[kernel] * float(np.log(len(level))) * variance)]
    middle = sum(centres(level)) / 2
    hard = [np.full(end - start, level[start:end].mean() > middle) for start, end in pairwise(ends)]
    return runs(np.concatenate(hard))


def kernel_width(level: Floats) -> float:
    """The usual one, by the median distance; of 500 samples, because all distances of a long row fill the memory."""
    some = level[:: len(level) // 500 + 1]
    return 1 / max(float(np.median((some[:, None] - some)[np.triu_indices(len(some), 1)] ** 2)), 1e-6)


def noise_variance(level: Floats) -> float:
    """Variance of log power around its own 31 s median; a hundredth of a percent at least."""
    window = np.lib.stride_tricks.sliding_window_view(np.pad(level, 15, mode="edge"), 31)
    return max(float(np.median(np.abs(level - np.median(window, axis=1))) * 1.4826) ** 2, 1e-4)
