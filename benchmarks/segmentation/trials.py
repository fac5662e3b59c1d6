"""A trial: one labelled session, every detector on its bytes, and how each did.

Whatever has bytes and knows its hard intervals can be tried: `Trial("mine", "rowed by me", make)`, where `make()`
answers a `LabelledSession`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.segmentation.peers import PEERS
from benchmarks.segmentation.rows import BY_EYE, corrected_sessions, index_of, real_row
from benchmarks.segmentation.scores import Live, Score, live, score
from benchmarks.segmentation.sessions import ATHLETES, SCENARIOS, LabelledSession, Span, session
from rowsync.intervals import Effort, Segmenter
from rowsync.intervals.announcer import SETTLED_AFTER_S
from rowsync.session import Header, Session, Tracker, analyse
from rowsync.strokes import Stroke
from rowsync.telemetry import USUAL_STROKE_S

ROWSYNC, ROWSYNC_PLAN = "rowsync", "rowsync, plan known"
CAUTIONS = (0.5, 0.7, 1.0, 1.4, 2.0)
KNOB_GROUPS = ("active", "stop", "steady_ae")
"""Real rows that the live knob is turned on: intervals whose edges are known well, and steady rows of a beginner."""


class Besides(NamedTuple):
    """What is tried besides finding intervals after the fact.

    Attributes:
        peers: whether the peers are tried as well.
        live: whether the effort said while rowing is judged.
        knob: whether it is judged at every caution.
    """

    peers: bool = False
    live: bool = False
    knob: bool = False


class Trial(NamedTuple):
    """One session to try the detectors on.

    Attributes:
        of: what it is one of; trials of the same are scored together.
        by: who rowed it, or how the machine sent it; likewise.
        make: answers the session.
        dated: whether its edges are known well enough to judge by.
        make_live: answers the session as it is followed live; None when it isn't.
        besides: what is tried besides.
    """

    of: str
    by: str
    make: Callable[[], LabelledSession]
    dated: bool = True
    make_live: Callable[[], LabelledSession] | None = None
    besides: Besides = Besides()


class Outcome(NamedTuple):
    """What a trial showed.

    Attributes:
        of: as in the trial.
        by: as in the trial.
        scores: each detector's, by its name.
        cost_s: processor time of rowsync's whole analysis, from bytes to session [s].
        live: how the effort said live did; None when that wasn't asked.
        turned: the same of the detector alone, by its caution.
    """

    of: str
    by: str
    scores: dict[str, Score]
    cost_s: float
    live: Live | None
    turned: dict[float, Live]


def synthetic_trials(seeds: int, besides: Besides) -> Iterator[Trial]:
    """Every scenario, rowed by every athlete so many times; followed live at one notification a second."""
    for name, scenario in SCENARIOS.items():
        for athlete in ATHLETES:
            for seed in range(seeds):
                make = partial(session, scenario, athlete, seed)
                yield Trial(name, athlete, make, True, partial(make, stream="1hz"), besides)


def real_trials(folder: Path, besides: Besides) -> Iterator[Trial]:
    """Every row of a folder, sent each second and at each stroke; followed live at one notification a second."""
    for stream in ("1hz", "stroke"):
        for name, known in index_of(folder).items():
            make = partial(real_row, folder, name, stream)
            dated = BY_EYE not in known["labels"]
            asked = besides._replace(knob=besides.knob and known["group"] in KNOB_GROUPS)
            yield Trial(known["group"], stream, make, dated, make if stream == "1hz" else None, asked)


def corrected_trials(folder: Path, besides: Besides) -> Iterator[Trial]:
    """Every session of a store whose intervals a person corrected, as it was recorded."""
    for athlete, corrected in corrected_sessions(folder):
        make = partial(_itself, corrected)
        yield Trial("corrected", athlete, make, True, make, besides._replace(knob=False))


def _itself(labelled: LabelledSession) -> LabelledSession:
    return labelled


def run(trial: Trial) -> Outcome:
    """Try every detector on a session."""
    tried = trial.make()
    began_s = time.process_time()
    analysed = analyse(header(tried), tried.items)
    cost_s = time.process_time() - began_s
    stroke_s = median([stroke.duration_s for stroke in analysed.strokes if stroke.seen] or [USUAL_STROKE_S])
    found = {ROWSYNC: hard_spans(analysed)}
    if tried.plan is not None:
        found[ROWSYNC_PLAN] = hard_spans(analyse(header(tried, tried.plan), tried.items))
    if trial.besides.peers:
        found |= {name: peer(analysed.strokes, analysed.duration_s) for name, peer in PEERS.items()}
    scores = {
        name: score(shifted(spans, tried.first_s), tried.hard, tried.duration_s, stroke_s, trial.dated)
        for name, spans in found.items()
    }
    return Outcome(trial.of, trial.by, scores, cost_s, *_live(trial))


def header(tried: LabelledSession, plan: str | None = None) -> Header:
    """The header of a session of which at most the machine and the plan are known."""
    began = datetime(2026, 11, 23, tzinfo=UTC)
    return Header("benchmark", began, origin="synthetic", machine={"name": tried.machine}, plan=plan)


def hard_spans(analysed: Session) -> list[Span]:
    """The hard intervals of an analysed session, on its own clock [s]."""
    return [(each.start_s, each.end_s) for each in analysed.intervals if each.effort is Effort.HARD]


def shifted(spans: list[Span], first_s: float) -> list[Span]:
    """Spans of a session on the clock of its items [s]."""
    return [(first_s + start_s, first_s + end_s) for start_s, end_s in spans]


# --- live -------------------------------------------------------------------------------------------------------------


def _live(trial: Trial) -> tuple[Live | None, dict[float, Live]]:
    """How the effort said live did, as far as that is asked."""
    if trial.make_live is None or not (trial.besides.live or trial.besides.knob):
        return None, {}
    tried = trial.make_live()
    cautions = CAUTIONS if trial.besides.knob else ()
    return followed(tried) if trial.besides.live else None, {each: turned(tried, each) for each in cautions}


def followed(tried: LabelledSession) -> Live:
    """How the effort that the whole core says at each whole second did; what it cost is said as well."""
    tracker = Tracker(header(tried))
    said: list[Effort | None] = []
    settled: list[Effort | None] = []
    began_s = time.process_time()
    for item in tried.items:
        while len(said) < item.time_s:
            said.append(tracker.effort)
            settled.append(tracker.settled_effort)
        tracker.feed(item)
    said.append(tracker.effort)
    settled.append(tracker.settled_effort)
    return _judged(tried, said, settled, len(tried.items), time.process_time() - began_s)


def turned(tried: LabelledSession, caution: float) -> Live:
    """How the detector alone does at a caution, fed with the strokes as they become known and asked each second."""
    segmenter = Segmenter(caution)
    said: list[Effort | None] = []
    settled: list[Effort | None] = []
    known = strokes_by_second(tried)
    began_s = time.process_time()
    for second, strokes in enumerate(known):
        for stroke in strokes:
            segmenter.feed(stroke)
        said.append(segmenter.effort(second - tried.first_s))
        settled.append(segmenter.settled(second - tried.first_s))
    return _judged(tried, said, settled, len(known), time.process_time() - began_s)


def strokes_by_second(tried: LabelledSession) -> list[list[Stroke]]:
    """The strokes that become known by each whole second."""
    tracker = Tracker(header(tried))
    known: list[list[Stroke]] = [[] for _ in range(math.ceil(tried.items[-1].time_s) + 1)]
    for item in tried.items:
        known[math.ceil(item.time_s)] += [event for event in tracker.feed(item) if isinstance(event, Stroke)]
    return known


def _judged(
    tried: LabelledSession, said: list[Effort | None], settled: list[Effort | None], samples: int, cost_s: float
) -> Live:
    of_then = settled[int(SETTLED_AFTER_S) :]  # what is settled at a second was rowed so long before
    return live(said, of_then, tried.hard)._replace(samples=samples, cost_s=cost_s)
