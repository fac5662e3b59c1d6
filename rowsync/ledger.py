"""The calorie ledger: what sessions cost, by session, day, week or month."""

from __future__ import annotations

import io
import json

import pandas as pd

FORMS = ("csv", "json", "parquet")
PERIODS = {"day": "D", "week": "W-SUN", "month": "M"}
"""pandas' names of the periods; a week is an ISO week, Monday to Sunday."""

_SUMS = ["gross_kcal", "net_kcal", "low_kcal", "high_kcal", "machine_kcal"]


def ledger(index: pd.DataFrame, by: str) -> pd.DataFrame:
    """Calorie totals, oldest first, one row a session, or a row a period, empty periods included.

    Athletes are kept apart, and so is what a virtual rower rowed (`origin` "synthetic") from what a person did.

    Days are those of this computer's time zone.  The range of a period is the sum of its sessions' ranges: their error
    is systematic for one person on one machine, so it doesn't shrink.

    Args:
        index: one row a session, as `Store.index` gives it.
        by: "session", "day", "week" or "month".

    Returns:
        Columns: the period or session, athlete, origin, minutes, sessions, and the energies [kcal]; machine_kcal is
        empty where no machine in the period counted.
    """
    index = index.sort_values("started_at")
    local = [moment.astimezone() for moment in index.started_at.dt.to_pydatetime()]
    index = index.assign(minutes=index.duration_s / 60.0, sessions=1)
    if by == "session":
        index["started_at"] = [moment.isoformat(timespec="seconds") for moment in local]
        columns = ["session_id", "started_at", "athlete", "origin", "machine", "minutes", *_SUMS, "energy_model"]
        return _rounded(index[columns])
    index[by] = pd.PeriodIndex([moment.date() for moment in local], freq=PERIODS[by])
    tables = [_by_period(rows, by, *map(str, whose)) for whose, rows in index.groupby(["athlete", "origin"])]
    columns = [by, "athlete", "origin", "minutes", "sessions", *_SUMS, "energy_model"]
    return _rounded(pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns))


def _by_period(rows: pd.DataFrame, by: str, athlete: str, origin: str) -> pd.DataFrame:
    periods = pd.period_range(rows[by].min(), rows[by].max(), freq=PERIODS[by], name=by)
    groups = rows.groupby(by)
    sums = groups[["minutes", "sessions", *_SUMS]].sum(min_count=1).reindex(periods)
    counted = sums.columns.drop("machine_kcal")
    sums[counted] = sums[counted].fillna(0)
    sums["sessions"] = sums["sessions"].astype(int)
    models = groups["energy_model"].agg(lambda names: " ".join(sorted(set(names))))
    sums["energy_model"] = models.reindex(periods).fillna("")
    table = sums.assign(athlete=athlete, origin=origin).reset_index()
    return table.assign(**{by: [_name(period, by) for period in table[by]]})


def ledger_bytes(table: pd.DataFrame, form: str) -> bytes:
    """The ledger as "csv", "json" or "parquet"."""
    if form == "csv":
        return table.map(_no_formula).to_csv(index=False).encode()
    if form == "json":
        return (json.dumps(json.loads(table.to_json(orient="records")), indent=2) + "\n").encode()
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _no_formula(cell: object) -> object:
    """A text that a spreadsheet would run as a formula, made a text again."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _name(period: pd.Period, by: str) -> str:
    if by == "week":
        year, week, _ = period.start_time.isocalendar()
        return f"{year}-W{week:02d}"
    return str(period)


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    return table.round({"minutes": 2} | dict.fromkeys(_SUMS, 1)).reset_index(drop=True)
