"""What rowsync says over MQTT: topics, payloads, and what keeps them without holes.  `docs/mqtt.md` tells it to people.

Topics lie under `<prefix>/<machine>/`; fields are named as in docs/contract.md.  Two kinds of message go out.  A
*state* (live, interval, totals, ...) is what holds now: only the newest counts.  A *series* (strokes, events) is
numbered from 1 in its session, and each number is kept in the `Outbox` until the broker has acknowledged it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from rowsync import __version__
from rowsync.commands import LARGEST_BYTES
from rowsync.errors import UsageError
from rowsync.guide import GuideState
from rowsync.intervals import Effort
from rowsync.moment import Moment, cue_fields, heading_fields, round_fields, stroke_fields
from rowsync.session import Header
from rowsync.slug import slug
from rowsync.strokes import Stroke
from rowsync.wording import measured, outside_text, stamp
from rowsync.wording import moment as time_of

BRIDGE, STATUS, LIVE, INTERVAL = "bridge/status", "status", "live", "interval"
EVENT, STROKE, TOTALS, LAST = "event", "stroke", "totals", "session/last"
COMMAND, ERROR = "cmd", "error"

ONLINE, OFFLINE = "online", "offline"


class Delivery(NamedTuple):
    """How the messages of a topic go out.

    Attributes:
        qos: MQTT's quality of service: 0 once at most, 1 once at least.
        retain: whether the broker keeps the newest for whoever comes later.
    """

    qos: int
    retain: bool


DELIVERY: Mapping[str, Delivery] = {
    BRIDGE: Delivery(1, True),
    STATUS: Delivery(1, True),
    LIVE: Delivery(0, False),
    INTERVAL: Delivery(1, True),
    EVENT: Delivery(1, False),
    STROKE: Delivery(1, False),
    TOTALS: Delivery(1, True),
    LAST: Delivery(1, True),
    ERROR: Delivery(1, False),
}
"""Every topic that rowsync writes."""

RETAINED = tuple(name for name, delivery in DELIVERY.items() if delivery.retain)


class Message(NamedTuple):
    """One message.

    Attributes:
        topic: the whole topic.
        payload: its text.
        delivery: how it goes out.
        session_id: of a series: which session it is of.
        series: of a series: its topic's name.
        number: of a series: its place in it, from 1; None for a state.
        replayed: whether somebody asked for it again.
    """

    topic: str
    payload: str
    delivery: Delivery
    session_id: str = ""
    series: str = ""
    number: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Topics:
    """Where one machine's messages lie.

    Attributes:
        prefix: what stands before the machine.
        machine: the machine's part, as `machine_id` makes it.
    """

    prefix: str
    machine: str

    def __getitem__(self, name: str) -> str:
        """The whole topic of a name."""
        return f"{self.prefix}/{self.machine}/{name}"

    def message(self, name: str, fields: Mapping[str, Any] | str) -> Message:
        """A state."""
        return Message(self[name], fields if isinstance(fields, str) else _json(fields), DELIVERY[name])


def machine_id(name: str) -> str:
    """A machine's name as a part of topics and ids, whatever the name: letters, digits, `-` and `_`.

    Names that differ stay different: what is lost of one is made up for by its checksum.
    """
    safe = slug(name)
    return safe if "." not in safe else slug(f"{name} ").replace(".", "-")


# --- energy over all sessions -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Totals:
    """Energy in all, with what this session adds to it; gross, as everywhere in the topics.

    `lifetime_kcal` never falls, whatever becomes of sessions that were counted: corrected, reckoned anew, deleted.

    Attributes:
        kcal_today: since `day_start` [kcal].
        lifetime_kcal: ever [kcal].
        day_start: when the athlete's day began; None stands for the day of the session by this computer's clock.
        session_id: the session that is being counted; empty before the first.
        before_today_kcal: what `kcal_today` was before that session [kcal].
        before_kcal: what `lifetime_kcal` was before it [kcal].
    """

    kcal_today: float = 0.0
    lifetime_kcal: float = 0.0
    day_start: datetime | None = None
    session_id: str = ""
    before_today_kcal: float = 0.0
    before_kcal: float = 0.0

    def begun(self, heading: Header) -> Totals:
        """The totals as a session begins, or is taken up again."""
        if self.session_id == heading.session_id:
            return self
        day_start = self._day_start(heading.started_at)
        before_today_kcal = self.kcal_today if day_start == self.day_start else 0.0
        return Totals(
            kcal_today=before_today_kcal,
            lifetime_kcal=self.lifetime_kcal,
            day_start=day_start,
            session_id=heading.session_id,
            before_today_kcal=before_today_kcal,
            before_kcal=self.lifetime_kcal,
        )

    def _day_start(self, at: datetime) -> datetime:
        """When the athlete's day began, by the day that is known, else by this computer's clock."""
        try:
            days = (at - self.day_start) // timedelta(days=1) if self.day_start else -1
            if self.day_start and days >= 0:
                return self.day_start + days * timedelta(days=1)
            return at.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        except (OverflowError, ValueError, OSError):  # at the ends of the calendar
            return at

    def knowing(self, stored: Totals) -> Totals:
        """The totals once it is known what the stored sessions sum to; the present session isn't among them."""
        rowed_kcal = max(0.0, self.kcal_today - self.before_today_kcal)
        before_kcal = max(self.before_kcal, stored.lifetime_kcal)
        return replace(
            self,
            kcal_today=stored.kcal_today + rowed_kcal,
            lifetime_kcal=max(self.lifetime_kcal, before_kcal + rowed_kcal),
            day_start=stored.day_start or self.day_start,
            before_today_kcal=stored.kcal_today,
            before_kcal=before_kcal,
        )

    def rowed(self, gross_kcal: float) -> Totals:
        """The totals once the session has cost so much [kcal]."""
        return replace(
            self,
            kcal_today=self.before_today_kcal + gross_kcal,
            lifetime_kcal=max(self.lifetime_kcal, self.before_kcal + gross_kcal),
        )

    def fields(self) -> dict[str, Any]:
        """As the topic holds them."""
        return {
            "kcal_today": round(self.kcal_today, 1),
            "day_start": self.day_start.isoformat() if self.day_start else None,
            "lifetime_kcal": round(self.lifetime_kcal, 1),
        }

    def saved(self) -> dict[str, Any]:
        """As `read_totals` reads them again."""
        numbers = {name: getattr(self, name) for name in _SAVED_KCAL}
        return {
            "session_id": self.session_id,
            "day_start": self.day_start.isoformat() if self.day_start else None,
            **numbers,
        }


