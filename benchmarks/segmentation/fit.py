"""Fits the judge of `rowsync.intervals.judge`: what speaks for an interval session, and how much.

    python -m benchmarks.segmentation.fit [--sessions 1500] [--rows ../shared/segmentation/dev] [--jobs 2]

Every story that the detector can tell of every session is an example: its features, and how right it is (F1 at IoU
0.8; 0 in a steady row).  The examples are the labelled real rows, where they are there, and random SYNTHETIC sessions:
pieces by the clock, by the metre and in pyramids, with easy and stopped recoveries, and steady rows with drinks,
surges, negative splits and fast finishes.  A logistic regression with a ridge is fitted; printed are its weights beside
those in use, and what is right when each sixth of the rows is judged by weights that never saw it.
"""

from __future__ import annotations

import argparse
import math
import random as dice
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.segmentation.rows import index_of, real_row
from benchmarks.segmentation.scores import Score, score, total
from benchmarks.segmentation.sessions import Athlete, LabelledSession, Piece, Rower, Scenario, Span, notifications
from benchmarks.segmentation.trials import header, shifted
from rowsync.intervals.blocks import bounds_s
from rowsync.intervals.judge import EVIDENCE, EVIDENCE_START
from rowsync.intervals.row import Row
from rowsync.intervals.stories import plain_stories
from rowsync.session import Tracker
from rowsync.telemetry import USUAL_STROKE_S

REAL, SYNTHETIC = 3.0, 1.0
"""What an example of either counts."""

STEADY_REAL = 2.0
"""How much more a real steady row counts: a false interval annoys everybody who rows steadily."""

RIDGE = 1.0
MARGIN = 0.2
"""Taken from the start: doubtful sessions are called steady."""

FOLDS = 6


class Example(NamedTuple):
    """One story: what the judge measures of it, how right it is, and its pieces."""

    measures: tuple[float, ...]
    right: float
    pieces: tuple[Span, ...]


class Judged(NamedTuple):
    """A session with all its stories."""

    name: str
    real: bool
    hard: tuple[Span, ...]
    duration_s: float
    stories: tuple[Example, ...]

    @property
    def weight(self) -> float:
        """What each of its stories counts: many stories of one session are not as many sessions."""
        counts = (REAL * (1.0 if self.hard else STEADY_REAL)) if self.real else SYNTHETIC
        return counts / math.sqrt(max(len(self.stories), 1))


# --- random sessions --------------------------------------------------------------------------------------------------

WORK_S = (20, 30, 30, 40, 45, 45, 60, 60, 90, 120, 120, 180, 240, 300, 300, 600, 720, 900, 1200)
WORK_M = (100, 250, 500, 500, 750, 1000, 1000, 1500, 2000, 5000)
EASY_S = (10, 15, 20, 30, 30, 45, 60, 60, 75, 90, 120, 120, 180, 240, 300)
ROUNDS = (2, 3, 4, 5, 6, 8, 10, 12, 20)
LONGEST_S = 3600.0


def random_session(seed: int) -> LabelledSession:
    """A session as somebody somewhere may row it."""
    random = np.random.default_rng(seed)
    kinds = (intervals, intervals, intervals, pyramid, steady, drinks, split, surges, fast_finish)
    pieces = kinds[int(random.integers(len(kinds)))](random, float(random.uniform(30, 180)))
    scenario = Scenario(
        tuple(pieces),
        plan="30m",
        stream=str(random.choice(["stroke+1hz", "1hz", "stroke"])),
        stroke_rate_spm=80.0 if random.random() < 0.08 else None,
        sends_power=bool(random.random() < 0.85),
        sprint_strokes=5 if random.random() < 0.1 else 0,
    )
    rower = Rower(scenario, Athlete(*np.exp(random.uniform(math.log(0.02), math.log(0.11), 2)).tolist()), random)
    spans = [rower.row(piece) for piece in pieces]
    end_s = max(rower.bell_s, rower.strokes[-1].time_s)
    sent = tuple(notifications(rower.strokes, scenario.stream, end_s, scenario.sends_power))
    hard = tuple(span for span, piece in zip(spans, pieces, strict=True) if piece.hard)
    return LabelledSession(sent, hard, None, end_s)


