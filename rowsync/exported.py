"""What was exported last: each session's energy and the model that it was by, in the data folder.

    <data>/exported.json   {"anna": {"day": "2026-11-02", "gross_kcal": {"<model>": {"<session>": 312.4}}}}

The file only serves to say what changed since.  One that can't be read or written costs nothing but that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from math import fsum
from pathlib import Path
from typing import Any, NamedTuple

from rowsync.files import replacing
from rowsync.seal import sealed, unsealed
from rowsync.wording import count, measured, number, outside_text

FILE = "exported.json"
MOST_KCAL = 100_000.0
"""No session costs more [kcal]."""


class Cost(NamedTuple):
    """What a session cost.

    Attributes:
        session_id: its id.
        model: name of the energy model.
        gross_kcal: gross energy [kcal].
    """

    session_id: str
    model: str
    gross_kcal: float


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported of one athlete.

    Attributes:
        day: when, by the athlete's clock.
        gross_kcal: the gross energy of each session by its id, by the model [kcal].
    """

    day: date
    gross_kcal: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, day: date, costs: Iterable[Cost]) -> Export:
        """What is exported on a day; a session without a plausible energy, or its model, is left out."""
        export = cls(day)
        for session_id, model, said_kcal in costs:
            gross_kcal = measured(said_kcal)
            if model and gross_kcal is not None and 0 <= gross_kcal <= MOST_KCAL:
                export.gross_kcal.setdefault(model, {})[session_id] = round(gross_kcal, 1)
        return export

    def costs(self) -> Iterator[Cost]:
        """Its sessions."""
        for model, sessions in self.gross_kcal.items():
            yield from (Cost(session_id, model, gross_kcal) for session_id, gross_kcal in sessions.items())


def last_exports(folder: Path) -> dict[str, Export]:
    """What was exported last of each athlete, as kept in a data folder; nothing, where it can't be read."""
    try:
        content = unsealed((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    athletes = content.items() if isinstance(content, dict) else ()
    return {athlete: export for athlete, told in athletes if (export := _export(told)) is not None}


def keep_exports(folder: Path, exports: Mapping[str, Export]) -> None:
    """Keep what was exported now for the next export; what is kept of other athletes stays."""
    if not exports:
        return
    every = last_exports(folder) | dict(exports)
    content = {athlete: asdict(export) | {"day": export.day.isoformat()} for athlete, export in every.items()}
    with suppress(OSError), replacing(folder / FILE) as file:
        file.write(sealed(content))


def change(athlete: str, then: Export, now: Export) -> str | None:
    """How the sessions changed that another model gave the figures of, in a sentence; None when there are none."""
    today = {cost.session_id: cost for cost in now.costs()}
    pairs = [(was, today[was.session_id]) for was in then.costs() if was.session_id in today]
    changed = [(was, cost) for was, cost in pairs if was.model != cost.model]
    if not changed:
        return None
    before_kcal, now_kcal = (fsum(cost.gross_kcal for cost in costs) for costs in zip(*changed, strict=True))
    was_by, is_by = ({cost.model for cost in costs} for costs in zip(*changed, strict=True))
    return (
        f"{count(len(changed), 'session')} of {outside_text(athlete)}, exported on {then.day} by the energy model "
        f"{_listed(was_by)}, {'is' if len(changed) == 1 else 'are'} by {_listed(is_by)} now: gross energy "
        f"{_percent(before_kcal, now_kcal)}{number(before_kcal)} kcal then, {number(now_kcal)} kcal now. "
        "Replace what was exported then; the two don't mix."
    )


def replacement(file: str, then: Iterable[str], now: Iterable[str]) -> str | None:
    """That a file was replaced whose figures were by a model that is no longer there; None when that isn't so."""
    if not (gone := set(then) - set(now)) or not set(now):
        return None
    return (
        f"{outside_text(file)} held figures by the energy model {_listed(gone)}; those in it now are by {_listed(now)}."
    )


def _listed(models: Iterable[str]) -> str:
    return " and ".join(map(outside_text, sorted(set(models))))


def _percent(before: float, now: float) -> str:
    """A change, with what follows it: "+3.1 %, "."""
    if not before > 0:
        return ""
    percent = round((now / before - 1) * 100, 1)
    return f"{'+' if percent > 0 else '±' if percent == 0 else ''}{number(percent, 1)} %, "


def _export(told: Any) -> Export | None:
    try:
        models = told["gross_kcal"].items()
        costs = [Cost(each, model, said) for model, sessions in models for each, said in sessions.items()]
        return Export.of(date.fromisoformat(told["day"]), costs)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None