_SAVED_KCAL = ("kcal_today", "lifetime_kcal", "before_today_kcal", "before_kcal")


def past_totals(past: Mapping[str, Any]) -> Totals | None:
    """What the JSON of `rowsync past` says of energy; None when it says nothing."""
    today, lifetime = (measured(past.get(name)) for name in ("kcal_today", "lifetime_kcal"))
    if today is None or lifetime is None:
        return None
    return Totals(kcal_today=today, lifetime_kcal=lifetime, day_start=time_of(past.get("day_start")))


def read_totals(saved: Any) -> Totals:
    """The totals that `Totals.saved` made; zero where that isn't what they are."""
    try:
        day_start = datetime.fromisoformat(saved["day_start"]) if saved["day_start"] else None
        return Totals(
            day_start=day_start,
            session_id=str(saved["session_id"]),
            **{name: float(saved[name]) for name in _SAVED_KCAL},
        )
    except (KeyError, TypeError, ValueError):
        return Totals()


# --- from moments to messages -----------------------------------------------------------------------------------------


class Teller:
    """Makes messages of what a reader of moments is shown.

    A session whose moments come a second time from its start makes the same series with the same numbers.

    Args:
        prefix: what stands before the machine in topics.
        machine: what the machine is called in them; None for its own name.
        totals: energy as it was published last; nothing of it is published before it is known.
        discovery_prefix: where Home Assistant looks for devices; None when it isn't to be told.
    """

    def __init__(
        self,
        prefix: str,
        machine: str | None = None,
        totals: Totals | None = None,
        discovery_prefix: str | None = None,
    ) -> None:
        self.totals = totals or Totals()
        self._knows_totals = self.totals.lifetime_kcal > 0
        self._prefix, self._machine, self._discovery_prefix = prefix, machine, discovery_prefix
        self._moment: Moment | None = None
        self._session_id = ""
        self._topics: Topics | None = None
        self._numbers = {STROKE: 0, EVENT: 0}
        self._last_stroke = 0
        self._rounds = 0
        self._states: dict[str, Any] = {}

    @property
    def topics(self) -> Topics | None:
        """Where the machine's messages lie; None before it is known."""
        return self._topics

    def moment(self, moment: Moment) -> Iterator[Message]:
        """What a moment has to say."""
        if self._session_id != moment.heading.session_id:
            yield from self._begin(moment)
        self._moment = moment
        topics = self._here()
        for stroke in moment.strokes:
            if stroke.number > self._last_stroke:
                self._last_stroke = stroke.number
                yield self._next(STROKE, _stroke(stroke, moment.heading))
        yield from self._rounds_done(moment)
        yield from self._if_new(STATUS, OFFLINE if moment.lost else ONLINE)
        yield from self._if_new(INTERVAL, interval_fields(moment), _interval_key(moment))
        self.totals = self.totals.rowed(moment.gross_kcal)
        yield from self._totals()
        yield topics.message(LIVE, live_fields(moment))

    def remember(self, stored: Totals) -> Iterator[Message]:
        """What there is to say once it is known what the stored sessions sum to."""
        self.totals = self.totals.knowing(stored)
        self._knows_totals = True
        if self._topics is not None:
            yield from self._totals()

    def _totals(self) -> Iterator[Message]:
        """Energy over all sessions; a total that jumped once it is known would count as rowed."""
        if self._knows_totals:
            yield from self._if_new(TOTALS, self.totals.fields())

    def end(self, summary: Mapping[str, Any] | None) -> Iterator[Message]:
        """What the end of the row has to say.

        Args:
            summary: the JSON of `rowsync show`; None when nothing was stored.
        """
        last = self._moment
        if last is None:
            return
        kcal = last.gross_kcal if summary is None else summary["energy"]["gross_kcal"]
        yield self._next(EVENT, self._event("session_end", last) | _ended(last, summary))
        self.totals = self.totals.rowed(kcal or 0.0)
        self._knows_totals = True
        yield from self._totals()
        if summary is not None:
            yield self._here().message(LAST, last_fields(summary))
        yield from self._if_new(INTERVAL, {"session_id": last.heading.session_id, **_IDLE})
        yield from self._if_new(STATUS, OFFLINE)
        self._moment = None

    def _begin(self, moment: Moment) -> Iterator[Message]:
        heading = moment.heading
        self._session_id = heading.session_id
        name = str(heading.machine.get("name") or "rower")
        self._topics = Topics(self._prefix, machine_id(self._machine or name))
        self._numbers, self._last_stroke, self._rounds = {STROKE: 0, EVENT: 0}, 0, 0
        self._states.clear()
        self.totals = self.totals.begun(heading)
        if self._discovery_prefix is not None:
            yield discovery_message(self._topics, heading.machine, self._discovery_prefix)
        yield self._next(EVENT, self._event("session_start", moment, 0.0) | heading_fields(heading))

    def _rounds_done(self, moment: Moment) -> Iterator[Message]:
        self._rounds = min(self._rounds, len(moment.rounds))  # another plan begins anew
        for piece in moment.rounds[self._rounds :]:
            self._rounds += 1
            yield self._next(EVENT, self._event("round_done", moment, piece.end_s) | {"round": round_fields(piece)})

    def _event(self, event: str, moment: Moment, time_s: float | None = None) -> dict[str, Any]:
        time_s = moment.time_s if time_s is None else time_s
        return {"event": event, "at": _at(moment.heading, time_s), "time_s": round(time_s, 3)}

    def _next(self, series: str, fields: Mapping[str, Any]) -> Message:
        """The next of a series."""
        number = self._numbers[series] = self._numbers[series] + 1
        payload = _json({**fields, "session_id": self._session_id, "number": number})
        return Message(self._here()[series], payload, DELIVERY[series], self._session_id, series, number)

    def _if_new(self, name: str, fields: Mapping[str, Any] | str, key: Any = None) -> Iterator[Message]:
        """A state, unless it is as it was."""
        key = fields if key is None else key
        if self._states.get(name) != key:
            self._states[name] = key
            yield self._here().message(name, fields)

    def _here(self) -> Topics:
        return self._topics or Topics(self._prefix, machine_id(self._machine or "rower"))