def intervals(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """Equal pieces by the clock or by the metre."""
    by_metre = random.random() < 0.25
    length = float(random.choice(WORK_M if by_metre else WORK_S))
    longest = LONGEST_S / (length / 4 if by_metre else length)
    work = {"distance_m": length} if by_metre else {"duration_s": length}
    return workout(random, easy_w, [work] * int(min(random.choice(ROUNDS), max(2.0, longest))))


def pyramid(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """Pieces that grow and shrink again."""
    unit_s, top = float(random.choice([20, 30, 60, 100])), int(random.choice([3, 4]))
    steps = [*range(1, top + 1), *range(top - 1, 0, -1)]
    return workout(random, easy_w, [{"duration_s": unit_s * step} for step in steps])


def workout(random: np.random.Generator, easy_w: float, lengths: Sequence[dict[str, float]]) -> list[Piece]:
    """Hard pieces of these lengths with recoveries between them, some with a warm-up and a cool-down."""
    stopped = random.random() < 0.45
    ratio = math.exp(random.uniform(0, math.log(2)) if stopped else random.uniform(math.log(1.2), math.log(4)))
    easy_s = float(random.choice(EASY_S))
    fade = random.normal(0, 0.1)
    pieces = [Piece(easy_w * random.uniform(0.8, 1.1), float(random.choice([120, 180, 300, 600])))]
    if random.random() < 0.35:
        pieces = []
    for number, length in enumerate(lengths):
        power_w = easy_w * ratio * math.exp(fade * number / len(lengths) + random.normal(0, 0.04))
        rest_s = easy_s * (1.0 if random.random() < 0.7 else math.exp(random.normal(0, 0.1)))
        pieces += [Piece(power_w, **length, hard=True), *recovery(random, easy_w, rest_s, stopped)]
    pieces.pop()
    if random.random() < 0.6:
        pieces.append(Piece(easy_w * random.uniform(0.6, 0.95), float(random.choice([60, 180, 300]))))
    return pieces


def recovery(random: np.random.Generator, easy_w: float, rest_s: float, stopped: bool) -> list[Piece]:
    """Rowed easily, or with the handle down, with some paddling before where there is time for it."""
    if not stopped:
        return [Piece(easy_w, rest_s)]
    paddled_s = rest_s * random.uniform(0.2, 0.6) if rest_s >= 60 and random.random() < 0.5 else 0.0
    paddled = [Piece(easy_w * random.uniform(0.3, 0.7), paddled_s)] if paddled_s else []
    return [*paddled, Piece(0.0, rest_s - paddled_s)]


def steady(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """Nothing to find."""
    return [Piece(easy_w, random.uniform(600, 3600))]


def drinks(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """A steady row with stops of any length at any time."""
    pieces: list[Piece] = []
    for _ in range(int(random.choice([1, 1, 2, 2, 3, 4, 5]))):
        stop_s = math.exp(random.uniform(math.log(8), math.log(240)))
        pieces += [Piece(easy_w * math.exp(random.normal(0, 0.05)), random.uniform(120, 1200)), Piece(0.0, stop_s)]
    return [*pieces, Piece(easy_w, random.uniform(60, 1200))]


def split(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """A row that gets harder by thirds."""
    return [Piece(easy_w * share, 600) for share in (1.0, random.uniform(1.03, 1.15), random.uniform(1.1, 1.3))]


def surges(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """A steady row with one to three surges."""
    pieces: list[Piece] = []
    for _ in range(int(random.integers(1, 4))):
        surge_w = easy_w * random.uniform(1.2, 1.8)
        pieces += [Piece(easy_w, random.uniform(120, 900)), Piece(surge_w, random.uniform(15, 60))]
    return [*pieces, Piece(easy_w, random.uniform(100, 900))]


def fast_finish(random: np.random.Generator, easy_w: float) -> list[Piece]:
    """A steady row with a sprint at its end."""
    return [Piece(easy_w, 1700), Piece(easy_w * random.uniform(1.2, 1.8), random.uniform(20, 200))]


# --- examples ---------------------------------------------------------------------------------------------------------


def judged(name: str, real: bool, make: partial[LabelledSession]) -> Judged:
    """Every story of a session."""
    labelled = make()
    tracker = Tracker(header(labelled))
    for item in labelled.items:
        tracker.feed(item)
    row = Row.of(tracker.strokes)
    stories: dict[tuple[Span, ...], Example] = {}
    for story in plain_stories(row):
        pieces = tuple(shifted([bounds_s(row, each) for each in story.blocks if each.hard], labelled.first_s))
        if story.features is not None:
            measures = tuple(float(measure(story.features)) for _, _, measure in EVIDENCE)
            stories[pieces] = Example(measures, scored(pieces, labelled).f1 or 0.0, pieces)
    return Judged(name, real, labelled.hard, labelled.duration_s, tuple(stories.values()))


def scored(pieces: Sequence[Span], session: LabelledSession | Judged) -> Score:
    """How right pieces are; their edges are not judged."""
    return score(pieces, session.hard, session.duration_s, USUAL_STROKE_S, edges=False)


# --- the fit ----------------------------------------------------------------------------------------------------------


def fitted(sessions: Sequence[Judged]) -> np.ndarray:
    """Start and weights of a logistic regression of how right stories are on what is measured of them."""
    measured = np.array([story.measures for each in sessions for story in each.stories])
    right = np.array([story.right for each in sessions for story in each.stories])
    counts = np.array([each.weight for each in sessions for _ in each.stories])
    middle, spread = measured.mean(0), measured.std(0) + 1e-9
    columns = np.c_[np.ones(len(right)), (measured - middle) / spread]
    ridge = np.diag([0.0, *[1 / RIDGE] * measured.shape[1]])
    weights = np.zeros(columns.shape[1])
    for _ in range(30):  # Newton's steps
        said = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (counts * (right - said)) - ridge @ weights
        bend = (columns.T * (counts * said * (1 - said))) @ columns + ridge
        weights += np.linalg.solve(bend, slope)
    unscaled = weights[1:] / spread
    return np.array([weights[0] - unscaled @ middle - MARGIN, *unscaled])


def told(session: Judged, weights: np.ndarray) -> tuple[Span, ...]:
    """The pieces of the story that these weights believe; none when they believe none."""
    best = max(session.stories, key=lambda story: float(weights[1:] @ story.measures), default=None)
    return best.pieces if best is not None and weights[0] + float(weights[1:] @ best.measures) > 0 else ()


def held_out(sessions: Sequence[Judged]) -> list[tuple[Judged, tuple[Span, ...]]]:
    """Each session as told by weights that never saw it, nor the same row sent otherwise."""
    names = sorted({each.name for each in sessions})
    dice.Random(0).shuffle(names)
    fold = {name: number % FOLDS for number, name in enumerate(names)}
    answers = []
    for number in range(FOLDS):
        weights = fitted([each for each in sessions if fold[each.name] != number])
        answers += [(each, told(each, weights)) for each in sessions if fold[each.name] == number]
    return answers


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segmentation.fit", description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=1500, help="random synthetic sessions")
    parser.add_argument(
        "--rows", type=Path, default=Path("../shared/segmentation/dev"), help="folder of real labelled rows"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    asked = parser.parse_args()
    console = Console()
    work = [(f"synthetic {seed}", False, partial(random_session, seed)) for seed in range(asked.sessions)]
    if (asked.rows / "index.json").exists():
        names = index_of(asked.rows)
        work += [
            (name, True, partial(real_row, asked.rows, name, each)) for name in names for each in ("1hz", "stroke")
        ]
    else:
        console.print(f"There are no real rows at {asked.rows}: only synthetic sessions are used.")
    with Pool(asked.jobs) as pool:
        sessions = list(track(pool.imap(_judged, work, chunksize=4), "Reading", len(work), console=console))
    show(console, fitted(sessions), held_out(sessions))


def _judged(work: tuple[str, bool, partial[LabelledSession]]) -> Judged:
    return judged(*work)


def show(console: Console, weights: np.ndarray, answers: Sequence[tuple[Judged, tuple[Span, ...]]]) -> None:
    """The weights beside those in use, and what is right of what was held out."""
    table = Table("what speaks for an interval session", "fitted", "in use")
    table.add_row("start", f"{weights[0]:.2f}", f"{EVIDENCE_START:.2f}")
    for (name, in_use, _), weight in zip(EVIDENCE, weights[1:].tolist(), strict=True):
        table.add_row(name, f"{weight:.2f}", f"{in_use:.2f}")
    console.print(table)
    for title, real in (("real rows", True), ("synthetic sessions", False)):
        scores = [scored(pieces, each) for each, pieces in answers if each.real == real]
        intervals_found = total(each for each in scores if each.true)
        steady_rows = total(each for each in scores if not each.true)
        console.print(
            f"held out, {title}: F1 {intervals_found.f1 or 0.0:.3f} in {intervals_found.sessions} interval sessions, "
            f"intervals in {steady_rows.flagged} of {steady_rows.sessions} steady rows"
        )


if __name__ == "__main__":
    main()
