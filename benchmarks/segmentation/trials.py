"""A trial: one labelled session, every detector on its bytes, and how each did.

Whatever has notifications and knows its hard intervals can be tried: `Trial("corrected", "rowed by me", make)`, where
`make()` answers a `LabelledSession`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.segmentation.peers import PEERS
from benchmarks.segmentation.rows import BY_EYE, index_of, real_row
from benchmarks.segmentation.scores import Live, Score, live, score
from benchmarks.segmentation.sessions import ATHLETES, SCENARIOS, LabelledSession, Span, session
from rowsync.intervals import Effort
from rowsync.session import Header, Session, Tracker, analyse
from rowsync.telemetry import USUAL_STROKE_S

ROWSYNC, ROWSYNC_PLAN = "rowsync", "rowsync, plan known"


class Trial(NamedTuple):
    """One session to try the detectors on.

    Attributes:
        of: what it is one of; trials of the same are scored together.
        by: who rowed it, or how the machine sent it; likewise.
        make: answers the session.
        dated: whether its edges are known well enough to judge by.
        make_live: answers the session as it is followed live; None to leave that out.
        peers: whether the peers are tried as well.
    """

    of: str
    by: str
    make: Callable[[], LabelledSession]
    dated: bool = True
    make_live: Callable[[], LabelledSession] | None = None
    peers: bool = True


class Outcome(NamedTuple):
    """What a trial showed.

    Attributes:
        of: as in the trial.
        by: as in the trial.
        scores: each detector's, by its name.
        cost_s: processor time of rowsync's whole analysis, from bytes to session [s].
        live: how the effort said live did.
    """

    of: str
    by: str
    scores: dict[str, Score]
    cost_s: float
    live: Live | None


def synthetic_trials(seeds: int, peers: bool, follow: bool) -> Iterator[Trial]:
    """Every scenario, rowed by every athlete so many times; followed live at one notification a second."""
    for name, scenario in SCENARIOS.items():
        for athlete in ATHLETES:
            for seed in range(seeds):
                make = partial(session, scenario, athlete, seed)
                yield Trial(name, athlete, make, True, partial(make, stream="1hz") if follow else None, peers)


def real_trials(folder: Path, peers: bool, follow: bool) -> Iterator[Trial]:
    """Every row of a folder, sent each second and at each stroke."""
    for stream in ("1hz", "stroke"):
        for name, known in index_of(folder).items():
            make = partial(real_row, folder, name, stream)
            dated = BY_EYE not in known["labels"]
            yield Trial(known["group"], stream, make, dated, make if follow and stream == "1hz" else None, peers)


def run(trial: Trial) -> Outcome:
    """Try every detector on a session."""
    tried = trial.make()
    began_s = time.process_time()
    analysed = analyse(header(None), tried.notifications)
    cost_s = time.process_time() - began_s
    stroke_s = median([stroke.duration_s for stroke in analysed.strokes if stroke.seen] or [USUAL_STROKE_S])
    found = {ROWSYNC: hard_spans(analysed)}
    if tried.plan is not None:
        found[ROWSYNC_PLAN] = hard_spans(analyse(header(tried.plan), tried.notifications))
    if trial.peers:
        found |= {name: peer(analysed.strokes, analysed.duration_s) for name, peer in PEERS.items()}
    first_s = tried.notifications[0].time_s
    scores = {
        name: score(shifted(spans, first_s), tried.hard, tried.duration_s, stroke_s, trial.dated)
        for name, spans in found.items()
    }
    return Outcome(trial.of, trial.by, scores, cost_s, followed(trial.make_live()) if trial.make_live else None)


def header(plan: str | None) -> Header:
    """The header of a session of which at most the plan is known."""
    return Header("benchmark", datetime(2026, 11, 23, tzinfo=UTC), origin="synthetic", plan=plan)


def hard_spans(analysed: Session) -> list[Span]:
    """The hard intervals of an analysed session, on its own clock [s]."""
    return [(each.start_s, each.end_s) for each in analysed.intervals if each.effort is Effort.HARD]


def shifted(spans: list[Span], first_s: float) -> list[Span]:
    """Spans of a session on the clock of its notifications [s]."""
    return [(first_s + start_s, first_s + end_s) for start_s, end_s in spans]


def followed(tried: LabelledSession) -> Live:
    """How the effort said at each whole second did; what it cost is said as well."""
    tracker = Tracker(header(None))
    said_hard: list[bool] = []
    began_s = time.process_time()
    for notification in tried.notifications:
        while len(said_hard) < notification.time_s:
            said_hard.append(tracker.effort is Effort.HARD)
        tracker.feed(notification)
    said_hard.append(tracker.effort is Effort.HARD)
    cost_s = time.process_time() - began_s
    return live(said_hard, tried.hard)._replace(samples=len(tried.notifications), cost_s=cost_s)