def _json(fields: Any) -> str:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


def _at(heading: Header, time_s: float) -> str:
    """When a session time was [s]."""
    try:
        return stamp(heading.started_at + timedelta(seconds=round(time_s, 3)))
    except OverflowError:
        return stamp(heading.started_at)


def live_fields(moment: Moment) -> dict[str, Any]:
    """Where the row is."""
    fields = moment.fields()
    del fields["calls"]  # they are for the ear, at their moment
    return fields | {"at": _at(moment.heading, moment.time_s), "phase": phase(moment)}


IDLE = "idle"
PHASES = (IDLE, *(state.value for state in GuideState if state is not GuideState.ROWING), *map(str, Effort))


def phase(moment: Moment) -> str:
    """What is being rowed: an effort of the plan, or one that is noticed without a plan; one of `PHASES`."""
    cue = moment.cue
    if cue is None:
        return str(moment.effort or IDLE)
    return str(cue.piece.effort if cue.piece and cue.state is GuideState.ROWING else cue.state)


def interval_fields(moment: Moment) -> dict[str, Any]:
    """Which piece of the plan it is, and how long it lasts."""
    cue = moment.cue
    fields = {"session_id": moment.heading.session_id, **_IDLE, "phase": phase(moment)}
    if cue is None:
        return fields
    said = cue_fields(cue, moment.sample)
    ends_at = None if cue.ends_s is None else _at(moment.heading, cue.ends_s)
    following = str(cue.following.effort) if cue.following else None
    return fields | {name: said[name] for name in _OF_CUE} | {"ends_at": ends_at, "following": following}


