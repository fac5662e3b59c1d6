"""The calorie ledger: what sessions cost, by session, day, week or month."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from rowsync.days import local
from rowsync.profile import Profile
from rowsync.wording import measured, no_formula

FORMS = ("csv", "json", "parquet")


class Period(NamedTuple):
    """A kind of period.

    Attributes:
        number: which one a day lies in; they are numbered without a hole.
        name: what the one of a number is called.
    """

    number: Callable[[date], int]
    name: Callable[[int], str]


def _week_name(week: int) -> str:
    year, of_year, _ = date.fromordinal(week * 7 + 1).isocalendar()
    return f"{year:04}-W{of_year:02}"


PERIODS = {
    "day": Period(date.toordinal, lambda day: date.fromordinal(day).isoformat()),
    "week": Period(lambda day: (day.toordinal() - 1) // 7, _week_name),
    "month": Period(lambda day: day.year * 12 + day.month - 1, lambda month: f"{month // 12:04}-{month % 12 + 1:02}"),
}
"""A week is an ISO week, Monday to Sunday; the calendar's day 1 was a Monday."""

_TEXT, _NUMBER, _COUNT = "str", "float64", "int64"
_ENERGIES = ("gross_kcal", "net_kcal", "low_kcal", "high_kcal", "net_low_kcal", "net_high_kcal")
_SUMS = {"minutes": 2} | dict.fromkeys(_ENERGIES, 1)
"""What is added up where every session has it, and the decimals of each."""
_COLUMNS = {
    "athlete": _TEXT,
    "origin": _TEXT,
    "machine": _TEXT,
    **dict.fromkeys(_SUMS, _NUMBER),
    "sessions": _COUNT,
    "machine_sessions": _COUNT,
    "machine_kcal": _NUMBER,
    "energy_model": _TEXT,
}
_AIM_COLUMNS = {"aim_kcal": _NUMBER, "aim_share": _NUMBER}
_KEYS = {"session": {"session_id": _TEXT, "started_at": _TEXT}} | {by: {by: _TEXT} for by in PERIODS}

_Row = dict[str, Any]


def ledger(index: pd.DataFrame, by: str, profiles: Mapping[str, Profile]) -> pd.DataFrame:
    """Calorie totals, oldest first, one row a session, or a row a period, empty periods included.

    Athletes are kept apart, and so is what a virtual rower rowed (`origin` "synthetic") from what a person did.

    Days are those of the athlete's own time zone, and a session belongs wholly to the one that it began on.  Periods
    go from an athlete's first session to the last.  Figures are rounded session by session and then added, so that
    every ledger of the same sessions has the same totals.  The range of a period is the sum of its sessions' ranges:
    their error is systematic for one person on one machine, so it doesn't shrink.

    Args:
        index: one row a session, as `Store.index` gives it.
        by: "session", "day", "week" or "month".
        profiles: what is known of the athletes, by name; days of one without a time zone are this computer's.

    Returns:
        Columns: the period (or `session_id` and `started_at` by the athlete's clock), then `athlete, origin, machine,
        minutes`, the energies [kcal] and

        sessions: how many there are in the period.
        machine_sessions: in how many of them the machine counted energy.
        machine_kcal: what it counted in those, empty where there are none.
        energy_model: of the sessions; names are sorted and joined by "; ", those of machines too.
        aim_kcal, aim_share: by week only: the athlete's aim [net kcal] and the row's share of it; empty without an
            aim, and for what a virtual rower rowed.

        A sum is empty where one of its sessions doesn't have the figure.  Texts are never missing, only empty.
    """
    rows = sorted(_session_rows(index, profiles), key=lambda row: (row["began"], row["session_id"]))
    columns = _KEYS[by] | _COLUMNS
    if by != "session":
        rows = [row for whose in _grouped(rows, "athlete", "origin").values() for row in _by_period(whose, by)]
    if by == "week":
        columns |= _AIM_COLUMNS
        rows = [row | _aim(row, profiles) for row in rows]
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in columns.items()})


def energy_so_far(rows: Iterable[Mapping[str, Any]], profile: Profile, origin: str, now: datetime) -> dict[str, Any]:
    """What an athlete's sessions cost in all, and on the day that it is for them [gross kcal].

    Args:
        rows: the index, as `Store.rows` gives it.
        profile: whose.
        origin: of sessions of which origin: what a virtual rower rowed is kept apart.
        now: the present.

    Returns:
        `{"lifetime_kcal", "kcal_today", "day_start"}`, the last as ISO 8601 with the athlete's offset.
    """
    today = local(now, profile.time_zone)
    lifetime_kcal = kcal_today = 0.0
    for row in rows:
        kcal = measured(row["gross_kcal"])
        if row["athlete"] != profile.name or row["origin"] != origin or kcal is None:
            continue
        lifetime_kcal += kcal
        if row["started_at"] is not None and local(row["started_at"], profile.time_zone).date() == today.date():
            kcal_today += kcal
    day_start = today.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "lifetime_kcal": round(lifetime_kcal, 1),
        "kcal_today": round(kcal_today, 1),
        "day_start": day_start.isoformat(),
    }