_OF_CUE = ("state", "piece", "round_number", "rounds", "left_s", "left_m")
_IDLE = {"phase": IDLE, **dict.fromkeys((*_OF_CUE, "ends_at", "following"))}


def _interval_key(moment: Moment) -> tuple[Any, ...]:
    """What makes an interval's message worth sending anew; where a piece ends by the metre, its end is a guess."""
    cue = moment.cue
    if cue is None:
        return (phase(moment),)
    ends_s = None if cue.ends_s is None or cue.left_m is not None else round(cue.ends_s)
    return (phase(moment), cue.state, cue.number, cue.rounds, ends_s)


def _stroke(stroke: Stroke, heading: Header) -> dict[str, Any]:
    fields = stroke_fields(stroke)
    rate_spm = round(60.0 / stroke.duration_s, 1) if stroke.seen and stroke.duration_s > 0 else None
    return {
        "at": _at(heading, stroke.end_s),
        "stroke_count": fields.pop("number"),
        **fields,
        "stroke_rate_spm": rate_spm,
    }


def _ended(last: Moment, summary: Mapping[str, Any] | None) -> dict[str, Any]:
    if summary is not None:
        return {"stored": True, **last_fields(summary)}
    return {"stored": False, "gross_kcal": round(last.gross_kcal, 2), "distance_m": last.sample.distance_m}


LAST_FIELDS = (
    "session_id",
    "started_at",
    "athlete",
    "plan",
    "origin",
    "duration_s",
    "moving_s",
    "distance_m",
    "stroke_count",
    "mean_power_w",
    "mean_stroke_rate_spm",
    "mean_pace_s_per_500m",
    "mean_heart_rate_bpm",
    "fade",
)
"""The fields of `rowsync show` that the last session's topic has."""

LAST_ENERGY = ("gross_kcal", "net_kcal", "low_kcal", "high_kcal")


def last_fields(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A stored session in short, from the JSON of `rowsync show`."""
    started_at = time_of(summary.get("started_at"))
    length = timedelta(seconds=round(summary.get("duration_s") or 0.0))
    hard = [piece for piece in summary.get("intervals", ()) if piece.get("effort") == Effort.HARD]
    return {
        **{name: summary.get(name) for name in LAST_FIELDS},
        **{name: summary.get("energy", {}).get(name) for name in LAST_ENERGY},
        "machine": str(summary.get("machine", {}).get("name") or ""),
        "ended_at": stamp(started_at + length) if started_at else None,
        "rounds": len(hard),
    }


# --- without holes ----------------------------------------------------------------------------------------------------

MOST_KEPT = 50_000
"""So many messages of series are kept, which is a day of rowing."""

Key = tuple[str, str, int | None, bool]


class Outbox:
    """The series of messages, each kept until the broker has acknowledged it, and then to be asked for again.

    Args:
        positions: for each session, up to which number the broker has acknowledged its series already.

    Attributes:
        waiting: what isn't acknowledged yet, in the order in which it goes out.
        refused: how many were too many to be kept.
    """

    def __init__(self, positions: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.waiting: dict[Key, Message] = {}
        self.refused = 0
        self._kept: dict[Key, Message] = {}
        self._done = {session_id: dict(numbers) for session_id, numbers in (positions or {}).items()}
        self._ahead: dict[tuple[str, str], set[int]] = {}

    def put(self, message: Message) -> bool:
        """Take a message; answers whether it still has to go out."""
        key = _key(message)
        if key in self._kept:
            return False
        if len(self._kept) >= MOST_KEPT:
            self._forget(message.session_id)
        if len(self._kept) >= MOST_KEPT:
            self.refused += 1
            return False
        self._kept[key] = message
        if (message.number or 0) <= self._done.get(message.session_id, {}).get(message.series, 0):
            return False
        self.waiting[key] = message
        return True

    def _forget(self, session_id: str) -> None:
        """Let go of what the broker has of other sessions."""
        self._kept = {key: each for key, each in self._kept.items() if key[0] == session_id or key in self.waiting}

    def next(self, count: int) -> list[Message]:
        """The first so many that wait."""
        return list(islice(self.waiting.values(), count))

    def acknowledge(self, message: Message) -> None:
        """The broker has a message."""
        waited = self.waiting.pop(_key(message), None)
        if waited is None or message.replayed or message.number is None:
            return
        done = self._done.setdefault(message.session_id, {})
        ahead = self._ahead.setdefault((message.session_id, message.series), set())
        ahead.add(message.number)
        position = done.get(message.series, 0)
        while position + 1 in ahead:
            position += 1
            ahead.remove(position)
        done[message.series] = position

    def positions(self) -> dict[str, dict[str, int]]:
        """For each session, up to which number of each series the broker has all."""
        return {session_id: dict(numbers) for session_id, numbers in self._done.items()}

    def replay(self, session_id: str, number: int) -> int:
        """Send what a session's series have from a number on once more; answers how many that are.

        Raises:
            UsageError: nothing is known of that session.
        """
        known = [message for key, message in self._kept.items() if key[0] == session_id]
        if not known:
            raise UsageError(
                f"The session {outside_text(session_id)!r} isn't rowed now; rowsync show knows the stored."
            )
        again = [message for message in known if (message.number or 0) >= number]
        for message in again:
            marked = message._replace(replayed=True, payload=f'{message.payload[:-1]},"replayed":true}}')
            self.waiting.setdefault(_key(marked), marked)
        return len(again)

    def left(self) -> dict[str, list[Message]]:
        """What waits, by session; what was asked for again isn't among it."""
        by_session: dict[str, list[Message]] = {}
        for message in self.waiting.values():
            if not message.replayed:
                by_session.setdefault(message.session_id, []).append(message)
        return by_session


def _key(message: Message) -> Key:
    return (message.session_id, message.series, message.number, message.replayed)


def left_lines(messages: Iterable[Message]) -> bytes:
    """Messages as a file keeps them, one a line."""
    return "".join(_json([*message[:2], *message[2], *message[3:6]]) + "\n" for message in messages).encode()


def read_left(content: bytes) -> list[Message]:
    """The messages of such a file; a line that is none is left out."""
    found = []
    for line in content.splitlines():
        try:
            topic, payload, qos, retain, session_id, series, number = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        are_texts = all(isinstance(text, str) for text in (topic, payload, session_id, series))
        is_delivery = type(qos) is int and qos in (0, 1) and isinstance(retain, bool)
        if are_texts and is_delivery and is_topic(topic) and (number is None or type(number) is int):
            found.append(Message(topic, payload, Delivery(qos, retain), session_id, series, number))
    return found


def is_topic(text: str) -> bool:
    """Whether it can be a topic of rowsync's, or begin one: printable, and what a broker takes (MQTT 3.1.1, 4.7)."""
    is_plain = text.isprintable() and not set(text) & set("+#$") and len(text.encode("utf-8", "replace")) < 65_536
    return is_plain and all(text.split("/"))


# --- what may be asked over MQTT alone --------------------------------------------------------------------------------

REPLAY = "replay"


class Replay(NamedTuple):
    """Somebody wants a session's series once more.

    Attributes:
        session_id: of which session.
        number: from which number on.
    """

    session_id: str
    number: int


def read_replay(payload: bytes) -> Replay | None:
    """A replay, if that is what a command asks for; None for any other, and for what is none.

    Raises:
        UsageError: it is one that has no meaning.
    """
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        asked = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict) or asked.get("command") != REPLAY:
        return None
    session_id, number = asked.get("session_id"), asked.get("from", 1)
    if set(asked) <= _OF_REPLAY and isinstance(session_id, str) and type(number) is int and number >= 1:
        return Replay(session_id, number)
    raise UsageError('A replay is asked for as {"command": "replay", "session_id": "...", "from": 1}.')