def _session_rows(index: pd.DataFrame, profiles: Mapping[str, Profile]) -> Iterable[_Row]:
    taken = ["session_id", "started_at", "athlete", "origin", "machine", "duration_s", *_ENERGIES, "machine_kcal"]
    for session in index[[*taken, "energy_model"]].to_dict("records"):
        athlete = _text(session["athlete"])
        began = local(session["started_at"].to_pydatetime(), profiles.get(athlete, Profile()).time_zone)
        minutes, machine_kcal = _minutes(session["duration_s"]), _rounded(session["machine_kcal"], 1)
        yield {
            "session_id": _text(session["session_id"]),
            "began": began,
            "started_at": began.isoformat(timespec="seconds"),
            "athlete": athlete,
            "origin": _text(session["origin"]),
            "machine": _text(session["machine"]),
            "minutes": minutes,
            **{name: _rounded(session[name], 1) for name in _ENERGIES},
            "sessions": 1,
            "machine_sessions": int(machine_kcal is not None),
            "machine_kcal": machine_kcal,
            "energy_model": _text(session["energy_model"]),
        }


def _by_period(rows: Sequence[_Row], by: str) -> Iterable[_Row]:
    """One athlete's sessions of one origin by period, oldest first, from the first to the last."""
    found = defaultdict(list)
    for row in rows:
        found[PERIODS[by].number(row["began"].date())].append(row)
    whose = {key: rows[0][key] for key in ("athlete", "origin")}
    for period in range(min(found), max(found) + 1):
        yield {by: PERIODS[by].name(period)} | whose | _sum(found.get(period, ()))


def _sum(rows: Sequence[_Row]) -> _Row:
    counted = [row["machine_kcal"] for row in rows if row["machine_kcal"] is not None]
    return {
        **{name: _total([row[name] for row in rows], decimals) for name, decimals in _SUMS.items()},
        "sessions": len(rows),
        "machine_sessions": len(counted),
        "machine_kcal": _total(counted, 1) if counted else None,
        **{name: "; ".join(sorted({row[name] for row in rows} - {""})) for name in ("machine", "energy_model")},
    }


def _aim(row: _Row, profiles: Mapping[str, Profile]) -> _Row:
    known = profiles.get(row["athlete"], Profile()) if row["origin"] != "synthetic" else Profile()
    aim_kcal, net_kcal = known.weekly_aim_kcal, row["net_kcal"]
    share = round(net_kcal / aim_kcal, 3) if aim_kcal and net_kcal is not None else None
    return {"aim_kcal": aim_kcal, "aim_share": share}


def _grouped(rows: Iterable[_Row], *keys: str) -> dict[tuple[Any, ...], list[_Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return dict(sorted(groups.items()))


def _total(values: Sequence[float | None], decimals: int) -> float | None:
    known = [value for value in values if value is not None]
    return _rounded(sum(known), decimals) if len(known) == len(values) else None


def _minutes(duration_s: Any) -> float | None:
    known_s = measured(duration_s)
    return None if known_s is None else round(known_s / 60, 2)


def _rounded(value: Any, decimals: int) -> float | None:
    known = measured(value)
    return None if known is None else round(known, decimals)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- files ------------------------------------------------------------------------------------------------------------


def ledger_bytes(table: pd.DataFrame, form: str) -> bytes:
    """The ledger as "csv", "json" or "parquet"."""
    if form == "csv":
        return table.map(no_formula).to_csv(index=False).encode()
    if form == "json":
        return (json.dumps(json.loads(table.to_json(orient="records")), indent=2) + "\n").encode()
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


MOST_ROWS = 100_000
"""Nobody has rowed on so many days."""


def _models_in_parquet(file: io.BytesIO) -> pd.DataFrame:
    """The models in a ledger's file, each once; a model that a million rows name takes no more room than one."""
    with pq.ParquetFile(file, read_dictionary=["energy_model"]) as opened:
        if opened.metadata.num_rows > MOST_ROWS:
            raise ValueError("more rows than any ledger has")
        return pd.DataFrame({"energy_model": opened.read(["energy_model"])["energy_model"].unique().to_pylist()})


_MARKS: tuple[tuple[bytes, Callable[[Any], pd.DataFrame]], ...] = (
    (b"PAR1", _models_in_parquet),
    (b"[", pd.read_json),
    (b"", lambda file: pd.read_csv(file, usecols=["energy_model"])),
)
"""What each form begins with, and its reader."""
LARGEST_BYTES = 50_000_000


def energy_models(path: Path) -> set[str]:
    """The energy models that the figures in an exported ledger are by; none where there is no ledger."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return set()
        content = path.read_bytes()
        read = next(read for mark, read in _MARKS if content.startswith(mark))
        cells = read(io.BytesIO(content))["energy_model"]
    except Exception:  # anything at all may lie where somebody exports to
        return set()
    return {model for cell in cells if isinstance(cell, str) for model in cell.split("; ")} - {""}