_OF_REPLAY = {"command", "session_id", "from"}


# --- Home Assistant ---------------------------------------------------------------------------------------------------


class Entity(NamedTuple):
    """What Home Assistant shows of a machine.

    Attributes:
        platform: its kind.
        name: what it is called there.
        options: the rest of its configuration; names of topics, where it says `topic`.
        is_live: it only means something while rowsync runs and the machine is connected.
    """

    platform: str
    name: str
    options: Mapping[str, Any]
    is_live: bool = True


def _sensor(
    name: str, topic: str, value: str, *, unit: str | None = None, of: str | None = None, state: str | None, **more: Any
) -> Entity:
    options = {"state_topic": topic, "value_template": _value(value)}
    options |= {"unit_of_measurement": unit} if unit else {}
    options |= {"device_class": of} if of else {}
    options |= {"state_class": state} if state else {}
    is_live = more.pop("is_live", True)
    return Entity("sensor", name, options | more, is_live)


def _value(path: str) -> str:
    return f"{{{{ value_json.{path} }}}}"


_FADES: dict[str, Any] = {"expire_after": 10}
_WHOLE: dict[str, Any] = {"suggested_display_precision": 0}
_MEASURED, _RISING, _TOTAL = "measurement", "total_increasing", "total"

ENTITIES: Mapping[str, Entity] = {
    "power": _sensor("Power", LIVE, "power_w", unit="W", of="power", state=_MEASURED, **_FADES, **_WHOLE),
    "stroke_rate": _sensor(
        "Stroke rate", LIVE, "stroke_rate_spm", unit="spm", state=_MEASURED, icon="mdi:rowing", **_FADES
    ),
    "pace": _sensor("Pace per 500 m", LIVE, "pace_s_per_500m", unit="s", of="duration", state=_MEASURED, **_FADES),
    "heart_rate": _sensor(
        "Heart rate", LIVE, "heart_rate_bpm", unit="bpm", state=_MEASURED, icon="mdi:heart-pulse", **_FADES
    ),
    "distance": _sensor("Distance", LIVE, "distance_m", unit="m", of="distance", state=_RISING, **_WHOLE),
    "session_energy": _sensor("Session energy", LIVE, "gross_kcal", unit="kcal", of="energy", state=_RISING, **_WHOLE),
    "energy_today": _sensor(
        "Energy today",
        TOTALS,
        "kcal_today",
        unit="kcal",
        of="energy",
        state=_TOTAL,
        last_reset_value_template=_value("day_start"),
        is_live=False,
        **_WHOLE,
    ),
    "lifetime_energy": _sensor(
        "Lifetime energy", TOTALS, "lifetime_kcal", unit="kcal", of="energy", state=_RISING, is_live=False, **_WHOLE
    ),
    "phase": _sensor("Phase", INTERVAL, "phase", of="enum", state=None, options=list(PHASES)),
    "interval_left": _sensor(
        "Interval time left", LIVE, "guide.left_s", unit="s", of="duration", state=_MEASURED, **_FADES
    ),
    "round": _sensor("Round", INTERVAL, "round_number", state=_MEASURED, icon="mdi:counter"),
    "last_session": _sensor("Last session", LAST, "ended_at", of="timestamp", state=None, is_live=False),
    "rowing": Entity(
        "binary_sensor",
        "Rowing",
        {
            "state_topic": LIVE,
            "device_class": "moving",
            "value_template": "{{ 'ON' if value_json.moving else 'OFF' }}",
            **_FADES,
        },
    ),
    "next": Entity("button", "Next interval", {"command_topic": COMMAND, "payload_press": "next", "qos": 1}),
    "stop": Entity("button", "End the session", {"command_topic": COMMAND, "payload_press": "stop", "qos": 1}),
}
"""What Home Assistant shows, by key."""

TRIGGER = {
    "platform": "device_automation",
    "automation_type": "trigger",
    "type": "end of round",
    "subtype": "rowing",
    "topic": EVENT,
    "payload": "round_done",
    "value_template": "{{ '' if value_json.replayed else value_json.event }}",
}
"""What an automation can wait for."""

_TOPICS_OF = ("state_topic", "command_topic", "topic")


def discovery(topics: Topics, machine: Mapping[str, Any]) -> dict[str, Any]:
    """Home Assistant's device discovery (since 2024.12): one configuration for a machine and all that it shows.

    Args:
        topics: where its messages lie.
        machine: what the machine says of itself.

    Source of the fields: Home Assistant's `mqtt` integration, `DEVICE_DISCOVERY_SCHEMA` and its platforms' schemas
    (2025.4.4).  What is kept from row to row has no availability, so it stays readable while nobody rows.
    """
    own_id = f"rowsync_{topics.machine}"
    said = {ours: outside_text(machine[theirs]) for ours, theirs in _SAYS_WHO.items() if machine.get(theirs)}
    return {
        "device": {"identifiers": [own_id], "name": outside_text(machine.get("name") or "Rower"), **said},
        "origin": {"name": "rowsync", "sw_version": __version__},
        "availability": [{"topic": topics[BRIDGE]}, {"topic": topics[STATUS]}],
        "availability_mode": "all",
        "components": {
            **{key: _component(f"{own_id}_{key}", entity, topics) for key, entity in ENTITIES.items()},
            "round_done": _with_topics(TRIGGER, topics),
        },
    }


_SAYS_WHO = {"manufacturer": "maker", "model": "model", "hw_version": "hardware", "sw_version": "firmware"}
"""Home Assistant's words for what a machine says of itself."""


def _component(unique_id: str, entity: Entity, topics: Topics) -> dict[str, Any]:
    common = {"platform": entity.platform, "unique_id": unique_id, "name": entity.name}
    return common | _with_topics(entity.options, topics) | ({} if entity.is_live else {"availability": []})


def _with_topics(options: Mapping[str, Any], topics: Topics) -> dict[str, Any]:
    return {key: topics[value] if key in _TOPICS_OF else value for key, value in options.items()}


def discovery_topic(prefix: str, machine: str) -> str:
    """Where a machine's discovery lies.

    Args:
        prefix: Home Assistant's.
        machine: the machine, as `machine_id` makes it.
    """
    return f"{prefix}/device/rowsync_{machine}/config"


def discovery_message(topics: Topics, machine: Mapping[str, Any], prefix: str) -> Message:
    """The discovery as it goes out."""
    return Message(discovery_topic(prefix, topics.machine), _json(discovery(topics, machine)), Delivery(1, True))
